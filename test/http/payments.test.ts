/** Payments over HTTP on the virtual clock: the bank's page, disputes, refunds, what expires and what costs nothing. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Typed } from '../../actors/kernel/decider.ts';
import { orderAddress } from '../../actors/order.ts';
import { openKeyedStore } from '../../storage/keyedStore.ts';
import { createSimulatedBank } from '../../transport/payment/bank.ts';
import { createEntryLedger } from '../../transport/payment/entryLedger.ts';
import type { LedgerEntry } from '../../transport/payment/ledger.ts';
import { draft, line } from '../support/orders.ts';
import { DAY, HOUR, MINUTE, openShop, type Shopkeeper } from '../support/shopkeeper.ts';

const SECOND = 1_000;
const MUG = [{ sku: 'MUG', quantity: 1 }];
const TOTAL = 1_599;
const opened: Shopkeeper[] = [];

async function open(options: Parameters<typeof openShop>[0] = {}): Promise<Shopkeeper> {
  const keeper = await openShop({ seed: false, ...options });
  opened.push(keeper);
  return keeper;
}

async function stocked(options: Parameters<typeof openShop>[0] = {}): Promise<Shopkeeper> {
  const keeper = await open(options);
  await keeper.sell('MUG', 1_000, { 'wh-east': 50 });
  return keeper;
}

const closeAll = async () => {
  for (const keeper of opened.splice(0)) await keeper.close();
};

function openLedger({ shop }: Shopkeeper) {
  return openKeyedStore<LedgerEntry>(join(shop.folder, 'payment-simulator.sqlite'));
}

/** Nothing differs between our books and the vendor's. */
async function assertBooksAgree(keeper: Shopkeeper): Promise<void> {
  assert.equal((await keeper.operator('GET', '/v1/admin/payments/reconciliation')).body.data, []);
}

const alerts = async ({ shop }: Shopkeeper): Promise<string> => (await shop.call('GET', '/metrics')).body as never;

const bank = suite("the bank's page");
bank.after.each(closeAll);

/** An order whose bank asks the customer, and where. */
async function asked(keeper: Shopkeeper): Promise<{ id: string; url: string }> {
  const id = await keeper.place(MUG, 'tok_requires_action');
  const order = await keeper.order(id);
  assert.equal([order.status, order.awaiting, order.payment.status], ['on-hold', 'payment', 'requires-action']);
  return { id, url: order.paymentRequest.url };
}

const decide = async (keeper: Shopkeeper, url: string, approve: unknown) => {
  const answer = await keeper.shop.call('POST', url, { body: { approve } });
  await keeper.pass(0);
  return answer;
};

bank('a customer who approves the payment gets the order; no token is asked for', async () => {
  const keeper = await stocked();
  const { id, url } = await asked(keeper);
  const page = await keeper.shop.call('GET', url);
  const amount = { amount: TOTAL, currency: 'USD' };
  assert.equal([page.status, page.body], [200, { orderId: id, amount, status: 'waiting' }]);
  const approved = await decide(keeper, url, true);
  assert.equal([approved.status, approved.body.status], [200, 'approved']);
  const order = await keeper.order(id);
  assert.equal([order.status, order.payment.captured.amount, order.paymentRequest], ['fulfilling', TOTAL, null]);

  assert.is((await decide(keeper, url, true)).status, 200, 'the same again is answered the same');
  const other = await decide(keeper, url, false);
  assert.equal([other.status, other.body.code], [409, 'bank-request.decided']);
  assert.equal(await keeper.order(id), order);
  await assertBooksAgree(keeper);
});

bank('a customer who declines is asked for another payment method', async () => {
  const keeper = await stocked();
  const { id, url } = await asked(keeper);
  assert.is((await decide(keeper, url, false)).body.status, 'declined');
  const order = await keeper.order(id);
  assert.equal([order.awaiting, order.payment.status], ['payment-method', 'failed']);
  assert.is((await keeper.shop.call('GET', url)).body.status, 'declined');
  assert.is((await decide(keeper, url, true)).status, 409);
});

