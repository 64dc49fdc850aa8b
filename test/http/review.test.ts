/** The review rules over HTTP: what the edge finds out, what holds an order, and what an operator sees of it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ADDRESS, expressOrder } from '../support/client.ts';
import { HOUR, MINUTE, openShop, type Shopkeeper } from '../support/shopkeeper.ts';

const review = suite('review');
const opened: Shopkeeper[] = [];

async function open(env: Readonly<Record<string, string>> = {}): Promise<Shopkeeper> {
  const keeper = await openShop({ seed: false, env: { TRUST_PROXY: '1', ...env } });
  opened.push(keeper);
  for (const [sku, price] of [
    ['MUG', 1_000],
    ['LAMP', 19_401],
    ['GOLD', 49_401],
  ] as const) {
    await keeper.sell(sku, price, { 'wh-east': 100 });
  }
  return keeper;
}

review.after.each(async () => {
  for (const keeper of opened.splice(0)) await keeper.close();
});

type Wanted = { readonly token: string; readonly sku?: string; readonly from?: string; readonly more?: object };
let keys = 0;

/** Orders one piece and lets everything happen that needs no time. */
async function order({ shop }: Shopkeeper, { token, sku = 'MUG', from, more = {} }: Wanted) {
  const headers = from === undefined ? {} : { 'x-forwarded-for': from };
  const body = { ...expressOrder([{ sku, quantity: 1 }]), ...more };
  const placed = await shop.call('POST', '/v1/orders', { token, key: `review-${++keys}`, headers, body });
  assert.is(placed.status, 202, JSON.stringify(placed.body));
  await shop.advance(0);
  return (await shop.call('GET', `/v1/orders/${placed.body.id}`, { token })).body;
}

const reasonOf = async (keeper: Shopkeeper, id: string): Promise<string> => (await keeper.saga(id)).reason;

review('a total above 500.00 waits, one of 500.00 of a known customer doesn’t', async () => {
  const keeper = await open();
  const token = await keeper.shop.guest();
  assert.is((await order(keeper, { token })).status, 'fulfilling');
  const exactly = await order(keeper, { token, sku: 'GOLD', more: {} });
  assert.equal([exactly.totals.total.amount, exactly.status], [50_000, 'fulfilling']);
  const above = await order(keeper, { token, sku: 'GOLD', more: { shippingMethod: 'express' } });
  assert.equal([above.status, above.awaiting, above.payment.status], ['on-hold', 'review', 'authorized']);
  assert.is(await reasonOf(keeper, above.id), 'The total is above the limit for a review.');
});

review('the first order of a customer above 200.00 waits; once something is paid it doesn’t', async () => {
  const keeper = await open();
  const token = await keeper.shop.guest();
  const exactly = await order(keeper, { token, sku: 'LAMP', more: { payment: { token: 'tok_decline' } } });
  assert.equal([exactly.totals.total.amount, exactly.awaiting], [20_000, 'payment-method']);
  const first = await order(keeper, { token, sku: 'LAMP', more: { shippingMethod: 'express' } });
  assert.equal([first.status, first.awaiting], ['on-hold', 'review'], 'an order that was not paid proves nothing');
  assert.match(await reasonOf(keeper, first.id), /^It is the first order of this customer/);
  await order(keeper, { token });
  assert.is((await order(keeper, { token, sku: 'LAMP', more: { shippingMethod: 'express' } })).status, 'fulfilling');
});

review('an order that waits for stock is not paid, and proves nothing', async () => {
  const keeper = await open();
  const token = await keeper.shop.guest();
  await keeper.sell('RARE', 1_000, {});
  const at = new Date(keeper.shop.shop.clock.now() + HOUR).toISOString();
  const expected = { warehouse: 'wh-east', quantity: 5, at };
  assert.is((await keeper.operator('PUT', '/v1/admin/stock/RARE/expected', expected)).status, 200);
  const waiting = await order(keeper, { token, sku: 'RARE' });
  assert.equal([waiting.status, waiting.payment.status], ['backordered', 'pending']);
  const first = await order(keeper, { token, sku: 'LAMP', more: { shippingMethod: 'express' } });
  assert.equal([first.status, first.awaiting], ['on-hold', 'review']);
});

review('the eleventh order from one network address within an hour waits, whoever gives it', async () => {
  const keeper = await open();
  const from = '203.0.113.7';
  const tokens = await Promise.all([keeper.shop.guest(), keeper.shop.guest()]);
  const place = (number: number) => order(keeper, { token: tokens[number % 2] ?? '', from });
  for (let number = 1; number <= 10; number++) assert.is((await place(number)).status, 'fulfilling', String(number));
  const eleventh = await place(11);
  assert.equal([eleventh.status, eleventh.awaiting], ['on-hold', 'review']);
  assert.is(await reasonOf(keeper, eleventh.id), 'Many orders came from the same network address of late.');
  const [token = ''] = tokens;
  assert.is((await order(keeper, { token, from: '203.0.113.8' })).status, 'fulfilling', 'another address');
  await keeper.pass(HOUR);
  assert.is((await place(12)).status, 'fulfilling', 'an hour later');
});

