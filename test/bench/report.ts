/** The figures as Markdown tables. */
import type { ClusterRun } from './cluster.ts';
import { clusterTables } from './clusterReport.ts';
import type { Outcome } from './express.ts';
import type { Percentiles } from './latency.ts';
import type { LoadFigures } from './load.ts';
import type { Machine } from './machine.ts';
import type { BenchOptions } from './options.ts';
import type { ProfileSummary } from './profile.ts';
import type { Recovery } from './recovery.ts';
import { milliseconds, PERCENTILES, per, table } from './tables.ts';

export type LoadRun = {
  readonly name: string;
  readonly stored: number;
  readonly load: LoadFigures;
  /** All that were placed, warm-up included; what the database grew by is shared by them. */
  readonly orders: number;
  readonly databaseBytes: number;
  readonly outcome?: Outcome;
  readonly steps?: Readonly<Record<string, Percentiles>>;
  readonly profile?: ProfileSummary;
};
export type RecoveryRun = Recovery & { readonly stored: number };
export type Filling = {
  readonly orders: number;
  readonly seconds: number;
  readonly commitsPerOrder: number;
  readonly databaseBytes: number;
};
export type Report = {
  readonly machine: Machine;
  readonly options: Omit<BenchOptions, 'only'> & { readonly only: readonly string[] };
  readonly filling?: Filling;
  readonly loads: readonly LoadRun[];
  readonly recoveries: readonly RecoveryRun[];
  readonly cluster?: ClusterRun;
};

const KB = 1_024;
const MB = 1_024 * KB;
const GB = 1_024 * MB;
/** Share of a run's orders that may be under way at its end. */
const MAX_UNFINISHED = 0.02;
/** Parts of a profile below this share are left out. */
const PART_SHOWN = 0.005;

export function markdown(report: Report): string {
  const { loads, recoveries, filling, cluster } = report;
  const parts = [
    heading(report),
    ...(loads.length > 0 ? [loadTable(loads), ...loads.flatMap(remarks), costTable(loads)] : []),
    ...loads.flatMap(({ name, steps }) => (steps ? [stepTable(name, steps)] : [])),
    ...(recoveries.length > 0 ? [recoveryTable(recoveries), ...recoveries.map(kept)] : []),
    ...(filling ? [fillingNote(filling)] : []),
    ...(cluster ? clusterTables(cluster) : []),
    ...loads.flatMap((run) => (run.profile ? [profileTables(titled(run), run.profile)] : [])),
    ...(cluster?.profiles ?? []).map(({ name, profile }) => profileTables(`cluster, ${name}`, profile)),
  ];
  return `${parts.join('\n\n')}\n`;
}

function heading({ machine, options }: Report): string {
  const { cpus, model, memoryBytes, system, node, commit, date, loadAverage, syncMs } = machine;
  return [
    '# Holdfast bench',
    '',
    `${cpus} × ${model}, ${(memoryBytes / GB).toFixed(0)} GB, ${system}, Node ${node}, commit ${commit}, ${date}.`,
    `Load average before: ${loadAverage.toFixed(1)}.`,
    `One server process, one SQLite file, every commit synced (4 KB write + fdatasync here: ${syncMs.toFixed(2)} ms).`,
    `The load generator runs on the same ${cpus} cores: what it uses, the server does not have.`,
    'Express orders are one request, two products each; a flow is nine requests. Only 2xx answers count, and where it says',
    'captured only orders whose payment was captured. LOG_LEVEL=warn; simulated payments and carrier answer at once.',
    ...(options.profile ? ['With --profile: the profiler slows the server down.'] : []),
  ].join('\n');
}

function loadTable(runs: readonly LoadRun[]): string {
  const rows = runs.map(({ name, stored, load }) => [
    name,
    thousands(stored),
    load.perSecond.toFixed(0),
    ...milliseconds(load.latencyMs),
    String(failed(load)),
  ]);
  return table(['load', 'stored orders', 'per second', ...PERCENTILES, 'failed'], rows);
}

