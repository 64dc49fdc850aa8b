import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AppendRefused, type FailPointName } from '../../actors/kernel/ports.ts';
import { openDatabase, StoreInUse } from '../../storage/database.ts';
import { openEmbeddedStore } from '../../storage/embeddedStore.ts';
import type { Tables } from '../../storage/tables.ts';
import { commit, type LogUnderTest, record, shardLogContract } from './shardLogContract.ts';

const log = suite('embedded log');

type Embedded = LogUnderTest & {
  readonly tables: Tables;
  readonly passed: FailPointName[];
  readonly appends: number[][];
};

function open(folder = mkdtempSync(join(tmpdir(), 'holdfast-log-'))): Embedded {
  const db = openDatabase(join(folder, 'test.sqlite'));
  const passed: FailPointName[] = [];
  const appends: number[][] = [];
  let closed = false;
  const close = (): void => {
    if (closed) return;
    closed = true;
    db.close();
  };
  return {
    ...openEmbeddedStore(db, {
      failPoint: (name) => passed.push(name),
      observe: (commits, bytes) => appends.push([commits, bytes]),
      logger: { error: (fields, text) => assert.unreachable(`${text} ${JSON.stringify(fields)}`) },
    }),
    passed,
    appends,
    reopen() {
      close();
      return open(folder);
    },
    close() {
      close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

shardLogContract(log, open);

log('embedded log - records of one turn share one transaction', async () => {
  const subject = open();
  await Promise.all([0, 1, 2].map((shard) => subject.log.append(record([commit(`s${shard}/x`, 1)], { shard }))));
  assert.is(subject.appends.length, 1);
  assert.is(subject.appends[0]?.[0], 3);
  subject.close();
});

log('embedded log - passes its fail points in the order of the commit path', async () => {
  const subject = open();
  await subject.log.append(record([commit('a/1', 1)]));
  assert.equal(subject.passed, ['before-append', 'after-append-before-reply']);
  subject.tables.catchUp();
  assert.is(subject.passed.at(-1), 'after-append-before-apply');
  subject.close();
});

log(
  'embedded log - a store that is full or read-only refuses, keeps what it has, and takes the record later',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-log-'));
    const db = openDatabase(join(folder, 'test.sqlite'));
    const { log: subject, store } = openEmbeddedStore(db, { logger: { error: () => {} } });
    try {
      await subject.append(record([commit('a/1', 1)]));
      const big = record([commit('a/1', 2, { reply: { ok: true, version: 2, value: 'x'.repeat(100_000) } })], { n: 2 });
      const pages = db.pragma('page_count', { simple: true });
      const troubles = [
        ['SQLITE_FULL', `max_page_count = ${pages}`, 'max_page_count = 4294967294'],
        ['SQLITE_READONLY', 'query_only = ON', 'query_only = OFF'],
      ] as const;
      for (const [code, trouble, relief] of troubles) {
        db.pragma(trouble);
        const refused = await subject.append(big).catch((error: unknown) => error);
        db.pragma(relief);
        assert.instance(refused, AppendRefused);
        assert.is((refused as AppendRefused).fault, 'store');
        assert.is(((refused as AppendRefused).cause as { code: string }).code, code);
        assert.is([...store.history('a/1')].length, 1);
      }
      await subject.append(big);
      assert.is([...store.history('a/1')].length, 2);
    } finally {
      db.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

log('embedded log - refuses a file of a newer version', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-log-'));
  const path = join(folder, 'test.sqlite');
  const db = openDatabase(path);
  db.pragma('user_version = 99');
  db.close();
  assert.throws(() => openDatabase(path), /schema version 99/);
  rmSync(folder, { recursive: true, force: true });
});

log('embedded log - a store belongs to one process at a time', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-log-'));
  const path = join(folder, 'test.sqlite');
  const first = openDatabase(path);
  assert.throws(
    () => openDatabase(path),
    (error: unknown) => error instanceof StoreInUse,
  );
  first.close();
  openDatabase(path).close();
  rmSync(folder, { recursive: true, force: true });
});

log('embedded log - syncs every transaction', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-log-'));
  const db = openDatabase(join(folder, 'test.sqlite'));
  assert.is(db.pragma('synchronous', { simple: true }), 2);
  assert.is(db.pragma('journal_mode', { simple: true }), 'wal');
  db.close();
  rmSync(folder, { recursive: true, force: true });
});

log.run();
