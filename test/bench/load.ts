/** The two ways to put load on a server, and what is counted: only what ended well, and only inside the window. */
import { setTimeout as pause } from 'node:timers/promises';
import { createLatencies, type Percentiles } from './latency.ts';
import { type Probe, type Used, usedBetween } from './usage.ts';

/** Does one thing; the answer is why it doesn't count, or nothing when it does. Must not throw. */
export type Task = () => Promise<string | undefined>;

export type Window = { readonly warmUpMs: number; readonly measureMs: number };

export type LoadFigures = {
  readonly seconds: number;
  readonly completed: number;
  readonly perSecond: number;
  readonly latencyMs: Percentiles;
  /** Why the others don't count, and how often. */
  readonly failures: Readonly<Record<string, number>>;
  /** Within the window. */
  readonly used: Used;
};

/** `inFlight` tasks at once, each followed by the next. Counts what ended inside the window. */
export async function closedLoop(inFlight: number, window: Window, probe: Probe, task: Task): Promise<LoadFigures> {
  const { begin, end } = borders(window);
  const tally = createTally(begin, end);
  const workers = Array.from({ length: inFlight }, async () => {
    while (performance.now() < end) {
      const started = performance.now();
      const failure = await task();
      const ended = performance.now();
      tally.add(ended, ended - started, failure);
    }
  });
  const [usage] = await Promise.all([usedWithin(probe, begin, end), ...workers]);
  return tally.figures(usage);
}

/**
 * Starts a task every 1/`rate` seconds, whether or not the ones before are done. Latency counts from the moment a task
 * *should* have started, so a server that stalls can't hide it by slowing the load down (coordinated omission).
 */
export async function openLoop(rate: number, window: Window, probe: Probe, task: Task): Promise<LoadFigures> {
  const { start, begin, end } = borders(window);
  const tally = createTally(begin, end);
  const underWay = new Set<Promise<void>>();
  const usage = usedWithin(probe, begin, end);
  const intervalMs = 1_000 / rate;
  for (let n = 0; start + n * intervalMs < end; ) {
    for (; start + n * intervalMs <= performance.now() && start + n * intervalMs < end; n++) {
      const intended = start + n * intervalMs;
      const done = task().then((failure) => {
        tally.add(intended, performance.now() - intended, failure);
        underWay.delete(done);
      });
      underWay.add(done);
    }
    await pause(1);
  }
  await Promise.all(underWay);
  return tally.figures(await usage);
}

function borders({ warmUpMs, measureMs }: Window) {
  const start = performance.now();
  return { start, begin: start + warmUpMs, end: start + warmUpMs + measureMs };
}

function createTally(begin: number, end: number) {
  const latencies = createLatencies();
  const failures: Record<string, number> = {};
  return {
    add(at: number, latencyMs: number, failure: string | undefined): void {
      if (at < begin || at >= end) return;
      if (failure === undefined) latencies.record(latencyMs);
      else failures[failure] = (failures[failure] ?? 0) + 1;
    },
    figures(used: Used): LoadFigures {
      const seconds = (end - begin) / 1_000;
      const latencyMs = latencies.percentiles();
      return {
        seconds,
        completed: latencyMs.count,
        perSecond: latencyMs.count / seconds,
        latencyMs,
        failures,
        used,
      };
    },
  };
}

async function usedWithin(probe: Probe, begin: number, end: number): Promise<Used> {
  await pause(begin - performance.now());
  const before = await probe();
  await pause(end - performance.now());
  return usedBetween(before, await probe());
}