/** "Each" is per order or flow completed in the window; not where much of their work was done only after it. */
function costTable(runs: readonly LoadRun[]): string {
  const rows = runs.map(({ name, stored, load: { used, completed }, orders, databaseBytes, outcome }) => {
    const whole = outcome === undefined || outcome.backlog <= completed * MAX_UNFINISHED;
    const each = (total: number | undefined, digits: number): string => (whole ? per(total, completed, digits) : '–');
    return [
      name,
      thousands(stored),
      each(used.cpuMs, 2),
      each(used.generatorMs, 2),
      used.othersShare === undefined ? '–' : (used.othersShare * 100).toFixed(0),
      each(used.commits, 1),
      each(used.appends, 2),
      per(used.appendMs, used.appends, 2),
      each(used.writtenBytes && used.writtenBytes / KB, 1),
      per(databaseBytes, orders * KB, 1),
      per(used.rssBytes, MB, 0),
      per(used.peakRssBytes, MB, 0),
    ];
  });
  const headings = [
    'CPU ms each',
    'load generator ms each',
    'others % of CPUs',
    'commits each',
    'syncs each',
    'ms per sync',
    'KB written each',
    'KB stored each',
    'RSS MB',
    'peak',
  ];
  return table(['cost', 'stored orders', ...headings], rows);
}

function remarks({ name, stored, load, outcome }: LoadRun): string[] {
  const title = `${name}, ${thousands(stored)} stored`;
  const lines: string[] = [];
  if (failed(load) > 0) lines.push(`${title}: failed: ${counted(load.failures)}.`);
  if (outcome) {
    const { accepted, captured, backlog, drainMs, captureMs, others } = outcome;
    const rest = accepted === captured ? '' : `; the others: ${counted(others)}`;
    lines.push(
      `${title}: ${captured} of ${accepted} accepted orders were captured${rest}. ` +
        `Not captured yet when the load ended: ${backlog}, gone ${(drainMs / 1_000).toFixed(1)} s later. ` +
        `Placed → captured (${captureMs.count} timelines): p50 ${captureMs.p50.toFixed(0)}, p95 ${captureMs.p95.toFixed(0)}, p99 ${captureMs.p99.toFixed(0)} ms.`,
    );
  }
  return lines;
}

function stepTable(name: string, steps: Readonly<Record<string, Percentiles>>): string {
  const rows = Object.entries(steps).map(([step, percentiles]) => [step, ...milliseconds(percentiles)]);
  return table([`step of ${name}`, ...PERCENTILES], rows);
}

function recoveryTable(runs: readonly RecoveryRun[]): string {
  const rows = runs.flatMap(({ stored, plainReadyMs, kills }) => [
    ['graceful stop', thousands(stored), '', '', plainReadyMs.toFixed(0)],
    ...kills.map(({ readyMs, acknowledged, writeAheadBytes }, index) => [
      `SIGKILL ${index + 1} under load`,
      thousands(stored),
      String(acknowledged),
      (writeAheadBytes / MB).toFixed(1),
      readyMs.toFixed(0),
    ]),
  ]);
  const headings = ['start after', 'stored orders', 'orders acknowledged', 'WAL MB', 'process start → /readyz, ms'];
  return table(headings, rows);
}

function kept({ stored, outcome: { accepted, captured, others } }: RecoveryRun): string {
  const rest = accepted === captured ? '' : `; the others: ${counted(others)}`;
  return `Recovery, ${thousands(stored)} stored: of ${accepted} orders acknowledged before a kill ${captured} are there and captured${rest}.`;
}

function fillingNote({ orders, seconds, commitsPerOrder, databaseBytes }: Filling): string {
  return (
    `The ${thousands(orders)} stored orders are clones of one delivered order (${commitsPerOrder} commits each: order, saga, payment, ` +
    `shipment, customer's list), written through the storage layer in ${seconds.toFixed(1)} s without fsync; the file then had ` +
    `${(databaseBytes / MB).toFixed(0)} MB, ${(databaseBytes / orders / KB).toFixed(1)} KB an order. Not cloned: the stock items' own ` +
    "commits and the payment simulator's books."
  );
}

const titled = ({ name, stored }: LoadRun): string => `${name}, ${thousands(stored)} stored`;

function profileTables(title: string, { file, busyMs, idleMs, parts, functions }: ProfileSummary): string {
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  const rows = (shares: ProfileSummary['parts']) =>
    shares.map(({ name: each, ms, share }) => [each, ms.toFixed(0), percent(share)]);
  return [
    `## Profile: ${title}`,
    `Main thread, start to stop: ${(busyMs / 1_000).toFixed(1)} s busy, ${(idleMs / 1_000).toFixed(1)} s idle. ${file}`,
    table(['part', 'self ms', 'of busy'], rows(parts.filter(({ share }) => share >= PART_SHOWN))),
    table(['function', 'self ms', 'of busy'], rows(functions)),
  ].join('\n\n');
}

function failed({ failures }: LoadFigures): number {
  return Object.values(failures).reduce((sum, count) => sum + count, 0);
}

function counted(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([what, count]) => `${count} × ${what}`)
    .join(', ');
}

const thousands = (count: number): string => count.toLocaleString('en-US');
