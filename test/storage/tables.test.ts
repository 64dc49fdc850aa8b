import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Commit } from '../../actors/kernel/message.ts';
import { AppendRefused, type FailPointName } from '../../actors/kernel/ports.ts';
import { openDatabase } from '../../storage/database.ts';
import { openEmbeddedStore } from '../../storage/embeddedStore.ts';
import type { Projection } from '../../storage/projection.ts';
import { tablesAreBehind } from '../../storage/tables.ts';
import { commit, record } from './shardLogContract.ts';

type Context = { folder: string };
const tables = suite<Context>('tables behind the log', { folder: '' });

tables.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'holdfast-tables-'));
});
tables.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));

type Parts = { following?: readonly Projection[]; failPoint?: (name: FailPointName) => void };

function open({ folder }: Context, parts: Parts = {}) {
  const db = openDatabase(join(folder, 'test.sqlite'));
  const complaints: string[] = [];
  const logger = { error: (_fields: object, text: string) => complaints.push(text) };
  return { db, complaints, ...openEmbeddedStore(db, { ...parts, logger }) };
}

const send = (id: string) => ({
  id,
  from: { type: 'a', id: '1' },
  to: { type: 'b', id: '2' },
  message: { type: 'Hello' },
});
const ring = (at: number) => ({ set: 'ring', at, message: { type: 'Ring' } });

/** Counts the commits of type `a` that it sees. */
function counting(): Projection & { readonly seen: () => number } {
  let seen = 0;
  return { types: ['a'], apply: () => void seen++, flush() {}, discard() {}, seen: () => seen };
}

tables('what was in the log when the node died is in the tables after the next start, once', async (context) => {
  const first = open(context);
  const one = record([commit('1/a', 1, { sends: [send('1/a#1.0')], timers: [ring(100)] })]);
  await first.log.append(one);
  first.tables.catchUp();
  const snapshot = { key: '1/a', seq: 2, version: 2, stateVersion: 1, state: {}, timers: [] };
  const two = record([commit('1/a', 2, { sends: [send('1/a#2.0')], timers: [ring(200)] })], {
    n: 2,
    prevHash: one.hash,
    acked: ['1/a#1.0'],
    snapshots: [snapshot],
  });
  await first.log.append(two);
  assert.is(tablesAreBehind(first.db), true);
  first.db.close();

  const counter = counting();
  const second = open(context, { following: [counter] });
  assert.is(tablesAreBehind(second.db), false);
  assert.equal(
    second.store.outbox(0, 0, 10).map(({ envelope }) => envelope.id),
    ['1/a#2.0'],
  );
  assert.is(second.store.nextTimer(0), 200);
  assert.is(counter.seen(), 1);
  assert.equal(
    second.store.load('1/a', 1).commits.map(({ seq }) => seq),
    [1, 2],
    'a snapshot is no part of the log',
  );
  second.db.close();
});

tables('what came and went before anybody looked is never written', async (context) => {
  const { db, log, tables: subject } = open(context);
  let changes = 0;
  db.function('noted', () => void changes++);
  for (const table of ['outbox', 'timers']) {
    db.exec(`CREATE TEMP TRIGGER ${table}_noted AFTER INSERT ON ${table} BEGIN SELECT noted(); END`);
  }
  const one = record([commit('1/a', 1, { sends: [send('1/a#1.0')], timers: [ring(100)] })]);
  await log.append(one);
  await log.append(record([commit('1/a', 2, { timers: [{ clear: 'ring' }] })], { n: 2, acked: ['1/a#1.0'] }));
  subject.catchUp();
  assert.is(changes, 0);
  await log.append(record([commit('1/a', 3, { timers: [ring(300)] })], { n: 3 }));
  subject.catchUp();
  assert.is(changes, 1);
  db.close();
});

tables('they follow by themselves when nobody looks', async (context) => {
  const { db, log } = open(context);
  await log.append(record([commit('1/a', 1, { sends: [send('1/a#1.0')] })]));
  const rows = db.prepare<[], number>('SELECT count(*) FROM outbox').pluck();
  const until = performance.now() + 5_000;
  while (rows.get() === 0 && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.is(rows.get(), 1);
  db.close();
});

tables(
  'a read model that can make no sense of an event leaves it out, and says so; the rest goes on',
  async (context) => {
    const counter = counting();
    const broken: Projection = {
      types: ['a'],
      apply: ({ seq }: Commit) => {
        if (seq === 1) throw new TypeError('an event of the future');
      },
      flush() {},
      discard() {},
    };
    const { db, log, tables: subject, store, complaints } = open(context, { following: [broken, counter] });
    await log.append(record([commit('1/a', 1, { timers: [ring(100)] }), commit('1/a', 2)]));
    subject.catchUp();
    assert.is(counter.seen(), 2);
    assert.is(store.nextTimer(0), 100);
    assert.is(complaints.length, 1);
    db.close();
  },
);

tables('a batch that the disk did not take is taken later, whole', async (context) => {
  let full = true;
  const failPoint = (name: FailPointName) => {
    if (full && name === 'after-append-before-apply') throw Object.assign(new Error('full'), { code: 'SQLITE_FULL' });
  };
  const { db, log, tables: subject, store } = open(context, { failPoint });
  await log.append(record([commit('1/a', 1, { sends: [send('1/a#1.0')] })]));
  assert.throws(() => store.outbox(0, 0, 10), /full/);
  assert.is(db.prepare('SELECT count(*) FROM outbox').pluck().get(), 0);
  await log.append(record([commit('1/a', 2, { sends: [send('1/a#2.0')] })], { n: 2 }));
  full = false;
  assert.is(store.outbox(0, 0, 10).length, 2);
  subject.catchUp();
  assert.is(store.outbox(0, 0, 10).length, 2);
  db.close();
});

tables('a log far ahead of tables that can not follow takes nothing more, until they can', async (context) => {
  let full = true;
  const failPoint = (name: FailPointName) => {
    if (full && name === 'after-append-before-apply') throw Object.assign(new Error('full'), { code: 'SQLITE_FULL' });
  };
  const { db, log, tables: subject } = open(context, { failPoint });
  const many = (from: number) => Array.from({ length: 10_001 }, (_, index) => commit(`${from + index}/a`, 1));
  await log.append(record(many(0)));
  const next = record([commit('next/a', 1)], { n: 2 });
  const refused = await log.append(next).catch((error: unknown) => error);
  assert.instance(refused, AppendRefused);
  assert.is((refused as AppendRefused).fault, 'store');
  full = false;
  subject.catchUp();
  await log.append(next);
  db.close();
});

tables.run();
