import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
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

copies.run();
