/** I9 over a whole shop: what the log says, what snapshots and actors say and what a restarted shop says is one thing. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type AddressKey, parseAddressKey } from '../../actors/kernel/address.ts';
import type { ShardLog, StoredCommit } from '../../actors/kernel/ports.ts';
import { shop as deciders } from '../../actors/shop.ts';
import { type Db, openDatabase } from '../../storage/database.ts';
import { createShardStore } from '../../storage/shardStore.ts';
import { verifyLog } from '../../storage/verifyLog.ts';
import { type AnyDecider, evolveAll, restore } from '../../supervisors/memory.ts';
import { liveThroughBusyDay } from '../support/busyDay.ts';
import { startShop, type TestShop } from '../support/shop.ts';
import { openShop } from '../support/shopkeeper.ts';

type Context = { folder: string; db: Db; live: ReadonlyMap<AddressKey, string> };
const replay = suite<Context>('replay');

function deciderOf(key: AddressKey): AnyDecider {
  const decider = (deciders as unknown as Record<string, AnyDecider>)[parseAddressKey(key).type];
  if (!decider) throw new Error(`no decider for ${key}`);
  return decider;
}

/** The state and version of every aggregate, as its actor says it, byte for byte. */
async function statesOf({ shop }: TestShop, keys: readonly AddressKey[]): Promise<Map<AddressKey, string>> {
  const states = new Map<AddressKey, string>();
  for (const key of keys) {
    const observed = await shop.read(parseAddressKey(key), { deadline: shop.clock.monotonic() + 10_000 });
    states.set(key, JSON.stringify(observed ?? null));
  }
  return states;
}

const observedOf = (state: unknown, version: number): string =>
  JSON.stringify(version === 0 ? null : { state, version });

function fold(key: AddressKey, commits: Iterable<Pick<StoredCommit, 'events'>>, from?: unknown): unknown {
  const decider = deciderOf(key);
  let state = from ?? decider.initial(parseAddressKey(key).id);
  for (const { events } of commits) state = evolveAll(decider, state, events);
  return state;
}

replay.before(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'holdfast-replay-'));
  const keys = new Set<AddressKey>();
  const noteKeys = (log: ShardLog): ShardLog => ({
    append(record) {
      for (const { key } of record.record.commits) keys.add(key);
      return log.append(record);
    },
  });
  const keeper = await openShop({
    env: { DATA_DIR: context.folder, TRUST_PROXY: '1' },
    replacements: { log: noteKeys },
  });
  await liveThroughBusyDay(keeper);
  context.live = await statesOf(keeper.shop, [...keys].sort());
  await keeper.close();
  context.db = openDatabase(join(context.folder, 'holdfast.sqlite'));
});
replay.after(({ folder, db }) => {
  db.close();
  rmSync(folder, { recursive: true, force: true });
});

replay('the busy day was one: every kind of aggregate, every kind of end', ({ db, live }) => {
  assert.is(live.size, db.prepare('SELECT count(DISTINCT key) FROM commits').pluck().get());
  const types = new Set([...live.keys()].map((key) => parseAddressKey(key).type));
  assert.equal([...types].sort(), Object.keys(deciders).sort());
  const ends = [...live]
    .filter(([key]) => parseAddressKey(key).type === 'order')
    .map(([, text]) => JSON.parse(text).state.status);
  for (const status of ['closed', 'cancelled', 'out-of-stock', 'payment-failed', 'fulfilling', 'delivery-failed']) {
    assert.ok(ends.includes(status), `${status} among ${[...new Set(ends)]}`);
  }
  const deadLetters = db.prepare('SELECT count(*) FROM dead_letters').pluck().get();
  assert.is(deadLetters, 0);
});

replay('the complete history of every aggregate gives byte for byte what its actor says', ({ db, live }) => {
  const store = createShardStore(db);
  for (const [key, said] of live) {
    const history = [...store.history(key)];
    assert.equal(
      history.map(({ seq }) => seq),
      history.map((_, index) => index + 1),
    );
    assert.is(observedOf(fold(key, history), history.at(-1)?.version ?? 0), said, key);
  }
});

replay('so does its snapshot with the commits after it', ({ db, live }) => {
  const store = createShardStore(db);
  const withSnapshot = new Set<string>();
  for (const [key, said] of live) {
    const stored = store.load(key, deciderOf(key).stateVersion ?? 1);
    const address = parseAddressKey(key);
    if (stored.snapshot) withSnapshot.add(address.type);
    assert.ok(stored.commits.length < 128, `${key}: ${stored.commits.length} commits to replay`);
    const { state, version } = restore(deciderOf(key), address.id, stored, []);
    assert.is(observedOf(state, version), said, key);
  }
  assert.ok(withSnapshot.has('stock') && withSnapshot.has('customer-orders'), [...withSnapshot].join());
});

replay('so would a snapshot taken after any of its commits', ({ db, live }) => {
  const store = createShardStore(db);
  for (const [key, said] of live) {
    const history = [...store.history(key)];
    const version = history.at(-1)?.version ?? 0;
    // A few places in long histories, every one in short ones.
    const step = Math.ceil(history.length / 20);
    for (let taken = 1; taken < history.length; taken += step) {
      const snapshot = JSON.parse(JSON.stringify(fold(key, history.slice(0, taken))));
      assert.is(observedOf(fold(key, history.slice(taken), snapshot), version), said, `${key} at ${taken}`);
    }
  }
});

