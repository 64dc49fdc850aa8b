/**
 * Sums per day (UTC) that the statistics are made of, kept by what each transaction changes: orders by the day they were
 * placed and their status, pieces sold by SKU, payments by the day of the attempt. What ends unfulfilled is taken out of
 * the pieces sold again.
 */
import type { Order, OrderState } from '../../actors/order.ts';
import type { PaymentEvent } from '../../actors/payment/events.ts';
import type { Db } from '../database.ts';
import type { OrderChange } from './orders.ts';

export const ORDER_FIGURES = {
  tables: ['daily_orders', 'daily_skus', 'daily_payments'],
  schema: `
  CREATE TABLE daily_orders (
    day INTEGER NOT NULL, currency TEXT NOT NULL, status TEXT NOT NULL, orders INTEGER NOT NULL,
    ordered INTEGER NOT NULL, captured INTEGER NOT NULL, refunded INTEGER NOT NULL,
    PRIMARY KEY (day, currency, status)
  ) WITHOUT ROWID;
  CREATE TABLE daily_skus (
    day INTEGER NOT NULL, sku TEXT NOT NULL, currency TEXT NOT NULL, orders INTEGER NOT NULL, pieces INTEGER NOT NULL,
    amount INTEGER NOT NULL, PRIMARY KEY (day, sku, currency)
  ) WITHOUT ROWID;
  CREATE TABLE daily_payments (
    day INTEGER PRIMARY KEY, attempts INTEGER NOT NULL, failures INTEGER NOT NULL
  ) WITHOUT ROWID;
`,
} as const;

const DAY_MS = 24 * 60 * 60 * 1_000;

/** Days since 1970-01-01, UTC. */
export const dayOf = (at: number): number => Math.floor(at / DAY_MS);

/** Sums that are added to rows: all members of a row's key, joined by tabs, lead to them. */
type Sums = Map<string, number[]>;

function add(sums: Sums, key: readonly (string | number)[], values: readonly number[], sign: number): void {
  const name = key.join('\t');
  const known = sums.get(name) ?? values.map(() => 0);
  sums.set(
    name,
    known.map((sum, index) => sum + sign * (values[index] ?? 0)),
  );
}

export function createOrderFigures(db: Db) {
  const addOrders = db.prepare(
    `INSERT INTO daily_orders VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (day, currency, status) DO UPDATE
     SET orders = orders + excluded.orders, ordered = ordered + excluded.ordered,
       captured = captured + excluded.captured, refunded = refunded + excluded.refunded`,
  );
  const addSkus = db.prepare(
    `INSERT INTO daily_skus VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (day, sku, currency) DO UPDATE
     SET orders = orders + excluded.orders, pieces = pieces + excluded.pieces, amount = amount + excluded.amount`,
  );
  const addPayments = db.prepare(
    `INSERT INTO daily_payments VALUES (?, ?, ?) ON CONFLICT (day) DO UPDATE
     SET attempts = attempts + excluded.attempts, failures = failures + excluded.failures`,
  );
  let payments: Sums = new Map();

  function write(sums: Sums, statement: { run(...values: (string | number)[]): unknown }): void {
    for (const [key, values] of sums) {
      if (values.some((value) => value !== 0)) statement.run(...key.split('\t'), ...values);
    }
  }

  return {
    countPayments(events: readonly PaymentEvent[], at: number): void {
      for (const { type } of events) {
        if (type === 'PaymentInitiated') add(payments, [dayOf(at)], [1, 0], 1);
        else if (type === 'PaymentFailed') add(payments, [dayOf(at)], [0, 1], 1);
      }
    },
    flush(changes: readonly OrderChange[]): void {
      const orders: Sums = new Map();
      const skus: Sums = new Map();
      for (const { before, after } of changes) {
        count(orders, skus, before, -1);
        count(orders, skus, after, 1);
      }
      write(orders, addOrders);
      write(skus, addSkus);
      write(payments, addPayments);
      payments = new Map();
    },
    discard(): void {
      payments = new Map();
    },
  };
}

function count(orders: Sums, skus: Sums, order: OrderState, sign: number): void {
  if (order.status === 'unknown') return;
  const { status, currency, payment, totals, end } = order;
  const day = dayOf(order.placedAt);
  const sums = [1, totals.total.amount, payment.captured.amount, payment.refunded.amount];
  add(orders, [day, currency, status], sums, sign);
  if (end === null) for (const line of linesOf(order)) add(skus, [day, line.sku, currency], line.sums, sign);
}

function linesOf({ lines }: Order) {
  return lines.map(({ sku, quantity, total }) => ({ sku, sums: [1, quantity, total.amount] }));
}
