/** The operators' routes for stock, over HTTP. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { expressOrder } from '../support/client.ts';
import { startShop, type TestShop } from '../support/shop.ts';

type Context = { shop: TestShop; token: string; guest: string };
const stock = suite<Context>('http stock');
const DAY = 24 * 60 * 60_000;
let number = 0;

stock.before(async (context) => {
  context.shop = await startShop({ env: { CLOCK: 'virtual' }, seed: false });
  context.token = await context.shop.staff();
  context.guest = await context.shop.guest();
});
stock.after(({ shop }) => shop.close());

/** A product of its own for each test, with pieces in wh-east. */
async function product({ shop, token }: Context, quantity: number): Promise<string> {
  const sku = `STOCK-${++number}`;
  const path = `/v1/admin/products/${sku}`;
  await shop.call('PUT', path, { token, body: { name: sku, description: '', category: 'Test', tags: [] } });
  const price = { token, body: { amount: 500, currency: 'USD' }, headers: { 'if-match': '"1"' } };
  assert.is((await shop.call('PUT', `${path}/price`, price)).status, 200);
  const receive = { token, key: `in-${sku}`, body: { warehouse: 'wh-east', quantity } };
  if (quantity > 0) await shop.call('POST', `/v1/admin/stock/${sku}/receive`, receive);
  return sku;
}

async function rows({ shop, token }: Context, sku: string) {
  const { body } = await shop.call('GET', `/v1/admin/stock/${sku}`, { token });
  for (const row of body.warehouses) {
    const { available, reserved, committed, picked, received, shipped, adjusted } = row;
    assert.is(available + reserved + committed + picked, received - shipped + adjusted);
  }
  return Object.fromEntries(body.warehouses.map((row: { warehouse: string }) => [row.warehouse, row]));
}

stock('transfer - moves pieces once per key, each side shows it', async (context) => {
  const { shop, token } = context;
  const sku = await product(context, 20);
  const path = `/v1/admin/stock/${sku}/transfer`;
  const move = (quantity: number, key?: string) =>
    shop.call('POST', path, { token, ...(key && { key }), body: { from: 'wh-east', to: 'wh-west', quantity } });
  const first = await move(5, `move-${sku}`);
  assert.equal([first.status, first.body.available, first.body.transferredOut], [200, 15, 5]);
  const again = await move(5, `move-${sku}`);
  assert.equal(again.body, first.body);
  assert.is(again.headers.get('idempotent-replayed'), 'true');
  assert.is((await move(6, `move-${sku}`)).body.code, 'idempotency.key-reused');
  assert.is((await move(1)).status, 200);
  await shop.advance(1);
  const { 'wh-east': east, 'wh-west': west } = await rows(context, sku);
  assert.equal([east.available, east.adjusted, east.transferredOut, east.inTransit], [14, -6, 6, 0]);
  assert.equal([west.available, west.adjusted, west.transferredIn, west.received], [6, 6, 6, 0]);
});

stock('transfer - refusals', async (context) => {
  const { shop, token } = context;
  const sku = await product(context, 3);
  const code = async (body: object, of = sku) =>
    (await shop.call('POST', `/v1/admin/stock/${of}/transfer`, { token, body })).body;
  const body = { from: 'wh-east', to: 'wh-west', quantity: 1 };
  assert.is((await code({ ...body, quantity: 4 })).code, 'stock.insufficient');
  assert.is((await code({ ...body, quantity: 0 })).code, 'stock.quantity-invalid');
  assert.is((await code({ ...body, to: 'wh-east' })).code, 'stock.same-warehouse');
  assert.is((await code({ ...body, to: 'mars' })).errors[0].pointer, '/to');
  assert.is((await code({ ...body, from: 'mars' })).errors[0].pointer, '/from');
  assert.is((await code({ ...body, quantity: 'many' })).status, 400);
  assert.is((await code(body, 'NO-SUCH')).code, 'product.unknown');
  assert.is((await rows(context, sku))['wh-east'].available, 3);
});

