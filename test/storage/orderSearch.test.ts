/** The search over all orders against the plainest one there is: look at every order. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Commit } from '../../actors/kernel/message.ts';
import type { OrderEvent } from '../../actors/order.ts';
import type { Db } from '../../storage/database.ts';
import { createOrderSearch, ORDER_SEARCHES, type OrderFilter } from '../../storage/projections/orderSearch.ts';
import { ordersModel } from '../../storage/projections/orders.ts';
import { sagasModel } from '../../storage/projections/sagas.ts';
import { searchOrders } from '../../supervisors/orderSearch.ts';
import { eventSamples } from '../support/eventSamples.ts';
import { committed, type OrderTables, openOrderTables } from '../support/orderTables.ts';

type Made = {
  readonly id: string;
  readonly customer: string;
  readonly sku: string;
  readonly placedAt: number;
  readonly status: string;
  readonly awaiting: string | null;
  /** When a payment failed. */
  readonly failedAt: readonly number[];
};

const search = suite<{ tables: OrderTables; made: Made[] }>('order search');
const T0 = Date.UTC(2026, 0, 1);
const COUNT = 400;
const { order, payment } = eventSamples;

/** Everything about an order follows from its number. Some are placed in the same millisecond. */
function make(number: number): { made: Made; commits: Commit[] } {
  const id = `ord_${(number * 7919) % 10_007}`;
  const placedAt = T0 + Math.floor(number / 3) * 1_000;
  const [customer, sku] = [`cus_${number % 5}`, `SKU-${number % 7}`];
  const lines = order.OrderPlaced[0].lines.map((line) => ({ ...line, sku }));
  const placed = { ...order.OrderPlaced[0], customerId: customer, placedAt, lines } satisfies OrderEvent;
  const held = { ...order.OrderHeld[0], awaiting: number % 8 === 1 ? 'operator' : 'review' } as const;
  const later: OrderEvent[] = number % 4 === 1 ? [held] : number % 9 === 0 ? [{ ...order.OrderOutOfStock[0] }] : [];
  const status = number % 4 === 1 ? 'on-hold' : number % 9 === 0 ? 'out-of-stock' : 'placed';
  const failedAt = [10, 20].slice(0, number % 3).map((after) => placedAt + after * 60_000 + number);
  const {
    type: _type,
    seq,
    status: _status,
    ...note
  } = { type: 'OrderNoted', seq: 1, status: '', orderId: id, placedAt, total: placed.totals.total };
  const noted = { type: 'OrderNoted', v: 1, seq, status: 'placed', ...note };
  return {
    made: { id, customer, sku, placedAt, status, awaiting: later[0] === held ? held.awaiting : null, failedAt },
    commits: [
      committed(`${id}/order`, 1, placedAt, placed),
      ...later.map((event) => committed(`${id}/order`, 2, placedAt + 5, event)),
      ...failedAt.map((at, index) => committed(`${id}/payment`, index + 1, at, payment.PaymentFailed[0])),
      committed(`${customer}/customer-orders`, Math.floor(number / 5) + 1, placedAt, noted),
    ],
  };
}

search.before(async (context) => {
  context.tables = openOrderTables({ models: [ordersModel, sagasModel] });
  const all = Array.from({ length: COUNT }, (_, number) => make(number));
  context.made = all.map(({ made }) => made);
  for (let start = 0; start < COUNT; start += 50) {
    await context.tables.append(all.slice(start, start + 50).flatMap(({ commits }) => commits));
  }
});
search.after(({ tables }) => tables.close());

/** The ids that a filter should find, in order. */
function expected(made: readonly Made[], filter: OrderFilter): string[] {
  const { status, awaiting, sku, customer, fact, from = 0, to = Number.MAX_SAFE_INTEGER } = filter;
  const within = (at: number): boolean => at >= from && at < to;
  const found = made.flatMap((one) => {
    const at = fact === undefined ? one.placedAt : one.failedAt.filter(within).at(-1);
    const wanted =
      at !== undefined &&
      within(at) &&
      (status ?? one.status) === one.status &&
      (awaiting ?? one.awaiting) === one.awaiting &&
      (sku ?? one.sku) === one.sku &&
      (customer ?? one.customer) === one.customer;
    return wanted ? [{ at, id: one.id }] : [];
  });
  return found.sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1)).map(({ id }) => id);
}

/** All pages, a few rows each. */
async function walk(tables: OrderTables, filter: OrderFilter, limit: number): Promise<string[]> {
  const orders = createOrderSearch(tables.db);
  const ids: string[] = [];
  let page = await searchOrders(orders, { filter, limit });
  for (;;) {
    assert.ok(page.orders.length <= limit);
    ids.push(...page.orders.map(({ orderId }) => orderId));
    if (page.next === null) return ids;
    page = await searchOrders(orders, { filter, limit, after: page.next });
  }
}

const PARTS: readonly OrderFilter[] = [
  { status: 'on-hold' },
  { awaiting: 'operator' },
  { sku: 'SKU-3' },
  { customer: 'cus_2' },
  { fact: 'payment-failed' },
  { from: T0 + 30_000, to: T0 + 100_000 },
];

