import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { LogEntry } from '../../actors/kernel/clusterPorts.ts';
import { openDatabase } from '../../storage/database.ts';
import { createLocalCopy, type LocalCopy } from '../../storage/localCopy.ts';
import { createTables } from '../../storage/tables.ts';
import { commit, record } from './shardLogContract.ts';

type Context = { folder: string };
const copies = suite<Context>('local copy of the logs', { folder: '' });

copies.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'holdfast-copy-'));
});
copies.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));

function open({ folder }: Context, eager: readonly string[] = []) {
  const db = openDatabase(join(folder, 'test.sqlite'));
  const troubled = (error: unknown): void => assert.unreachable(String(error));
  const tables = createTables(db, { projections: [], failPoint: () => {}, skipped: troubled, troubled });
  const copy = createLocalCopy(db, { projections: [], tables, eager: new Set(eager), skipped: troubled, troubled });
  return { db, copy };
}

const written = ({ current }: LocalCopy): unknown => current.prepare('SELECT count(*) FROM commits').pluck().get();
const onFile = (db: ReturnType<typeof openDatabase>): unknown =>
  db.prepare('SELECT count(*) FROM commits').pluck().get();

copies('what waits is written for whoever looks', (context) => {
  const { db, copy } = open(context);
  copy.own(0, 5, record([commit('1/a', 1)]));
  assert.is(copy.position(0), 5);
  assert.is(onFile(db), 0);
  assert.is(written(copy), 1);
  assert.is(onFile(db), 1);
  db.close();
});

copies('an aggregate of which nothing waits is loaded without writing what does', (context) => {
  const { db, copy } = open(context);
  copy.own(0, 5, record([commit('1/a', 1)]));
  assert.equal(copy.store.load('2/a', 1), { commits: [] });
  assert.is(onFile(db), 0);
  db.close();
});

copies('an aggregate is loaded with what waits, and a shard begins after it', (context) => {
  const { db, copy } = open(context);
  const one = record([commit('1/a', 1)]);
  copy.own(0, 5, one);
  assert.equal(
    copy.store.load('1/a', 1).commits.map(({ seq }) => seq),
    [1],
  );
  const two = record([commit('1/a', 2)], { n: 2, prevHash: one.hash });
  copy.own(0, 6, two);
  assert.equal(copy.store.head(0), { n: 2, epoch: two.record.epoch, hash: two.hash, inboxOffset: 0 });
  copy.own(0, 7, record([commit('1/a', 3)], { n: 3, prevHash: two.hash }));
  assert.equal(
    [...copy.store.history('1/a')].map(({ seq }) => seq),
    [1, 2, 3],
  );
  db.close();
});

copies('own changes that are looked up as they are on the file are there at once', (context) => {
  const { db, copy } = open(context, ['product']);
  const one = record([commit('1/a', 1)]);
  copy.own(0, 5, one);
  assert.is(onFile(db), 0);
  copy.own(0, 6, record([commit('tea/product', 1)], { n: 2, prevHash: one.hash }));
  assert.is(onFile(db), 2);
  db.close();
});

copies('how far it is goes with what it holds through a restart', (context) => {
  const first = open(context);
  const one = record([commit('1/a', 1)]);
  void first.copy.apply(0, { kind: 'claim', position: 4, node: 'one' });
  void first.copy.apply(0, { kind: 'record', position: 5, record: one });
  first.copy.catchUp();
  void first.copy.apply(0, {
    kind: 'record',
    position: 6,
    record: record([commit('1/a', 2)], { n: 2, prevHash: one.hash }),
  });
  first.db.close();

  const { db, copy } = open(context);
  assert.is(copy.position(0), 5);
  assert.equal(copy.title(0), { node: 'one', epoch: 4 });
  assert.is(written(copy), 1);
  db.close();
});

copies('what a record says of the inbox counts under its own claim alone', (context) => {
  const { db, copy } = open(context);
  const follow = (entry: LogEntry): void => void copy.apply(0, entry);
  const one = record([commit('1/a', 1)], { epoch: 4, inboxOffset: 70 });
  const two = record([commit('1/a', 2)], { n: 2, epoch: 4, inboxOffset: 80, prevHash: one.hash });
  follow({ kind: 'claim', position: 4, node: 'one' });
  follow({ kind: 'record', position: 5, record: one });
  assert.is(copy.answered(0), 70);
  follow({ kind: 'claim', position: 6, node: 'two' });
  assert.is(copy.answered(0), 70, 'the next owner goes on where the last one was');
  // A broker had lost it, and another node brings it: what is before 80 in the inbox may be new.
  follow({ kind: 'record', position: 7, record: two });
  assert.is(copy.answered(0), 0);
  copy.own(0, 8, record([commit('1/a', 3)], { n: 3, epoch: 6, inboxOffset: 75, prevHash: two.hash }));
  assert.is(copy.answered(0), 75);
  copy.readAnew(0, 3);
  assert.is(copy.answered(0), 0);
  db.close();
});

copies('a log that is read anew is whole once it has shown every record that the tables hold', (context) => {
  const { db, copy } = open(context);
  const one = record([commit('1/a', 1)], { epoch: 1 });
  const two = record([commit('1/a', 2)], { n: 2, epoch: 1, prevHash: one.hash });
  assert.ok(copy.isWhole(0));
  void copy.apply(0, { kind: 'claim', position: 1, node: 'one' });
  copy.own(0, 2, one);
  copy.own(0, 3, two);
  assert.ok(copy.isWhole(0));
  copy.readAnew(0, 0);
  assert.not.ok(copy.isWhole(0));
  void copy.apply(0, { kind: 'claim', position: 1, node: 'one' });
  void copy.apply(0, { kind: 'record', position: 2, record: one });
  assert.not.ok(copy.isWhole(0), 'the second one is still missing');
  void copy.apply(0, { kind: 'record', position: 3, record: two });
  assert.ok(copy.isWhole(0));
  db.close();
});

copies('after a start the inbox is read on only where the newest record is of the newest claim', (context) => {
  const before = open(context);
  const one = record([commit('1/a', 1)], { epoch: 4, inboxOffset: 70 });
  void before.copy.apply(0, { kind: 'claim', position: 4, node: 'one' });
  before.copy.own(0, 5, one);
  before.copy.catchUp();
  before.db.close();
  const between = open(context);
  assert.is(between.copy.answered(0), 70);
  void between.copy.apply(0, { kind: 'claim', position: 6, node: 'two' });
  assert.is(between.copy.answered(0), 70);
  between.copy.catchUp();
  between.db.close();
  const { db, copy } = open(context);
  assert.is(copy.answered(0), 0);
  db.close();
});

copies.run();
