/** What operators look up, over HTTP on the virtual clock: lists, the past, the inside of any aggregate, figures. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { addressKey } from '../../actors/kernel/address.ts';
import { DAY, HOUR, MINUTE, openShop, type Shopkeeper } from '../support/shopkeeper.ts';

const lists = suite<{ keeper: Shopkeeper }>('http operator lists');

lists.before.each(async (context) => {
  context.keeper = await openShop();
  const { keeper } = context;
  await keeper.sell('MUG', 900, { 'wh-east': 100 });
  await keeper.sell('GOLD', 60_000, { 'wh-east': 5 });
});
lists.after.each(({ keeper }) => keeper.close());

type Query = Readonly<Record<string, string | number>>;

function look({ shop, staff }: Shopkeeper, path: string, query: Query = {}, token = staff) {
  const text = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return shop.call('GET', `/v1/admin/${path}?${text.join('&')}`, { token });
}

const nowOf = ({ shop }: Shopkeeper): string => new Date(shop.shop.clock.now()).toISOString();
const idsOf = ({ body }: { body: { data: { id: string }[] } }): string[] => body.data.map(({ id }) => id);

lists('payments that failed last month include the order that another card has saved', async ({ keeper }) => {
  const before = nowOf(keeper);
  const saved = await keeper.place([{ sku: 'MUG', quantity: 1 }], 'tok_decline');
  const good = await keeper.place([{ sku: 'MUG', quantity: 2 }]);
  await keeper.pass(HOUR);
  const paid = await keeper.buyer('PUT', `/v1/orders/${saved}/payment`, { token: 'tok_success' });
  assert.is(paid.status, 202, JSON.stringify(paid.body));
  const monthEnd = nowOf(keeper);
  await keeper.pass(31 * DAY);
  const failed = await look(keeper, 'orders', { failed: 'payment', from: before, to: monthEnd });
  assert.equal(idsOf(failed), [saved]);
  const [{ payment, event }] = failed.body.data;
  assert.equal([payment.status, event], ['captured', { type: 'payment-failed', at: before }]);
  assert.equal(idsOf(await look(keeper, 'orders', { event: 'declined', to: monthEnd })), [saved]);
  assert.equal(idsOf(await look(keeper, 'orders', { failed: 'payment', from: monthEnd })), []);
  assert.equal(idsOf(await look(keeper, 'orders', { failed: 'payment', to: before })), []);
  assert.equal(idsOf(await look(keeper, 'orders', { from: before, to: monthEnd })).sort(), [saved, good].sort());
  assert.equal(idsOf(await look(keeper, 'orders', { from: monthEnd })), []);
});

lists('filters combine, and pages come one after the other', async ({ keeper }) => {
  const mugs = [];
  for (let number = 0; number < 5; number++) {
    mugs.unshift(await keeper.place([{ sku: 'MUG', quantity: 1 }]));
    await keeper.pass(MINUTE);
  }
  const held = await keeper.place([
    { sku: 'GOLD', quantity: 1 },
    { sku: 'MUG', quantity: 1 },
  ]);
  assert.equal(idsOf(await look(keeper, 'orders')), [held, ...mugs]);
  assert.equal(idsOf(await look(keeper, 'orders', { status: 'on-hold' })), [held]);
  assert.equal(idsOf(await look(keeper, 'orders', { awaiting: 'review', sku: 'MUG' })), [held]);
  assert.equal(idsOf(await look(keeper, 'orders', { awaiting: 'operator' })), []);
  assert.equal(idsOf(await look(keeper, 'orders', { sku: 'MUG', status: 'fulfilling' })), mugs);
  assert.equal(idsOf(await look(keeper, 'orders', { customer: 'cus_nobody' })), []);
  const { body: mine } = await look(keeper, 'orders', { limit: 1 });
  const customer = mine.data[0].customerId;
  const pages = [];
  for (let query: Query = { customer, sku: 'MUG', status: 'fulfilling', limit: 2 }; ; ) {
    const page = await look(keeper, 'orders', query);
    pages.push(idsOf(page));
    if (page.body.page.next === null) break;
    query = { ...query, cursor: page.body.page.next };
  }
  assert.equal(pages, [mugs.slice(0, 2), mugs.slice(2, 4), mugs.slice(4)]);
  const other = await look(keeper, 'orders', { sku: 'GOLD', cursor: mine.page.next });
  assert.equal([other.status, other.body.code], [400, 'request.invalid-cursor']);
});

lists('what is not a question is refused, and nobody else may ask', async ({ keeper }) => {
  const { shop, token } = keeper;
  const wrong: [string, Query][] = [
    ['orders', { event: 'held', failed: 'payment' }],
    ['orders', { event: 'OrderHeld' }],
    ['orders', { failed: 'everything' }],
    ['orders', { status: 'sold' }],
    ['orders', { from: 'tuesday' }],
    ['orders', { limit: 101 }],
    ['orders', { colour: 'red' }],
    ['orders/ord_1', { at: '2026-01-01', version: 1 }],
    ['orders/ord_1', { version: 0 }],
    ['sagas', { state: 'running' }],
    ['sagas', { stuckFor: -1 }],
    ['sagas', { cursor: 'x' }],
    ['actors/order/ord_1', { version: 'one' }],
    ['actors/order/ord_1/events', { cursor: 'x' }],
    ['statistics', { days: 0 }],
    ['statistics', { days: 367 }],
  ];
  for (const [path, query] of wrong) {
    const { status, body } = await look(keeper, path, query);
    assert.is(status, 400, `${path} ${JSON.stringify(query)}: ${JSON.stringify(body)}`);
  }
  for (const path of [
    'orders',
    'orders/ord_1',
    'sagas',
    'actors/order/ord_1',
    'actors/order/ord_1/events',
    'statistics',
  ]) {
    assert.is((await look(keeper, path, {}, token)).status, 403, path);
    assert.is((await shop.call('GET', `/v1/admin/${path}`)).status, 401, path);
  }
});

lists('an order is shown as it was at a time or a version, with its saga', async ({ keeper }) => {
  const id = await keeper.place([{ sku: 'GOLD', quantity: 1 }]);
  const tuesday = nowOf(keeper);
  await keeper.pass(HOUR);
  await keeper.operator('POST', `/v1/admin/sagas/${id}/release`, { why: 'Known customer.' });
  await keeper.operator('POST', `/v1/admin/orders/${id}/notes`, { text: 'Knock.' });
  const now = await look(keeper, `orders/${id}`);
  assert.equal(
    now.body.notes.map(({ text }: { text: string }) => text),
    ['Knock.'],
  );
  assert.equal([now.body.status, now.body.saga.status], ['fulfilling', 'completed']);
  assert.is(now.headers.get('etag'), `"${now.body.version}"`);
  const then = await look(keeper, `orders/${id}`, { at: tuesday });
  assert.equal([then.body.status, then.body.awaiting, then.body.changedAt], ['on-hold', 'review', tuesday]);
  assert.equal([then.body.saga.status, then.body.saga.awaiting, then.body.notes], ['waiting', 'review', []]);
  const first = await look(keeper, `orders/${id}`, { version: 1 });
  assert.equal([first.body.status, first.body.version, first.body.payment.status], ['placed', 1, 'pending']);
  assert.equal((await look(keeper, `orders/${id}`, { version: now.body.version })).body, now.body);
  const nothing = [{ version: now.body.version + 1 }, { at: new Date(Date.parse(tuesday) - 1).toISOString() }];
  for (const query of nothing) assert.is((await look(keeper, `orders/${id}`, query)).body.code, 'order.unknown');
  assert.is((await look(keeper, 'orders/ord_none')).status, 404);
});

lists('sagas show why they wait and what comes next, and are gone when they end', async ({ keeper }) => {
  await keeper.place([{ sku: 'MUG', quantity: 1 }]);
  assert.equal((await look(keeper, 'sagas')).body.data, []);
  const held = await keeper.place([{ sku: 'GOLD', quantity: 1 }]);
  const since = nowOf(keeper);
  await keeper.pass(HOUR / 2);
  const bank = await keeper.place([{ sku: 'MUG', quantity: 1 }], 'tok_requires_action');
  const rows = async (query: Query = {}) => (await look(keeper, 'sagas', query)).body.data;
  const orders = async (query: Query) => (await rows(query)).map(({ orderId }: { orderId: string }) => orderId);
  const [first] = await rows({ state: 'waiting', limit: 1 });
  assert.equal([first.orderId, first.state, first.awaiting], [held, 'waiting', 'review']);
  assert.equal([first.since, first.progressAt, first.next.name], [since, since, 'review']);
  assert.is(Date.parse(first.next.at), Date.parse(since) + HOUR);
  assert.equal(await orders({}), [held, bank]);
  assert.equal(await orders({ awaiting: 'payment' }), [bank]);
  assert.equal(await orders({ state: 'compensating' }), []);
  assert.equal(await orders({ state: 'reserving' }), []);
  assert.equal(await orders({ stuckFor: 1_800 }), [held]);
  assert.equal(await orders({ stuckFor: 1_801 }), []);
  const page = await look(keeper, 'sagas', { limit: 1 });
  const next = await look(keeper, 'sagas', { limit: 1, cursor: page.body.page.next });
  assert.equal([next.body.data[0].orderId, next.body.page.next], [bank, null]);
  const elsewhere = await look(keeper, 'sagas', { stuckFor: 1, cursor: page.body.page.next });
  assert.is(elsewhere.body.code, 'request.invalid-cursor');
  await keeper.operator('POST', `/v1/admin/sagas/${held}/release`, { why: 'Fine.' });
  assert.equal(await orders({ awaiting: 'review' }), []);
});

lists('a saga that has ended is listed while a refund of its order waits for the operator', async ({ keeper }) => {
  const id = await keeper.place([{ sku: 'MUG', quantity: 1 }], 'tok_refund_fails');
  assert.equal((await look(keeper, 'sagas')).body.data, []);
  const amount = { amount: 100, currency: 'USD' };
  const refund = await keeper.operator('POST', `/v1/admin/sagas/${id}/refund`, { amount, why: 'A crack.' });
  assert.is(refund.status, 200, JSON.stringify(refund.body));
  await keeper.pass(10 * MINUTE);
  const [row] = (await look(keeper, 'sagas', { awaiting: 'operator', state: 'completed' })).body.data;
  assert.equal([row.orderId, row.state, row.awaiting], [id, 'completed', 'operator']);
  assert.ok(row.reason);
  assert.equal(idsOf(await look(keeper, 'orders', { event: 'escalated' })), [id]);
  await keeper.operator('POST', `/v1/admin/sagas/${id}/skip`, { why: 'Paid in cash.' });
  assert.equal((await look(keeper, 'sagas')).body.data, []);
});

lists('an order that waits for stock is found by what it waits for', async ({ keeper }) => {
  await keeper.sell('RARE', 500, {});
  const at = new Date(keeper.shop.shop.clock.now() + DAY).toISOString();
  const expected = { warehouse: 'wh-east', quantity: 3, at };
  assert.is((await keeper.operator('PUT', '/v1/admin/stock/RARE/expected', expected)).status, 200);
  const id = await keeper.place([{ sku: 'RARE', quantity: 2 }]);
  assert.equal(idsOf(await look(keeper, 'orders', { event: 'backordered', awaiting: 'stock' })), [id]);
  const { body } = await look(keeper, 'sagas', { state: 'waiting', awaiting: 'stock' });
  assert.equal(
    body.data.map(({ orderId }: { orderId: string }) => orderId),
    [id],
  );
  await keeper.pass(DAY);
  await keeper.operator('POST', '/v1/admin/stock/RARE/receive', { warehouse: 'wh-east', quantity: 3 });
  assert.equal((await look(keeper, 'sagas')).body.data, []);
  assert.equal(idsOf(await look(keeper, 'orders', { event: 'backordered', status: 'fulfilling' })), [id]);
});

lists(
  'an aggregate is shown with its timers, without secrets, and what is personal only to who may',
  async ({ keeper }) => {
    const { shop, staff } = keeper;
    const id = await keeper.place([{ sku: 'GOLD', quantity: 1 }]);
    const colleague = { email: 'cy@example.com', name: 'Cy', scopes: ['cluster'], password: 'correct horse battery' };
    assert.is((await keeper.operator('POST', '/v1/admin/staff', colleague)).status, 201);
    const { email, password } = colleague;
    const { body: session } = await shop.call('POST', '/v1/sessions', { body: { email, password } });
    const saga = `actors/order-saga/${id}`;
    const { body: full } = await look(keeper, saga);
    assert.equal([full.type, full.id, full.live, full.mailbox], ['order-saga', id, true, 0]);
    assert.equal([full.state.paymentToken, full.state.address.city], ['[secret]', 'Newark']);
    assert.ok(full.timers.some(({ name }: { name: string }) => name === 'review'));
    const { body: masked } = await look(keeper, saga, {}, session.token);
    assert.equal([masked.state.paymentToken, masked.state.address], ['[secret]', '[personal]']);
    const { body: past } = await look(keeper, saga, { version: 1 }, session.token);
    assert.equal([past.version, past.state.address, 'live' in past], [1, '[personal]', false]);
    const { body: earlier } = await look(keeper, saga, { at: nowOf(keeper) });
    assert.equal([earlier.version, earlier.timers], [full.version, full.timers]);
    const { body: events } = await look(keeper, `${saga}/events`, {}, session.token);
    assert.is(events.data[0].data.personal, '[personal]');
    const missing = [saga.replace(id, 'ord_none'), `actors/nothing/${id}`, 'actors/__proto__/x', `${saga}x/events`];
    for (const path of missing) assert.is((await look(keeper, path, {}, staff)).body.code, 'actor.unknown', path);
    assert.is((await look(keeper, saga, { version: full.version + 1 })).status, 404);
    assert.is((await look(keeper, 'orders', {}, session.token)).status, 403);
  },
);

lists('every event is shown with its version, time, cause and who, page by page', async ({ keeper }) => {
  const { shop } = keeper;
  const id = await keeper.place([{ sku: 'MUG', quantity: 1 }]);
  const placedAt = nowOf(keeper);
  await keeper.pass(MINUTE);
  await keeper.buyer('POST', `/v1/orders/${id}/cancel`, { reason: 'Too many.' });
  const address = { type: 'order', id };
  const history = [...(await shop.shop.history(address))];
  const recorded = history.flatMap(({ events, version }) => events.map(({ type }) => `${version} ${type}`));
  const shown = [];
  const rows = [];
  for (let query: Query = { limit: 2 }; ; ) {
    const { body } = await look(keeper, `actors/order/${id}/events`, query);
    rows.push(...body.data);
    shown.push(...body.data.map((row: { version: number; type: string }) => `${row.version} ${row.type}`));
    if (body.page.next === null) break;
    query = { limit: 2, cursor: body.page.next };
  }
  assert.equal(shown, recorded);
  const { body: orders } = await look(keeper, 'orders', { limit: 1 });
  assert.equal([rows[0].at, rows[0].by, rows[0].schemaVersion], [placedAt, orders.data[0].customerId, 1]);
  const heard = rows.find(({ type }) => type === 'OrderConfirmed');
  assert.ok(heard.cause.startsWith(`${addressKey({ type: 'order-saga', id })}#`), heard.cause);
  assert.is(heard.by, null);
  const until = await look(keeper, `actors/order/${id}/events`, { at: placedAt, limit: 100 });
  assert.equal(
    until.body.data.map(({ at }: { at: string }) => at).filter((at: string) => at !== placedAt),
    [],
  );
  assert.ok(until.body.data.length < rows.length);
  const nothing = await look(keeper, `actors/order/${id}/events`, { at: '2020-01-01' });
  assert.equal([nothing.status, nothing.body.data], [200, []]);
});

lists('a decision with several events may be cut by a page, and none is lost', async ({ keeper }) => {
  const id = await keeper.place([{ sku: 'MUG', quantity: 1 }]);
  const path = `actors/order-saga/${id}/events`;
  const { body: all } = await look(keeper, path, { limit: 100 });
  assert.equal([all.data[0].version, all.data[1].version], [1, 1]);
  const one = await look(keeper, path, { limit: 1 });
  const rest = await look(keeper, path, { limit: 1, cursor: one.body.page.next });
  assert.equal([one.body.data[0], rest.body.data[0]], [all.data[0], all.data[1]]);
});

lists('the statistics count orders, money, failures and pieces, as of at most five minutes ago', async ({ keeper }) => {
  const asOf = nowOf(keeper);
  const kept = await keeper.place([{ sku: 'MUG', quantity: 3 }]);
  await keeper.place([{ sku: 'MUG', quantity: 1 }], 'tok_decline');
  const gone = await keeper.place([{ sku: 'MUG', quantity: 5 }]);
  await keeper.buyer('POST', `/v1/orders/${gone}/cancel`, { reason: 'Too many.' });
  await keeper.pass(0);
  const { body } = await look(keeper, 'statistics', { days: 7 });
  assert.equal([body.asOf, body.days, body.orders.count], [asOf, 7, 3]);
  assert.equal(body.orders.byStatus, { cancelled: 1, fulfilling: 1, 'on-hold': 1 });
  const captured = (await keeper.order(kept)).totals.total.amount + (await keeper.order(gone)).totals.total.amount;
  const refunded = (await keeper.order(gone)).payment.refunded.amount;
  assert.ok(refunded > 0);
  const [today] = body.orders.byDay;
  assert.equal([today.day, today.captured.amount, today.refunded.amount], [asOf.slice(0, 10), captured, refunded]);
  assert.is(today.revenue.amount, captured - refunded);
  const { byDay, ...payments } = body.payments;
  assert.equal(payments, { attempts: 3, failures: 1, failedPercent: 33.33 });
  assert.equal(byDay, [{ day: asOf.slice(0, 10), ...payments }]);
  assert.equal(body.topSkus, [{ sku: 'MUG', orders: 2, pieces: 4, amount: { amount: 3_600, currency: 'USD' } }]);
  assert.equal([body.sagas.count, body.sagas.averageMs], [2, 0]);
  assert.ok(body.lowStock.some(({ sku }: { sku: string }) => sku === 'GOLD'));
  assert.not(body.lowStock.some(({ sku }: { sku: string }) => sku === 'MUG'));
  await keeper.place([{ sku: 'MUG', quantity: 1 }]);
  await keeper.pass(5 * MINUTE - 1);
  assert.equal((await look(keeper, 'statistics', { days: 7 })).body, body);
  await keeper.pass(2);
  const { body: later } = await look(keeper, 'statistics', { days: 7 });
  assert.equal([later.asOf, later.orders.count], [nowOf(keeper), 4]);
  await keeper.pass(8 * DAY);
  assert.is((await look(keeper, 'statistics', { days: 7 })).body.orders.count, 0);
});

lists.run();
