/** What a storm did, by kind of fault, for all of its reports. */
import type { FaultName } from './faults.ts';
import { quantile } from './measure.ts';
import type { Blow, Storm } from './storm.ts';

export type KindRow = {
  /** The fault, or `two at once`. */
  readonly kind: FaultName | 'two at once';
  readonly times: number;
  /** Longest time in which no order was answered, in ms. */
  readonly gapMs: Spread;
  /** Slowest answer, from the first try on, in ms. */
  readonly slowestMs: Spread;
  readonly failedTries: number;
};

export type Spread = { readonly p50: number; readonly p99: number; readonly max: number };

export type Summary = {
  readonly verdict: 'no violation' | `${number} violations`;
  readonly injected: Readonly<Record<string, number>>;
  readonly kinds: readonly KindRow[];
};

export function summarise({ blows, violations }: Storm): Summary {
  const injected: Record<string, number> = {};
  for (const { name } of blows.flatMap(({ faults }) => faults)) injected[name] = (injected[name] ?? 0) + 1;
  const byKind = new Map<KindRow['kind'], Blow[]>();
  for (const blow of blows) byKind.set(kindOf(blow), [...(byKind.get(kindOf(blow)) ?? []), blow]);
  return {
    verdict: violations.length === 0 ? 'no violation' : `${violations.length} violations`,
    injected,
    kinds: [...byKind]
      .map(([kind, blowsOfKind]) => rowOf(kind, blowsOfKind))
      .toSorted((a, b) => (a.kind < b.kind ? -1 : 1)),
  };
}

const kindOf = ({ faults: [first, ...others] }: Blow): KindRow['kind'] =>
  first && others.length === 0 ? first.name : 'two at once';

function rowOf(kind: KindRow['kind'], blows: readonly Blow[]): KindRow {
  return {
    kind,
    times: blows.length,
    gapMs: spreadOf(blows.map(({ gapMs }) => gapMs)),
    slowestMs: spreadOf(blows.map(({ slowestMs }) => slowestMs)),
    failedTries: blows.flatMap(({ errors }) => Object.values(errors)).reduce((sum, count) => sum + count, 0),
  };
}

function spreadOf(values: readonly number[]): Spread {
  const [p50, p99, max] = [quantile(values, 0.5), quantile(values, 0.99), Math.max(0, ...values)].map(Math.round);
  return { p50: p50 ?? 0, p99: p99 ?? 0, max: max ?? 0 };
}
