/**
 * Finds orders by what operators ask for. One filter leads, by its index and newest first; the others are checked on what
 * it brings. So a piece of the search costs what its length says, however many orders there are: the caller takes piece
 * after piece and lets other work come in between.
 */

import type { Money } from '../../actors/kernel/money.ts';
import type { OrderStatus } from '../../actors/order.ts';
import type { Db } from '../database.ts';
import type { OrderFact } from './orderFacts.ts';

/** All that is given must hold. Times in ms since the epoch, `from` included, `to` not. */
export type OrderFilter = {
  readonly status?: OrderStatus;
  readonly awaiting?: string;
  readonly sku?: string;
  readonly customer?: string;
  /** Something that happened to the order; `from` and `to` then say when it did, else when the order was placed. */
  readonly fact?: OrderFact;
  readonly from?: number;
  readonly to?: number;
};

/** Where a search has got to: the time it goes by and the order. */
export type OrderPosition = { readonly at: number; readonly orderId: string };

export type FoundOrder = {
  readonly orderId: string;
  readonly customer: string;
  readonly status: OrderStatus;
  readonly awaiting: string | null;
  readonly payment: string;
  readonly total: Money;
  readonly placedAt: number;
  /** When status, awaiting or the payment's status changed last. */
  readonly changedAt: number;
  /** When the fact happened, or the order was placed. */
  readonly at: number;
};

/** `examined` rows were looked at, up to `last`; fewer than asked for: there are no more. */
export type OrderPiece = {
  readonly found: readonly FoundOrder[];
  readonly examined: number;
  readonly last: OrderPosition | undefined;
};

export interface OrderSearch {
  piece(filter: OrderFilter, after: OrderPosition | undefined, length: number): OrderPiece;
}

const COLUMNS = `o.id AS orderId, o.customer, o.status, o.awaiting, o.payment, o.amount, o.currency,
  o.placed_at AS placedAt, o.changed_at AS changedAt`;

const own = (index: string, where: string) => `
  SELECT ${COLUMNS}, o.placed_at AS at, 0 AS again FROM orders o INDEXED BY ${index}
  WHERE ${where} AND o.placed_at >= @from AND (o.placed_at, o.id) < (@at, @orderId)
  ORDER BY o.placed_at DESC, o.id DESC LIMIT @length`;

/** In the order in which they lead: what is rare first. An order with the same fact several times counts by the last. */
const LEADS = {
  fact: `
  SELECT ${COLUMNS}, f.at AS at,
    EXISTS (SELECT 1 FROM order_facts l WHERE l.order_id = f.order_id AND l.fact = f.fact AND l.at > f.at
      AND l.at < @to) AS again
  FROM order_facts f CROSS JOIN orders o ON o.id = f.order_id
  WHERE f.fact = @fact AND f.at >= @from AND (f.at, f.order_id) < (@at, @orderId)
  ORDER BY f.at DESC, f.order_id DESC LIMIT @length`,
  awaiting: own('orders_by_awaiting', 'o.awaiting = @awaiting'),
  customer: `
  SELECT ${COLUMNS}, c.placed_at AS at, 0 AS again FROM customer_orders c CROSS JOIN orders o ON o.id = c.order_id
  WHERE c.customer = @customer AND c.placed_at >= @from AND (c.placed_at, c.order_id) < (@at, @orderId)
  ORDER BY c.placed_at DESC, c.order_id DESC LIMIT @length`,
  sku: `
  SELECT ${COLUMNS}, s.placed_at AS at, 0 AS again FROM order_skus s CROSS JOIN orders o ON o.id = s.order_id
  WHERE s.sku = @sku AND s.placed_at >= @from AND (s.placed_at, s.order_id) < (@at, @orderId)
  ORDER BY s.placed_at DESC, s.order_id DESC LIMIT @length`,
  status: own('orders_by_status', 'o.status = @status'),
  time: own('orders_by_time', '1'),
} as const;

type Lead = keyof typeof LEADS;

/** Exported for the test that looks at their plans. */
export const ORDER_SEARCHES: readonly string[] = Object.values(LEADS);

type Row = Omit<FoundOrder, 'total'> & { readonly amount: number; readonly currency: string; readonly again: number };

export function createOrderSearch(db: Db): OrderSearch {
  const prepare = (lead: Lead) => db.prepare<object, Row>(LEADS[lead]);
  const statements = {
    fact: prepare('fact'),
    awaiting: prepare('awaiting'),
    customer: prepare('customer'),
    sku: prepare('sku'),
    status: prepare('status'),
    time: prepare('time'),
  };
  const hasSku = db.prepare<[string, number, string], number>(
    'SELECT 1 FROM order_skus WHERE sku = ? AND placed_at = ? AND order_id = ?',
  );

  function matches(row: Row, { status, awaiting, customer, sku }: OrderFilter): boolean {
    return (
      row.again === 0 &&
      (status === undefined || row.status === status) &&
      (awaiting === undefined || row.awaiting === awaiting) &&
      (customer === undefined || row.customer === customer) &&
      (sku === undefined || hasSku.get(sku, row.placedAt, row.orderId) !== undefined)
    );
  }

  return {
    piece(filter, after, length) {
      const to = filter.to ?? Number.MAX_SAFE_INTEGER;
      const position = after ?? { at: to, orderId: '' };
      const bind = { from: 0, ...filter, to, ...position, length };
      const rows = statements[leadOf(filter)].all(bind);
      const last = rows.at(-1);
      return {
        found: rows.filter((row) => matches(row, filter)).map(foundOrder),
        examined: rows.length,
        last: last && { at: last.at, orderId: last.orderId },
      };
    },
  };
}

function leadOf({ fact, awaiting, customer, sku, status }: OrderFilter): Lead {
  if (fact !== undefined) return 'fact';
  if (awaiting !== undefined) return 'awaiting';
  if (customer !== undefined) return 'customer';
  if (sku !== undefined) return 'sku';
  return status === undefined ? 'time' : 'status';
}

function foundOrder({ amount, currency, again: _again, ...row }: Row): FoundOrder {
  return { ...row, total: { amount, currency } };
}