bank('after 5 min without an answer all is undone; who approves then pays nothing', async () => {
  const keeper = await stocked();
  const { id, url } = await asked(keeper);
  await keeper.pass(5 * MINUTE);
  assert.is((await keeper.order(id)).awaiting, 'operator');
  assert.is((await decide(keeper, url, true)).status, 200);
  const order = await keeper.order(id);
  assert.equal([order.status, order.awaiting, order.payment.captured.amount], ['on-hold', 'operator', 0]);
  await assertBooksAgree(keeper);
});

bank('a page that does not exist, and what is no decision', async () => {
  const keeper = await stocked();
  const { url } = await asked(keeper);
  const unknown = '/v1/simulator/bank/nothing';
  assert.is((await keeper.shop.call('GET', unknown)).body.code, 'bank-request.unknown');
  assert.is((await decide(keeper, unknown, true)).status, 404);
  for (const wrong of ['yes', 1, null, undefined]) assert.is((await decide(keeper, url, wrong)).status, 400);
  assert.is((await keeper.shop.call('GET', url)).body.status, 'waiting');
});

bank('what was decided when the process died reaches the shop with the next start', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bank-'));
  try {
    const keeper = await stocked({ env: { DATA_DIR: folder } });
    const { id, url } = await asked(keeper);
    await closeAll();
    const ledger = openKeyedStore<LedgerEntry>(join(folder, 'payment-simulator.sqlite'));
    await createSimulatedBank(createEntryLedger(ledger), { now: () => Date.now() }).decide(
      url.split('/').at(-1) ?? '',
      true,
    );
    ledger.close();
    const later = await open({ env: { DATA_DIR: folder } });
    await later.pass(0);
    const { status, payment } = (await later.operator('GET', `/v1/orders/${id}`)).body;
    assert.equal([status, payment.captured.amount], ['fulfilling', TOTAL]);
    await assertBooksAgree(later);
  } finally {
    await closeAll();
    rmSync(folder, { recursive: true, force: true });
  }
});

bank.run();

const late = suite('payments that are late');
late.after.each(closeAll);

late('tok_late_success - no answer for 30 s, then it proves authorized: the order goes its way (case 2)', async () => {
  const keeper = await stocked();
  const id = await keeper.place(MUG, 'tok_late_success');
  assert.equal([(await keeper.order(id)).status, (await keeper.order(id)).payment.status], ['placed', 'pending']);
  await keeper.pass(36 * SECOND);
  const order = await keeper.order(id);
  assert.equal([order.status, order.payment.captured.amount], ['fulfilling', TOTAL]);
  await assertBooksAgree(keeper);
});

late('tok_late_success - given up meanwhile, what it holds is released (cases 1 and 2)', async () => {
  const keeper = await stocked();
  const id = await keeper.place(MUG, 'tok_late_success');
  await keeper.pass(10 * SECOND);
  await keeper.buyer('POST', `/v1/orders/${id}/cancel`, {});
  await keeper.pass(MINUTE);
  const order = await keeper.order(id);
  assert.equal([order.status, order.payment.status, order.payment.captured.amount], ['cancelled', 'voided', 0]);
  await assertBooksAgree(keeper);
});

late(
  'an authorization nobody captures is voided an hour before its 7 days; released, the order pays anew',
  async () => {
    const keeper = await open();
    await keeper.sell('GOLD', 60_000, { 'wh-east': 5 });
    const id = await keeper.place([{ sku: 'GOLD', quantity: 1 }]);
    await keeper.pass(7 * DAY - HOUR - 1);
    assert.is((await keeper.order(id)).payment.status, 'authorized');
    await keeper.pass(1);
    const held = await keeper.order(id);
    assert.equal([held.status, held.payment.status], ['on-hold', 'voided']);
    await assertBooksAgree(keeper);
    const staff = await keeper.shop.staff();
    const released = await keeper.shop.call('POST', `/v1/admin/sagas/${id}/release`, {
      token: staff,
      body: { why: 'Known customer.' },
    });
    assert.is(released.status, 200, JSON.stringify(released.body));
    await keeper.pass(0);
    const order = await keeper.order(id);
    assert.equal([order.status, order.payment.captured.amount], ['fulfilling', 60_599]);
    await assertBooksAgree(keeper);
  },
);

