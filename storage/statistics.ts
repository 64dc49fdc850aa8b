/** The shop in numbers, counted over the read models: every order is looked at, so whoever asks often should remember it. */
import type { Money } from '../actors/kernel/money.ts';
import type { OrderStatus } from '../actors/order.ts';
import type { ProductStatus } from '../actors/product.ts';
import type { Db } from './database.ts';

export type Statistics = {
  readonly products: Readonly<Record<ProductStatus, number>> & {
    /** Of the active ones. */
    readonly outOfStock: number;
  };
  /** Pieces in all warehouses. */
  readonly stock: {
    readonly available: number;
    readonly reserved: number;
    readonly committed: number;
    readonly picked: number;
  };
  /** By status and currency; `value` is the sum of what the orders came to when they were placed. */
  readonly orders: readonly { readonly status: OrderStatus; readonly count: number; readonly value: Money }[];
};

type StatusRow = { status: ProductStatus; count: number; outOfStock: number };
type OrderRow = { status: OrderStatus; count: number; amount: number; currency: string };

export function createStatistics(db: Db): () => Statistics {
  const products = db.prepare<[], StatusRow>(
    'SELECT status, count(*) AS count, sum(NOT in_stock) AS outOfStock FROM products GROUP BY status',
  );
  const stock = db.prepare<[], Statistics['stock']>(
    `SELECT coalesce(sum(available), 0) AS available, coalesce(sum(reserved), 0) AS reserved,
       coalesce(sum(committed), 0) AS committed, coalesce(sum(picked), 0) AS picked FROM stock_levels`,
  );
  const orders = db.prepare<[], OrderRow>(
    `SELECT status, count(*) AS count, sum(amount) AS amount, currency FROM customer_orders
     GROUP BY status, currency ORDER BY count(*) DESC, status, currency`,
  );
  return () => {
    const rows = products.all();
    const of = (status: ProductStatus) => rows.find((row) => row.status === status);
    return {
      products: {
        draft: of('draft')?.count ?? 0,
        active: of('active')?.count ?? 0,
        discontinued: of('discontinued')?.count ?? 0,
        outOfStock: of('active')?.outOfStock ?? 0,
      },
      // An aggregate without GROUP BY always has its one row.
      stock: stock.get() as Statistics['stock'],
      orders: orders.all().map(({ amount, currency, ...row }) => ({ ...row, value: { amount, currency } })),
    };
  };
}
