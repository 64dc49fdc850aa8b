/**
 * Where a node's shards have their logs: in its own file, or at the broker of its cluster. This is all that differs between
 * a node that is alone and one of several.
 */

import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Clock, FailPoint, Ids, ShardLog, ShardStore, Transport } from '../actors/kernel/ports.ts';
import type { Policy } from '../actors/policy.ts';
import type { Db } from '../storage/database.ts';
import { type DataFolder, LEDGER_FILE } from '../storage/dataFolder.ts';
import { type Feed, openFeed } from '../storage/feed.ts';
import { openKeyedStore } from '../storage/keyedStore.ts';
import type { Projection } from '../storage/projection.ts';
import type { Catalog } from '../storage/projections/catalogReader.ts';
import { createStockLevels, type StockProjection } from '../storage/projections/stockLevels.ts';
import type { Filling } from '../storage/readModels.ts';
import { createStoreFigures } from '../storage/storeFigures.ts';
import type { LedgerEntry, SimulatorLedger } from '../transport/payment/ledger.ts';
import { type Caches, createCaches } from './caches.ts';
import { openCatalog } from './catalog.ts';
import { createRealClock, createVirtualClock, type VirtualClock } from './clock.ts';
import type { Config } from './config.ts';
import { createFailPoints } from './failPoints.ts';
import { openFollowers } from './followers.ts';
import { createIds } from './ids.ts';
import type { Node } from './node.ts';
import type { NodeStatus } from './nodeStatus.ts';
import type { LocalOperations, Operations } from './operations.ts';
import type { ShopCore } from './shop.ts';
import { createTelemetry, type RuntimeTelemetry } from './telemetry.ts';

/** What every node has, wherever its logs are. */
export type Ground = {
  readonly config: Config;
  readonly logger: Logger;
  readonly policy: Policy;
  readonly folder: DataFolder;
  readonly db: Db;
  /** Counts the openings of this store: tells apart two lives of a node. */
  readonly instance: number;
  readonly clock: Clock;
  readonly virtual?: VirtualClock;
  readonly ids: Ids;
  readonly telemetry: RuntimeTelemetry;
  readonly failPoint: FailPoint;
  readonly caches: Caches;
  readonly catalog: Catalog;
  /** What each warehouse has of a SKU for new orders: a hint, the stock items decide. */
  readonly shelves: StockProjection['shelves'];
  /** Read models that whoever changes something wants to see changed at once: catalog and stock. */
  readonly immediate: readonly Projection[];
  /** Read models that can wait for whoever looks: lists of orders, sagas, customers. */
  readonly following: readonly Projection[];
  /** What changed of each customer's, for whoever listens. */
  readonly feed: Feed;
  /** The simulated vendor's books on this node. */
  readonly entries: ReturnType<typeof openKeyedStore<LedgerEntry>>;
};

export type Home = {
  readonly store: ShardStore;
  /** For whoever looks at logs, catalog or stock. */
  readonly current: Db;
  /** For whoever looks at anything. */
  readonly reader: Db;
  readonly ledger: SimulatorLedger;
  /** Other nodes talk to the same payment vendor. */
  readonly isShared: boolean;
  /** For ids derived from requests. */
  readonly idSecret: string;
  /** Signs sessions, where the nodes share one. */
  readonly authSecret?: string;
  /** No node has finished preparing this shop yet. */
  readonly isNew: boolean;
  /** Carries messages to shards that aren't open here. */
  readonly elsewhere?: Transport;
  /** What a shard that is open here wants of the outside may be done: nobody else can have it. */
  readonly mayAct?: (shard: number) => boolean;
  /** Opens what is to be open here, now and later. `tapped` is to be laid over each log. */
  run(node: Node, local: ShopCore & LocalOperations, tapped: (log: ShardLog) => ShardLog): Running;
};

export type Running = {
  /** Reaches every shard, wherever it is. */
  readonly core: ShopCore;
  readonly ready: boolean;
  /** Resolves once the tables hold everything that is in the logs now. @throws Unavailable */
  upToDate(): Promise<void>;
  /** In a cluster: gives this node's shards to the others; until then it goes on answering. */
  drain?(): Promise<void>;
  readonly operations: Operations;
  status(): NodeStatus;
  /** Stops the node and what carries its messages; `patienceMs` for what is under way. */
  stop(patienceMs: number): Promise<void>;
};

export function openGround(
  config: Config,
  logger: Logger,
  policy: Policy,
  folder: DataFolder,
  entries: Ground['entries'] = openKeyedStore(join(config.DATA_DIR, LEDGER_FILE)),
): Ground {
  const { db } = folder;
  // Virtual time goes on where an earlier life left it, or business time would run backwards.
  const figures = createStoreFigures(db);
  const virtual = config.CLOCK === 'virtual' ? createVirtualClock(figures.latestTime() ?? Date.now()) : undefined;
  const clock: Clock = virtual ?? createRealClock();
  const telemetry = createTelemetry();
  const caches = createCaches(clock.now, telemetry.registry);
  const { projection, catalog } = openCatalog(db, policy, caches);
  const levels = createStockLevels(db);
  return {
    config,
    logger,
    policy,
    folder,
    db,
    instance: figures.instance(),
    clock,
    ...(virtual && { virtual }),
    ids: createIds(clock.now),
    telemetry,
    failPoint: createFailPoints(config.FAIL_POINT),
    caches,
    catalog,
    shelves: levels.shelves,
    immediate: [levels, projection],
    following: openFollowers(db, fillingLog(logger)),
    feed: openFeed(db, (actor, error) => logger.error({ err: error, actor }, 'nobody hears of a change')),
    entries,
  };
}

/** Filling read models of a big store takes minutes, once: nobody should think that it hangs. */
function fillingLog(logger: Logger): Filling {
  return {
    progress: (done, of) => logger.info({ done, of }, 'filling the lists of orders and sagas from the log'),
    skipped: (key, error) => logger.warn({ err: error, actor: key }, 'left out of the lists: its events make no sense'),
  };
}
