/** A shop with a million delivered orders has a million timers that are far from due: nobody may go through them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createAuditReader } from '../../storage/auditReader.ts';
import { type Db, openDatabase } from '../../storage/database.ts';
import { createShardStore } from '../../storage/shardStore.ts';
import { createStoreFigures } from '../../storage/storeFigures.ts';

const lookups = suite<{ folder: string; db: Db }>('lookups of timers');

lookups.before((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'holdfast-timers-'));
  context.db = openDatabase(join(context.folder, 'test.sqlite'));
});
lookups.after(({ folder, db }) => {
  db.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What is prepared meanwhile. */
function preparedBy(db: Db, work: (db: Db) => unknown): readonly string[] {
  const prepared: string[] = [];
  const prepare = (sql: string): unknown => {
    prepared.push(sql);
    return db.prepare(sql);
  };
  work(new Proxy(db, { get: (_, name) => (name === 'prepare' ? prepare : Reflect.get(db, name)) }));
  return prepared;
}

const planOf = (db: Db, sql: string): string =>
  db
    .prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
    .all(...Array.from(sql.matchAll(/\?/g), () => 0))
    .map(({ detail }) => detail)
    .join('; ');

const DUE = /FROM.*\btimers\b.*\bat <=? \?/s;
const EVERY_TIMER = /SCAN (t|timers)\b/;

lookups('whoever counts or takes those that are due reads no others', ({ db }) => {
  const figures = preparedBy(db, createStoreFigures).filter((sql) => DUE.test(sql));
  const audit = preparedBy(db, createAuditReader).filter((sql) => DUE.test(sql));
  const store = preparedBy(db, (spied) => createShardStore(spied)).filter((sql) => DUE.test(sql));
  assert.equal(
    [figures, audit, store].map(({ length }) => length),
    [1, 1, 1],
  );
  assert.match(planOf(db, 'SELECT count(*) FROM timers WHERE at <= ?'), EVERY_TIMER);
  for (const sql of [...figures, ...audit, ...store]) assert.not.match(planOf(db, sql), EVERY_TIMER, sql);
});

lookups('those that are due are counted over all shards', ({ db }) => {
  for (const shard of [0, 1]) db.prepare("INSERT INTO heads VALUES (?, 1, 1, '', 0)").run(shard);
  const timer = db.prepare("INSERT INTO timers VALUES (?, 'ring', ?, ?, 1, '{}')");
  for (const [key, shard, at] of [
    ['a', 0, 10],
    ['b', 1, 20],
    ['c', 1, 30],
  ])
    timer.run(key, shard, at);
  const { timers } = createStoreFigures(db);
  assert.equal([9, 10, 20, 30].map(timers), [0, 1, 2, 3]);
});

lookups.run();