stock('quarantine - out of sale and back, within what there is', async (context) => {
  const { shop, token } = context;
  const sku = await product(context, 8);
  const call = (route: string, body: object, key?: string) =>
    shop.call('POST', `/v1/admin/stock/${sku}/${route}`, { token, ...(key && { key }), body });
  const wet = { warehouse: 'wh-east', quantity: 6, reason: 'Wet.' };
  const taken = await call('quarantine', wet, `wet-${sku}`);
  assert.equal([taken.status, taken.body.available, taken.body.quarantined, taken.body.adjusted], [200, 2, 6, -6]);
  assert.equal((await call('quarantine', wet, `wet-${sku}`)).body, taken.body);
  assert.is((await call('quarantine', { ...wet, quantity: 3 })).body.code, 'stock.insufficient');
  assert.is((await call('quarantine', { warehouse: 'wh-east', quantity: 1 })).status, 400);
  const back = await call('quarantine/release', { warehouse: 'wh-east', quantity: 4, reason: 'Dry.' });
  assert.equal([back.status, back.body.available, back.body.quarantined], [200, 6, 2]);
  const more = await call('quarantine/release', { warehouse: 'wh-east', quantity: 3 });
  assert.equal([more.status, more.body.code], [422, 'stock.quarantine-insufficient']);
  assert.is((await call('quarantine', { ...wet, warehouse: 'mars' })).body.code, 'stock.warehouse-unknown');
});

stock('expected - set, replaced, counted down by what is received, cleared', async (context) => {
  const { shop, token } = context;
  const sku = await product(context, 0);
  const path = `/v1/admin/stock/${sku}/expected`;
  const at = new Date(shop.shop.clock.now() + DAY).toISOString();
  const expect = (body: object) => shop.call('PUT', path, { token, body });
  const set = await expect({ warehouse: 'wh-east', quantity: 30, at });
  assert.equal([set.status, set.body.expected], [200, { quantity: 30, at }]);
  assert.equal((await rows(context, sku))['wh-east'].expected, { quantity: 30, at });
  const receive = { token, key: `part-${sku}`, body: { warehouse: 'wh-east', quantity: 10 } };
  const received = await shop.call('POST', `/v1/admin/stock/${sku}/receive`, receive);
  assert.equal(received.body.expected, { quantity: 20, at });
  const past = new Date(shop.shop.clock.now() - 1).toISOString();
  assert.is((await expect({ warehouse: 'wh-east', quantity: 1, at: past })).body.code, 'stock.expected-in-past');
  assert.is((await expect({ warehouse: 'wh-east', quantity: 1, at: 'soon' })).status, 400);
  const cleared = await shop.call('DELETE', `${path}/wh-east`, { token });
  assert.equal([cleared.status, cleared.body.expected], [200, null]);
  assert.is((await rows(context, sku))['wh-east'].expected, null);
  assert.is((await shop.call('DELETE', `${path}/wh-east`, { token })).status, 200);
  assert.is((await shop.call('DELETE', `${path}/mars`, { token })).body.code, 'warehouse.unknown');
  const nothing = '/v1/admin/stock/NO-SUCH/expected/wh-east';
  assert.is((await shop.call('DELETE', nothing, { token })).body.code, 'product.unknown');
});

/** Pieces of a new product in each of the warehouses. */
async function spread(context: Context, pieces: Readonly<Record<string, number>>): Promise<string> {
  const { shop, token } = context;
  const sku = await product(context, 0);
  for (const [warehouse, quantity] of Object.entries(pieces)) {
    const body = { warehouse, quantity };
    await shop.call('POST', `/v1/admin/stock/${sku}/receive`, { token, key: `${sku}-${warehouse}`, body });
  }
  return sku;
}

async function parcels({ shop, guest }: Context, key: string, lines: { sku: string; quantity: number }[]) {
  const { body } = await shop.call('POST', '/v1/orders', { token: guest, key, body: expressOrder(lines) });
  const done = await shop.until(`/v1/orders/${body.id}`, guest, ({ status }) => /fulfil|out/.test(status));
  return done.fulfillment.shipments.map((shipment: { lines: unknown }) => shipment.lines);
}

