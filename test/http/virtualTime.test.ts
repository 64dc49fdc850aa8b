/** The shop's long times, over HTTP, on the virtual clock: a week passes between two requests. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { defaultPolicy } from '../../actors/policy.ts';
import { expressOrder } from '../support/client.ts';
import { startShop, type TestShop } from '../support/shop.ts';
import { openShop } from '../support/shopkeeper.ts';

const time = suite('virtual time');

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const SKU = 'TEA-GREEN-50';

async function advance(shop: TestShop, staff: string, ms: number): Promise<void> {
  const { status } = await shop.call('POST', '/v1/admin/clock/advance', { token: staff, body: { ms } });
  assert.is(status, 200);
}

async function reserved(shop: TestShop, staff: string, sku = SKU): Promise<number> {
  const { body } = await shop.call('GET', `/v1/admin/stock/${sku}`, { token: staff });
  return body.warehouses.reduce((sum: number, row: { reserved: number }) => sum + row.reserved, 0);
}

/** An order above 500.00: authorized, then held for review with its stock reserved. */
async function heldOrder(shop: TestShop, token: string, staff: string): Promise<string> {
  await shop.call('PUT', '/v1/admin/products/GOLD-BAR', {
    token: staff,
    body: { name: 'Gold bar', description: 'Heavy.', category: 'Metals', tags: [] },
  });
  const product = await shop.call('GET', '/v1/admin/products/GOLD-BAR', { token: staff });
  const etag = product.headers.get('etag') ?? '"1"';
  await shop.call('PUT', '/v1/admin/products/GOLD-BAR/price', {
    token: staff,
    body: { amount: 60_000, currency: 'USD' },
    headers: { 'if-match': etag },
  });
  await shop.call('POST', '/v1/admin/stock/GOLD-BAR/receive', {
    token: staff,
    key: 'gold',
    body: { warehouse: 'wh-east', quantity: 5 },
  });
  const placed = await shop.call('POST', '/v1/orders', {
    token,
    key: 'gold',
    body: expressOrder([{ sku: 'GOLD-BAR', quantity: 1 }]),
    headers: { prefer: 'wait=10' },
  });
  assert.is(placed.status, 202, JSON.stringify(placed.body));
  const order = await shop.until(`/v1/orders/${placed.body.id}`, token, ({ status }) => status === 'on-hold');
  assert.is(order.awaiting, 'review');
  assert.is(order.payment.status, 'authorized');
  return placed.body.id;
}

time('a guest cart is abandoned 24 h after its last change, not before', async () => {
  const shop = await startShop({ env: { CLOCK: 'virtual' } });
  const [token, staff] = await Promise.all([shop.guest(), shop.staff()]);
  const cart = (await shop.call('POST', '/v1/carts', { token })).body;
  await advance(shop, staff, 23 * HOUR);
  await shop.call('POST', `/v1/carts/${cart.id}/lines`, { token, body: { sku: SKU, quantity: 1 } });
  const again = await shop.staff();
  await advance(shop, again, 23 * HOUR + 59 * MINUTE);
  assert.is((await shop.call('GET', `/v1/carts/${cart.id}`, { token })).body.status, 'active');
  await advance(shop, await shop.staff(), MINUTE);
  assert.is((await shop.call('GET', `/v1/carts/${cart.id}`, { token })).body.status, 'abandoned');
  await shop.close();
});

time('a reservation expires after 30 min and its pieces are for sale again', async () => {
  const shop = await startShop({ env: { CLOCK: 'virtual' } });
  const [token, staff] = await Promise.all([shop.guest(), shop.staff()]);
  const id = await heldOrder(shop, token, staff);
  assert.is(await reserved(shop, staff, 'GOLD-BAR'), 1);
  await advance(shop, staff, 29 * MINUTE);
  assert.is(await reserved(shop, staff, 'GOLD-BAR'), 1);
  await advance(shop, staff, MINUTE);
  assert.is(await reserved(shop, staff, 'GOLD-BAR'), 0);
  // The operator's release reserves anew and fulfils.
  const release = await shop.call('POST', `/v1/admin/sagas/${id}/release`, {
    token: staff,
    key: 'release',
    body: { why: 'the customer was called' },
  });
  assert.is(release.status, 200, JSON.stringify(release.body));
  const order = await shop.until(`/v1/orders/${id}`, token, ({ status }) => status === 'fulfilling');
  assert.is(order.payment.captured.amount, order.totals.total.amount);
  await shop.close();
});

