/** The two clocks: the wall's, and one that stands still until it is advanced, for tests and `CLOCK=virtual`. */
import type { Clock } from '../actors/kernel/ports.ts';

/** Node fires a timer set further away than this at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export interface VirtualClock extends Clock {
  /**
   * Moves business time forward by `ms`, stopping at each scheduled task in order (ties in the order of scheduling).
   * `settle` is awaited before the first and after each task, so that what a task causes happens at its moment, and
   * timers it sets before the target fire too. Ends exactly at the target. Calls run one after the other.
   */
  advance(ms: number, settle: () => Promise<void>): Promise<void>;
}

/** Scheduled and delayed tasks do not keep the process alive; a sleep that somebody awaits does. */
export function createRealClock(): Clock {
  const now = (): number => Date.now();
  return {
    now,
    monotonic: () => performance.now(),
    schedule: (at, task) => scheduleReal(at, task, false),
    sleep: (ms, signal) => sleepUntil(now() + ms, (at, task) => scheduleReal(at, task, true), signal),
    delay: delayReal,
  };
}

function scheduleReal(at: number, task: () => void, keepAlive: boolean): () => void {
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    const remaining = Math.max(0, at - Date.now());
    timer = setTimeout(onTimeout, Math.min(remaining, MAX_TIMEOUT_MS));
    if (!keepAlive) timer.unref();
  };
  // Node's timers follow another clock than Date: one may fire a little before `at`, or the wall clock was set back.
  const onTimeout = (): void => {
    if (Date.now() < at) arm();
    else task();
  };
  arm();
  return () => clearTimeout(timer);
}

function delayReal(ms: number, task: () => void): () => void {
  const timer = setTimeout(task, Math.min(ms, MAX_TIMEOUT_MS)).unref();
  return () => clearTimeout(timer);
}

async function sleepUntil(at: number, schedule: Clock['schedule'], signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = schedule(at, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

type ScheduledTask = { readonly at: number; readonly run: () => void };

/** `start` in ms since the epoch. `monotonic` and `delay` stay real. */
export function createVirtualClock(start: number): VirtualClock {
  let time = wholeMs(start);
  let lastAdvance: Promise<void> = Promise.resolve();
  // In the order of scheduling.
  const tasks = new Set<ScheduledTask>();

  const runOnce = (task: ScheduledTask): void => {
    if (tasks.delete(task)) task.run();
  };

  function schedule(at: number, run: () => void): () => void {
    // Business time is whole ms, whatever a jittered back-off asks for.
    const task = { at: Math.ceil(at), run };
    tasks.add(task);
    // What is due already must not wait for somebody to advance the clock.
    if (task.at <= time) setImmediate(runOnce, task);
    return () => {
      tasks.delete(task);
    };
  }

  async function advanceTo(target: number, settle: () => Promise<void>): Promise<void> {
    await settle();
    for (let next = earliest(tasks, target); next !== undefined; next = earliest(tasks, target)) {
      time = Math.max(time, next.at);
      runOnce(next);
      await settle();
    }
    time = target;
  }

  return {
    now: () => time,
    monotonic: () => performance.now(),
    schedule,
    sleep: (ms, signal) => sleepUntil(time + ms, schedule, signal),
    delay: delayReal,
    advance(ms, settle) {
      const step = wholeMs(ms);
      const advanced = lastAdvance.then(() => advanceTo(time + step, settle));
      lastAdvance = advanced.catch(() => undefined);
      return advanced;
    },
  };
}

function earliest(tasks: Iterable<ScheduledTask>, until: number): ScheduledTask | undefined {
  let first: ScheduledTask | undefined;
  for (const task of tasks) {
    if (task.at <= until && (first === undefined || task.at < first.at)) first = task;
  }
  return first;
}

function wholeMs(ms: number): number {
  if (!Number.isSafeInteger(ms) || ms < 0) throw new RangeError(`expected a whole number of ms, not negative: ${ms}`);
  return ms;
}
