/** The log of a node without a broker, the tables behind it, and what the shards read of both. */
import type { FailPoint, ShardLog, ShardStore } from '../actors/kernel/ports.ts';
import type { Db } from './database.ts';
import { type AppendObserver, createEmbeddedLog } from './embeddedLog.ts';
import type { Projection } from './projection.ts';
import { createShardStore } from './shardStore.ts';
import { createTables, type RecordFollower, type Tables, tableTroubles } from './tables.ts';

export type EmbeddedStore = { readonly log: ShardLog; readonly tables: Tables; readonly store: ShardStore };

export type EmbeddedStoreOptions = {
  /** Read models that change together with the log, in its transaction. */
  readonly immediate?: readonly Projection[];
  /** Read models that follow with the other tables. */
  readonly following?: readonly Projection[];
  readonly follower?: RecordFollower;
  readonly failPoint?: FailPoint;
  readonly monotonic?: () => number;
  readonly observe?: AppendObserver;
  readonly logger: { error(fields: object, text: string): void };
};

export function openEmbeddedStore(db: Db, options: EmbeddedStoreOptions): EmbeddedStore {
  const { immediate = [], following = [], follower, failPoint = () => {}, observe = () => {}, logger } = options;
  const tables = createTables(db, {
    projections: following,
    ...(follower && { follower }),
    failPoint,
    ...tableTroubles(logger),
  });
  const monotonic = options.monotonic ?? (() => performance.now());
  const log = createEmbeddedLog(db, { projections: immediate, tables, failPoint, monotonic, observe });
  return { log, tables, store: createShardStore(db, tables) };
}