time('an order that is not confirmed after 5 min is held, its stock released, nothing kept', async () => {
  const shop = await startShop({ env: { CLOCK: 'virtual' } });
  const [token, staff] = await Promise.all([shop.guest(), shop.staff()]);
  const placed = await shop.call('POST', '/v1/orders', {
    token,
    key: 'stuck',
    body: expressOrder([{ sku: SKU, quantity: 2 }], 'tok_requires_action'),
  });
  const path = `/v1/orders/${placed.body.id}`;
  await shop.until(path, token, ({ awaiting }) => awaiting === 'payment');
  assert.is(await reserved(shop, staff), 2);
  await advance(shop, staff, 4 * MINUTE + 59_000);
  assert.is((await shop.call('GET', path, { token })).body.awaiting, 'payment');
  assert.is(await reserved(shop, staff), 2);
  await advance(shop, staff, 2_000);
  const order = await shop.until(path, token, ({ awaiting }) => awaiting === 'operator');
  assert.is(order.status, 'on-hold');
  assert.is(await reserved(shop, staff), 0);
  assert.is(order.payment.captured.amount, 0);
  const cancel = await shop.call('POST', `/v1/admin/sagas/${placed.body.id}/cancel`, {
    token: staff,
    key: 'cancel',
    body: { why: 'the customer never confirmed' },
  });
  assert.is(cancel.status, 200, JSON.stringify(cancel.body));
  await shop.until(path, token, ({ status }) => status === 'cancelled');
  await shop.close();
});

time(
  'the time of the whole is over while the money is being taken: held, all of it given back, never taken twice',
  async () => {
    // So short that it ends while the vendor, who has the money already, doesn't answer.
    const policy = { ...defaultPolicy, saga: { ...defaultPolicy.saga, timeoutMs: 20_000 } };
    const keeper = await openShop({ policy });
    try {
      const id = await keeper.place([{ sku: SKU, quantity: 2 }], 'tok_capture_timeout');
      const before = await keeper.stock(SKU);
      await keeper.pass(20_000);
      const held = await keeper.order(id);
      assert.equal([held.status, held.awaiting], ['on-hold', 'operator'], 'the customer sees it at once');
      await keeper.pass(5 * MINUTE);
      const undone = await keeper.order(id);
      assert.is(undone.payment.captured.amount, undone.totals.total.amount);
      assert.equal(undone.payment.refunded, undone.payment.captured);
      const { available } = before;
      assert.equal(await keeper.stock(SKU), { ...before, available: available + 2, committed: before.committed - 2 });
      const { status, reason } = await keeper.saga(id);
      assert.equal([status, reason], ['waiting', 'It was not confirmed in time.']);
      const retried = await keeper.operator('POST', `/v1/admin/sagas/${id}/retry`, { why: 'Once more.' });
      assert.is(retried.status, 200, JSON.stringify(retried.body));
      await keeper.pass(5 * MINUTE);
      assert.match((await keeper.saga(id)).reason, 'already captured');
      const again = await keeper.order(id);
      assert.equal([again.awaiting, again.payment], ['operator', undone.payment]);
    } finally {
      await keeper.close();
    }
  },
);

time('an authorization nobody captures is voided before its 7 days are over and the order stays held', async () => {
  const shop = await startShop({ env: { CLOCK: 'virtual' } });
  const [token, staff] = await Promise.all([shop.guest(), shop.staff()]);
  const id = await heldOrder(shop, token, staff);
  await advance(shop, staff, 7 * DAY - 2 * HOUR);
  const before = (await shop.call('GET', `/v1/orders/${id}`, { token })).body;
  assert.equal([before.status, before.payment.status], ['on-hold', 'authorized']);
  await advance(shop, await shop.staff(), 2 * HOUR);
  const after = (await shop.call('GET', `/v1/orders/${id}`, { token })).body;
  assert.equal([after.status, after.payment.status], ['on-hold', 'voided']);
  assert.is(after.payment.captured.amount, 0);
  await shop.close();
});

time.run();
