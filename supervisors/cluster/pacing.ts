/** What keeps nodes from moving everything at once, and from trying the same thing over and over. */
import type { Clock } from '../../actors/kernel/ports.ts';

export type BackOff = {
  /** Nothing is to be waited for. */
  readonly over: boolean;
  /** Something failed: waits, twice as long as the last time. */
  fail(): void;
  reset(): void;
};

export type BackOffOptions = {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** In [0, 1). */
  readonly random: () => number;
  readonly firstMs: number;
  readonly maxMs: number;
  /** After so long without a failure the next one counts as the first. Longer than the longest wait. */
  readonly forgetMs: number;
};

/** Waits of half to all of the time, at random, so that two nodes in the same situation don't stay in step. */
export function createBackOff({ clock, random, firstMs, maxMs, forgetMs }: BackOffOptions): BackOff {
  let failures = 0;
  let failedAt = Number.NEGATIVE_INFINITY;
  let until = Number.NEGATIVE_INFINITY;
  return {
    get over() {
      return clock.monotonic() >= until;
    },
    fail() {
      const now = clock.monotonic();
      failures = now - failedAt > forgetMs ? 1 : failures + 1;
      failedAt = now;
      until = now + Math.min(maxMs, firstMs * 2 ** (failures - 1)) * (0.5 + random() / 2);
    },
    reset() {
      failures = 0;
      until = Number.NEGATIVE_INFINITY;
    },
  };
}

export type Slots = {
  /** A slot and how to give it back, which does nothing the second time; undefined when all are taken, or too soon. */
  take(): (() => void) | undefined;
  readonly taken: number;
};

export type SlotsOptions = {
  readonly clock: Pick<Clock, 'monotonic' | 'delay'>;
  readonly size: number;
  readonly spacingMs: number;
  /** A slot that isn't given back is free again after so long. */
  readonly expireMs: number;
};

export function createSlots({ clock, size, spacingMs, expireMs }: SlotsOptions): Slots {
  const taken = new Set<object>();
  let takenAt = Number.NEGATIVE_INFINITY;
  return {
    take() {
      const now = clock.monotonic();
      if (taken.size >= size || now - takenAt < spacingMs) return undefined;
      const slot = {};
      taken.add(slot);
      takenAt = now;
      const cancel = clock.delay(expireMs, () => taken.delete(slot));
      return () => {
        cancel();
        taken.delete(slot);
      };
    },
    get taken() {
      return taken.size;
    },
  };
}

class TookTooLong extends Error {
  override readonly name = 'TookTooLong';
}

/** @throws TookTooLong after `ms` of real time; the promise is then left to itself */
export function within<Value>(promise: Promise<Value>, ms: number, clock: Pick<Clock, 'delay'>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const cancel = clock.delay(ms, () => reject(new TookTooLong(`no end after ${ms} ms`)));
    promise.then(resolve, reject).finally(cancel);
  });
}
