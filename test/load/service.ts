/** The service levels that the shop promises, and what was measured of them. Reported, never a test. */

import { quantile } from '../chaos/measure.ts';
import type { History } from '../history/exchange.ts';
import { isAcknowledged } from '../history/facts.ts';
import { isPassing } from '../history/observe.ts';
import type { Measured } from './clients.ts';

const CHECKOUT_MS = 5_000;
const CHECKOUT_SHARE = 0.9;
const SLOW_CHECKOUT_MS = 10_000;
const SLOW_CHECKOUT_SHARE = 0.98;
const SAGA_MS = 2_000;
const COMPENSATION_MS = 1_000;
const P95_MS = 500;
const ERROR_SHARE = 0.01;

export type Level = {
  readonly name: string;
  readonly promised: string;
  readonly measured: string;
  readonly kept: boolean;
};

export type LevelsOptions = {
  readonly measured: Measured;
  readonly history: History;
  /** Acknowledged orders that were not there after all nodes had been killed; undefined where none was. */
  readonly lost?: number;
};

export function levelsOf({ measured: { orders, requests }, history, lost }: LevelsOptions): readonly Level[] {
  const within = (ms: number): number => shareOf(orders, (order) => order.ms !== undefined && order.ms <= ms);
  const times = orders.flatMap(({ ms }) => ms ?? []);
  const sagas = spansOf(history, 'order.placed', ['order.fulfilling']);
  const compensations = spansOf(history, 'order.cancelling', ['order.cancelled']);
  // Who asks to be answered later is, and is counted as checkout.
  const answers = requests.filter(({ kind }) => kind !== 'order').map(({ ms }) => ms);
  const tries = requests.reduce((sum, request) => sum + request.tries, 0);
  const failed = requests.reduce((sum, request) => sum + request.failed, 0);
  const unanswered = requests.filter(({ answered }) => !answered).length;
  const errors = tries === 0 ? 0 : failed / tries;
  const p95 = quantile(answers, 0.95);
  return [
    level(
      'checkout',
      '90 % in 5 s',
      `${percent(within(CHECKOUT_MS))}, p50 ${quantile(times, 0.5).toFixed(0)} ms`,
      within(CHECKOUT_MS) >= CHECKOUT_SHARE,
    ),
    level(
      'checkout, slow ones',
      '98 % in 10 s',
      `${percent(within(SLOW_CHECKOUT_MS))}, p99 ${quantile(times, 0.99).toFixed(0)} ms`,
      within(SLOW_CHECKOUT_MS) >= SLOW_CHECKOUT_SHARE,
    ),
    spanLevel('saga, placed to being prepared', SAGA_MS, sagas),
    spanLevel('compensation, cancelling to cancelled', COMPENSATION_MS, compensations),
    level('answers', `p95 below ${P95_MS} ms`, `p95 ${p95.toFixed(0)} ms of ${answers.length}`, p95 < P95_MS),
    level(
      'errors',
      'below 1 % of tries',
      `${percent(errors)}: ${failed} of ${tries}, ${unanswered} requests never answered`,
      errors < ERROR_SHARE,
    ),
    ...(lost === undefined ? [] : [level('acknowledged orders after a restart', 'all', `${lost} lost`, lost === 0)]),
  ];
}

/** Tries that were not answered, by why: a status with its code, or no answer at all. */
export function errorsIn({ exchanges }: History): Readonly<Record<string, number>> {
  const errors: Record<string, number> = {};
  for (const exchange of exchanges) {
    if (!isPassing(exchange)) continue;
    const code = /"code":"([^"]+)"/.exec(exchange.text)?.[1] ?? 'without a code';
    const why = exchange.status === 0 ? `no answer (${exchange.text})` : `${exchange.status} ${code}`;
    errors[why] = (errors[why] ?? 0) + 1;
  }
  return errors;
}

function level(name: string, promised: string, measured: string, kept: boolean): Level {
  return { name, promised, measured, kept };
}

/** Most of them: a service level is about what is usual. */
function spanLevel(name: string, limitMs: number, spans: readonly number[]): Level {
  const p95 = quantile(spans, 0.95);
  const text = `p50 ${quantile(spans, 0.5).toFixed(0)} ms, p95 ${p95.toFixed(0)} ms of ${spans.length}`;
  return level(name, `p95 below ${limitMs} ms`, text, p95 < limitMs);
}

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;

function shareOf<Item>(items: readonly Item[], fits: (item: Item) => boolean): number {
  return items.length === 0 ? 1 : items.filter(fits).length / items.length;
}

type Entry = { readonly at: string; readonly type: string };

/** Ms between two entries of the orders' own histories, of each order once. */
function spansOf({ exchanges }: History, from: string, to: readonly string[]): readonly number[] {
  const spans = new Map<string, number>();
  for (const exchange of exchanges) {
    if (!exchange.path.endsWith('/timeline') || !isAcknowledged(exchange)) continue;
    const { orderId, data } = JSON.parse(exchange.text) as { orderId: string; data: readonly Entry[] };
    const begun = data.find(({ type }) => type === from);
    const ended = data.find(({ type }) => to.includes(type));
    if (begun && ended) spans.set(orderId, Date.parse(ended.at) - Date.parse(begun.at));
  }
  return [...spans.values()];
}
