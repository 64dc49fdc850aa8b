/** What happened in each second of a run, for its picture. */
import { type Measured, quantile } from './measure.ts';

const SECOND_MS = 1_000;

export type Second = {
  /** Requests that were answered in it. */
  readonly answered: number;
  /** Tries that failed in it. */
  readonly failed: number;
  /** Of its answers, from the first try on, in ms. */
  readonly p50Ms: number;
  readonly slowestMs: number;
};

export function secondsOf({ requests, attempts }: Measured, begun: number): readonly Second[] {
  const seconds: { times: number[]; failed: number }[] = [];
  const at = (until: number): { times: number[]; failed: number } => {
    const index = Math.max(0, Math.floor((until - begun) / SECOND_MS));
    while (seconds.length <= index) seconds.push({ times: [], failed: 0 });
    return seconds[index] ?? { times: [], failed: 0 };
  };
  for (const { from, until } of requests) at(until).times.push(until - from);
  for (const { until, outcome } of attempts) if (outcome !== 'ok') at(until).failed += 1;
  return seconds.map(({ times, failed }) => ({
    answered: times.length,
    failed,
    p50Ms: quantile(times, 0.5),
    slowestMs: Math.max(0, ...times),
  }));
}