review('an order counts once for its address, however often it is sent', async () => {
  const keeper = await open({ REVIEW_ORDERS_PER_ADDRESS: '1' });
  const { shop, token } = keeper;
  const send = () =>
    shop.call('POST', '/v1/orders', {
      token,
      key: 'the-key',
      headers: { 'x-forwarded-for': '203.0.113.9' },
      body: expressOrder([{ sku: 'MUG', quantity: 1 }]),
    });
  const answers = [await send(), await send(), await send()];
  await shop.advance(0);
  for (const { body } of answers) assert.equal(body, answers[0]?.body);
  assert.is((await keeper.order(answers[0]?.body.id)).status, 'fulfilling');
  assert.is((await order(keeper, { token, from: '203.0.113.9' })).awaiting, 'review');
});

review('addresses of this machine and of private networks are not counted', async () => {
  const keeper = await open({ REVIEW_ORDERS_PER_ADDRESS: '0' });
  for (const from of [undefined, '127.0.0.1', '10.1.2.3', '192.168.0.9', 'fd00::1', 'nonsense']) {
    const { status } = await order(keeper, { token: keeper.token, ...(from !== undefined && { from }) });
    assert.is(status, 'fulfilling', from);
  }
  assert.is((await order(keeper, { token: keeper.token, from: '2001:db8::1' })).awaiting, 'review');
});

review('a billing address in another country waits; the order shows it', async () => {
  const keeper = await open();
  const { token } = keeper;
  const billingAddress = { ...ADDRESS, city: 'Toronto', region: 'ON', country: 'CA' };
  const abroad = await order(keeper, { token, more: { billingAddress } });
  assert.equal([abroad.awaiting, abroad.billingAddress, abroad.address], ['review', billingAddress, ADDRESS]);
  assert.is(await reasonOf(keeper, abroad.id), 'The billing address is in another country than the shipping address.');
  const same = await order(keeper, { token, more: { billingAddress: { ...ADDRESS, line1: '2 Other Street' } } });
  assert.is(same.status, 'fulfilling');
  assert.is((await order(keeper, { token })).billingAddress, null);
});

review('so it is for an order that comes from a checkout', async () => {
  const keeper = await open({ REVIEW_ORDERS_PER_ADDRESS: '0' });
  const headers = { 'x-forwarded-for': '203.0.113.7' };
  const call = (method: string, path: string, body: unknown, key?: string) =>
    keeper.shop.call(method, path, { token: keeper.token, body, headers, key });
  const { body: cart } = await call('POST', '/v1/carts', {});
  await call('POST', `/v1/carts/${cart.id}/lines`, { sku: 'GOLD', quantity: 2 });
  const { body: checkout } = await call('POST', `/v1/carts/${cart.id}/checkout`, {});
  const steps = `/v1/checkouts/${checkout.id}`;
  await call('PUT', `${steps}/address`, ADDRESS);
  await call('PUT', `${steps}/shipping-method`, { method: 'standard' });
  const billingAddress = { ...ADDRESS, country: 'CA' };
  const paid = await call('PUT', `${steps}/payment`, { token: 'tok_success', billingAddress });
  assert.equal(paid.body.billingAddress, billingAddress);
  const completed = await call('POST', `${steps}/complete`, {}, 'complete');
  assert.is(completed.status, 202, JSON.stringify(completed.body));
  await keeper.shop.advance(0);
  const shown = await keeper.order(completed.body.id);
  assert.equal([shown.awaiting, shown.billingAddress], ['review', billingAddress]);
  const reason = await reasonOf(keeper, shown.id);
  for (const words of ['total is above', 'first order', 'network address', 'another country'])
    assert.match(reason, words);
});

review('each rule can be switched off', async () => {
  const keeper = await open({
    REVIEW_TOTAL_ABOVE: 'off',
    REVIEW_FIRST_ORDER_ABOVE: 'off',
    REVIEW_ORDERS_PER_ADDRESS: 'off',
    REVIEW_COUNTRY_MISMATCH: 'off',
  });
  const billingAddress = { ...ADDRESS, country: 'CA' };
  const wanted = { token: keeper.token, sku: 'GOLD', from: '203.0.113.7', more: { billingAddress } };
  for (let number = 1; number <= 12; number++) assert.is((await order(keeper, wanted)).status, 'fulfilling');
});

review('nobody looked at it for an hour: overdue, for the operator to see', async () => {
  const keeper = await open({ REVIEW_TOTAL_ABOVE: '100' });
  const { id } = await order(keeper, { token: keeper.token });
  assert.is((await keeper.saga(id)).overdue, false);
  await keeper.pass(HOUR - MINUTE);
  assert.is((await keeper.saga(id)).overdue, false);
  await keeper.pass(MINUTE);
  const saga = await keeper.saga(id);
  assert.equal([saga.awaiting, saga.overdue], ['review', true]);
  const { body } = await keeper.shop.call('GET', '/metrics');
  assert.match(body, 'holdfast_alerts_total{alert="saga.review-overdue"} 1');
  assert.is((await keeper.order(id)).status, 'on-hold', 'it goes on waiting');
});

review('a network address is stored as a keyed hash only', async () => {
  const keeper = await open();
  const { id } = await order(keeper, { token: keeper.token, from: '203.0.113.7' });
  const hash = keeper.shop.edge.services.keys.addressHash('203.0.113.7');
  const noted = await keeper.shop.shop.history({ type: 'network-address', id: hash });
  assert.is(noted.length, 1);
  const everything = [];
  for (const type of ['order', 'order-saga', 'payment', 'network-address']) {
    everything.push(await keeper.shop.shop.history({ type, id: type === 'network-address' ? hash : id }));
  }
  assert.not.match(JSON.stringify(everything), '203.0.113.7');
});

review.run();
