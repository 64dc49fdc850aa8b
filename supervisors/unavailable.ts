import type { Settled } from '../actors/kernel/ports.ts';

export type NotNow = Extract<Settled, { kind: 'unavailable' }>;

const RETRY_AFTER_MS = 1_000;

/** Nothing happened; the same may be asked again after a pause. */
export function unavailable(reason: string, retryAfterMs = RETRY_AFTER_MS): NotNow {
  return { kind: 'unavailable', reason, retryAfterMs };
}

/** Another node has the shard, or will have it: whoever finds it may ask again at once. */
export const MOVED: NotNow = { ...unavailable('the shard is not open on this node'), moved: true };
