/** A cluster node's copy of all logs: nothing that comes from a log may stop it, and what waits for the disk is bounded. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openDatabase } from '../../storage/database.ts';
import { createLocalCopy } from '../../storage/localCopy.ts';
import type { Projection } from '../../storage/projection.ts';
import { createTables } from '../../storage/tables.ts';
import { until } from '../support/broker.ts';
import { commit, record } from './shardLogContract.ts';

const test = suite('local copy in trouble');

/** Entries that are written together; a little more than what may wait. */
const MANY = 520;
const opened: { close(): void }[] = [];
test.after.each(() => {
  for (const each of opened.splice(0)) each.close();
});

function open(projections: readonly Projection[] = []) {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-copy-'));
  const db = openDatabase(join(folder, 'test.sqlite'));
  const left: string[] = [];
  const skipped = (what: string) => void left.push(what);
  const troubles: unknown[] = [];
  const troubled = (error: unknown) => void troubles.push(error);
  const tables = createTables(db, { projections: [], failPoint: () => {}, skipped, troubled });
  const copy = createLocalCopy(db, { projections, tables, eager: new Set(), skipped, troubled });
  opened.push({
    close() {
      db.close();
      rmSync(folder, { recursive: true, force: true });
    },
  });
  return { db, copy, left, troubles };
}

/** Knows commits of `1/a` only, as one of an older version would. */
function choosy(): Projection & { readonly seen: string[] } {
  let gathered: string[] = [];
  const seen: string[] = [];
  return {
    types: ['a'],
    seen,
    apply({ key, cause }) {
      if (key !== '1/a') throw new Error('an event of a later version');
      gathered.push(cause);
    },
    flush() {
      const broken = gathered.includes('cause-1/a-13');
      if (!broken) seen.push(...gathered.splice(0));
      if (broken) throw new Error('these do not add up');
    },
    discard() {
      gathered = [];
    },
  };
}

const claim = (position: number) => ({ kind: 'claim', position, node: 'node-1' }) as const;

test('what a list can make no sense of is left out of that list, and every shard goes on', () => {
  const list = choosy();
  const { copy, left } = open([list]);
  const entry = (shard: number, key: string, seq: number) =>
    copy.apply(shard, { kind: 'record', position: 2, record: record([commit(key, seq)], { shard }) });
  copy.apply(0, claim(1));
  entry(0, '2/a', 1);
  copy.apply(1, claim(1));
  entry(1, '1/a', 1);
  copy.catchUp();
  assert.equal(left, ['2/a']);
  assert.equal(list.seen, ['cause-1/a-1']);
  assert.is(copy.store.load('2/a', 1).commits.length, 1, 'the log itself has it');

  entry(2, '1/a', 13);
  copy.catchUp();
  assert.equal(left, ['2/a', 'a']);
  entry(3, '1/a', 2);
  copy.catchUp();
  assert.equal(list.seen, ['cause-1/a-1', 'cause-1/a-2'], 'one that does not add up spoils only its own transaction');
  assert.equal(
    [0, 1, 2, 3].map((shard) => copy.store.head(shard)?.n),
    [1, 1, 1, 1],
  );
});

test('while its file takes nothing, a node stops to append before its memory fills', () => {
  const { db, copy } = open();
  const disk = { isFull: true };
  db.function('take_room', { directOnly: false }, () => {
    if (disk.isFull) throw new Error('database or disk is full');
    return 0;
  });
  db.exec('CREATE TRIGGER full BEFORE INSERT ON records BEGIN SELECT take_room(); END');
  let prevHash: string | undefined;
  let appended = 0;
  const append = () => {
    copy.makeRoom();
    const n = appended + 1;
    const next = record([commit('1/a', n)], { n, ...(prevHash !== undefined && { prevHash }) });
    copy.own(0, n, next);
    prevHash = next.hash;
    appended = n;
  };
  assert.throws(() => {
    while (appended < MANY) append();
  }, /disk is full/);
  const kept = appended;
  disk.isFull = false;
  while (appended < MANY) append();
  assert.ok(kept < MANY);
  assert.is(copy.store.head(0)?.n, MANY, 'and nothing that was appended is missing');
});

test('what could not be written is written once it can be, although nobody looks and nothing new comes', async () => {
  const { db, copy, troubles } = open();
  db.pragma('query_only = ON');
  copy.own(0, 1, record([commit('1/a', 1)]));
  await until('it could not be written', () => troubles.length > 0);
  assert.not(copy.isWritable);
  db.pragma('query_only = OFF');
  await until('the file is written', () => copy.isWritable);
  assert.is(db.prepare('SELECT count(*) FROM commits').pluck().get(), 1);
});

test.run();
