/** The request headers that steer an answer: preconditions, preferences, idempotency and trace context. */
import { randomBytes } from 'node:crypto';
import { Problem } from './problem.ts';

const MAX_WAIT_SECONDS = 10;
const ENTITY_TAG = /^(W\/)?"([\x21\x23-\x7e]*)"$/;
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;
/** Matches nothing that is there, and nothing that isn't. */
const NO_VERSION = -1;
const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;

/**
 * The version, and after a point whatever else the answer shows that changes without it. Only the version counts when the
 * tag comes back in an `If-Match`.
 */
export function etag(version: number, variant?: string): string {
  return variant === undefined ? `"${version}"` : `"${version}.${variant}"`;
}

/** True when the client already has what this tag stands for (weak comparison, RFC 9110 section 13.1.2). */
export function isUnchanged(ifNoneMatch: string | undefined, current: string): boolean {
  if (ifNoneMatch === undefined || ifNoneMatch === '') return false;
  if (ifNoneMatch.trim() === '*') return true;
  return ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === current);
}

/**
 * The version an `If-Match` asks for; undefined without one and for `*`. Only one tag makes sense for a change. Weak or
 * foreign tags match nothing (strong comparison): NO_VERSION.
 */
export function expectedVersion(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined;
  const match = ENTITY_TAG.exec(ifMatch.trim());
  if (!match) {
    throw new Problem(400, 'request.invalid-if-match', 'If-Match must be one entity tag, such as "3", or *.');
  }
  const version = match[1] === undefined ? /^(\d{1,15})(\.\w{1,32})?$/.exec(match[2] ?? '') : null;
  return version ? Number(version[1]) : NO_VERSION;
}

/** The version that a change must find by either precondition: `If-None-Match: *` asks that nothing is there yet. */
export function requiredVersion(ifMatch: string | undefined, ifNoneMatch: string | undefined): number | undefined {
  const expected = expectedVersion(ifMatch);
  if (ifNoneMatch?.trim() !== '*') return expected;
  return ifMatch === undefined ? 0 : NO_VERSION;
}

/** `Prefer: wait=N` in seconds, at most 10; undefined without a usable one (preferences are never an error). */
export function preferredWait(prefer: string | undefined): number | undefined {
  if (prefer === undefined) return undefined;
  for (const preference of prefer.split(',')) {
    const match = /^\s*wait\s*=\s*"?(\d{1,6})"?\s*(;.*)?$/i.exec(preference);
    if (match) return Math.min(Number(match[1]), MAX_WAIT_SECONDS);
  }
  return undefined;
}

export function idempotencyKey(header: string | undefined, required: boolean): string | undefined {
  if (header === undefined || header === '') {
    if (!required) return undefined;
    throw new Problem(400, 'idempotency.key-required', 'This request needs an Idempotency-Key header.');
  }
  if (!IDEMPOTENCY_KEY.test(header)) {
    throw new Problem(400, 'idempotency.key-invalid', 'Idempotency-Key must be 1–255 visible ASCII characters.');
  }
  return header;
}

export type Trace = { readonly id: string; readonly parent: string };

/** Goes on with the caller's trace or starts one; our span is the parent of everything below. */
export function traceOf(traceparent: string | undefined): Trace {
  const random = randomBytes(24).toString('hex');
  const match = traceparent === undefined ? null : TRACEPARENT.exec(traceparent);
  const incoming = match?.[1];
  const id = incoming === undefined || /^0+$/.test(incoming) ? random.slice(0, 32) : incoming;
  return { id, parent: `00-${id}-${random.slice(32)}-01` };
}

/** The caller's request id when it is harmless, else the trace id. */
export function requestIdOf(header: string | undefined, trace: Trace): string {
  return header !== undefined && REQUEST_ID.test(header) ? header : trace.id;
}
