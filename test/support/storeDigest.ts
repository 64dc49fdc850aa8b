/** What the file of a node says, apart from where in it and in which order of the shards it came: the same on all nodes. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { shop as deciders } from '../../actors/shop.ts';
import { openForReading } from '../../storage/database.ts';
import { STORE_FILE } from '../../storage/dataFolder.ts';
import { openStoppedStore } from '../../supervisors/checker/stopped.ts';
import type { AnyDecider } from '../../supervisors/memory.ts';
import { until } from './broker.ts';
import type { ClusterNode } from './clusterNodes.ts';

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

type StoreDigest = Readonly<Record<keyof typeof QUERIES, string>>;

/** @param folder of a node that doesn't run, or of a backup */
export function digestOf(folder: string): StoreDigest {
  // Its tables may be behind its log.
  openStoppedStore(folder, deciders as unknown as Readonly<Record<string, AnyDecider>>).close();
  const db = openForReading(join(folder, STORE_FILE));
  try {
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
  } finally {
    db.close();
  }
}

let backups = 0;

/** Of what the running nodes have now. */
const backupsOf = (nodes: readonly ClusterNode[]): Promise<string[]> =>
  Promise.all(
    nodes.map(async ({ shop, folder }) => {
      await shop.upToDate();
      const name = `backup-${++backups}`;
      shop.backups.start(name);
      await shop.backups.idle();
      return join(folder, 'backups', name);
    }),
  );

/** Waits until all of them hold the same; answers what that is. */
export async function untilTheSame(nodes: readonly ClusterNode[]): Promise<StoreDigest | undefined> {
  let last: readonly StoreDigest[] = [];
  await until('all nodes hold the same', async () => {
    last = (await backupsOf(nodes)).map(digestOf);
    return last.every((digest) => JSON.stringify(digest) === JSON.stringify(last[0]));
  });
  return last[0];
}
