/** A declined payment over HTTP: the customer is asked once for another payment method, with a link, for 24 hours. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DAY, HOUR, MINUTE, openShop, type Shopkeeper } from '../support/shopkeeper.ts';

const pay = suite('another payment method');
const opened: Shopkeeper[] = [];

async function open(): Promise<Shopkeeper> {
  const keeper = await openShop({ seed: false });
  opened.push(keeper);
  await keeper.sell('MUG', 1_000, { 'wh-east': 5 });
  return keeper;
}

pay.after.each(async () => {
  for (const keeper of opened.splice(0)) await keeper.close();
});

const mugs = [{ sku: 'MUG', quantity: 2 }];
const giveUp = { available: 5, reserved: 0, committed: 0, picked: 0, shipped: 0 };

const put = (keeper: Shopkeeper, id: string, token: string) =>
  keeper.buyer('PUT', `/v1/orders/${id}/payment`, { token });

pay('the order says why, where and until when; everything it held is back at once', async () => {
  const keeper = await open();
  const placedAt = keeper.shop.shop.clock.now();
  const id = await keeper.place(mugs, 'tok_decline');
  const order = await keeper.order(id);
  assert.equal([order.status, order.awaiting, order.payment.status], ['on-hold', 'payment-method', 'failed']);
  assert.equal(order.paymentRequest, {
    reason: 'card declined',
    url: `/v1/orders/${id}/payment`,
    expiresAt: new Date(placedAt + DAY).toISOString(),
  });
  assert.equal(await keeper.stock('MUG'), giveUp);
  const { data } = (await keeper.buyer('GET', `/v1/orders/${id}/timeline`)).body;
  assert.equal(
    data.map(({ type }: { type: string }) => type),
    ['order.placed', 'payment.failed', 'order.held'],
  );
  assert.is(data.at(-1).title, 'Another payment method is needed');
});

pay('a good card at the given address: the order goes on and is paid once', async () => {
  const keeper = await open();
  const id = await keeper.place(mugs, 'tok_insufficient_funds');
  const { paymentRequest } = await keeper.order(id);
  assert.is(paymentRequest.reason, 'insufficient funds');
  await keeper.pass(23 * HOUR);
  const given = await keeper.buyer('PUT', paymentRequest.url, { token: 'tok_success' });
  assert.equal([given.status, given.body.id, given.body.paymentRequest], [202, id, null], JSON.stringify(given.body));
  const order = await keeper.order(id);
  assert.equal([order.status, order.awaiting, order.paymentRequest], ['fulfilling', null, null]);
  assert.equal(order.payment.captured, order.totals.total);
  await keeper.pass(2 * DAY);
  assert.equal(await keeper.order(id), order, 'the 24 h change nothing any more');
  assert.is((await keeper.stock('MUG')).committed, 2);
});

pay('a second declined card, or none within 24 h: payment failed', async () => {
  const keeper = await open();
  const twice = await keeper.place(mugs, 'tok_decline');
  assert.is((await put(keeper, twice, 'tok_decline')).status, 202);
  const never = await keeper.place(mugs, 'tok_capture_fails');
  await keeper.pass(DAY - 1);
  assert.is((await keeper.order(never)).awaiting, 'payment-method');
  await keeper.pass(1);
  for (const id of [twice, never]) {
    const { status, payment, paymentRequest } = await keeper.order(id);
    assert.equal(
      [status, payment.status, payment.captured.amount, paymentRequest],
      ['payment-failed', 'failed', 0, null],
    );
    const late = await put(keeper, id, 'tok_success');
    assert.equal([late.status, late.body.code], [409, 'order.payment-not-asked']);
  }
  assert.equal(await keeper.stock('MUG'), giveUp);
});

pay('the same card sent again is answered as before; an order that asks for nothing refuses it', async () => {
  const keeper = await open();
  const id = await keeper.place(mugs, 'tok_decline');
  const token = 'tok_success';
  const [first, second] = await Promise.all([put(keeper, id, token), put(keeper, id, token)]);
  assert.equal([first.status, second.status], [202, 202]);
  assert.is((await put(keeper, id, 'tok_other')).body.code, 'order.payment-not-asked');
  assert.is((await keeper.order(id)).payment.captured.amount, 2_599);
  const fine = await keeper.place([{ sku: 'MUG', quantity: 1 }]);
  assert.is((await put(keeper, fine, 'tok_other')).body.code, 'order.payment-not-asked');
});

pay('it is the customer’s own order, or staff for orders acts for the customer', async () => {
  const keeper = await open();
  const id = await keeper.place(mugs, 'tok_decline');
  const path = `/v1/orders/${id}/payment`;
  const body = { token: 'tok_success' };
  const stranger = await keeper.shop.call('PUT', path, { token: await keeper.shop.guest(), body });
  assert.equal([stranger.status, stranger.body.code], [404, 'order.unknown']);
  assert.is((await keeper.shop.call('PUT', path, { body })).status, 401);
  assert.is((await keeper.buyer('PUT', `/v1/orders/ord_${'0'.repeat(26)}/payment`, body)).status, 404);
  for (const wrong of [{}, { token: '' }, { token: 'two words' }, { token: 5 }, { token: 'tok_success', more: 1 }]) {
    assert.is((await keeper.buyer('PUT', path, wrong)).status, 400, JSON.stringify(wrong));
  }
  const { version } = await keeper.order(id);
  const stale = await keeper.shop.call('PUT', path, { token: keeper.token, body, headers: { 'if-match': '"1"' } });
  assert.equal([stale.status, stale.body.code], [412, 'precondition.version-mismatch']);
  const headers = { 'if-match': `"${version}"` };
  assert.is((await keeper.shop.call('PUT', path, { token: keeper.staff, body, headers })).status, 202);
  await keeper.pass(1);
  assert.is((await keeper.order(id)).payment.status, 'captured');
  const { history } = await keeper.saga(id);
  const given = history.find(({ type }: { type: string }) => type === 'PaymentMethodGiven');
  assert.match(given.by, /^staff:/);
  assert.not.match(JSON.stringify(history), /tok_/);
});

pay('cancelling works while the order waits for it', async () => {
  const keeper = await open();
  const id = await keeper.place(mugs, 'tok_decline');
  assert.is((await keeper.buyer('POST', `/v1/orders/${id}/cancel`, {})).status, 202);
  assert.is((await keeper.order(id)).status, 'cancelled');
  assert.is((await put(keeper, id, 'tok_success')).body.code, 'order.payment-not-asked');
  await keeper.pass(DAY);
  assert.is((await keeper.order(id)).status, 'cancelled');
  assert.equal(await keeper.stock('MUG'), giveUp);
});

pay('case 14: the last moment races the new card: one wins, the other is a no-op', async () => {
  const keeper = await open();
  const id = await keeper.place(mugs, 'tok_decline');
  await keeper.pass(DAY - 1);
  const [answer] = await Promise.all([put(keeper, id, 'tok_success'), keeper.pass(1)]);
  await keeper.pass(MINUTE);
  const order = await keeper.order(id);
  if (answer.status === 202) {
    assert.equal([order.status, order.payment.captured.amount], ['fulfilling', 2_599]);
  } else {
    assert.equal([answer.body.code, order.status], ['order.payment-not-asked', 'payment-failed']);
    assert.equal(await keeper.stock('MUG'), giveUp);
  }
});

pay('a bank that asks the customer: its page is the link, for the 5 minutes of the whole', async () => {
  const keeper = await open();
  const placedAt = keeper.shop.shop.clock.now();
  const id = await keeper.place(mugs, 'tok_requires_action');
  const { awaiting, payment, paymentRequest } = await keeper.order(id);
  assert.equal([awaiting, payment.status], ['payment', 'requires-action']);
  assert.match(paymentRequest.url, /^\/v1\/simulator\/bank\/[\w-]+$/);
  assert.is(paymentRequest.expiresAt, new Date(placedAt + 5 * MINUTE).toISOString());
  assert.is((await put(keeper, id, 'tok_success')).body.code, 'order.payment-not-asked');
});

pay('a vendor that can’t be reached is not the customer’s fault: the operator tries again', async () => {
  const keeper = await open();
  const id = await keeper.place(mugs, 'tok_unavailable');
  await keeper.pass(10 * MINUTE);
  const order = await keeper.order(id);
  assert.equal([order.status, order.awaiting, order.paymentRequest], ['on-hold', 'operator', null]);
  assert.equal(await keeper.stock('MUG'), giveUp);
  const release = await keeper.operator('POST', `/v1/admin/sagas/${id}/release`, { why: 'The vendor is back.' });
  assert.is(release.status, 200, JSON.stringify(release.body));
  await keeper.pass(10 * MINUTE);
  assert.is((await keeper.order(id)).awaiting, 'operator', 'it is not');
  const { steps } = await keeper.saga(id);
  assert.ok(steps.some((step: { id: string }) => step.id === 'authorize:2'));
});

pay.run();
