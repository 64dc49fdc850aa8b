/** Reads the daily sums, one short statement at a time: whoever adds them up lets other work come in between. */
import type { OrderStatus } from '../../actors/order.ts';
import type { ProductStatus } from '../../actors/product.ts';
import type { Db } from '../database.ts';

/** Days since 1970-01-01, UTC. Amounts in minor units, of the orders that were placed that day. */
export type OrderDay = {
  readonly day: number;
  readonly currency: string;
  readonly status: OrderStatus;
  readonly orders: number;
  readonly ordered: number;
  readonly captured: number;
  readonly refunded: number;
};
export type PaymentDay = { readonly day: number; readonly attempts: number; readonly failures: number };
/** `withinMs` bounds each saga's duration, `totalMs` is their sum. */
export type SagaDay = {
  readonly day: number;
  readonly withinMs: number;
  readonly sagas: number;
  readonly totalMs: number;
};
export type SkuDay = {
  readonly sku: string;
  readonly currency: string;
  readonly orders: number;
  readonly pieces: number;
  readonly amount: number;
};
/** All orders of a status; `ordered` is what they came to when they were placed. */
export type OrderedEver = Pick<OrderDay, 'currency' | 'status' | 'orders' | 'ordered'>;
/** Pieces of a SKU, over its warehouses. */
export type SkuLevel = {
  readonly sku: string;
  readonly available: number;
  readonly reserved: number;
  readonly committed: number;
  readonly picked: number;
};
export type ProductRow = { readonly sku: string; readonly status: ProductStatus; readonly inStock: number };

export interface DailySums {
  /** Most first. */
  ever(): readonly OrderedEver[];
  /** From a day on, oldest first. */
  orders(from: number): readonly OrderDay[];
  payments(from: number): readonly PaymentDay[];
  sagas(from: number): readonly SagaDay[];
  /** Of one day. */
  skus(day: number): readonly SkuDay[];
  /** By SKU, after the given one. */
  levels(afterSku: string, limit: number): readonly SkuLevel[];
  /** By SKU, after the given one. */
  products(afterSku: string, limit: number): readonly ProductRow[];
}

export function createDailySums(db: Db): DailySums {
  const orders = db.prepare<[number], OrderDay>(
    `SELECT day, currency, status, orders, ordered, captured, refunded FROM daily_orders
     WHERE day >= ? AND orders > 0 ORDER BY day, currency, status`,
  );
  const ever = db.prepare<[], OrderedEver>(
    `SELECT status, currency, sum(orders) AS orders, sum(ordered) AS ordered FROM daily_orders
     GROUP BY status, currency HAVING sum(orders) > 0 ORDER BY sum(orders) DESC, status, currency`,
  );
  const payments = db.prepare<[number], PaymentDay>('SELECT * FROM daily_payments WHERE day >= ? ORDER BY day');
  const sagas = db.prepare<[number], SagaDay>(
    `SELECT day, within_ms AS withinMs, sagas, total_ms AS totalMs FROM daily_sagas WHERE day >= ?
     ORDER BY day, within_ms`,
  );
  const skus = db.prepare<[number], SkuDay>(
    'SELECT sku, currency, orders, pieces, amount FROM daily_skus WHERE day = ? AND pieces > 0',
  );
  const levels = db.prepare<[string, number], SkuLevel>(
    `SELECT sku, sum(available) AS available, sum(reserved) AS reserved, sum(committed) AS committed,
       sum(picked) AS picked FROM stock_levels WHERE sku > ? GROUP BY sku ORDER BY sku LIMIT ?`,
  );
  const products = db.prepare<[string, number], ProductRow>(
    'SELECT sku, status, in_stock AS inStock FROM products WHERE sku > ? ORDER BY sku LIMIT ?',
  );
  return {
    ever: () => ever.all(),
    orders: (from) => orders.all(from),
    payments: (from) => payments.all(from),
    sagas: (from) => sagas.all(from),
    skus: (day) => skus.all(day),
    levels: (afterSku, limit) => levels.all(afterSku, limit),
    products: (afterSku, limit) => products.all(afterSku, limit),
  };
}
