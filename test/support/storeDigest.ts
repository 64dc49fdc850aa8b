/** What the file of a node says, apart from where in it and in which order of the shards it came: the same on all nodes. */
import { join } from 'node:path';
import { shop as deciders } from '../../actors/shop.ts';
import { openForReading } from '../../storage/database.ts';
import { STORE_FILE } from '../../storage/dataFolder.ts';
import { openStoppedStore } from '../../supervisors/checker/stopped.ts';
import type { AnyDecider } from '../../supervisors/memory.ts';
import { until } from './broker.ts';
import type { ClusterNode } from './clusterNodes.ts';
import { digestOfStore, type StoreDigest } from './tableDigest.ts';

/** @param folder of a node that doesn't run, or of a backup */
export function digestOf(folder: string): StoreDigest {
  // Its tables may be behind its log.
  openStoppedStore(folder, deciders as unknown as Readonly<Record<string, AnyDecider>>).close();
  const db = openForReading(join(folder, STORE_FILE));
  try {
    return digestOfStore(db);
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
