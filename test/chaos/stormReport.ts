/** A storm as text. */
import type { Storm } from './storm.ts';
import { type Spread, summarise } from './summary.ts';

export type StormFacts = {
  readonly command: string;
  readonly machine: string;
  readonly commit: string;
  /** Faults that could not be done here, and why. */
  readonly leftOut: readonly string[];
};

const SHOWN_VIOLATIONS = 50;

/** What was checked, in the words of the report: the checker speaks up only when one of these doesn't hold. */
export const INVARIANTS = [
  'every acknowledged order is at every node, once, and in its customer’s list',
  'the same key got the same answer, at every node',
  'nothing captured twice, nothing kept of an order that ended, nothing given back that was not paid',
  'stock adds up to the piece: received − shipped + adjusted = held; nothing oversold, nothing reserved for nobody',
  'what a client has seen once it never saw older',
  'no order stands still, no acknowledged cancellation is forgotten',
  'all nodes say the same, the shop’s own checker and the vendor’s books agree',
  'no process ended that nobody had ended; brokers’ trouble moved no shards',
] as const;

export function stormText(storm: Storm, facts: StormFacts): string {
  const { kinds, verdict } = summarise(storm);
  const { whole, violations, orders, tookMs, seed } = storm;
  const head = [
    `${facts.command}: ${verdict}`,
    `${storm.startedAt}, ${facts.machine}, commit ${facts.commit}, seed ${seed}, ${Math.round(tookMs / 1_000)} s`,
    `${whole.requests} requests answered, ${orders} orders; p50 ${ms(whole.p50Ms)}, p99 ${ms(whole.p99Ms)}, slowest ${ms(whole.slowestMs)}`,
  ];
  return [
    ...head,
    '',
    ...table([
      ['fault', 'times', 'gap p50 / p99 / max ms', 'slowest p50 / p99 / max ms', 'failed tries'],
      ...kinds.map((row) => [
        row.kind,
        String(row.times),
        spread(row.gapMs),
        spread(row.slowestMs),
        String(row.failedTries),
      ]),
    ]),
    '',
    'A gap is the longest time in which no order was answered at all; the slowest is from a first try to its answer.',
    ...facts.leftOut.map((why) => `Left out: ${why}`),
    '',
    `Failed tries, all of which were made again: ${errorsOf(whole.errors)}`,
    '',
    violations.length === 0 ? 'Held:' : 'To hold:',
    ...INVARIANTS.map((text) => `  - ${text}`),
    ...(violations.length === 0 ? [] : ['', `${violations.length} VIOLATIONS:`]),
    ...violations.slice(0, SHOWN_VIOLATIONS).map((text) => `  - ${text}`),
    '',
  ].join('\n');
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  );
}

export function errorsOf(errors: Readonly<Record<string, number>>): string {
  const parts = Object.entries(errors).map(([what, count]) => `${count} × ${what}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}

const ms = (value: number): string => `${Math.round(value)} ms`;
export const spread = ({ p50, p99, max }: Spread): string => `${p50} / ${p99} / ${max}`;
