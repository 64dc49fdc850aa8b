/**
 * The checker over the folder of a node that doesn't run. Nothing in it is changed, but that the tables of a node that was
 * killed are brought up to its log first, as its next start would do.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createAggregateIds } from '../../storage/aggregateIds.ts';
import { createAuditReader } from '../../storage/auditReader.ts';
import { type Db, openDatabase, openForReading } from '../../storage/database.ts';
import { LEDGER_FILE, STORE_FILE } from '../../storage/dataFolder.ts';
import { type KeyedStore, openKeyedStore } from '../../storage/keyedStore.ts';
import { createShardStore } from '../../storage/shardStore.ts';
import { createTables, tablesAreBehind } from '../../storage/tables.ts';
import { createSimulatorBooks } from '../../transport/payment/books.ts';
import { createEntryLedger } from '../../transport/payment/entryLedger.ts';
import type { LedgerEntry } from '../../transport/payment/ledger.ts';
import { openFollowers } from '../followers.ts';
import type { AnyDecider } from '../memory.ts';
import { createReconcile } from '../reconcile.ts';
import type { Check } from './checker.ts';
import { openChecker } from './open.ts';

export type StoppedStore = { readonly check: Check; close(): void };

/**
 * @throws StoreInUse when a node runs on it; Error when there is none, or it is of another version
 */
export function openStoppedStore(folder: string, deciders: Readonly<Record<string, AnyDecider>>): StoppedStore {
  const db = openUpToDate(join(folder, STORE_FILE));
  const store = createShardStore(db);
  const { latestTime } = createAuditReader(db);
  const ledgerPath = join(folder, LEDGER_FILE);
  const ledger: KeyedStore<LedgerEntry> | undefined = existsSync(ledgerPath)
    ? openKeyedStore(ledgerPath, { readonly: true })
    : undefined;
  const reconcile =
    ledger &&
    createReconcile({
      books: createSimulatorBooks(createEntryLedger(ledger), latestTime),
      store,
      aggregateIds: createAggregateIds(db),
      deciders,
      // Nothing is on its way here; and nothing else would keep the process alive.
      clock: { delay },
      recheckMs: 0,
    });
  return {
    check: openChecker({
      db,
      store,
      deciders,
      // Timers that fell due since it was stopped are nobody's fault.
      now: latestTime,
      monotonic: () => performance.now(),
      pause: async () => {},
      quarantined: () => [],
      reconcile: reconcile ?? (async () => ({ findings: [], examined: 0, next: null })),
    }),
    close() {
      ledger?.close();
      db.close();
    },
  };
}

function openUpToDate(path: string): Db {
  const found = openForReading(path);
  if (!tablesAreBehind(found)) return found;
  found.close();
  const db = openDatabase(path);
  try {
    const wrong = (what: string | number, error: unknown): never => {
      throw new Error(`the tables can't follow the log at ${what}`, { cause: error });
    };
    createTables(db, {
      projections: openFollowers(db, { progress: () => {}, skipped: wrong }),
      failPoint: () => {},
      skipped: wrong,
      troubled: () => {},
    });
  } finally {
    db.close();
  }
  return openForReading(path);
}

function delay(ms: number, task: () => void): () => void {
  const timer = setTimeout(task, ms);
  return () => clearTimeout(timer);
}
