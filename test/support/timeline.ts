/** Simulated time for simulated networks: one task after the other, as soon as what the last one caused has settled. */

export type Timeline = {
  monotonic(): number;
  /** Runs the task after `ms` of simulated time; returns a function that cancels it. */
  delay(ms: number, task: () => void): () => void;
};

type Task = { readonly at: number; readonly run: () => void };

export function createTimeline(): Timeline {
  let now = 0;
  let running = false;
  const tasks = new Set<Task>();

  function next(): void {
    let first: Task | undefined;
    for (const task of tasks) if (first === undefined || task.at < first.at) first = task;
    if (first === undefined) {
      running = false;
      return;
    }
    tasks.delete(first);
    now = Math.max(now, first.at);
    first.run();
    setImmediate(next);
  }

  return {
    monotonic: () => now,
    delay(ms, run) {
      const task = { at: now + ms, run };
      tasks.add(task);
      if (!running) {
        running = true;
        setImmediate(next);
      }
      return () => {
        tasks.delete(task);
      };
    },
  };
}

/** The wall's time, for what waits for a test in turn. Keeps the process alive. */
export const realTimeline: Timeline = {
  monotonic: () => performance.now(),
  delay(ms, task) {
    const timer = setTimeout(task, ms);
    return () => clearTimeout(timer);
  },
};

/** The same numbers in [0, 1) for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The timeline, and how many of the tasks that were given to it here are still to come. */
export function watchedTimeline(timeline: Timeline): Timeline & { readonly pending: () => number } {
  const tasks = new Set<object>();
  return {
    monotonic: timeline.monotonic,
    delay(ms, run) {
      const task = {};
      tasks.add(task);
      const cancel = timeline.delay(ms, () => {
        tasks.delete(task);
        run();
      });
      return () => {
        tasks.delete(task);
        cancel();
      };
    },
    pending: () => tasks.size,
  };
}
