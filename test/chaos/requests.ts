/** One try of a request against one node, with a deadline; it says what went wrong instead of throwing. */

export type Ask = {
  readonly method: string;
  readonly path: string;
  readonly token?: string | undefined;
  /** Idempotency-Key. */
  readonly key?: string | undefined;
  readonly body?: unknown;
  /** Seconds; `Prefer: wait`. */
  readonly wait?: number | undefined;
};

export type Told = {
  /** `ok`, a status with its code, or how the connection failed. */
  readonly outcome: string;
  /** 0 without an answer. */
  readonly status: number;
  /** As it came. */
  readonly text: string;
};

/** Longer than any node's own deadline. */
const PATIENCE_MS = 12_000;

export async function tryOnce(url: string, ask: Ask, patienceMs: number = PATIENCE_MS): Promise<Told> {
  const { method, path, token, key, body, wait } = ask;
  try {
    const response = await fetch(`${url}${path}`, {
      method,
      signal: AbortSignal.timeout(patienceMs),
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(key !== undefined && { 'idempotency-key': key }),
        ...(wait !== undefined && { prefer: `wait=${wait}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const { status, ok } = response;
    return {
      outcome: ok ? 'ok' : `${status} ${codeOf(text)}`,
      status,
      text,
    };
  } catch (error) {
    return { outcome: failureOf(error), status: 0, text: '' };
  }
}

function codeOf(text: string): string {
  const code = /"code":"([^"]+)"/.exec(text)?.[1];
  return code ?? 'without a code';
}

function failureOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
}
