/** The list of each customer's orders, newest first, fed by the customer's own index aggregate. */
import type { CustomerOrdersEvent } from '../../actors/customerOrders.ts';
import { parseAddressKey } from '../../actors/kernel/address.ts';
import type { Money } from '../../actors/kernel/money.ts';
import type { OrderStatus } from '../../actors/order.ts';
import type { Db } from '../database.ts';
import type { Projection } from '../projection.ts';

export function createCustomerOrders(db: Db): Projection {
  // News may overtake each other: the highest number wins.
  const write = db.prepare(
    `INSERT INTO customer_orders VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (customer, placed_at, order_id)
     DO UPDATE SET seq = excluded.seq, status = excluded.status WHERE excluded.seq > seq`,
  );
  return {
    types: ['customer-orders'],
    apply({ key, events }) {
      const { id: customer } = parseAddressKey(key);
      for (const event of events as readonly CustomerOrdersEvent[]) {
        const { placedAt, orderId, seq, status, total } = event;
        write.run(customer, placedAt, orderId, seq, status, total.amount, total.currency);
      }
    },
    flush() {},
    discard() {},
  };
}

export type OrderRow = {
  readonly orderId: string;
  readonly status: OrderStatus;
  readonly total: Money;
  readonly placedAt: number;
};
export type OrderPage = {
  readonly limit: number;
  readonly after?: { readonly placedAt: number; readonly orderId: string };
};
export type CustomerOrders = (customer: string, page: OrderPage) => readonly OrderRow[];

type Row = { placedAt: number; orderId: string; status: OrderStatus; amount: number; currency: string };

/** Newest first; `after` is the last row of the page before. */
export function createCustomerOrdersReader(db: Db): CustomerOrders {
  const page = db.prepare<[string, number, string, number], Row>(
    `SELECT placed_at AS placedAt, order_id AS orderId, status, amount, currency FROM customer_orders
     WHERE customer = ? AND (placed_at, order_id) < (?, ?) ORDER BY placed_at DESC, order_id DESC LIMIT ?`,
  );
  return (customer, { limit, after }) =>
    page
      .all(customer, after?.placedAt ?? Number.MAX_SAFE_INTEGER, after?.orderId ?? '', limit)
      .map(({ amount, currency, ...row }) => ({ ...row, total: { amount, currency } }));
}
