/** Cancelling over HTTP: who may, until when, and what happens when it meets something else on the way. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DAY, HOUR, MINUTE, openShop, type Shopkeeper } from '../support/shopkeeper.ts';

const cancelling = suite('cancelling');
const opened: Shopkeeper[] = [];

async function open(): Promise<Shopkeeper> {
  const keeper = await openShop({ seed: false });
  opened.push(keeper);
  await keeper.sell('MUG', 1_000, { 'wh-east': 5 });
  return keeper;
}

cancelling.after.each(async () => {
  for (const keeper of opened.splice(0)) await keeper.close();
});

const mugs = [{ sku: 'MUG', quantity: 2 }];
const all = { available: 5, reserved: 0, committed: 0, picked: 0, shipped: 0 };

async function cancel(keeper: Shopkeeper, id: string, by: 'buyer' | 'operator' = 'buyer') {
  const { status, body } = await keeper[by]('POST', `/v1/orders/${id}/cancel`, { reason: 'Changed my mind.' });
  return status === 202 ? 202 : body.code;
}

async function assertCancelled(keeper: Shopkeeper, id: string): Promise<void> {
  const { status, payment } = await keeper.order(id);
  assert.equal([status, payment.captured], ['cancelled', payment.refunded]);
  assert.equal(await keeper.stock('MUG'), all);
}

cancelling('the customer may for two hours, not a moment longer', async () => {
  const keeper = await open();
  const inTime = await keeper.place(mugs);
  await keeper.pass(2 * HOUR);
  assert.is(await cancel(keeper, inTime), 202);
  await assertCancelled(keeper, inTime);
  assert.is(await cancel(keeper, inTime), 202, 'again is the same');
  const late = await keeper.place(mugs);
  await keeper.pass(2 * HOUR + 1);
  assert.is(await cancel(keeper, late), 'order.too-late-to-cancel');
  assert.is((await keeper.order(late)).status, 'fulfilling');
});

cancelling('staff may until the carrier has it', async () => {
  const keeper = await open();
  const id = await keeper.place(mugs);
  await keeper.pass(DAY);
  await keeper.report(id, 1, 'picked');
  assert.is(await cancel(keeper, id, 'operator'), 202);
  assert.is((await keeper.order(id)).status, 'cancelled');
  const gone = await keeper.place(mugs);
  await keeper.report(gone, 1, 'handed-to-carrier');
  for (const by of ['buyer', 'operator'] as const) {
    assert.is(await cancel(keeper, gone, by), 'order.too-late-to-cancel', by);
  }
  assert.is((await keeper.order(gone)).payment.refunded.amount, 0);
});

cancelling('by way of the saga staff may no longer either, and nothing of a half shipped order is undone', async () => {
  const keeper = await open();
  await keeper.sell('JUG', 1_000, { 'wh-west': 5 });
  const id = await keeper.place([...mugs, { sku: 'JUG', quantity: 1 }]);
  const path = `/v1/admin/sagas/${id}/cancel`;
  const parcels = async () =>
    (await keeper.order(id)).fulfillment.shipments.map(({ status }: { status: string }) => status);
  await keeper.report(id, 1, 'handed-to-carrier');
  const answer = await keeper.operator('POST', path, { why: 'Asked by phone.' });
  assert.equal([answer.status, answer.body.code], [409, 'order.too-late-to-cancel']);
  assert.equal(await parcels(), ['handed-to-carrier', 'labeled']);
  const { status, history } = await keeper.saga(id);
  assert.is(status, 'completed');
  assert.not(history.some(({ type }: { type: string }) => type === 'CompensationStarted'));
});

cancelling('that was taken by way of the saga keeps its answer', async () => {
  const keeper = await open();
  const id = await keeper.place(mugs);
  const cancelled = () =>
    keeper.operator('POST', `/v1/admin/sagas/${id}/cancel`, { why: 'Asked by phone.' }, 'cancel-1');
  // Not yet carried out when the parcel leaves: the saga finds out.
  const path = `/v1/admin/orders/${id}/shipments/shp_${id.slice(4)}_1/events`;
  const [first] = await Promise.all([cancelled(), keeper.operator('POST', path, { type: 'handed-to-carrier' })]);
  const again = await cancelled();
  assert.equal(
    [again.status, again.body.code, again.body.version],
    [first.status, first.body.code, first.body.version],
  );
});

cancelling('somebody else’s order isn’t there', async () => {
  const keeper = await open();
  const id = await keeper.place(mugs);
  const token = await keeper.shop.guest();
  const answer = await keeper.shop.call('POST', `/v1/orders/${id}/cancel`, { token, body: {} });
  assert.equal([answer.status, answer.body.code], [404, 'order.unknown']);
});

cancelling('an order that has ended otherwise can’t be cancelled any more', async () => {
  const keeper = await open();
  const unpaid = await keeper.place(mugs, 'tok_decline');
  await keeper.pass(DAY);
  assert.is((await keeper.order(unpaid)).status, 'payment-failed');
  assert.is(await cancel(keeper, unpaid), 'order.not-cancellable');
  assert.equal(await keeper.stock('MUG'), all);
});

cancelling('while the order waits: for a person, for the bank, for another card', async () => {
  const keeper = await open();
  await keeper.sell('GOLD', 60_000, { 'wh-east': 5 });
  const review = await keeper.place([{ sku: 'GOLD', quantity: 1 }]);
  const bank = await keeper.place(mugs, 'tok_requires_action');
  const card = await keeper.place(mugs, 'tok_decline');
  const waiting = [review, bank, card];
  const awaited = await Promise.all(waiting.map(async (id) => (await keeper.order(id)).awaiting));
  assert.equal(awaited, ['review', 'payment', 'payment-method']);
  for (const id of waiting) assert.is(await cancel(keeper, id), 202);
  await keeper.pass(10 * MINUTE);
  for (const id of waiting) await assertCancelled(keeper, id);
  assert.is((await keeper.stock('GOLD')).available, 5);
});

cancelling('while it is undone already: it ends as cancelled, undone once', async () => {
  const keeper = await open();
  // The capture's answer is lost, so that undoing takes its time.
  const id = await keeper.place(mugs, 'tok_capture_timeout');
  await keeper.operator('POST', `/v1/admin/sagas/${id}/cancel`, { why: 'Asked by phone.' });
  assert.is((await keeper.saga(id)).status, 'compensating');
  assert.is(await cancel(keeper, id), 202);
  await keeper.pass(5 * MINUTE);
  await assertCancelled(keeper, id);
  const { history } = await keeper.saga(id);
  assert.is(history.filter(({ type }: { type: string }) => type === 'CompensationStarted').length, 1);
});

cancelling('while the parcel is being handed over: either it is cancelled, or it is on its way and paid', async () => {
  const keeper = await open();
  const ids = [await keeper.place([{ sku: 'MUG', quantity: 1 }]), await keeper.place([{ sku: 'MUG', quantity: 1 }])];
  const handOver = (id: string) => keeper.report(id, 1, 'handed-to-carrier').catch(() => undefined);
  const [first = '', second = ''] = ids;
  await Promise.all([handOver(first), cancel(keeper, first)]);
  await Promise.all([cancel(keeper, second), handOver(second)]);
  await keeper.pass(MINUTE);
  for (const id of ids) {
    const { status, payment, fulfillment } = await keeper.order(id);
    const kept = payment.captured.amount - payment.refunded.amount;
    const [parcel] = fulfillment.shipments;
    if (status === 'cancelled') assert.equal([kept, parcel.status], [0, 'cancelled']);
    else assert.equal([status, kept, parcel.status], ['shipped', 1_599, 'handed-to-carrier']);
  }
});

cancelling.run();