late.run();

const disputes = suite('disputes');
disputes.after.each(closeAll);
const DISPUTES = '/v1/admin/simulator/disputes';

async function dispute(keeper: Shopkeeper, orderId: string, more: object = {}): Promise<string> {
  const answer = await keeper.operator('POST', DISPUTES, { orderId, ...more });
  assert.is(answer.status, 201, JSON.stringify(answer.body));
  return answer.body.id;
}

const end = (keeper: Shopkeeper, id: string, outcome: string) =>
  keeper.operator('POST', `${DISPUTES}/${id}/resolve`, { outcome });

disputes('the order shows it, and what it cost when it is lost', async () => {
  const keeper = await stocked();
  const id = await keeper.place(MUG);
  const disputeId = await dispute(keeper, id, { amount: { amount: 600, currency: 'USD' } });
  assert.is((await keeper.order(id)).payment.status, 'disputed');
  assert.match(await alerts(keeper), 'holdfast_alerts_total{alert="payment.disputed"} 1');
  assert.equal((await end(keeper, disputeId, 'lost')).body.status, 'lost');
  const { payment } = await keeper.order(id);
  assert.equal([payment.status, payment.refunded.amount, payment.chargedBack.amount], ['partially-refunded', 600, 600]);
  await assertBooksAgree(keeper);
});

disputes('cancelled while disputed: the refund waits, and is not paid again when the dispute is lost', async () => {
  const keeper = await stocked();
  const id = await keeper.place(MUG);
  const disputeId = await dispute(keeper, id);
  await keeper.buyer('POST', `/v1/orders/${id}/cancel`, {});
  const pending = await keeper.order(id);
  assert.equal([pending.status, pending.awaiting, pending.payment.status], ['refund-pending', 'operator', 'disputed']);
  const retried = await keeper.operator('POST', `/v1/admin/sagas/${id}/retry`, { why: 'Now?' });
  assert.is(retried.status, 200);
  const step = (await keeper.saga(id)).steps.find(({ kind }: { kind: string }) => kind === 'capture');
  assert.equal([step.status, step.reason], ['stuck', 'the payment is disputed']);
  await end(keeper, disputeId, 'lost');
  const { status, payment } = await keeper.order(id);
  assert.equal([status, payment.status, payment.refunded.amount], ['cancelled', 'refunded', TOTAL]);
  const books = openLedger(keeper);
  const entry = books.get(`${id}/authorize-1`);
  books.close();
  const calls = entry?.kind === 'authorization' ? entry.followUps.map(({ request }) => request.type) : [];
  assert.equal(calls, ['GatewayCapture'], 'no refund was ever asked for');
  await assertBooksAgree(keeper);
});

disputes('cancelled while disputed: the refund is paid by itself when the dispute is won', async () => {
  const keeper = await stocked();
  const id = await keeper.place(MUG);
  const disputeId = await dispute(keeper, id);
  await keeper.buyer('POST', `/v1/orders/${id}/cancel`, {});
  await keeper.pass(DAY);
  assert.is((await keeper.order(id)).status, 'refund-pending');
  const staff = await keeper.shop.staff();
  const won = await keeper.shop.call('POST', `${DISPUTES}/${disputeId}/resolve`, {
    token: staff,
    body: { outcome: 'won' },
  });
  assert.is(won.status, 200);
  await keeper.pass(0);
  const { status, payment } = await keeper.order(id);
  assert.equal([status, payment.refunded.amount, payment.chargedBack], ['cancelled', TOTAL, undefined]);
  await assertBooksAgree(keeper);
});

