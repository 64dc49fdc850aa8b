/**
 * Fires a shard's durable timers. The table is the truth and the only copy: memory holds just when to look next, so a
 * million return windows cost nothing. After a restart a backlog is spread over several looks.
 */
import { timerId } from '../actors/kernel/message.ts';
import type { Clock, DueTimer } from '../actors/kernel/ports.ts';
import { isStoreTrouble } from '../storage/database.ts';

/** Timers of one shard that fire at one look, and the pause before the next look when there are more. */
const MAX_BATCH = 100;
const NEXT_BATCH_MS = 250;
/** A timer whose message couldn't be delivered is tried again after this long; until then the others go on. */
const RETRY_MS = 1_000;
/** Timers of one shard that are fired and not done. */
const MAX_FIRING = 2_000;

export type TimersOptions = {
  readonly clock: Clock;
  readonly due: (until: number, limit: number) => readonly DueTimer[];
  readonly next: () => number | undefined;
  /** Delivers the timer's message; `settle` tells whether it is done with. */
  readonly fire: (timer: DueTimer, settle: (done: boolean) => void) => void;
};

export type Timers = {
  /** A timer was set: look again by then. */
  expect(at: number): void;
  start(): void;
  idle(): boolean;
  close(): void;
};

export function createTimers({ clock, due, next, fire }: TimersOptions): Timers {
  /** Fired but not done: still in the table, not to be fired again meanwhile. */
  const firing = new Set<string>();
  let nextLook = Number.POSITIVE_INFINITY;
  let cancel: (() => void) | undefined;
  let cancelDelay: (() => void) | undefined;
  let closed = false;

  function expect(at: number): void {
    if (closed || at >= nextLook) return;
    cancel?.();
    nextLook = at;
    cancel = clock.schedule(at, look);
  }

  function lookAfter(ms: number): void {
    if (closed || cancelDelay) return;
    cancelDelay = clock.delay(ms, () => {
      cancelDelay = undefined;
      look();
    });
  }

  function look(): void {
    if (closed) return;
    nextLook = Number.POSITIVE_INFINITY;
    cancel = undefined;
    if (firing.size >= MAX_FIRING || !lookNow()) lookAfter(RETRY_MS);
  }

  /** False when the table can't be read now: it is brought up to date first, which a full disk prevents. */
  function lookNow(): boolean {
    try {
      fireWhatIsDue();
      return true;
    } catch (error) {
      if (isStoreTrouble(error)) return false;
      throw error;
    }
  }

  function fireWhatIsDue(): void {
    const found = due(clock.now(), MAX_BATCH + firing.size);
    const ready = found.filter((timer) => !firing.has(idOf(timer))).slice(0, MAX_BATCH);
    for (const timer of ready) start(timer);
    if (ready.length === MAX_BATCH) {
      lookAfter(NEXT_BATCH_MS);
      return;
    }
    // Everything due is on its way; what comes next is later than now.
    const at = due(Number.MAX_SAFE_INTEGER, firing.size + 1).find((timer) => !firing.has(idOf(timer)))?.at;
    if (at !== undefined) expect(at);
  }

  function start(timer: DueTimer): void {
    const id = idOf(timer);
    firing.add(id);
    fire(timer, (done) => {
      if (done) {
        firing.delete(id);
        return;
      }
      clock.delay(RETRY_MS, () => {
        firing.delete(id);
        look();
      });
    });
  }

  return {
    expect,
    start() {
      try {
        const at = next();
        if (at !== undefined) expect(at);
      } catch (error) {
        if (!isStoreTrouble(error)) throw error;
        lookAfter(RETRY_MS);
      }
    },
    idle: () => firing.size === 0 && cancelDelay === undefined,
    close() {
      closed = true;
      cancel?.();
      cancelDelay?.();
    },
  };
}

function idOf(timer: DueTimer): string {
  return timerId(timer.key, timer.seq, timer.name);
}
