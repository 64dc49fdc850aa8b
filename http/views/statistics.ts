import type { Money } from '../../actors/kernel/money.ts';
import type { OrderDay, Statistics } from '../shop.ts';
import { time } from './time.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;

export function statisticsView(statistics: Statistics, days: number) {
  const { asOf, products, stock, orders, payments, topSkus, lowStock } = statistics;
  const total = (pick: 'attempts' | 'failures') => payments.reduce((sum, row) => sum + row[pick], 0);
  return {
    asOf: time(asOf),
    days,
    products,
    stock,
    orders: {
      ever: statistics.everOrdered.map(({ status, orders: count, ordered: amount, currency }) => ({
        status,
        count,
        value: { amount, currency },
      })),
      count: orders.reduce((sum, row) => sum + row.orders, 0),
      byStatus: byStatus(orders),
      byDay: [...grouped(orders).values()].map(dayView),
    },
    payments: {
      ...paymentsView(total('attempts'), total('failures')),
      byDay: payments.map(({ day, attempts, failures }) => ({ day: date(day), ...paymentsView(attempts, failures) })),
    },
    sagas: sagasView(statistics.sagas),
    topSkus: topSkus.map(({ sku, orders: count, pieces, amount, currency }) => ({
      sku,
      orders: count,
      pieces,
      amount: { amount, currency },
    })),
    lowStock,
  };
}

const date = (day: number): string => time(day * DAY_MS).slice(0, 'yyyy-mm-dd'.length);

/** Days with their currencies: amounts of two currencies don't add up. */
function grouped(rows: readonly OrderDay[]): Map<string, OrderDay[]> {
  const groups = new Map<string, OrderDay[]>();
  for (const row of rows) {
    const key = `${row.day} ${row.currency}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return groups;
}

function byStatus(rows: readonly OrderDay[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, orders } of rows) counts[status] = (counts[status] ?? 0) + orders;
  return counts;
}

function dayView(rows: readonly OrderDay[]) {
  const { day = 0, currency = '' } = rows[0] ?? {};
  const sum = (pick: 'ordered' | 'captured' | 'refunded'): number => rows.reduce((total, row) => total + row[pick], 0);
  const money = (amount: number): Money => ({ amount, currency });
  return {
    day: date(day),
    count: rows.reduce((total, { orders }) => total + orders, 0),
    byStatus: byStatus(rows),
    ordered: money(sum('ordered')),
    captured: money(sum('captured')),
    refunded: money(sum('refunded')),
    revenue: money(sum('captured') - sum('refunded')),
  };
}

function paymentsView(attempts: number, failures: number) {
  // An attempt of the day before may fail today.
  const share = attempts === 0 ? 0 : Math.min(1, failures / attempts);
  return { attempts, failures, failedPercent: Math.round(share * 10_000) / 100 };
}

function sagasView(rows: Statistics['sagas']) {
  const count = rows.reduce((sum, { sagas }) => sum + sagas, 0);
  const totalMs = rows.reduce((sum, row) => sum + row.totalMs, 0);
  const bounds = rows.toSorted((a, b) => a.withinMs - b.withinMs);
  function percentile(share: number): number | null {
    let seen = 0;
    for (const { withinMs, sagas } of bounds) {
      seen += sagas;
      if (seen >= share * count) return withinMs;
    }
    return null;
  }
  return {
    count,
    averageMs: count === 0 ? null : Math.round((totalMs / count) * 10) / 10,
    p50Ms: percentile(0.5),
    p95Ms: percentile(0.95),
    p99Ms: percentile(0.99),
  };
}