disputes('staff refunds nothing of what is disputed; what the bank leaves can be refunded afterwards', async () => {
  const keeper = await stocked();
  const id = await keeper.place(MUG);
  const disputeId = await dispute(keeper, id, { amount: { amount: 600, currency: 'USD' } });
  const refund = (amount?: number) =>
    keeper.operator('POST', `/v1/admin/sagas/${id}/refund`, {
      why: 'Asked by phone.',
      ...(amount !== undefined && { amount: { amount, currency: 'USD' } }),
    });
  for (const amount of [100, undefined]) {
    const refused = await refund(amount);
    assert.equal([refused.status, refused.body.code], [409, 'payment.disputed']);
  }
  const held = await keeper.order(id);
  assert.equal([held.status, held.awaiting], ['fulfilling', 'operator'], 'the parcel is still in the warehouse');
  await end(keeper, disputeId, 'lost');
  assert.is((await keeper.order(id)).awaiting, 'operator');
  assert.is((await refund(1_000)).status, 422);
  assert.is((await refund()).status, 200);
  await keeper.pass(0);
  const { payment } = await keeper.order(id);
  assert.equal([payment.status, payment.refunded.amount, payment.chargedBack.amount], ['refunded', TOTAL, 600]);
  await keeper.report(id, 1, 'handed-to-carrier');
  assert.is((await keeper.order(id)).awaiting, null);
  await assertBooksAgree(keeper);
});

disputes('lost by the carrier and by us: the order ends, nothing is sent or paid once more', async () => {
  const keeper = await stocked();
  const id = await keeper.place(MUG);
  await keeper.report(id, 1, 'handed-to-carrier');
  await end(keeper, await dispute(keeper, id), 'lost');
  await keeper.report(id, 1, 'lost');
  await keeper.pass(0);
  const order = await keeper.order(id);
  assert.equal([order.status, order.awaiting, order.fulfillment.shipments.length], ['cancelled', null, 1]);
  const reship = `/v1/admin/orders/${id}/shipments/${order.fulfillment.shipments[0].id}/reship`;
  const refused = await keeper.operator('POST', reship, { why: 'Once more?' });
  assert.equal([refused.status, refused.body.code], [409, 'order.refunded']);
  await assertBooksAgree(keeper);
});

disputes('a delivered order does not close while it is disputed', async () => {
  const keeper = await stocked();
  const id = await keeper.place(MUG);
  await keeper.report(id, 1, 'handed-to-carrier');
  await keeper.report(id, 1, 'delivered');
  const disputeId = await dispute(keeper, id);
  await keeper.pass(31 * DAY);
  assert.is((await keeper.order(id)).status, 'delivered');
  const token = await keeper.shop.staff();
  await keeper.shop.call('POST', `${DISPUTES}/${disputeId}/resolve`, { token, body: { outcome: 'won' } });
  await keeper.pass(DAY);
  assert.is((await keeper.order(id)).status, 'closed');
});

disputes('only of what is kept, only by staff for payments, once per key, and ended once', async () => {
  const keeper = await stocked();
  const id = await keeper.place(MUG);
  const declined = await keeper.place(MUG, 'tok_decline');
  const tooMuch = { orderId: id, amount: { amount: TOTAL + 1, currency: 'USD' } };
  for (const refused of [{ orderId: declined }, { orderId: 'ord_none' }, tooMuch]) {
    const answer = await keeper.operator('POST', DISPUTES, refused);
    assert.equal([answer.status, answer.body.code], [422, 'simulator.nothing-to-dispute']);
  }
  assert.is((await keeper.shop.call('POST', DISPUTES, { body: { orderId: id } })).status, 401);
  assert.is((await keeper.buyer('POST', DISPUTES, { orderId: id })).status, 403);
  assert.is((await keeper.buyer('POST', `${DISPUTES}/dp_1/resolve`, { outcome: 'won' })).status, 403);
  assert.is((await keeper.operator('POST', DISPUTES, {})).status, 400);

  const first = await keeper.operator('POST', DISPUTES, { orderId: id }, 'once');
  const repeated = await keeper.operator('POST', DISPUTES, { orderId: id }, 'once');
  assert.equal([first.status, repeated.status, repeated.body], [201, 201, first.body]);
  assert.is((await keeper.operator('POST', DISPUTES, { orderId: declined }, 'once')).status, 409);

  assert.is((await end(keeper, 'dp_none', 'won')).body.code, 'dispute.unknown');
  assert.is((await end(keeper, first.body.id, 'settled')).status, 400);
  assert.is((await end(keeper, first.body.id, 'won')).status, 200);
  assert.is((await end(keeper, first.body.id, 'won')).status, 200);
  const other = await end(keeper, first.body.id, 'lost');
  assert.equal([other.status, other.body.code], [409, 'dispute.ended']);
  assert.is((await keeper.order(id)).payment.status, 'captured');
});

