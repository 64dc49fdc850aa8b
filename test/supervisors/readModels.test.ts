/** The operators' tables over a whole busy day: they say what the aggregates say, and can be filled anew from the log. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAddressKey } from '../../actors/kernel/address.ts';
import type { Order } from '../../actors/order.ts';
import type { SagaState } from '../../actors/orderSaga/saga.ts';
import { shop as deciders } from '../../actors/shop.ts';
import { type Db, openDatabase } from '../../storage/database.ts';
import { openReadModels } from '../../storage/readModels.ts';
import { createShardStore } from '../../storage/shardStore.ts';
import { OPERATORS_READ_MODELS } from '../../supervisors/followers.ts';
import { type AnyDecider, restore } from '../../supervisors/memory.ts';
import { liveThroughBusyDay } from '../support/busyDay.ts';
import { QUIET } from '../support/orderTables.ts';
import { startShop } from '../support/shop.ts';
import { openShop } from '../support/shopkeeper.ts';

const tables = OPERATORS_READ_MODELS.flatMap((model) => model.tables);
const models = suite<{ folder: string; db: Db }>('read models');

models.before(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'holdfast-models-'));
  const keeper = await openShop({ env: { DATA_DIR: context.folder } });
  await liveThroughBusyDay(keeper);
  await keeper.close();
  context.db = openDatabase(join(context.folder, 'holdfast.sqlite'));
});
models.after(({ folder, db }) => {
  db.close();
  rmSync(folder, { recursive: true, force: true });
});

type Row = Readonly<Record<string, string | number | null>>;

const rowsOf = (db: Db, table: string): readonly Row[] => db.prepare<[], Row>(`SELECT * FROM ${table}`).all();
/** Sums that came to nothing say what a missing row says. */
const told = (db: Db, table: string): string[] =>
  rowsOf(db, table)
    .filter(({ orders }) => orders !== 0)
    .map((row) => JSON.stringify(row))
    .sort();

/** Every aggregate of a type as the log has it. */
function statesOf<State>(db: Db, type: keyof typeof deciders): Map<string, { state: State; firstAt: number }> {
  const store = createShardStore(db);
  const keys = db.prepare<[], string>('SELECT DISTINCT key FROM commits').pluck().all();
  const found = keys.filter((key) => parseAddressKey(key).type === type);
  return new Map(
    found.map((key) => {
      const { id } = parseAddressKey(key);
      const commits = [...store.history(key)];
      const { state } = restore(deciders[type] as unknown as AnyDecider, id, { commits }, []);
      return [id, { state: state as State, firstAt: commits[0]?.at ?? 0 }];
    }),
  );
}

models('each order has its row, which says what the order says, and one for each SKU', ({ db }) => {
  const orders = statesOf<Order>(db, 'order');
  const rows = new Map(rowsOf(db, 'orders').map((row) => [row['id'], row]));
  assert.is(rows.size, orders.size);
  for (const [id, { state }] of orders) {
    const { status, awaiting, payment, placedAt, customerId, totals } = state;
    const { changed_at: _changed, ...row } = rows.get(id) ?? {};
    const { amount, currency } = totals.total;
    const wanted = { id, customer: customerId, status, awaiting, payment: payment.status, amount, currency };
    assert.equal(row, { ...wanted, placed_at: placedAt });
  }
  const skus = [...orders].flatMap(([id, { state }]) =>
    state.lines.map(({ sku }) => JSON.stringify({ sku, placed_at: state.placedAt, order_id: id })),
  );
  assert.equal(told(db, 'order_skus'), [...new Set(skus)].sort());
});

models('the unfinished sagas are those, and only those, that have something left to do', ({ db }) => {
  const unfinished = [...statesOf<SagaState>(db, 'order-saga')].filter(([, { state }]) => {
    if (state.status !== 'started') return false;
    const stuck = Object.values(state.refunds).some(({ status }) => status === 'stuck');
    if (state.phase.status === 'completed') return stuck;
    return state.phase.status !== 'aborted' || state.phase.manual || state.phase.refundPending;
  });
  assert.ok(unfinished.length > 3);
  assert.equal(
    rowsOf(db, 'unfinished_sagas').map((row) => row['order_id']),
    unfinished.map(([id]) => id).sort(),
  );
});

