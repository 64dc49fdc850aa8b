/** What an operator does about one order, over HTTP: skip, refund, notes; each recorded with who and why. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DAY, MINUTE, openShop, type Shopkeeper } from '../support/shopkeeper.ts';

const repairs = suite('repairs of an order');
const opened: Shopkeeper[] = [];

async function open(): Promise<Shopkeeper> {
  const keeper = await openShop({ seed: false });
  opened.push(keeper);
  await keeper.sell('MUG', 1_000, { 'wh-east': 9 });
  return keeper;
}

repairs.after.each(async () => {
  for (const keeper of opened.splice(0)) await keeper.close();
});

const mugs = [{ sku: 'MUG', quantity: 2 }];
const usd = (amount: number) => ({ amount, currency: 'USD' });
const refund = (keeper: Shopkeeper, id: string, amount?: number, key?: string) =>
  keeper.operator(
    'POST',
    `/v1/admin/sagas/${id}/refund`,
    { why: 'One was chipped.', ...(amount !== undefined && { amount: usd(amount) }) },
    key,
  );

repairs('refunds: several parts of a captured order, never more than is left, the order goes on', async () => {
  const keeper = await open();
  const id = await keeper.place(mugs);
  const first = await refund(keeper, id, 1_000);
  assert.is(first.status, 200, JSON.stringify(first.body));
  const { payment, status } = await keeper.order(id);
  assert.equal([status, payment.status, payment.refunded], ['fulfilling', 'partially-refunded', usd(1_000)]);
  const tooMuch = await refund(keeper, id, 1_600);
  assert.equal([tooMuch.status, tooMuch.body.code], [422, 'saga.refund-too-much']);
  assert.match(tooMuch.body.detail, 'Between 1 and 1599 USD');
  assert.is((await refund(keeper, id, 99)).status, 200);
  assert.is((await refund(keeper, id)).status, 200, 'all that is left');
  const after = (await keeper.order(id)).payment;
  assert.equal([after.status, after.refunded], ['refunded', after.captured]);
  assert.is((await refund(keeper, id)).body.code, 'saga.refund-too-much');
  const { refunds, history, status: standing } = await keeper.saga(id);
  assert.equal(
    refunds.map(({ amount, status: done, why }: Record<string, unknown>) => [amount, done, why]),
    [1_000, 99, 1_500].map((amount) => [usd(amount), 'done', 'One was chipped.']),
  );
  assert.match(refunds[0].by, /^cus_/);
  assert.is(standing, 'completed');
  const asked = history.filter(({ type }: { type: string }) => type === 'OperatorRefundRequested');
  assert.equal([asked.length, asked[0].amount, asked[0].why], [3, usd(1_000), 'One was chipped.']);
  const { data } = (await keeper.buyer('GET', `/v1/orders/${id}/timeline`)).body;
  assert.is(data.filter(({ type }: { type: string }) => type === 'payment.partially-refunded').length, 2);
  assert.not.match(JSON.stringify(data), 'chipped');
});

repairs('refunds: once per key, and none without one', async () => {
  const keeper = await open();
  const id = await keeper.place(mugs);
  const answers = [await refund(keeper, id, 500, 'the-key'), await refund(keeper, id, 500, 'the-key')];
  assert.equal(answers[0]?.body, answers[1]?.body);
  assert.is(answers[1]?.headers.get('idempotent-replayed'), 'true');
  assert.is((await refund(keeper, id, 600, 'the-key')).body.code, 'idempotency.key-reused');
  assert.is((await keeper.order(id)).payment.refunded.amount, 500);
  const path = `/v1/admin/sagas/${id}/refund`;
  const keyless = await keeper.shop.call('POST', path, { token: keeper.staff, body: { why: 'No key.' } });
  assert.equal([keyless.status, keyless.body.code], [400, 'idempotency.key-required']);
});

repairs('refunds: refused where nothing was captured, or all is being given back; malformed ones too', async () => {
  const keeper = await open();
  const unpaid = await keeper.place(mugs, 'tok_decline');
  assert.equal(
    [(await refund(keeper, unpaid)).status, (await refund(keeper, unpaid)).body.code],
    [409, 'saga.not-refundable'],
  );
  const id = await keeper.place(mugs);
  for (const body of [
    {},
    { why: '' },
    { why: 'x', amount: 5 },
    { why: 'x', amount: { amount: 1.5, currency: 'USD' } },
  ]) {
    assert.is((await keeper.operator('POST', `/v1/admin/sagas/${id}/refund`, body)).status, 400, JSON.stringify(body));
  }
  for (const amount of [usd(0), usd(-5), { amount: 5, currency: 'EUR' }]) {
    const answer = await keeper.operator('POST', `/v1/admin/sagas/${id}/refund`, { why: 'x', amount });
    assert.is(answer.status, 422, JSON.stringify(amount));
  }
  await keeper.buyer('POST', `/v1/orders/${id}/cancel`, {});
  assert.is((await refund(keeper, id, 1)).body.code, 'saga.not-refundable');
  assert.is((await refund(keeper, `ord_${'0'.repeat(26)}`)).status, 404);
  assert.is((await keeper.order(id)).payment.refunded.amount, 2_599, 'a cancellation gives back all of it once');
});

repairs('refunds: a part, then cancelled: all of it is back, once', async () => {
  const keeper = await open();
  const id = await keeper.place(mugs);
  await refund(keeper, id, 1_000);
  await keeper.buyer('POST', `/v1/orders/${id}/cancel`, {});
  const { status, payment } = await keeper.order(id);
  assert.equal([status, payment.captured.amount, payment.refunded.amount], ['cancelled', 2_599, 2_599]);
});

repairs('refunds: one that fails is the operator’s, and the order doesn’t close before it is settled', async () => {
  const keeper = await open();
  const id = await keeper.place(mugs, 'tok_refund_fails');
  await keeper.report(id, 1, 'handed-to-carrier');
  await keeper.report(id, 1, 'delivered');
  await refund(keeper, id, 500);
  await keeper.pass(10 * MINUTE);
  const order = await keeper.order(id);
  assert.equal([order.status, order.awaiting, order.payment.refunded.amount], ['delivered', 'operator', 0]);
  assert.equal(
    [(await keeper.saga(id)).refunds[0].status, (await keeper.saga(id)).refunds[0].reason !== null],
    ['stuck', true],
  );
  await keeper.pass(31 * DAY);
  assert.is((await keeper.order(id)).status, 'delivered', 'not closed with a refund open');
  const skipped = await keeper.operator('POST', `/v1/admin/sagas/${id}/skip`, { why: 'A cheque was sent.' });
  assert.is(skipped.status, 200, JSON.stringify(skipped.body));
  assert.is(skipped.body.refunds[0].status, 'skipped');
  assert.is((await keeper.order(id)).awaiting, null);
  await keeper.pass(DAY);
  assert.is((await keeper.order(id)).status, 'closed');
});

repairs('skip: a refund that is stuck was settled by hand, and the order ends as cancelled', async () => {
  const keeper = await open();
  const id = await keeper.place(mugs, 'tok_refund_fails');
  const path = `/v1/admin/sagas/${id}/skip`;
  const early = await keeper.operator('POST', path, { why: 'Too early.' });
  assert.equal([early.status, early.body.code], [409, 'saga.nothing-stuck']);
  await keeper.buyer('POST', `/v1/orders/${id}/cancel`, {});
  await keeper.pass(10 * MINUTE);
  assert.is((await keeper.order(id)).status, 'refund-pending');
  assert.is((await keeper.operator('POST', path, {})).status, 400, 'without a why');
  const skipped = await keeper.operator('POST', path, { why: 'Paid back by bank transfer.' }, 'skip');
  assert.is(skipped.status, 200, JSON.stringify(skipped.body));
  const step = skipped.body.steps.find(({ kind }: { kind: string }) => kind === 'capture');
  assert.is(step.status, 'skipped');
  const recorded = skipped.body.history.find(({ type }: { type: string }) => type === 'StepSkipped');
  assert.equal([recorded.step, recorded.why], ['capture:1', 'Paid back by bank transfer.']);
  assert.match(recorded.by, /^cus_/);
  const order = await keeper.order(id);
  assert.equal([order.status, order.awaiting], ['cancelled', null]);
  const { body: checked } = await keeper.operator('GET', '/v1/admin/check');
  assert.equal(checked.findings, [], 'the books know that it was paid back by hand');
  await keeper.pass(DAY);
  assert.is((await keeper.order(id)).payment.refunded.amount, 0, 'nothing is given back a second time');
  const again = await keeper.operator('POST', path, { why: 'Paid back by bank transfer.' }, 'skip');
  assert.equal(again.body, skipped.body);
});

repairs(
  'the operator’s view of an order says who repaired what, when and why; the customer’s own doings are none',
  async () => {
    const keeper = await open();
    await keeper.sell('GOLD', 60_000, { 'wh-east': 5 });
    const id = await keeper.place([{ sku: 'GOLD', quantity: 1 }]);
    const path = `/v1/admin/orders/${id}`;
    const shown = async (query = '') => (await keeper.operator('GET', `${path}${query}`)).body;
    assert.equal((await shown()).repairs, []);
    await keeper.pass(MINUTE);
    await keeper.operator('POST', `${path}/notes`, { text: 'Called: it is for a wedding.' });
    await keeper.operator('POST', `/v1/admin/sagas/${id}/release`, { why: 'Known customer.' });
    await refund(keeper, id, 500);
    await keeper.operator('POST', `/v1/orders/${id}/cancel`, { reason: 'Asked by phone.' });
    const { repairs: done, notes, status } = await shown();
    assert.equal(
      done.map(({ type, why }: { type: string; why: string }) => [type, why]),
      [
        ['SagaReleased', 'Known customer.'],
        ['OperatorRefundRequested', 'One was chipped.'],
        ['CompensationStarted', 'Asked by phone.'],
      ],
    );
    assert.equal([done[1].refundId, done[1].amount], [`${id}/refund-1`, usd(500)]);
    assert.ok(done.every(({ by }: { by: string }) => /^(staff:)?cus_/.test(by)));
    assert.equal([notes.length, status], [1, 'cancelled']);
    assert.equal((await shown('?version=1')).repairs, [], 'as it was when it was placed');

    const own = await keeper.place(mugs, 'tok_decline');
    await keeper.buyer('PUT', `/v1/orders/${own}/payment`, { token: 'tok_success' });
    await keeper.buyer('POST', `/v1/orders/${own}/cancel`, {});
    assert.equal((await keeper.operator('GET', `/v1/admin/orders/${own}`)).body.repairs, []);
  },
);

repairs('notes: for operators only, in order, with who and when', async () => {
  const keeper = await open();
  const id = await keeper.place(mugs);
  const path = `/v1/admin/orders/${id}/notes`;
  const note = (text: string, key?: string) => keeper.operator('POST', path, { text }, key);
  const first = await note('The bell is broken, knock.', 'note');
  assert.is(first.status, 201, JSON.stringify(first.body));
  assert.equal((await note('The bell is broken, knock.', 'note')).body, first.body);
  const { notes } = (await note('Called back.')).body;
  assert.equal(
    notes.map(({ text }: { text: string }) => text),
    ['The bell is broken, knock.', 'Called back.'],
  );
  assert.match(notes[0].by, /^cus_/);
  assert.is(notes[0].at, new Date(keeper.shop.shop.clock.now()).toISOString());
  for (const body of [{}, { text: '' }, { text: 'x'.repeat(1_001) }, { text: 'a\u0000b' }]) {
    assert.is((await keeper.operator('POST', path, body)).status, 400, JSON.stringify(body).slice(0, 40));
  }
  const unknown = await keeper.operator('POST', `/v1/admin/orders/ord_${'0'.repeat(26)}/notes`, { text: 'x' });
  assert.equal([unknown.status, unknown.body.code], [404, 'order.unknown']);
  assert.is((await keeper.buyer('POST', path, { text: 'Let me in.' })).status, 403);
  const seen = [await keeper.order(id), (await keeper.buyer('GET', `/v1/orders/${id}/timeline`)).body];
  assert.not.match(JSON.stringify(seen), /broken|Called back/);
});

repairs.run();
