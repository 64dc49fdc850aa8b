/** Orders that wait for stock, over HTTP, on the virtual clock: in their turn, asked when it takes long, holding no money. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DAY, HOUR, MINUTE, openShop, type Shopkeeper } from '../support/shopkeeper.ts';

const backorders = suite('http backorders');
const opened: Shopkeeper[] = [];

async function open(pieces: Readonly<Record<string, number>> = {}): Promise<Shopkeeper> {
  const keeper = await openShop({ seed: false });
  opened.push(keeper);
  await keeper.sell('MUG', 1_000, pieces);
  return keeper;
}

backorders.after.each(async () => {
  for (const keeper of opened.splice(0)) await keeper.close();
});

const mugs = (quantity: number) => [{ sku: 'MUG', quantity }];
const inDays = (keeper: Shopkeeper, days: number) => new Date(keeper.shop.shop.clock.now() + days * DAY).toISOString();

async function expect(keeper: Shopkeeper, quantity: number, days: number): Promise<string> {
  const at = inDays(keeper, days);
  const { status } = await keeper.operator('PUT', '/v1/admin/stock/MUG/expected', {
    warehouse: 'wh-east',
    quantity,
    at,
  });
  assert.is(status, 200);
  return at;
}

async function receive(keeper: Shopkeeper, quantity: number, warehouse = 'wh-east'): Promise<void> {
  const { status } = await keeper.operator('POST', '/v1/admin/stock/MUG/receive', { warehouse, quantity });
  assert.is(status, 200);
  await keeper.pass(1);
}

type Shelf = { readonly warehouse: string; readonly available: number; readonly backordered: number };

async function shelves(keeper: Shopkeeper): Promise<readonly Shelf[]> {
  return (await keeper.operator('GET', '/v1/admin/stock/MUG')).body.warehouses;
}

async function east(keeper: Shopkeeper) {
  const { body } = await keeper.operator('GET', '/v1/admin/stock/MUG');
  return body.warehouses.find(({ warehouse }: { warehouse: string }) => warehouse === 'wh-east');
}

async function checkNobodyIsRegistered(keeper: Shopkeeper): Promise<void> {
  for (const { warehouse, backordered } of await shelves(keeper)) assert.is(backordered, 0, warehouse);
  assert.equal((await keeper.operator('GET', '/v1/admin/check?deep=true')).body.findings, []);
}

const statusOf = async (keeper: Shopkeeper, ...ids: string[]) =>
  Promise.all(ids.map(async (id) => (await keeper.order(id)).status));

backorders('an order for what is expected within 7 days waits, unpaid, and is served when it comes', async () => {
  const keeper = await open({ 'wh-east': 1 });
  const at = await expect(keeper, 10, 7);
  const id = await keeper.place(mugs(3));
  const order = await keeper.order(id);
  assert.equal([order.status, order.awaiting, order.payment.status], ['backordered', 'stock', 'pending']);
  assert.equal(order.backorder, { expectedAt: at, url: null, expiresAt: null });
  const before = await east(keeper);
  assert.equal([before.available, before.backordered], [1, 3]);
  const { body: product } = await keeper.shop.call('GET', '/v1/products/MUG');
  assert.equal([product.available, product.inStock], [0, false], 'the piece that lies there is waited for');
  await keeper.pass(HOUR);
  assert.equal(await statusOf(keeper, id), ['backordered'], 'the 5 minutes do not run');
  await receive(keeper, 10);
  const served = await keeper.order(id);
  assert.equal([served.status, served.backorder], ['fulfilling', null]);
  assert.equal(served.payment.captured, served.totals.total);
  const { data } = (await keeper.buyer('GET', `/v1/orders/${id}/timeline`)).body;
  assert.ok(data.some(({ title }: { title: string }) => title === 'Order waits for a delivery'));
  const after = await east(keeper);
  assert.equal([after.available, after.committed, after.backordered, after.expected], [8, 3, 0, null]);
  assert.is((await keeper.shop.call('GET', '/v1/products/MUG')).body.available, 8);
});

backorders('first come, first served: nobody overtakes, and what is not promised is out of stock', async () => {
  const keeper = await open();
  await expect(keeper, 5, 2);
  const first = await keeper.place(mugs(3));
  const second = await keeper.place(mugs(2));
  const third = await keeper.place(mugs(1));
  assert.equal(await statusOf(keeper, first, second, third), ['backordered', 'backordered', 'out-of-stock']);
  await receive(keeper, 2);
  const hasty = await keeper.place(mugs(2));
  assert.equal(await statusOf(keeper, first, second, hasty), ['backordered', 'backordered', 'out-of-stock']);
  const { body: check } = await keeper.operator('GET', '/v1/admin/check?deep=true');
  assert.equal(check.findings, [], 'waiting is nothing to worry about');
  await receive(keeper, 1);
  assert.equal(await statusOf(keeper, first, second), ['fulfilling', 'backordered']);
  await receive(keeper, 3);
  assert.equal(await statusOf(keeper, first, second), ['fulfilling', 'fulfilling']);
  const last = await keeper.place(mugs(1));
  assert.equal(await statusOf(keeper, last), ['fulfilling']);
});

backorders('stock that arrives at another warehouse serves who waits, before any later order', async () => {
  const keeper = await open();
  await expect(keeper, 5, 2);
  const first = await keeper.place(mugs(2));
  const second = await keeper.place(mugs(3));
  await receive(keeper, 1, 'wh-west');
  const hasty = await keeper.place(mugs(1));
  assert.equal(await statusOf(keeper, first, second, hasty), ['backordered', 'backordered', 'out-of-stock']);
  await receive(keeper, 1, 'wh-west');
  assert.equal(await statusOf(keeper, first, second), ['fulfilling', 'backordered']);
  const third = await keeper.place(mugs(1));
  assert.is((await keeper.order(third)).awaiting, 'stock', 'what the first no longer needs is promised to others');
  await receive(keeper, 50, 'wh-west');
  assert.equal(await statusOf(keeper, second, third), ['fulfilling', 'fulfilling']);
  const later = await keeper.place(mugs(46));
  assert.equal(await statusOf(keeper, later), ['fulfilling']);
  await checkNobodyIsRegistered(keeper);
});

backorders('a line that only two warehouses together have waits until the operator starts it anew', async () => {
  const keeper = await open();
  await expect(keeper, 4, 2);
  const id = await keeper.place(mugs(4));
  await receive(keeper, 2);
  await receive(keeper, 2, 'wh-west');
  assert.equal(await statusOf(keeper, id), ['backordered']);
  await keeper.pass(4 * DAY);
  assert.is((await keeper.order(id)).awaiting, 'operator');
  await keeper.operator('POST', `/v1/admin/sagas/${id}/retry`, { why: 'Both have some.' });
  await keeper.pass(1);
  const order = await keeper.order(id);
  assert.equal([order.status, order.fulfillment.shipments.length], ['fulfilling', 2]);
  await checkNobodyIsRegistered(keeper);
});

backorders(
  'later than 7 days the customer is asked, once, for 24 hours: nobody chose, so it is out of stock',
  async () => {
    const keeper = await open();
    const placedAt = keeper.shop.shop.clock.now();
    const at = await expect(keeper, 5, 8);
    const id = await keeper.place(mugs(2));
    const order = await keeper.order(id);
    assert.equal([order.status, order.awaiting], ['backordered', 'backorder-choice']);
    assert.equal(order.backorder, {
      expectedAt: at,
      url: `/v1/orders/${id}/backorder-choice`,
      expiresAt: new Date(placedAt + DAY).toISOString(),
    });
    await keeper.pass(DAY - MINUTE);
    assert.equal(await statusOf(keeper, id), ['backordered']);
    await keeper.pass(MINUTE);
    assert.equal(await statusOf(keeper, id), ['out-of-stock']);
    const { body } = await keeper.operator('GET', '/v1/admin/stock/MUG');
    assert.is(body.warehouses[0].backordered, 0);
  },
);

const choose = (keeper: Shopkeeper, id: string, choice: unknown) =>
  keeper.buyer('POST', `/v1/orders/${id}/backorder-choice`, { choice });

backorders('who chooses to wait keeps the place', async () => {
  const keeper = await open();
  await expect(keeper, 5, 8);
  const id = await keeper.place(mugs(2));
  const chosen = await choose(keeper, id, 'wait');
  assert.equal([chosen.status, chosen.body.status, chosen.body.awaiting], [202, 'backordered', 'stock']);
  assert.is((await choose(keeper, id, 'wait')).status, 202, 'pressed twice');
  const changed = await choose(keeper, id, 'cancel');
  assert.equal([changed.status, changed.body.code], [409, 'order.backorder-not-asked']);
  await keeper.pass(2 * DAY);
  await receive(keeper, 5);
  assert.equal(await statusOf(keeper, id), ['fulfilling']);
});

backorders('who chooses to cancel makes way', async () => {
  const keeper = await open();
  await expect(keeper, 5, 8);
  const id = await keeper.place(mugs(4));
  await keeper.pass(3 * HOUR);
  const chosen = await choose(keeper, id, 'cancel');
  assert.equal([chosen.status, chosen.body.id], [202, id]);
  await keeper.pass(1);
  assert.equal(await statusOf(keeper, id), ['cancelled']);
  const next = await keeper.place(mugs(5));
  assert.equal(await statusOf(keeper, next), ['backordered']);
});

backorders('the choice is refused where nothing is asked, to strangers, and when it makes no sense', async () => {
  const keeper = await open({ 'wh-east': 5 });
  const id = await keeper.place(mugs(1));
  const unasked = await choose(keeper, id, 'wait');
  assert.equal([unasked.status, unasked.body.code], [409, 'order.backorder-not-asked']);
  assert.is((await choose(keeper, id, 'maybe')).status, 400);
  assert.is((await choose(keeper, id, undefined)).status, 400);
  const stranger = { token: await keeper.shop.guest(), body: { choice: 'wait' } };
  const path = `/v1/orders/${id}/backorder-choice`;
  assert.is((await keeper.shop.call('POST', path, stranger)).status, 404);
  assert.is((await choose(keeper, 'ord_nothing', 'wait')).status, 404);
  const stale = { ...stranger, token: await keeper.shop.staff(), headers: { 'if-match': '"1"' } };
  assert.is((await keeper.shop.call('POST', path, stale)).status, 412);
});

backorders('cancelled while it waits: the place is given up, those behind it move up', async () => {
  const keeper = await open();
  await expect(keeper, 5, 2);
  const first = await keeper.place(mugs(4));
  const second = await keeper.place(mugs(1));
  await receive(keeper, 1);
  assert.equal(await statusOf(keeper, first, second), ['backordered', 'backordered']);
  assert.is((await keeper.buyer('POST', `/v1/orders/${first}/cancel`, {})).status, 202);
  await keeper.pass(1);
  assert.equal(await statusOf(keeper, first, second), ['cancelled', 'fulfilling']);
  await checkNobodyIsRegistered(keeper);
});

backorders('a delivery two days late is shown to the operator, who may cancel', async () => {
  const keeper = await open();
  await expect(keeper, 5, 3);
  const id = await keeper.place(mugs(2));
  await keeper.pass(5 * DAY - MINUTE);
  assert.is((await keeper.order(id)).awaiting, 'stock');
  await keeper.pass(MINUTE);
  const order = await keeper.order(id);
  assert.equal([order.status, order.awaiting], ['backordered', 'operator']);
  assert.match(
    (await keeper.shop.call('GET', '/metrics')).body,
    'holdfast_alerts_total{alert="saga.backorder-overdue"} 1',
  );
  await keeper.operator('POST', `/v1/admin/sagas/${id}/cancel`, { why: 'It will not come.' });
  await keeper.pass(1);
  assert.equal(await statusOf(keeper, id), ['cancelled']);
});

backorders('a transfer from another warehouse serves who waits', async () => {
  const keeper = await open({ 'wh-west': 2 });
  await expect(keeper, 5, 3);
  const id = await keeper.place(mugs(4));
  assert.equal(await statusOf(keeper, id), ['backordered']);
  await receive(keeper, 2);
  const move = { from: 'wh-west', to: 'wh-east', quantity: 2 };
  assert.is((await keeper.operator('POST', '/v1/admin/stock/MUG/transfer', move)).status, 200);
  await keeper.pass(1);
  assert.equal(await statusOf(keeper, id), ['fulfilling']);
});

backorders('two lines: what is there goes back meanwhile, both go out together', async () => {
  const keeper = await open();
  await keeper.sell('TEA', 500, { 'wh-east': 1 });
  await expect(keeper, 5, 3);
  const lines = [...mugs(1), { sku: 'TEA', quantity: 1 }];
  const id = await keeper.place(lines);
  assert.equal(await statusOf(keeper, id), ['backordered']);
  assert.is((await keeper.stock('TEA')).available, 1);
  await receive(keeper, 5);
  const order = await keeper.order(id);
  assert.equal([order.status, order.fulfillment.shipments.length], ['fulfilling', 1]);
});

backorders.run();
