/** A log with the read models of the operators behind it, and orders made up to fill it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { Commit } from '../../actors/kernel/message.ts';
import { type Db, openDatabase } from '../../storage/database.ts';
import { openEmbeddedStore } from '../../storage/embeddedStore.ts';
import { createCustomerOrders } from '../../storage/projections/customerOrders.ts';
import { type Filling, openReadModels, type ReadModel } from '../../storage/readModels.ts';
import { encodeBody, encodeRecord, GENESIS_HASH } from '../../storage/recordCodec.ts';

export const QUIET: Filling = { progress: () => {}, skipped: () => {} };

export type OrderTables = {
  /** With the tables brought up to date before each query. */
  readonly db: Db;
  /** As the tables are. */
  readonly stored: Db;
  /** Appends the commits as one record; rejects when the store refuses it. */
  append(commits: readonly Commit[]): Promise<void>;
  close(): void;
};

export type OrderTablesOptions = {
  readonly models: readonly ReadModel[];
  /** Called in the transaction that brings the tables up to date, at its end: a throw undoes it. */
  readonly beforeApply?: () => void;
};

export function openOrderTables({ models, beforeApply = () => {} }: OrderTablesOptions): OrderTables {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-tables-'));
  const db = openDatabase(join(folder, 'test.sqlite'));
  db.pragma('synchronous = OFF');
  const { log, tables } = openEmbeddedStore(db, {
    following: [createCustomerOrders(db), ...openReadModels(db, models, QUIET)],
    failPoint: (name) => name === 'after-append-before-apply' && beforeApply(),
    logger: { error: (fields, text) => assert.unreachable(`${text} ${JSON.stringify(fields)}`) },
  });
  let [n, prevHash] = [0, GENESIS_HASH];
  return {
    db: tables.reader,
    stored: db,
    async append(commits) {
      const header = { schema: 1, shard: 0, epoch: 1, n: n + 1, prevHash, at: 0, inboxOffset: 0, acked: [] } as const;
      const record = encodeRecord({ ...header, commits }, commits.map(encodeBody), []);
      await log.append(record);
      [n, prevHash] = [n + 1, record.hash];
    },
    close() {
      db.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The next commit of an aggregate, with these events. */
export function committed(key: string, seq: number, at: number, ...events: Commit['events']): Commit {
  return { key, seq, version: seq, cause: `${key}-${seq}`, at, events, sends: [], timers: [] };
}
