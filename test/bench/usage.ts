/** What a process has used, as Linux counts it; elsewhere there are no such figures. */
import { existsSync, readFileSync } from 'node:fs';

/** Linux reports CPU time in ticks of 1/100 s on every platform that Node runs on. */
const MS_PER_TICK = 10;

export type Usage = {
  readonly cpuMs: number;
  /** Handed to the file system's device since the start of the process. */
  readonly writtenBytes: number;
  readonly rssBytes: number;
  readonly peakRssBytes: number;
};

export function usageOf(pid: number): Usage | undefined {
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
