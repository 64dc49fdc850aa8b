/**
 * How often somebody may do something: the generic cell rate algorithm. One number a key, the time at which all that was
 * taken so far will be paid off, so a limit is smooth, needs no timer, and tells exactly when to come back. Own code instead
 * of a library: it must be bounded in memory whoever comes, and take its time from the shop's monotonic clock.
 */
import { recentlyUsed } from '../storage/recentlyUsed.ts';
import { Problem } from './problem.ts';

/** Callers remembered at once, about 10 MB when all are; whoever was not seen for longest starts afresh. */
const MAX_KEYS = 100_000;

export type Verdict = {
  readonly allowed: boolean;
  readonly remaining: number;
  /** Until the next one is allowed; 0 when it is. */
  readonly retryAfterMs: number;
};

export interface RateLimit {
  readonly limit: number;
  readonly windowMs: number;
  /** Takes one if there is one left; a refusal costs nothing. */
  take(key: string): Verdict;
  /** As if the key had never taken anything. */
  forgive(key: string): void;
  /** As if the key had taken one less. */
  giveBack(key: string): void;
}

/** At most `limit` at once, and `limit` in each `windowMs` in the long run. `now` in ms, monotonic. */
export function createRateLimit(limit: number, windowMs: number, now: () => number, maxKeys = MAX_KEYS): RateLimit {
  const costMs = windowMs / limit;
  const paidOffAt = recentlyUsed<string, number>(maxKeys);
  return {
    limit,
    windowMs,
    take(key) {
      const at = now();
      const next = Math.max(at, paidOffAt.get(key) ?? at) + costMs;
      const tooMuchMs = next - at - windowMs;
      // A sum of many costs is not exact to the last bit.
      if (tooMuchMs > costMs / 1_000_000) return { allowed: false, remaining: 0, retryAfterMs: tooMuchMs };
      paidOffAt.set(key, next);
      return { allowed: true, remaining: Math.max(0, Math.round(-tooMuchMs / costMs)), retryAfterMs: 0 };
    },
    forgive: (key) => void paidOffAt.delete(key),
    giveBack(key) {
      const paidOff = paidOffAt.get(key);
      if (paidOff !== undefined) paidOffAt.set(key, paidOff - costMs);
    },
  };
}

/** Takes one or throws the 429 that says when to come back. */
export function takeOrRefuse(rate: RateLimit, key: string, detail: string): Verdict {
  const verdict = rate.take(key);
  if (verdict.allowed) return verdict;
  const retryAfter = String(Math.ceil(verdict.retryAfterMs / 1_000));
  throw new Problem(429, 'request.rate-limited', detail, { headers: { 'Retry-After': retryAfter } });
}
