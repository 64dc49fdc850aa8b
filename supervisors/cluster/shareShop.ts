/**
 * The first node of a cluster may bring a shop that it had alone: its records go into the empty logs before anybody decides
 * anything. Cut short at any point it begins again where the logs end; the other nodes wait for it.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { LogPosition } from '../../actors/kernel/clusterPorts.ts';
import type { ShardTitle } from '../../actors/kernel/followedTables.ts';
import { hasOwnLog } from '../../storage/dataFolder.ts';
import { writeFollowed } from '../../storage/localCopy.ts';
import type { Link } from '../../transport/nats/documents.ts';
import { isBrought, storeBrought } from '../../transport/nats/settings.ts';
import type { Ground } from '../home.ts';
import { bringRecords } from './bringRecords.ts';
import type { Broker } from './broker.ts';
import { newestRecord } from './newestRecord.ts';

const LOOK_AGAIN_MS = 500;
/** Looks between two lines that say what is waited for. */
const SAY_EVERY_LOOKS = 20;
/** Shards at a time: the broker has one append of each in flight. */
const PARALLEL = 8;

/**
 * Resolves once the logs hold the shop that the cluster was founded with.
 * @throws LogParted; Fenced when another node brings the same; what the log and the settings throw
 */
export async function shareShop(ground: Ground, broker: Broker, connection: Link): Promise<void> {
  const { settings } = broker;
  for (let looks = 0; !(await isBrought(connection, settings)); looks++) {
    if (hasOwnLog(ground.db)) return bringShop(ground, broker, connection);
    if (looks % SAY_EVERY_LOOKS === 0) {
      ground.logger.warn(
        { cluster: settings.cluster },
        'waiting for the node that founded this cluster to bring its shop: start it again if it does not run',
      );
    }
    await pause(LOOK_AGAIN_MS);
  }
}

type Followed = { readonly shard: number; readonly position: LogPosition; readonly title: ShardTitle };

async function bringShop(
  { db, config, clock, logger }: Ground,
  { log, self, settings }: Broker,
  connection: Link,
): Promise<void> {
  logger.info({ cluster: settings.cluster }, 'bringing the shop of this node into its cluster');
  const shards = Array.from({ length: config.SHARDS }, (_, shard) => shard);
  const followed: Followed[] = [];
  let records = 0;

  async function bringShard(shard: number): Promise<void> {
    const claim = await log.claim(shard, self.node);
    // After the claim: what an earlier one of ours appended late is seen.
    const brought = await bringRecords(db, shard, claim, await newestRecord(log, shard, clock));
    followed.push({ shard, position: brought.end, title: { node: self.node, epoch: claim.epoch } });
    records += brought.records;
  }

  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      for (let shard = shards.shift(); shard !== undefined; shard = shards.shift()) await bringShard(shard);
    }),
  );
  // First for all to see: without the rows below this node reads the logs once over what it holds.
  await storeBrought(connection, settings);
  writeFollowed(db, followed);
  logger.info({ records }, 'the shop of this node is in the logs of its cluster');
}