stock('an order that no warehouse has alone is split over them, in portions of what they have', async (context) => {
  const sku = await spread(context, { 'wh-east': 2, 'wh-central': 1, 'wh-west': 4 });
  const shipments = await parcels(context, `split-${sku}`, [{ sku, quantity: 6 }]);
  assert.equal(shipments, [[{ sku, quantity: 2 }], [{ sku, quantity: 1 }], [{ sku, quantity: 3 }]]);
  const { 'wh-west': west, ...near } = await rows(context, sku);
  assert.equal([west.available, west.committed], [1, 3]);
  assert.equal(
    Object.values<{ available: number }>(near).map(({ available }) => available),
    [0, 0],
  );
  assert.equal(await parcels(context, `none-${sku}`, [{ sku, quantity: 2 }]), []);
  assert.is((await rows(context, sku))['wh-west'].available, 1);
});

stock('a far warehouse that has the whole order goes before two nearer ones', async (context) => {
  const tea = await spread(context, { 'wh-east': 5, 'wh-west': 5 });
  const mug = await spread(context, { 'wh-central': 5, 'wh-west': 5 });
  const lines = [
    { sku: tea, quantity: 2 },
    { sku: mug, quantity: 1 },
  ];
  assert.equal(await parcels(context, `far-${tea}`, lines), [lines]);
  assert.is((await rows(context, tea))['wh-west'].committed, 2);
  // By checkout, too.
  const { shop, guest: token } = context;
  const { body: cart } = await shop.call('POST', '/v1/carts', { token });
  for (const body of lines) await shop.call('POST', `/v1/carts/${cart.id}/lines`, { token, body });
  const { body: checkout } = await shop.call('POST', `/v1/carts/${cart.id}/checkout`, { token });
  const { address, payment } = expressOrder(lines);
  await shop.call('PUT', `/v1/checkouts/${checkout.id}/address`, { token, body: address });
  await shop.call('PUT', `/v1/checkouts/${checkout.id}/shipping-method`, { token, body: { method: 'standard' } });
  await shop.call('PUT', `/v1/checkouts/${checkout.id}/payment`, { token, body: payment });
  const path = `/v1/checkouts/${checkout.id}/complete`;
  const placed = await shop.call('POST', path, { token, key: `far-${cart.id}`, body: {} });
  assert.is(placed.status, 202, JSON.stringify(placed.body));
  await shop.until(`/v1/orders/${placed.body.id}`, token, ({ status }) => status === 'fulfilling');
  assert.is((await rows(context, tea))['wh-west'].committed, 4);
  assert.is((await rows(context, mug))['wh-central'].committed, 0);
});

stock('low stock - one alert per crossing, counted for the operator', async (context) => {
  const { shop, token, guest } = context;
  const sku = await product(context, 12);
  const alerts = async () => {
    const { body } = await shop.call('GET', '/metrics');
    return Number(/^holdfast_alerts_total\{alert="stock.low"\} (\d+)$/m.exec(String(body))?.[1] ?? 0);
  };
  const before = await alerts();
  for (const buyer of [1, 2, 3]) {
    const body = expressOrder([{ sku, quantity: 1 }]);
    const { body: order } = await shop.call('POST', '/v1/orders', { token: guest, key: `${sku}-${buyer}`, body });
    await shop.until(`/v1/orders/${order.id}`, guest, ({ status }) => status === 'fulfilling');
    assert.is(await alerts(), before + (buyer >= 2 ? 1 : 0));
  }
  const more = { token, key: `more-${sku}`, body: { warehouse: 'wh-east', quantity: 5 } };
  await shop.call('POST', `/v1/admin/stock/${sku}/receive`, more);
  await shop.call('POST', `/v1/admin/stock/${sku}/adjust`, {
    token,
    body: { warehouse: 'wh-east', delta: -4, reason: 'Broken.' },
  });
  assert.is(await alerts(), before + 2);
});

stock.run();