models('the daily sums are the sums over the orders', ({ db }) => {
  const orders = [...statesOf<Order>(db, 'order').values()].map(({ state }) => state);
  const sum = (pick: (order: Order) => number): number => orders.reduce((total, order) => total + pick(order), 0);
  const stored = (table: string, column: string): number =>
    rowsOf(db, table).reduce((total, row) => total + Number(row[column]), 0);
  const of = (column: string): number => stored('daily_orders', column);
  assert.is(of('orders'), orders.length);
  assert.is(
    of('ordered'),
    sum(({ totals }) => totals.total.amount),
  );
  assert.is(
    of('captured'),
    sum(({ payment }) => payment.captured.amount),
  );
  assert.is(
    of('refunded'),
    sum(({ payment }) => payment.refunded.amount),
  );
  const sold = orders.filter(({ end }) => end === null).flatMap(({ lines }) => lines);
  assert.is(
    stored('daily_skus', 'pieces'),
    sold.reduce((total, { quantity }) => total + quantity, 0),
  );
  for (const { status } of orders) {
    const counted = rowsOf(db, 'daily_orders').filter((row) => row['status'] === status);
    const count = counted.reduce((total, row) => total + Number(row['orders']), 0);
    assert.is(count, orders.filter((order) => order.status === status).length, status);
  }
  assert.ok(of('refunded') > 0 && stored('daily_payments', 'failures') > 0 && stored('daily_sagas', 'sagas') > 0);
});

models('the day had most of what is unusual', ({ db }) => {
  const facts = new Set(rowsOf(db, 'order_facts').map((row) => row['fact']));
  for (const fact of ['held', 'declined', 'payment-failed', 'out-of-stock', 'cancelled', 'refunded']) {
    assert.ok(facts.has(fact), `${fact} among ${[...facts]}`);
  }
});

/** On a copy, so that the other tests keep what they look at. */
function onCopy(folder: string, use: (copy: string, db: Db) => void): string {
  const copy = mkdtempSync(join(tmpdir(), 'holdfast-models-'));
  cpSync(folder, copy, { recursive: true });
  const db = openDatabase(join(copy, 'holdfast.sqlite'));
  use(copy, db);
  db.close();
  return copy;
}

function withoutTables(db: Db): void {
  for (const table of tables) db.exec(`DROP TABLE ${table}`);
  db.exec("DELETE FROM meta WHERE name = 'read-models'");
}

models('a store without the tables gets them, row for row, also when it is cut short on the way', ({ folder, db }) => {
  const copy = onCopy(folder, (_folder, copied) => {
    withoutTables(copied);
    let steps = 0;
    const cutShort = {
      ...QUIET,
      step: 500,
      progress: () => {
        steps += 1;
        if (steps === 4) throw new Error('killed');
      },
    };
    assert.throws(() => openReadModels(copied, OPERATORS_READ_MODELS, cutShort), /killed/);
    const half = rowsOf(copied, 'orders').length;
    assert.ok(half > 0 && half < rowsOf(db, 'orders').length, `${half} orders half-way`);
    const done: number[] = [];
    openReadModels(copied, OPERATORS_READ_MODELS, { ...QUIET, step: 500, progress: (at) => done.push(at) });
    assert.is(done[0], 1_500);
    for (const table of tables) assert.equal(told(copied, table), told(db, table), table);
    openReadModels(copied, OPERATORS_READ_MODELS, {
      ...QUIET,
      progress: () => assert.unreachable('it is filled already'),
    });
  });
  rmSync(copy, { recursive: true, force: true });
});

models('an aggregate that makes no sense is left out of the tables, the others are not', ({ folder, db }) => {
  const copy = onCopy(folder, (_folder, copied) => {
    withoutTables(copied);
    const key = copied.prepare<[], string>("SELECT key FROM commits WHERE key LIKE '%/order' LIMIT 1").pluck().get();
    copied.prepare("UPDATE commits SET body = replace(body, 'OrderPlaced', 'OrderFound') WHERE key = ?").run(key);
    const skipped = new Set<string>();
    openReadModels(copied, OPERATORS_READ_MODELS, { ...QUIET, skipped: (of) => skipped.add(of) });
    assert.equal([...skipped], [key]);
    assert.is(rowsOf(copied, 'orders').length, rowsOf(db, 'orders').length - 1);
  });
  rmSync(copy, { recursive: true, force: true });
});

models('a shop that starts on such a store lists its orders', async ({ folder, db }) => {
  const copy = onCopy(folder, (_folder, copied) => withoutTables(copied));
  const shop = await startShop({ env: { CLOCK: 'virtual', DATA_DIR: copy }, seed: false });
  try {
    const { body } = await shop.call('GET', '/v1/admin/orders?limit=100', { token: await shop.staff() });
    assert.is(body.data.length, Math.min(100, rowsOf(db, 'orders').length));
  } finally {
    await shop.close();
    rmSync(copy, { recursive: true, force: true });
  }
});

models.run();
