/** What a server has used so far: as Linux counts it (elsewhere there are no such figures), and as it counts itself. */
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import type { Http } from './http.ts';

/** Linux reports CPU time in ticks of 1/100 s on every platform that Node runs on. */
const MS_PER_TICK = 10;

type ProcessUsage = {
  readonly cpuMs: number;
  /** Handed to the file system's device since the start of the process. */
  readonly writtenBytes: number;
  readonly rssBytes: number;
  readonly peakRssBytes: number;
};

function usageOf(pid: number): ProcessUsage | undefined {
  const folder = `/proc/${pid}`;
  if (!existsSync(`${folder}/io`)) return undefined;
  // The name in parentheses may hold spaces: the numbered fields begin after it.
  const stat = readFileSync(`${folder}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = readFileSync(`${folder}/status`, 'utf8');
  const kilobytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1_024;
  const written = /^write_bytes: (\d+)/m.exec(readFileSync(`${folder}/io`, 'utf8'))?.[1];
  return {
    cpuMs: (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK,
    writtenBytes: Number(written),
    rssBytes: kilobytes('VmRSS'),
    peakRssBytes: kilobytes('VmHWM'),
  };
}

/** Counted since the start of whatever it is. */
type Sample = {
  readonly at: number;
  readonly machineMs: number;
  readonly generatorMs: number;
  readonly appends: number;
  readonly commits: number;
  readonly appendMs: number;
  readonly process: ProcessUsage | undefined;
};

export type Probe = () => Promise<Sample>;

/** What was used between two samples. */
export type Used = {
  /** Transactions written to the log, each synced, and the commits in them. */
  readonly appends: number;
  readonly commits: number;
  readonly appendMs: number;
  /** CPU time of the load generator. */
  readonly generatorMs: number;
  readonly cpuMs?: number;
  readonly writtenBytes?: number;
  readonly rssBytes?: number;
  readonly peakRssBytes?: number;
  /** Share of the machine's CPUs that neither the server nor the load generator used: other programs and the kernel. */
  readonly othersShare?: number;
};

export function createProbe(http: Http, pid: number): Probe {
  return async () => {
    const process = usageOf(pid);
    const { status, body } = await http.send('GET', '/metrics');
    if (status !== 200) throw new Error(`no metrics: ${status}`);
    const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(String(body))?.[1] ?? 0);
    return {
      at: performance.now(),
      machineMs: machineMs(),
      generatorMs: generatorMs(),
      appends: value('holdfast_append_seconds_count'),
      commits: value('holdfast_append_commits_sum'),
      appendMs: value('holdfast_append_seconds_sum') * 1_000,
      process,
    };
  };
}

/** One probe of several servers on this machine, which are taken for one. */
export function togetherOf(probes: readonly Probe[]): Probe {
  return async () => {
    const samples = await Promise.all(probes.map((probe) => probe()));
    return samples.reduce(plus);
  };
}

const plus = (one: Sample, other: Sample): Sample => ({
  ...one,
  appends: one.appends + other.appends,
  commits: one.commits + other.commits,
  appendMs: one.appendMs + other.appendMs,
  process: one.process && other.process && added(one.process, other.process),
});

const added = (one: ProcessUsage, other: ProcessUsage): ProcessUsage => ({
  cpuMs: one.cpuMs + other.cpuMs,
  writtenBytes: one.writtenBytes + other.writtenBytes,
  rssBytes: one.rssBytes + other.rssBytes,
  peakRssBytes: one.peakRssBytes + other.peakRssBytes,
});

/** CPU time of a process since its start; undefined where the system doesn't tell. */
export const cpuMsOf = (pid: number): number | undefined => usageOf(pid)?.cpuMs;

export function usedBetween(before: Sample, after: Sample): Used {
  const used = {
    appends: after.appends - before.appends,
    commits: after.commits - before.commits,
    appendMs: after.appendMs - before.appendMs,
    generatorMs: after.generatorMs - before.generatorMs,
  };
  if (!before.process || !after.process) return used;
  const cpuMs = after.process.cpuMs - before.process.cpuMs;
  const availableMs = (after.at - before.at) * availableParallelism();
  const othersMs = after.machineMs - before.machineMs - cpuMs - used.generatorMs;
  return {
    ...used,
    ...after.process,
    cpuMs,
    writtenBytes: after.process.writtenBytes - before.process.writtenBytes,
    othersShare: Math.max(0, othersMs / availableMs),
  };
}

function machineMs(): number {
  return cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0);
}

function generatorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
