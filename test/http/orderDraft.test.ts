/** What things would cost and what to know about them before ordering: drafts, and warnings that come later. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ADDRESS, expressOrder } from '../support/client.ts';
import { startShop, type TestShop } from '../support/shop.ts';

type Context = { shop: TestShop; token: string; staff: string };
const drafts = suite<Context>('http order drafts and warnings');
const SKU = 'TEA-BLACK-100';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

drafts.before.each(async (context) => {
  context.shop = await startShop({ env: { CLOCK: 'virtual' } });
  context.token = await context.shop.guest();
  context.staff = await context.shop.staff();
});
drafts.after.each(({ shop }) => shop.close());

const codes = (body: { warnings: { code: string; sku: string }[] }) => body.warnings.map(({ code }) => code);

async function setStock({ shop, staff }: Context, sku: string, left: number): Promise<void> {
  const { body } = await shop.call('GET', `/v1/admin/stock/${sku}`, { token: staff });
  for (const [index, { warehouse, available }] of body.warehouses.entries()) {
    const delta = (index === 0 ? left : 0) - available;
    if (delta === 0) continue;
    const adjust = { warehouse, delta, reason: 'counted' };
    const path = `/v1/admin/stock/${sku}/adjust`;
    assert.is((await shop.call('POST', path, { token: staff, body: adjust })).status, 200);
  }
}

async function setPrice({ shop, staff }: Context, sku: string, amount: number): Promise<void> {
  const etag = (await shop.call('GET', `/v1/products/${sku}`)).headers.get('etag') ?? '';
  const options = { token: staff, body: { amount, currency: 'USD' }, headers: { 'if-match': etag } };
  assert.is((await shop.call('PUT', `/v1/admin/products/${sku}/price`, options)).status, 200);
}

async function cartWith({ shop, token }: Context, quantity: number): Promise<string> {
  const { id } = (await shop.call('POST', '/v1/carts', { token })).body;
  await shop.call('POST', `/v1/carts/${id}/lines`, { token, body: { sku: SKU, quantity } });
  return id;
}

drafts('a draft says what the order would cost, as the order then does', async ({ shop, token }) => {
  const { body: product } = await shop.call('GET', `/v1/products/${SKU}`);
  const lines = [
    { sku: SKU, quantity: 1 },
    { sku: SKU, quantity: 2 },
  ];
  const full = await shop.call('POST', '/v1/orders/draft', { token, body: expressOrder(lines) });
  assert.is(full.status, 200, JSON.stringify(full.body));
  const subtotal = 3 * product.price.amount;
  assert.is(full.body.totals.total.amount, subtotal + 599);
  assert.equal([full.body.shippingMethod, full.body.currency, full.body.warnings], ['standard', 'USD', []]);
  const days = full.body.shippingMethods.map(
    ({ method, price, minDays, maxDays }: Record<string, unknown> & { price: { amount: number } }) =>
      `${method} ${price.amount} ${minDays}–${maxDays}`,
  );
  assert.equal(days, ['standard 599 5–7', 'express 1299 2–3', 'overnight 2499 1–1']);
  const order = await shop.call('POST', '/v1/orders', { token, key: 'o', body: expressOrder(lines) });
  assert.equal([full.body.lines, full.body.totals], [order.body.lines, order.body.totals]);
});

drafts('address, payment and shipping method may be open, and nothing is stored', async ({ shop, token }) => {
  const stored = async () => (await shop.call('GET', '/metrics')).body.match(/holdfast_append_commits_sum (\d+)/)?.[1];
  const before = await stored();
  assert.ok(Number(before) > 0);
  const body = { lines: [{ sku: SKU, quantity: 1 }] };
  const bare = await shop.call('POST', '/v1/orders/draft', { token, key: 'ignored', body });
  assert.equal([bare.status, bare.body.shippingMethod, bare.body.totals.shipping.amount], [200, null, 0]);
  const other = { ...body, shippingMethod: 'express', address: ADDRESS };
  const express = await shop.call('POST', '/v1/orders/draft', { token, key: 'ignored', body: other });
  assert.equal([express.status, express.body.totals.shipping.amount], [200, 1_299]);
  assert.is(await stored(), before);
  assert.equal((await shop.call('GET', '/v1/orders', { token })).body.data, []);
});

drafts('a draft is refused as the order would be', async (context) => {
  const { shop, token } = context;
  const draft = async (body: unknown, as: string | undefined = token) => {
    const answer = await shop.call('POST', '/v1/orders/draft', { token: as, body });
    return [answer.status, answer.body.code, answer.body.errors[0]?.pointer];
  };
  assert.equal(await draft({ lines: [{ sku: 'NO-SUCH', quantity: 1 }] }), [422, 'cart.sku-unknown', '/lines/0/sku']);
  assert.equal(await draft({ lines: [{ sku: SKU, quantity: 1_000 }] }), [
    422,
    'order.quantity-invalid',
    '/lines/0/quantity',
  ]);
  const unknown = { lines: [{ sku: SKU, quantity: 1 }], address: { addressId: 'adr_9' } };
  assert.equal(await draft(unknown), [422, 'address.unknown', '/address/addressId']);
  for (const lines of [[], Array.from({ length: 101 }, () => ({ sku: SKU, quantity: 1 })), [{ sku: SKU }]]) {
    assert.is((await draft({ lines }))[0], 400);
  }
  assert.is((await draft({ lines: [{ sku: SKU, quantity: 1 }] }, ''))[0], 401);
  await setPrice(context, SKU, 99_999_999);
  assert.equal((await draft({ lines: [{ sku: SKU, quantity: 999 }] })).slice(0, 2), [422, 'order.amount-invalid']);
});

drafts('a draft warns of what is short or gone', async (context) => {
  const { shop, token } = context;
  const draft = async (quantity: number) =>
    codes((await shop.call('POST', '/v1/orders/draft', { token, body: { lines: [{ sku: SKU, quantity }] } })).body);
  await setStock(context, SKU, 2);
  assert.equal([await draft(2), await draft(3)], [[], ['cart.stock-short']]);
  await setStock(context, SKU, 0);
  assert.equal(await draft(1), ['cart.out-of-stock']);
});

drafts('stock that vanishes later is told by the cart, with another ETag', async (context) => {
  const { shop, token } = context;
  const id = await cartWith(context, 3);
  const read = (headers = {}) => shop.call('GET', `/v1/carts/${id}`, { token, headers });
  const before = await read();
  assert.equal(before.body.warnings, []);
  const tag = before.headers.get('etag') ?? '';
  assert.is(tag, `"${before.body.version}"`);
  assert.is((await read({ 'if-none-match': tag })).status, 304);
  await setStock(context, SKU, 1);
  const after = await read({ 'if-none-match': tag });
  assert.equal([after.status, codes(after.body)], [200, ['cart.stock-short']]);
  const newTag = after.headers.get('etag') ?? '';
  assert.is((await read({ 'if-none-match': newTag })).status, 304);
  // Only the version counts for a change.
  const change = { token, body: { quantity: 1 }, headers: { 'if-match': newTag } };
  assert.is((await shop.call('PUT', `/v1/carts/${id}/lines/${SKU}`, change)).status, 200);
  assert.equal((await read()).body.warnings, []);
});

drafts('and by the checkout, from its start to its end', async (context) => {
  const { shop, token } = context;
  const id = await cartWith(context, 3);
  await setStock(context, SKU, 2);
  const started = await shop.call('POST', `/v1/carts/${id}/checkout`, { token, key: 'start' });
  assert.equal([started.status, codes(started.body)], [201, ['cart.stock-short']]);
  const path = `/v1/checkouts/${started.body.id}`;
  await setStock(context, SKU, 0);
  const repeated = await shop.call('POST', `/v1/carts/${id}/checkout`, { token, key: 'start' });
  assert.equal(repeated.body, started.body, 'the first answer');
  assert.equal(codes((await shop.call('POST', `/v1/carts/${id}/checkout`, { token })).body), ['cart.out-of-stock']);
  const step = await shop.call('PUT', `${path}/address`, { token, body: ADDRESS });
  assert.equal(codes(step.body), ['cart.out-of-stock']);
  await setStock(context, SKU, 9);
  assert.equal((await shop.call('GET', path, { token })).body.warnings, []);
});

drafts('a price that changed is named after its hour, shown old and new, and has to be accepted', async (context) => {
  const { shop, token } = context;
  const { body: product } = await shop.call('GET', `/v1/products/${SKU}`);
  const old = product.price.amount;
  const id = await cartWith(context, 2);
  await setPrice(context, SKU, old + 100);
  await shop.advance(HOUR - 1);
  const read = async () => (await shop.call('GET', `/v1/carts/${id}`, { token })).body;
  assert.equal(codes(await read()), []);
  await shop.advance(1);
  assert.equal(codes(await read()), ['cart.price-changed']);
  assert.is((await read()).lines[0].unitPrice.amount, old, 'until the cart is touched');
  const { body: checkout } = await shop.call('POST', `/v1/carts/${id}/checkout`, { token });
  assert.equal(
    checkout.priceChanges.map((change: { old: { amount: number }; new: { amount: number } }) => [
      change.old.amount,
      change.new.amount,
    ]),
    [[old, old + 100]],
  );
  assert.equal(codes(checkout), ['cart.price-changed']);
  const path = `/v1/checkouts/${checkout.id}`;
  await shop.call('PUT', `${path}/address`, { token, body: ADDRESS });
  await shop.call('PUT', `${path}/shipping-method`, { token, body: { method: 'overnight' } });
  await shop.call('PUT', `${path}/payment`, { token, body: { token: 'tok_success' } });
  const complete = (key: string, body: unknown) => shop.call('POST', `${path}/complete`, { token, key, body });
  const refused = await complete('one', {});
  assert.equal([refused.status, refused.body.code], [409, 'checkout.price-changed']);
  assert.match(refused.body.errors[0].detail, new RegExp(`${old} → ${old + 100} USD`));
  const order = await complete('two', { acceptPriceChanges: true });
  assert.is(order.status, 202);
  assert.is(order.body.totals.total.amount, 2 * (old + 100) + 2_499);
});

drafts('a checkout ends 15 minutes after its last step, and an hour after its start', async (context) => {
  const { shop, token } = context;
  const start = async () =>
    (await shop.call('POST', `/v1/carts/${await cartWith(context, 1)}/checkout`, { token })).body.id;
  const idle = `/v1/checkouts/${await start()}`;
  const busy = `/v1/checkouts/${await start()}`;
  const touch = async () => (await shop.call('PUT', `${busy}/address`, { token, body: ADDRESS })).status;
  const statusOf = async (path: string) => (await shop.call('GET', path, { token })).body.status;
  await shop.advance(15 * MINUTE - 1);
  assert.equal([await statusOf(idle), await touch()], ['open', 200]);
  await shop.advance(1);
  assert.equal([await statusOf(idle), await statusOf(busy)], ['expired', 'open']);
  for (const minute of [24, 33, 42, 51]) {
    await shop.advance(9 * MINUTE);
    assert.is(await touch(), 200, `minute ${minute}`);
  }
  await shop.advance(9 * MINUTE - 1);
  assert.is(await statusOf(busy), 'open');
  await shop.advance(1);
  assert.equal([await statusOf(busy), await touch()], ['expired', 409]);
});

drafts.run();
