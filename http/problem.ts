/** Everything that goes wrong becomes one of these: an RFC 9457 answer with a stable `code`, never a stack trace. */
import { STATUS_CODES } from 'node:http';
import type { Rejection } from '../actors/kernel/decider.ts';
import { Unavailable } from '../supervisors/shop.ts';

export type ProblemError = {
  /** Where the offending member stands; a body's unless said otherwise. */
  readonly in?: 'body' | 'query' | 'path' | 'header';
  readonly pointer: string;
  readonly code: string;
  readonly detail: string;
};

type ProblemOptions = {
  readonly title?: string;
  readonly errors?: readonly ProblemError[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
};

const RETRYABLE = new Set([408, 429, 503]);

export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly errors: readonly ProblemError[];
  readonly headers: Readonly<Record<string, string>>;
  readonly retryable: boolean;

  constructor(status: number, code: string, detail: string, options: ProblemOptions = {}) {
    super(detail, { cause: options.cause });
    this.status = status;
    this.code = code;
    this.title = options.title ?? STATUS_CODES[status] ?? 'Error';
    this.errors = options.errors ?? [];
    this.headers = options.headers ?? {};
    this.retryable = RETRYABLE.has(status);
  }
}

export function rejected(rejection: Rejection, replayed = false): Problem {
  return new Problem(rejection.status, rejection.code, rejection.detail, {
    title: rejection.title,
    errors: rejection.errors ?? [],
    headers: replayed ? { 'Idempotent-Replayed': 'true' } : {},
  });
}

export function notFound(what: string): Problem {
  return new Problem(404, `${what}.unknown`, `There is no such ${what}.`, { title: `Unknown ${what}` });
}

export function unavailable(detail: string, retryAfterSeconds: number, cause?: unknown): Problem {
  return new Problem(503, 'service.unavailable', detail, {
    headers: { 'Retry-After': String(Math.max(1, Math.ceil(retryAfterSeconds))) },
    cause,
  });
}

/** What Koa, its body parser or the HTTP parser throw: an error with a status of the client's doing. */
function isClientError(error: unknown): error is Error & { status: number; type?: string } {
  if (!(error instanceof Error) || !('status' in error)) return false;
  return typeof error.status === 'number' && error.status >= 400 && error.status < 500;
}

/** Any thrown value as a problem. What isn't known is our bug: 500, with nothing of it shown. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof Unavailable)
    return unavailable('The shop cannot answer right now.', error.retryAfterSeconds, error);
  if (isClientError(error)) return clientProblem(error.status, error);
  return new Problem(500, 'internal', 'Something went wrong on our side.', { cause: error });
}

function clientProblem(status: number, cause: unknown): Problem {
  switch (status) {
    case 413:
      return new Problem(413, 'request.too-large', 'The body is larger than 64 KB.', {
        headers: { Connection: 'close' },
        cause,
      });
    case 415:
      return new Problem(415, 'request.media-type', 'Send JSON (application/json, UTF-8).', { cause });
    default:
      return new Problem(status, 'request.malformed', 'The body is not valid JSON.', { cause });
  }
}

export function problemBody(problem: Problem, traceId: string): Record<string, unknown> {
  return {
    type: `urn:holdfast:problem:${problem.code}`,
    title: problem.title,
    status: problem.status,
    detail: problem.message,
    code: problem.code,
    errors: problem.errors,
    retryable: problem.retryable,
    traceId,
  };
}
