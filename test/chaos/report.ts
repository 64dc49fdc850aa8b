/** The table of what clients felt of each fault. */
import type { Campaign, Round } from './campaign.ts';
import type { FaultName } from './faults.ts';
import { quantile } from './measure.ts';

export type Ran = Campaign & { readonly fault: FaultName };

const HEAD =
  '| fault | times | gap p50 / p99 / max | slowest answer p50 / p99 / max | p99 of answers, calm → fault | shards moved, mean | failed tries |';

export function markdown(ran: readonly Ran[]): string {
  const rule = HEAD.replace(/[^|]+/g, ' --- ');
  return `${[HEAD, rule, ...ran.map(row)].join('\n')}\n\nTimes in ms. A gap is the longest time in which no order was answered at all.\n`;
}

function row({ fault, calm, rounds }: Ran): string {
  const mean = rounds.reduce((sum, round) => sum + round.takeovers, 0) / Math.max(1, rounds.length);
  const cells = [
    fault,
    rounds.length,
    spread(rounds.map(({ gapMs }) => gapMs)),
    spread(rounds.map(({ slowestMs }) => slowestMs)),
    `${Math.round(calm.p99Ms)} → ${Math.round(
      quantile(
        rounds.map(({ p99Ms }) => p99Ms),
        0.5,
      ),
    )}`,
    mean.toFixed(1),
    errorsOf(rounds),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** One line while it runs. */
export function line({ fault, tookMs, gapMs, slowestMs, takeovers, requests, ...round }: Round): string {
  const times = `gap ${Math.round(gapMs)} ms, slowest ${Math.round(slowestMs)} ms`;
  const rest = `${takeovers} shards moved, ${requests} requests, failed tries: ${errorsOf([round])}`;
  return `${fault}: over after ${Math.round(tookMs / 1_000)} s, ${times}, ${rest}`;
}

function spread(values: readonly number[]): string {
  return [quantile(values, 0.5), quantile(values, 0.99), Math.max(0, ...values)].map(Math.round).join(' / ');
}

function errorsOf(rounds: readonly Pick<Round, 'errors'>[]): string {
  const sums: Record<string, number> = {};
  for (const { errors } of rounds) {
    for (const [what, count] of Object.entries(errors)) sums[what] = (sums[what] ?? 0) + count;
  }
  const parts = Object.entries(sums).map(([what, count]) => `${count} × ${what}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}