search('every combination of filters finds what is there, each once, newest first', async ({ tables, made }) => {
  let found = 0;
  for (let mask = 0; mask < 2 ** PARTS.length; mask++) {
    const filter: OrderFilter = Object.assign({}, ...PARTS.filter((_, bit) => (mask >> bit) & 1));
    const ids = await walk(tables, filter, 7);
    assert.equal(ids, expected(made, filter), JSON.stringify(filter));
    found += ids.length;
  }
  assert.ok(found > 1_000);
});

search('the end of a page is the end when nothing follows', async ({ tables, made }) => {
  const filter: OrderFilter = { sku: 'SKU-3' };
  const all = expected(made, filter);
  const page = await searchOrders(createOrderSearch(tables.db), { filter, limit: all.length });
  assert.equal([page.orders.length, page.next], [all.length, null]);
});

search('an event with times finds when it happened, the last time within them', async ({ tables, made }) => {
  const twice = made.find(({ failedAt }) => failedAt.length === 2);
  const [first = 0, second = 0] = twice?.failedAt ?? [];
  const orders = createOrderSearch(tables.db);
  const at = async (from: number, to: number) => {
    const { orders: rows } = await searchOrders(orders, { filter: { fact: 'payment-failed', from, to }, limit: COUNT });
    return rows.filter(({ orderId }) => orderId === twice?.id).map((row) => row.at);
  };
  assert.equal(await at(first, second + 1), [second]);
  assert.equal(await at(first, second), [first]);
  assert.equal(await at(first + 1, second), []);
});

search('a long search without a hit pauses: the page is empty and has a next one', async () => {
  const row = { orderId: 'ord_1', customer: '', status: 'placed', awaiting: null, payment: '', at: 1 } as const;
  let pieces = 0;
  const endless = {
    piece: (_filter: OrderFilter, _after: unknown, length: number) => {
      pieces += 1;
      return { found: [], examined: length, last: { at: row.at, orderId: `ord_${pieces}` } };
    },
  };
  const page = await searchOrders(endless, { filter: {}, limit: 10 });
  assert.equal([page.orders, page.next], [[], { at: 1, orderId: `ord_${pieces}` }]);
  assert.ok(pieces > 10 && pieces < 100, `${pieces} pieces`);
});

search('no search looks at more rows than it was told to, or sorts them', ({ tables: { db } }) => {
  const others = [
    'SELECT order_id FROM unfinished_sagas WHERE since <= 1 AND (since, order_id) > (1, 1) ORDER BY since, order_id LIMIT 1',
    'SELECT * FROM daily_skus WHERE day = 1',
    'SELECT * FROM daily_orders WHERE day >= 1 ORDER BY day, currency, status',
    'SELECT sku, sum(available) FROM stock_levels WHERE sku > 1 GROUP BY sku ORDER BY sku LIMIT 1',
  ];
  const wasteful = /\bSCAN [a-z]|TEMP B-TREE/;
  const planOf = (sql: string): string => {
    const names = ['fact', 'awaiting', 'sku', 'customer', 'status', 'orderId'].map((name) => [name, '']);
    const bind = { from: 0, to: 1, at: 1, length: 1, ...Object.fromEntries(names) };
    const rows = db.prepare<object, { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all(bind);
    return rows.map(({ detail }) => detail).join('; ');
  };
  assert.match(planOf('SELECT * FROM orders WHERE amount > 1'), wasteful);
  assert.match(planOf("SELECT * FROM orders WHERE status = 'placed' ORDER BY amount"), wasteful);
  for (const sql of [...ORDER_SEARCHES, ...others]) assert.not.match(planOf(sql), wasteful, sql);
});

search('what the tables could not take leaves no trace in them, and comes again', async () => {
  let full = false;
  const tables = openOrderTables({
    models: [ordersModel, sagasModel],
    beforeApply: () => {
      if (full) throw new Error('the disk is full');
    },
  });
  const { made, commits } = make(1);
  const rows = (table: string, db = tables.db) => db.prepare(`SELECT * FROM ${table}`).all();
  const statuses = (db?: Db) => rows('orders', db).map((row) => (row as { status: string }).status);
  const [placed, ...rest] = commits as [Commit, ...Commit[]];
  await tables.append([placed]);
  assert.equal(statuses(), ['placed']);
  full = true;
  await tables.append(rest);
  assert.throws(() => statuses(), /the disk is full/);
  assert.equal(statuses(tables.stored), ['placed']);
  assert.equal([rows('order_facts', tables.stored), rows('daily_payments', tables.stored)], [[], []]);
  full = false;
  assert.equal(await walk(tables, { fact: 'payment-failed', status: 'on-hold' }, 5), [made.id]);
  const days = rows('daily_orders').filter((row) => (row as { orders: number }).orders !== 0);
  assert.equal(
    days.map((row) => (row as { status: string }).status),
    ['on-hold'],
  );
  tables.close();
});

search.run();
