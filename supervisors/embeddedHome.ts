/** A node that is alone: its file holds the logs, and it has all shards from start to stop. */
import { openEmbeddedStore } from '../storage/embeddedStore.ts';
import { createEntryLedger } from '../transport/payment/entryLedger.ts';
import type { Ground, Home } from './home.ts';
import { aloneStatus } from './nodeStatus.ts';

export function createEmbeddedHome(ground: Ground): Home {
  const { config, db, folder, immediate, following, feed, failPoint, clock, ids, telemetry, logger, entries } = ground;
  const { log, tables, store } = openEmbeddedStore(db, {
    immediate,
    following,
    follower: feed.follower,
    failPoint,
    monotonic: clock.monotonic,
    observe: telemetry.recordAppended,
    logger,
  });
  return {
    store,
    current: db,
    reader: tables.reader,
    ledger: createEntryLedger(entries),
    isShared: false,
    idSecret: folder.idSecret,
    isNew: folder.isNew,
    run(node, core, tapped) {
      const whole = tapped(log);
      const incarnation = ids.next('node');
      for (let shard = 0; shard < config.SHARDS; shard++) node.open(shard, { log: whole });
      return {
        core,
        get ready() {
          return node.ready;
        },
        upToDate: async () => undefined,
        operations: {
          ...core,
          drainNode: async (name) =>
            name === config.NODE_NAME
              ? { kind: 'refused', reason: 'This node is alone: nobody could take its shards.' }
              : { kind: 'unknown' },
          inboxLags: async () => new Map(),
          checkpoint: async () => undefined,
        },
        status: () => aloneStatus(ground, store, incarnation, node.ready),
        async stop(patienceMs) {
          await node.stop(patienceMs);
          try {
            tables.catchUp();
          } catch (error) {
            logger.error({ err: error }, 'the tables could not be written before the end: the next start does it');
          }
        },
      };
    },
  };
}
