/** The two ways to put load on a server, and what is counted: only what ended well, and only inside the window. */
import { setTimeout as pause } from 'node:timers/promises';
import { createLatencies, type Percentiles } from './latency.ts';
import { type Usage, usageOf } from './usage.ts';

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
  /** Of the server, within the window; absent where the system doesn't count it. */
  readonly cpuMs?: number;
  readonly writtenBytes?: number;
  readonly rssBytes?: number;
  readonly peakRssBytes?: number;
};

/** `inFlight` tasks at once, each followed by the next. Counts what ended inside the window. */
export async function closedLoop(inFlight: number, window: Window, pid: number, task: Task): Promise<LoadFigures> {
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
  const [usage] = await Promise.all([usageBetween(pid, begin, end), ...workers]);
  return tally.figures(usage);
}

/**
 * Starts a task every 1/`rate` seconds, whether or not the ones before are done. Latency counts from the moment a task
 * *should* have started, so a server that stalls can't hide it by slowing the load down (coordinated omission).
 */
export async function openLoop(rate: number, window: Window, pid: number, task: Task): Promise<LoadFigures> {
  const { start, begin, end } = borders(window);
  const tally = createTally(begin, end);
  const underWay = new Set<Promise<void>>();
  const usage = usageBetween(pid, begin, end);
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
    figures(usage: Partial<Usage>): LoadFigures {
      const seconds = (end - begin) / 1_000;
      const latencyMs = latencies.percentiles();
      return {
        seconds,
        completed: latencyMs.count,
        perSecond: latencyMs.count / seconds,
        latencyMs,
        failures,
        ...usage,
      };
    },
  };
}

async function usageBetween(pid: number, begin: number, end: number): Promise<Partial<Usage>> {
  await pause(begin - performance.now());
  const before = usageOf(pid);
  await pause(end - performance.now());
  const after = usageOf(pid);
  if (!before || !after) return {};
  return { ...after, cpuMs: after.cpuMs - before.cpuMs, writtenBytes: after.writtenBytes - before.writtenBytes };
}
