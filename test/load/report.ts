/** What a load run says at its end: tables for people. */
import type { Grown } from './growth.ts';
import type { LoadRun } from './run.ts';

const MEGABYTE = 1024 * 1024;

export function markdown(runs: readonly LoadRun[]): string {
  return runs.map(one).join('\n');
}

function one(run: LoadRun): string {
  const { nodes, clients, rounds, levels, grown } = run;
  const orders = rounds.reduce((sum, round) => sum + round.orders, 0);
  const seconds = rounds.reduce((sum, round) => sum + round.seconds, 0);
  const violations = rounds.reduce((sum, { verdict }) => sum + verdict.violations.length, 0);
  const where = nodes === 0 ? 'a node alone' : `${nodes} nodes over one broker`;
  const exchanges = rounds.reduce((sum, { verdict }) => sum + verdict.covered.exchanges, 0);
  return [
    `## ${clients} orders at a time, ${where}`,
    '',
    `${orders} orders in ${seconds.toFixed(0)} s (${(orders / seconds).toFixed(0)} a second); ${violations} violations in ${exchanges} exchanges.`,
    `Failed tries: ${errorsOf(run)}.`,
    '',
    ...table(
      ['service level', 'promised', 'measured', 'kept'],
      levels.map(({ name, promised, measured, kept }) => [name, promised, measured, kept ? 'yes' : 'no']),
    ),
    ...(grown.length === 0 ? [] : table(['what', 'first', 'last', 'trend an hour', 'grows'], grown.map(growthRow))),
  ].join('\n');
}

function errorsOf({ rounds }: LoadRun): string {
  const sums: Record<string, number> = {};
  for (const { errors } of rounds) {
    for (const [why, count] of Object.entries(errors)) sums[why] = (sums[why] ?? 0) + count;
  }
  const parts = Object.entries(sums).map(([why, count]) => `${count} × ${why}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}

function growthRow({ what, kind, first, last, perHour, grows, isHistory }: Grown): readonly string[] {
  const figure = (value: number | undefined): string => {
    if (value === undefined) return 'too few samples';
    return kind === 'handles' ? value.toFixed(0) : `${(value / MEGABYTE).toFixed(1)} MB`;
  };
  const verdict = isHistory ? 'with what is sold' : grows ? '**yes**' : 'no';
  return [what, figure(first), figure(last), figure(perHour), verdict];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line), ''];
}
