/** A node that is alone: its file holds the logs, and it has all shards from start to stop. */
import { openEmbeddedStore } from '../storage/embeddedStore.ts';
import { createEntryLedger } from '../transport/payment/entryLedger.ts';
import type { Ground, Home } from './home.ts';

export function createEmbeddedHome(ground: Ground): Home {
  const { config, db, folder, immediate, following, failPoint, clock, telemetry, logger, entries } = ground;
  const { log, tables, store } = openEmbeddedStore(db, {
    immediate,
    following,
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
      for (let shard = 0; shard < config.SHARDS; shard++) node.open(shard, { log: whole });
      return {
        core,
        get ready() {
          return node.ready;
        },
        upToDate: async () => undefined,
        async stop(patienceMs) {
          await node.stop(patienceMs);
          tables.catchUp();
        },
      };
    },
  };
}