replay('the timers of every aggregate are those that its history set and did not clear', ({ db, live }) => {
  const store = createShardStore(db);
  const rows = db.prepare<[string], { name: string; at: number; seq: number }>(
    'SELECT name, at, seq FROM timers WHERE key = ? ORDER BY name',
  );
  let pending = 0;
  for (const key of live.keys()) {
    const wanted = new Map<string, { name: string; at: number; seq: number }>();
    for (const { seq, timers } of store.history(key)) {
      for (const timer of timers) {
        if ('set' in timer) wanted.set(timer.set, { name: timer.set, at: timer.at, seq });
        else wanted.delete(timer.clear);
      }
    }
    const sorted = [...wanted.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    assert.equal(rows.all(key), sorted, key);
    const restored = restore(
      deciderOf(key),
      parseAddressKey(key).id,
      store.load(key, deciderOf(key).stateVersion ?? 1),
      [],
    ).timers;
    const kept = [...restored.values()].map(({ name, at, seq }) => ({ name, at, seq }));
    assert.equal(
      kept.sort((a, b) => (a.name < b.name ? -1 : 1)),
      sorted,
      key,
    );
    pending += sorted.length;
  }
  assert.ok(pending > 0);
});

replay('a restarted shop says the same of every aggregate', async ({ folder, live }) => {
  // On a copy, so that the other tests keep what they look at.
  const copy = mkdtempSync(join(tmpdir(), 'holdfast-replay-'));
  cpSync(folder, copy, { recursive: true });
  const again = await startShop({ env: { CLOCK: 'virtual', DATA_DIR: copy }, seed: false });
  const said = await statesOf(again, [...live.keys()]);
  await again.close();
  for (const [key, text] of live) assert.is(said.get(key), text, key);
  rmSync(copy, { recursive: true, force: true });
});

replay('the hash of every record comes out of its rows, and links to the one before', ({ db }) => {
  const audit = verifyLog(db);
  assert.equal(audit.findings, []);
  assert.is(audit.records, db.prepare('SELECT count(*) FROM records').pluck().get());
  assert.ok(audit.records > 100 && audit.commits > 1_000, `${audit.records} records, ${audit.commits} commits`);
});

/** Damages the store, looks, and undoes it. */
function damaged(db: Db, ...statements: readonly string[]): readonly { n?: number; problem: string }[] {
  db.exec('BEGIN');
  for (const statement of statements) assert.ok(db.prepare(statement).run().changes > 0, statement);
  const { findings } = verifyLog(db);
  db.exec('ROLLBACK');
  return findings;
}

replay('planted damage is found: a changed, missing, added or swapped row', ({ db }) => {
  const shard = '(SELECT min(shard) FROM records)';
  const last = `(SELECT max(n) FROM records WHERE shard = ${shard})`;
  const record = (n: number | string) => `shard = ${shard} AND n = ${n}`;
  // The first commit of a record with several.
  const commit = '(SELECT first_position FROM records WHERE commits > 1 ORDER BY rowid LIMIT 1 OFFSET 20)';
  const found = (...statements: string[]) => {
    const findings = damaged(db, ...statements);
    assert.ok(findings.length > 0, statements.join());
    return findings.map(({ problem }) => problem).join('; ');
  };
  const rows = 'its hash does not come out of its rows';
  assert.is(found(`UPDATE commits SET body = replace(body, '1', '2') WHERE position = ${commit}`), rows);
  for (const change of ["key = 'x/order'", 'seq = 99999', 'version = 99999', "cause = 'x'", 'at = at + 1']) {
    assert.is(found(`UPDATE commits SET ${change} WHERE position = ${commit}`), rows, change);
  }
  for (const change of ['epoch = 9', 'at = at + 1', 'inbox_offset = 9', `acked = '["x"]'`, `acked = '['`]) {
    assert.is(found(`UPDATE records SET ${change} WHERE ${record(3)}`), rows, change);
  }
  assert.match(found(`DELETE FROM records WHERE ${record(3)}`), 'follows record 2');
  assert.match(found(`DELETE FROM records WHERE ${record(last)}`), 'the log ends elsewhere');
  assert.match(found(`DELETE FROM heads WHERE shard = ${shard}`), 'does not know of its log');
  assert.match(found(`DELETE FROM commits WHERE position = ${commit}`), rows);
  assert.match(found("INSERT INTO commits VALUES (NULL, 'x/order', 1, 1, 'nobody', 1, '{}')"), /are in no record/);
  const numbers = found(
    `UPDATE records SET n = -3 WHERE ${record(3)}`,
    `UPDATE records SET n = 3 WHERE ${record(4)}`,
    `UPDATE records SET n = 4 WHERE ${record(-3)}`,
  );
  assert.match(numbers, 'follows record 2');
  const bodies = found(
    `UPDATE commits SET body = (SELECT body FROM commits WHERE position = ${commit} + 1) WHERE position = ${commit}`,
  );
  assert.is(bodies, rows);
  const places = found(
    `UPDATE commits SET position = -1 WHERE position = ${commit}`,
    `UPDATE commits SET position = ${commit} WHERE position = ${commit} + 1`,
    `UPDATE commits SET position = ${commit} + 1 WHERE position = -1`,
  );
  assert.is(places, rows);
  assert.equal(verifyLog(db).findings, []);
});

replay.run();