disputes.run();

const refunds = suite('refunds');
refunds.after.each(closeAll);

refunds(
  'one that is escalated is shown and is an alert; the operator tries it again when it works (case 19)',
  async () => {
    const keeper = await stocked();
    const id = await keeper.place(MUG, 'tok_refund_fails');
    await keeper.buyer('POST', `/v1/orders/${id}/cancel`, {});
    const amount = { amount: TOTAL, currency: 'USD' };
    assert.equal((await keeper.order(id)).payment.openRefund, { amount, escalated: false });
    await keeper.pass(5 * MINUTE);
    const stuck = await keeper.order(id);
    assert.equal([stuck.status, stuck.payment.openRefund], ['refund-pending', { amount, escalated: true }]);
    assert.match(await alerts(keeper), 'holdfast_alerts_total{alert="payment.refund-escalated"} 1');
    const { body } = await keeper.operator('GET', '/v1/admin/payments/reconciliation');
    assert.equal([body.data[0].orderId, body.data[0].code], [id, 'refund-missing']);

    const ledger = openLedger(keeper);
    const entry = ledger.get(`${id}/authorize-1`);
    if (entry?.kind !== 'authorization') throw new Error('no authorization');
    ledger.put({ ...entry, request: { ...entry.request, token: 'tok_success' } });
    ledger.close();
    await keeper.operator('POST', `/v1/admin/sagas/${id}/retry`, { why: 'The account is open again.' });
    const { status, payment } = await keeper.order(id);
    assert.equal([status, payment.refunded, payment.openRefund], ['cancelled', amount, undefined]);
    await assertBooksAgree(keeper);
  },
);

refunds.run();

const free = suite('orders that cost nothing');
free.after.each(closeAll);

free('are fulfilled, and cancelled, without the vendor', async () => {
  const keeper = await stocked();
  const { sub } = await keeper.shop.edge.services.tokens.principal(`Bearer ${keeper.token}`);
  // No price is 0 and shipping costs something, so what is given away comes from a discount; none can be had over HTTP yet.
  const nothing = { amount: 0, currency: 'USD' };
  const totals = { subtotal: nothing, discount: nothing, shipping: nothing, tax: nothing, total: nothing };
  const gift = { ...draft([line('MUG', 1, 0)]), customerId: sub, paymentToken: 'tok_decline', totals };
  const placed = await keeper.shop.shop.ask({
    to: orderAddress(gift.orderId),
    message: { type: 'PlaceOrder', draft: gift } as Typed,
    id: 'gift',
    deadline: keeper.shop.shop.clock.monotonic() + 10_000,
  });
  assert.ok(placed.ok);
  await keeper.pass(0);
  const order = await keeper.order(gift.orderId);
  assert.equal([order.status, order.payment.status, order.payment.captured.amount], ['fulfilling', 'captured', 0]);
  const ledger = openLedger(keeper);
  assert.equal([...ledger.all()], []);
  ledger.close();
  await keeper.buyer('POST', `/v1/orders/${gift.orderId}/cancel`, {});
  assert.is((await keeper.order(gift.orderId)).status, 'cancelled');
  assert.is((await keeper.stock('MUG')).available, 50);
  await assertBooksAgree(keeper);
});

free.run();
