/** What a store says, apart from where in it and in which order of the shards it came: the same on all nodes. */
import { createHash } from 'node:crypto';
import type { Db } from '../../storage/database.ts';

const QUERIES = {
  heads: 'SELECT * FROM heads ORDER BY shard',
  records: 'SELECT shard, n, epoch, at, inbox_offset, prev_hash, hash, acked FROM records ORDER BY shard, n',
  histories: 'SELECT * FROM histories ORDER BY key, seq',
  timers: 'SELECT * FROM timers ORDER BY key, name',
  outbox: 'SELECT id, shard FROM outbox ORDER BY id',
  deadLetters: 'SELECT * FROM dead_letters ORDER BY id',
  stock: 'SELECT * FROM stock_levels ORDER BY sku, warehouse',
  customerOrders: 'SELECT * FROM customer_orders ORDER BY customer, placed_at, order_id',
  products: 'SELECT * FROM products ORDER BY sku',
  orders: 'SELECT * FROM orders ORDER BY id',
  orderFacts: 'SELECT * FROM order_facts ORDER BY fact, at, order_id',
  unfinishedSagas: 'SELECT * FROM unfinished_sagas ORDER BY order_id',
} as const;

export type StoreDigest = Readonly<Record<keyof typeof QUERIES, string>>;

/** The tables must hold what is in the log. */
export function digestOfStore(db: Db): StoreDigest {
  const digest = Object.entries(QUERIES).map(([what, query]) => {
    const hash = createHash('sha256');
    let rows = 0;
    for (const row of db.prepare<[], object>(query).iterate()) {
      hash.update(`${JSON.stringify(row)}\n`);
      rows += 1;
    }
    return [what, `${rows} rows, ${hash.digest('hex').slice(0, 16)}`];
  });
  return Object.fromEntries(digest) as StoreDigest;
}
