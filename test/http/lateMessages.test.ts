/**
 * Cases that real systems got wrong, by their numbers in the domain's list, through a whole shop: over HTTP, with the
 * vendor's test tokens and the clock moved on. What no client can send late or twice is handed to its actor directly.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type PaymentGatewayResult, paymentGateway } from '../../actors/gateways.ts';
import { stockAddress } from '../../actors/inventoryItem.ts';
import { type Money, money } from '../../actors/kernel/money.ts';
import { orderAddress } from '../../actors/order.ts';
import { sagaAddress } from '../../actors/orderSaga/messages.ts';
import { paymentAddress } from '../../actors/payment.ts';
import { shipmentAddress } from '../../actors/shipment.ts';
import { openKeyedStore } from '../../storage/keyedStore.ts';
import { createEntryLedger } from '../../transport/payment/entryLedger.ts';
import type { PaymentAdapter } from '../../transport/payment/gateway.ts';
import { type Authorization, amountsOf, type LedgerEntry } from '../../transport/payment/ledger.ts';
import { createPaymentSimulator } from '../../transport/payment/simulator.ts';
import { ADDRESS, type Answer, expressOrder } from '../support/client.ts';
import { DAY, HOUR, MINUTE, openShop, type Shopkeeper, type StockSums } from '../support/shopkeeper.ts';

const late = suite('late messages');

const SECOND = 1_000;
const usd = (amount: number) => money(amount, 'USD');
const opened: Shopkeeper[] = [];
const stocked = (available: number): StockSums => ({ available, reserved: 0, committed: 0, picked: 0, shipped: 0 });
const warehouse = (id: string) => stockAddress(id, 'wh-east');

type Keeper = Shopkeeper;

async function open(env: Readonly<Record<string, string>> = {}): Promise<Keeper> {
  const keeper = await openShop({ seed: false, env });
  opened.push(keeper);
  return keeper;
}

late.after.each(async () => {
  for (const keeper of opened.splice(0)) await keeper.close();
});

/** What the vendor itself has on its books for an order: each time that it held or took money. */
function vendorBooks({ shop }: Keeper, orderId: string) {
  const ledger = openKeyedStore<LedgerEntry>(join(shop.folder, 'payment-simulator.sqlite'));
  const entries = [...ledger.all()];
  ledger.close();
  return entries
    .filter((entry): entry is Authorization => entry.kind === 'authorization' && entry.request.orderId === orderId)
    .filter(({ outcome }) => outcome?.outcome === 'authorized')
    .map((entry) => {
      const { captured, refunded, voided } = amountsOf(entry);
      const calls = entry.followUps.map(({ request }) => request.type);
      return { captured: captured.amount, refunded: refunded.amount, voided, calls };
    });
}

/** Something happens at the vendor without the shop: a call that was long under way arrives, or the customer acts. */
async function atVendor<Result>(
  { shop }: Keeper,
  act: (vendor: PaymentAdapter) => Result | Promise<Result>,
): Promise<Result> {
  const ledger = openKeyedStore<LedgerEntry>(join(shop.folder, 'payment-simulator.sqlite'));
  const result = await act(createPaymentSimulator({ clock: shop.shop.clock, ledger: createEntryLedger(ledger) }));
  ledger.close();
  return result;
}

/** What the vendor's webhook will say: the result of an operation, whether it was asked for just now or long ago. */
function notice(keeper: Keeper, orderId: string, operation: PaymentGatewayResult['operation'], name: string) {
  const key = `${orderId}/${name}`;
  return atVendor(keeper, async (vendor) => {
    const result = await vendor.perform({ type: 'GatewayEnquire', key }, new AbortController().signal);
    assert.is.not(result.outcome, 'not-found');
    const message = { type: 'PaymentGatewayResult', operation, key, result } as const;
    const settled = await keeper.deliver(paymentAddress(orderId), message, paymentGateway);
    assert.is(settled.kind, 'done');
  });
}

type Shown = { readonly status: string; readonly payment: Record<'authorized' | 'captured' | 'refunded', Money> };

/** Nothing of the customer's money is kept, by the shop's books and the vendor's. */
function assertNothingKept(keeper: Keeper, orderId: string, order: Shown): void {
  assert.is(order.payment.captured.amount, order.payment.refunded.amount);
  for (const { captured, refunded, voided } of vendorBooks(keeper, orderId)) {
    assert.is(captured, refunded);
    assert.ok(voided || captured > 0, 'no authorization is live');
  }
}

/** The kinds of events of a saga, in order. */
const told = async (keeper: Keeper, id: string): Promise<string[]> =>
  (await keeper.saga(id)).history.map(({ type }: { type: string }) => type);

const count = (all: readonly string[], wanted: string): number => all.filter((each) => each === wanted).length;

late("case 1: late capture on a cancelled order is refunded and the order's state doesn't move", async () => {
  const keeper = await open();
  await keeper.sell('MUG', 1_000, { 'wh-east': 5 });
  const id = await keeper.place([{ sku: 'MUG', quantity: 2 }], 'tok_capture_timeout');
  await keeper.buyer('POST', `/v1/orders/${id}/cancel`, {});
  assert.is((await keeper.order(id)).status, 'cancelling');
  // The vendor has taken the money and never said so; the shop asks when its call has timed out.
  await keeper.pass(MINUTE);
  const cancelled = await keeper.order(id);
  assert.is(cancelled.status, 'cancelled');
  assert.is(cancelled.payment.captured.amount, cancelled.totals.total.amount);
  assertNothingKept(keeper, id, cancelled);
  assert.equal(await keeper.stock('MUG'), stocked(5));
  for (const again of [1, 2]) {
    await notice(keeper, id, 'GatewayCapture', 'capture-1');
    await keeper.pass(again * DAY);
    assert.equal(await keeper.order(id), cancelled);
  }
  assert.equal(vendorBooks(keeper, id)[0]?.calls, ['GatewayCapture', 'GatewayRefund']);
});

late("case 1: late capture on an out-of-stock order is refunded and the order's state doesn't move", async () => {
  const keeper = await open();
  await keeper.sell('GOLD', 60_000, { 'wh-east': 1 });
  const id = await keeper.place([{ sku: 'GOLD', quantity: 1 }]);
  assert.is((await keeper.order(id)).awaiting, 'review');
  await keeper.pass(31 * MINUTE);
  await keeper.operator('POST', '/v1/admin/stock/GOLD/adjust', { warehouse: 'wh-east', delta: -1, reason: 'Stolen.' });
  // The vendor captures what it should only have held; so it can't void any more.
  const { amount } = (await keeper.order(id)).payment.authorized;
  const capture = { key: `${id}/capture-1`, authorizationId: `auth_${id}/authorize-1`, amount: usd(amount) };
  const done = await atVendor(keeper, (vendor) =>
    vendor.perform({ type: 'GatewayCapture', ...capture }, new AbortController().signal),
  );
  assert.is(done.outcome, 'captured');
  await keeper.operator('POST', `/v1/admin/sagas/${id}/release`, { why: 'Known customer.' });
  await notice(keeper, id, 'GatewayCapture', 'capture-1');
  await keeper.pass(10 * MINUTE);
  const ended = await keeper.order(id);
  assert.is(ended.status, 'out-of-stock');
  assert.is(ended.payment.captured.amount, amount);
  assertNothingKept(keeper, id, ended);
  await notice(keeper, id, 'GatewayCapture', 'capture-1');
  await keeper.pass(DAY);
  assert.equal(await keeper.order(id), ended);
});

late('case 1: late capture on an order that was held because nobody knew is refunded, and it stays held', async () => {
  const keeper = await open();
  await keeper.sell('MUG', 1_000, { 'wh-east': 50 });
  const id = await keeper.place([{ sku: 'MUG', quantity: 1 }], 'tok_capture_timeout');
  await keeper.pass(20 * SECOND);
  // Then the vendor goes dark, for others too, until the shop has given the capture up.
  for (let failed = 0; !(await told(keeper, id)).includes('StepFailed'); failed++) {
    assert.ok(failed < 50, 'the capture is given up');
    await keeper.place([{ sku: 'MUG', quantity: 1 }], 'tok_unavailable');
    await keeper.pass(3 * SECOND);
  }
  assert.is((await keeper.order(id)).payment.captured.amount, 0);
  await keeper.pass(HOUR);
  const held = await keeper.order(id);
  assert.equal([held.status, held.awaiting, held.paymentRequest], ['on-hold', 'operator', null]);
  assert.is(held.payment.captured.amount, held.totals.total.amount);
  assertNothingKept(keeper, id, held);
  await notice(keeper, id, 'GatewayCapture', 'capture-1');
  await keeper.pass(DAY);
  assert.equal(await keeper.order(id), held);
  assert.not.ok((await told(keeper, id)).includes('SagaCompleted'));
  assert.is((await keeper.stock('MUG')).committed, 0);
});

late('case 2: late authorization never moves an order backwards', async () => {
  const keeper = await open();
  await keeper.sell('MUG', 1_000, { 'wh-east': 5 });
  const paid = await keeper.place([{ sku: 'MUG', quantity: 1 }]);
  await keeper.report(paid, 1, 'handed-to-carrier');
  await keeper.pass(1);
  const shipped = await keeper.order(paid);
  assert.is(shipped.status, 'shipped');
  await notice(keeper, paid, 'GatewayAuthorize', 'authorize-1');
  await keeper.pass(HOUR);
  assert.equal(await keeper.order(paid), shipped);

  // Authorized at the vendor, who never said so, and cancelled meanwhile.
  const id = await keeper.place([{ sku: 'MUG', quantity: 2 }], 'tok_late_success');
  await keeper.buyer('POST', `/v1/orders/${id}/cancel`, {});
  await notice(keeper, id, 'GatewayAuthorize', 'authorize-1');
  await keeper.pass(5 * MINUTE);
  const cancelled = await keeper.order(id);
  assert.is(cancelled.status, 'cancelled');
  assert.equal(vendorBooks(keeper, id), [{ captured: 0, refunded: 0, voided: true, calls: ['GatewayVoid'] }]);
  await notice(keeper, id, 'GatewayAuthorize', 'authorize-1');
  await keeper.pass(DAY);
  assert.equal(await keeper.order(id), cancelled);
  assert.equal(await keeper.stock('MUG'), { ...stocked(4), shipped: 1 });
});

late('case 3: payment failed with only some SKUs reserved: those are released', async () => {
  const keeper = await open();
  await keeper.sell('MUG', 1_000, { 'wh-east': 5 });
  await keeper.sell('TEA', 500, { 'wh-west': 7 });
  await keeper.sell('RARE', 500, { 'wh-east': 1 });
  const both = [
    { sku: 'MUG', quantity: 2 },
    { sku: 'TEA', quantity: 3 },
  ];
  for (const token of ['tok_decline', 'tok_insufficient_funds', 'tok_capture_fails']) {
    const id = await keeper.place(both, token);
    const held = await keeper.order(id);
    assert.equal([held.status, held.awaiting], ['on-hold', 'payment-method'], token);
    assertNothingKept(keeper, id, held);
    assert.equal([await keeper.stock('MUG'), await keeper.stock('TEA')], [stocked(5), stocked(7)], token);
    await keeper.pass(DAY);
    assert.is((await keeper.order(id)).status, 'payment-failed', token);
    assertNothingKept(keeper, id, await keeper.order(id));
  }
  const some = await keeper.place([...both, { sku: 'RARE', quantity: 2 }]);
  assert.is((await keeper.order(some)).status, 'out-of-stock');
  assert.equal(vendorBooks(keeper, some), [], 'nobody pays for what is not there');
  assert.equal([await keeper.stock('MUG'), await keeper.stock('TEA')], [stocked(5), stocked(7)]);
  assert.equal(await keeper.stock('RARE'), stocked(1));
});

late('case 4: reservation confirmed after the order ended is released at once', async () => {
  const keeper = await open();
  await keeper.sell('MUG', 1_000, { 'wh-east': 5 });
  await keeper.sell('RARE', 500, { 'wh-east': 1 });
  const id = await keeper.place([
    { sku: 'MUG', quantity: 2 },
    { sku: 'RARE', quantity: 2 },
  ]);
  const ended = await keeper.order(id);
  assert.is(ended.status, 'out-of-stock');
  // Its first line comes late and confirmed, and so does what a warehouse had refused.
  for (const name of ['1.1', '2.1']) {
    const confirmed = { type: 'StockReserved', reservationId: `${id}/${name}`, expiresAt: Date.UTC(2100, 0) } as const;
    const before = await told(keeper, id);
    assert.is((await keeper.deliver(sagaAddress(id), confirmed, warehouse('MUG'))).kind, 'done');
    const news = (await told(keeper, id)).slice(before.length);
    assert.equal(news, ['CompensationRequested', 'StepCompensated'], name);
  }
  // The request itself comes late: the release was there before it.
  const reserve = { type: 'ReserveStock', reservationId: `${id}/1.1`, quantity: 2, saga: sagaAddress(id) } as const;
  assert.is((await keeper.deliver(warehouse('MUG'), reserve, sagaAddress(id))).kind, 'done');
  assert.equal(await keeper.stock('MUG'), stocked(5));
  assert.equal(await keeper.stock('RARE'), stocked(1));
  assert.equal(await keeper.order(id), ended);
});

late('case 5: two SKUs fail → one refund, one round of releases', async () => {
  const keeper = await open();
  for (const sku of ['GOLD', 'RUBY', 'MUG']) await keeper.sell(sku, 30_000, { 'wh-east': 1 });
  const skus = ['GOLD', 'RUBY', 'MUG'];
  const id = await keeper.place(skus.map((sku) => ({ sku, quantity: 1 })));
  assert.is((await keeper.order(id)).payment.status, 'authorized');
  // While it waits for its review the reservations expire, and two of the three are gone.
  await keeper.pass(31 * MINUTE);
  for (const sku of ['GOLD', 'RUBY']) {
    const gone = { warehouse: 'wh-east', delta: -1, reason: 'Stolen.' };
    assert.is((await keeper.operator('POST', `/v1/admin/stock/${sku}/adjust`, gone)).status, 200);
  }
  await keeper.operator('POST', `/v1/admin/sagas/${id}/release`, { why: 'Known customer.' });
  await keeper.pass(10 * MINUTE);
  const ended = await keeper.order(id);
  assert.equal([ended.status, ended.payment.status], ['out-of-stock', 'voided']);
  assert.equal(vendorBooks(keeper, id), [{ captured: 0, refunded: 0, voided: true, calls: ['GatewayVoid'] }]);
  const history = await told(keeper, id);
  assert.is(count(history, 'CompensationStarted'), 1);
  // Two to four: a line whose answer is still out when the first one fails may have been reserved, so it is released too.
  const { steps } = (await keeper.operator('GET', `/v1/admin/sagas/${id}`)).body;
  assert.ok(
    steps.every(({ undone }: { undone: number }) => undone <= 1),
    JSON.stringify(steps),
  );
  assert.is(count(history, 'SagaAborted'), 1);
  assert.equal(await Promise.all(skus.map(keeper.stock)), [stocked(0), stocked(0), stocked(1)]);
});

late("case 6: late commit doesn't revive a cancelled order; committed stock comes back", async () => {
  const keeper = await open();
  await keeper.sell('MUG', 1_000, { 'wh-east': 5 });
  const id = await keeper.place([{ sku: 'MUG', quantity: 2 }], 'tok_capture_timeout');
  assert.is((await keeper.stock('MUG')).committed, 2);
  await keeper.buyer('POST', `/v1/orders/${id}/cancel`, {});
  await keeper.pass(MINUTE);
  const cancelled = await keeper.order(id);
  assert.is(cancelled.status, 'cancelled');
  assert.equal(await keeper.stock('MUG'), stocked(5));
  const reservationId = `${id}/1.1`;
  const commit = { type: 'CommitReservation', reservationId, saga: sagaAddress(id) } as const;
  await keeper.deliver(warehouse('MUG'), commit, sagaAddress(id));
  await keeper.deliver(sagaAddress(id), { type: 'StockCommitted', reservationId }, warehouse('MUG'));
  await keeper.pass(DAY);
  assert.equal(await keeper.stock('MUG'), stocked(5));
  assert.equal(await keeper.order(id), cancelled);
});

late("case 8: first parcel of a split shipment doesn't make the order delivered", async () => {
  const keeper = await open();
  await keeper.sell('MUG', 1_000, { 'wh-east': 5 });
  await keeper.sell('TEA', 500, { 'wh-west': 5 });
  const id = await keeper.place([
    { sku: 'MUG', quantity: 1 },
    { sku: 'TEA', quantity: 1 },
  ]);
  assert.is((await keeper.order(id)).fulfillment.shipments.length, 2);
  const status = async () => (await keeper.order(id)).status;
  await keeper.report(id, 1, 'handed-to-carrier');
  assert.is(await status(), 'partially-shipped');
  await keeper.report(id, 1, 'delivered');
  assert.is(await status(), 'partially-delivered');
  await keeper.pass(2 * DAY);
  for (const repeated of ['delivered', 'in-transit', 'picked']) await keeper.report(id, 1, repeated);
  assert.is(await status(), 'partially-delivered');
  await keeper.report(id, 2, 'delivered');
  assert.is(await status(), 'delivered');
  // The return window is that of the last parcel.
  await keeper.pass(30 * DAY - HOUR);
  assert.is(await status(), 'delivered');
  await keeper.pass(HOUR);
  assert.is(await status(), 'closed');
});

const never = new AbortController().signal;

/** An order whose bank asks the customer; it has 5 minutes. */
async function unpaid(keeper: Keeper): Promise<string> {
  const id = await keeper.place([{ sku: 'MUG', quantity: 2 }], 'tok_requires_action');
  assert.is((await keeper.order(id)).awaiting, 'payment');
  return id;
}

async function pay(keeper: Keeper, id: string): Promise<void> {
  const key = `${id}/authorize-1`;
  const page = await atVendor(keeper, (vendor) => vendor.perform({ type: 'GatewayEnquire', key }, never));
  assert.is(page.outcome, 'requires-action');
  const url = page.outcome === 'requires-action' ? page.url : '';
  assert.is((await keeper.shop.call('POST', url, { body: { approve: true } })).status, 200);
  await keeper.pass(0);
}

late('case 14: unpaid timer races the payment: one wins, the other is a no-op', async () => {
  const keeper = await open();
  await keeper.sell('MUG', 1_000, { 'wh-east': 6 });

  const paid = await unpaid(keeper);
  await keeper.pass(5 * MINUTE - 1);
  await pay(keeper, paid);
  const fulfilling = await keeper.order(paid);
  assert.is(fulfilling.status, 'fulfilling');
  await keeper.pass(HOUR);
  assert.equal(await keeper.order(paid), fulfilling);

  const lapsed = await unpaid(keeper);
  await keeper.pass(5 * MINUTE);
  assert.is((await keeper.order(lapsed)).awaiting, 'operator');
  assert.equal(await keeper.stock('MUG'), { ...stocked(4), committed: 2 });
  await pay(keeper, lapsed);
  const held = await keeper.order(lapsed);
  assert.equal([held.status, held.awaiting], ['on-hold', 'operator']);
  assertNothingKept(keeper, lapsed, held);
  assert.equal(await keeper.stock('MUG'), { ...stocked(4), committed: 2 });

  // At the same moment: whoever is first, it is one or the other.
  const raced = await unpaid(keeper);
  await Promise.all([keeper.pass(5 * MINUTE), pay(keeper, raced)]);
  await keeper.pass(MINUTE);
  const order = await keeper.order(raced);
  if (order.status === 'fulfilling') {
    assert.is(order.payment.captured.amount, order.totals.total.amount);
    assert.equal(await keeper.stock('MUG'), { ...stocked(2), committed: 4 });
  } else {
    assert.is(order.awaiting, 'operator');
    assertNothingKept(keeper, raced, order);
    assert.equal(await keeper.stock('MUG'), { ...stocked(4), committed: 2 });
  }
});

late('case 15: webhook before its record is kept', async () => {
  const keeper = await open();
  await keeper.sell('MUG', 1_000, { 'wh-east': 5 });
  const { keys, tokens } = keeper.shop.edge.services;
  const { sub } = await tokens.principal(`Bearer ${keeper.token}`);
  const id = keys.createdId('ord', keys.requestId(sub, 'POST', '/v1/orders', 'ahead'));
  const request = { key: `${id}/authorize-1`, orderId: id, amount: usd(1_599), token: 'tok_success' };
  await atVendor(keeper, (vendor) =>
    vendor.perform({ type: 'GatewayAuthorize', ...request }, new AbortController().signal),
  );
  await notice(keeper, id, 'GatewayAuthorize', 'authorize-1');
  assert.is((await keeper.buyer('GET', `/v1/orders/${id}`)).status, 404);

  const placed = await keeper.buyer('POST', '/v1/orders', expressOrder([{ sku: 'MUG', quantity: 1 }]), 'ahead');
  assert.is(placed.body.id, id);
  await keeper.pass(1);
  const order = await keeper.order(id);
  assert.equal([order.status, order.payment.captured], ['fulfilling', usd(1_599)]);
  assert.equal(vendorBooks(keeper, id), [{ captured: 1_599, refunded: 0, voided: false, calls: ['GatewayCapture'] }]);
  const commits = await keeper.shop.shop.history(paymentAddress(id));
  const happened = commits.flatMap(({ events }) => events).map(({ type }) => type);
  assert.equal(happened.slice(0, 4), ['ResultKept', 'PaymentInitiated', 'KeptResultUsed', 'PaymentAuthorized']);
});

late('case 16: compensation twice adds stock once', async () => {
  const keeper = await open();
  await keeper.sell('MUG', 1_000, { 'wh-east': 5 });
  const id = await keeper.place([{ sku: 'MUG', quantity: 2 }]);
  assert.is((await keeper.order(id)).status, 'fulfilling');
  const cancel = () => keeper.buyer('POST', `/v1/orders/${id}/cancel`, { reason: 'Twice.' });
  const cancelByStaff = () => keeper.operator('POST', `/v1/admin/sagas/${id}/cancel`, { why: 'Asked by phone.' });
  const answers = await Promise.all([cancel(), cancelByStaff(), cancel(), cancelByStaff()]);
  for (const { status } of answers) assert.ok([200, 202, 409].includes(status), String(status));
  const release = { type: 'ReleaseReservation', reservationId: `${id}/1.1`, saga: sagaAddress(id) } as const;
  for (const again of [1, 2]) {
    await keeper.deliver(warehouse('MUG'), release, sagaAddress(id), `release-${again}`);
    await keeper.deliver(warehouse('MUG'), release, sagaAddress(id), `release-${again}`);
  }
  const refund = { type: 'RefundPayment', refundId: `${id}/cancel-1.1`, amount: usd(2_599), reason: 'Again.' } as const;
  await keeper.deliver(paymentAddress(id), refund, sagaAddress(id));
  await keeper.pass(DAY);
  const order = await keeper.order(id);
  assert.is(order.status, 'cancelled');
  assertNothingKept(keeper, id, order);
  assert.is(count(vendorBooks(keeper, id)[0]?.calls ?? [], 'GatewayRefund'), 1);
  assert.equal(await keeper.stock('MUG'), stocked(5));
});

late('case 19: a refund that fails is not treated as done', async () => {
  const keeper = await open();
  await keeper.sell('MUG', 1_000, { 'wh-east': 9 });
  const cancelled = async (token: string) => {
    const id = await keeper.place([{ sku: 'MUG', quantity: 2 }], token);
    await keeper.buyer('POST', `/v1/orders/${id}/cancel`, {});
    return id;
  };
  // Two refusals, then it works: not cancelled before.
  const flaky = await cancelled('tok_refund_flaky');
  await keeper.pass(30 * SECOND);
  const waiting = await keeper.order(flaky);
  assert.equal([waiting.status, waiting.payment.refunded.amount], ['cancelling', 0]);
  await keeper.pass(30 * SECOND);
  assert.is((await keeper.order(flaky)).status, 'cancelled');
  assertNothingKept(keeper, flaky, await keeper.order(flaky));

  const failed = await cancelled('tok_refund_fails');
  const assertOwed = async () => {
    const order = await keeper.order(failed);
    assert.is(order.status, 'refund-pending');
    assert.is(order.awaiting, 'operator');
    assert.equal([order.payment.captured.amount, order.payment.refunded.amount], [2_599, 0]);
  };
  await keeper.pass(5 * MINUTE);
  await assertOwed();
  const retried = await keeper.operator('POST', `/v1/admin/sagas/${failed}/retry`, { why: 'The card is good again.' });
  assert.is(retried.status, 200, JSON.stringify(retried.body));
  await keeper.pass(40 * DAY);
  await assertOwed();
  assert.equal(await keeper.stock('MUG'), stocked(9));
});

late('case 20: message or timer for a finished or unknown saga is answered, not a new saga', async () => {
  const keeper = await open();
  await keeper.sell('MUG', 1_000, { 'wh-east': 5 });
  const unknown = `ord_${'0'.repeat(26)}`;
  const finished = await keeper.place([{ sku: 'MUG', quantity: 1 }], 'tok_decline');
  await keeper.pass(DAY);
  const fulfilled = await keeper.place([{ sku: 'MUG', quantity: 1 }]);
  const before = [await keeper.order(finished), await keeper.order(fulfilled), await keeper.stock('MUG')];
  for (const id of [unknown, finished, fulfilled]) {
    const saga = sagaAddress(id);
    const from = paymentAddress(id);
    const settled = [
      await keeper.deliver(saga, { type: 'SagaTimedOut' }, saga),
      await keeper.deliver(saga, { type: 'StepTimedOut', step: 'capturing', attempt: 1 }, saga),
      await keeper.deliver(saga, { type: 'ReviewOverdue' }, saga),
      await keeper.deliver(saga, { type: 'PaymentDeclined', attempt: 1, reason: 'late', retriable: false }, from),
      await keeper.deliver(saga, { type: 'PaymentCaptureFailed', attempt: 1, reason: 'late' }, from),
      await keeper.deliver(saga, { type: 'PaymentCaptured', attempt: 7, amount: usd(1) }, from),
      await keeper.deliver(saga, { type: 'StockReserved', reservationId: `${id}/9.9`, expiresAt: 1 }, warehouse('MUG')),
      await keeper.deliver(saga, { type: 'StockExpired', reservationId: `${id}/1.1` }, warehouse('MUG')),
      await keeper.deliver(saga, { type: 'ShipmentAccepted', shipmentId: 'shp_none_1' }, shipmentAddress('shp_none_1')),
      await keeper.deliver(orderAddress(id), { type: 'CloseOrder' }, orderAddress(id)),
    ];
    assert.equal([...new Set(settled.map(({ kind }) => kind))], ['done']);
  }
  await keeper.pass(DAY);
  for (const name of ['retry', 'release', 'cancel']) {
    const path = `/v1/admin/sagas/${unknown}/${name}`;
    assert.is((await keeper.operator('POST', path, { why: 'It must be there.' })).status, 404, name);
  }
  assert.is((await keeper.shop.call('GET', `/v1/admin/sagas/${unknown}`, { token: keeper.staff })).status, 404);
  assert.is((await keeper.shop.call('GET', `/v1/orders/${unknown}`, { token: keeper.token })).status, 404);
  assert.equal([await keeper.order(finished), await keeper.order(fulfilled), await keeper.stock('MUG')], before);
});

late('case 21: same idempotency key with another body → 409; with the same body → the first answer', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-keys-'));
  let keeper = await open({ DATA_DIR: folder });
  await keeper.sell('MUG', 1_000, { 'wh-east': 50 });
  const { body: cart } = await keeper.buyer('POST', '/v1/carts', {});
  await keeper.buyer('POST', `/v1/carts/${cart.id}/lines`, { sku: 'MUG', quantity: 1 });
  const { body: checkout } = await keeper.buyer('POST', `/v1/carts/${cart.id}/checkout`, {});
  const steps = `/v1/checkouts/${checkout.id}`;
  await keeper.buyer('PUT', `${steps}/address`, ADDRESS);
  await keeper.buyer('PUT', `${steps}/shipping-method`, { method: 'standard' });
  await keeper.buyer('PUT', `${steps}/payment`, { token: 'tok_success' });
  const cancelled = await keeper.place([{ sku: 'MUG', quantity: 1 }]);
  const order = (quantity: number) => expressOrder([{ sku: 'MUG', quantity }]);
  const stock = '/v1/admin/stock/MUG';
  const requests = [
    { who: 'token', path: '/v1/orders', body: order(1), other: order(2) },
    { who: 'token', path: `/v1/orders/${cancelled}/cancel`, body: { reason: 'a' }, other: { reason: 'b' } },
    { who: 'token', path: `${steps}/complete`, body: {}, other: { acceptPriceChanges: true } },
    { who: 'token', path: '/v1/carts', body: {}, other: undefined },
    {
      who: 'staff',
      path: `${stock}/receive`,
      body: { warehouse: 'wh-east', quantity: 5 },
      other: { warehouse: 'wh-east', quantity: 6 },
    },
    {
      who: 'staff',
      path: `${stock}/adjust`,
      body: { warehouse: 'wh-east', delta: -1, reason: 'a' },
      other: { warehouse: 'wh-east', delta: -2, reason: 'a' },
    },
  ] as const;
  const ask = ({ who, path }: (typeof requests)[number], body: unknown) =>
    keeper.shop.call('POST', path, { token: keeper[who], key: 'the-key', body });
  const first: Answer[] = [];
  for (const request of requests) first.push(await ask(request, request.body));
  assert.equal(
    first.map(({ status }) => status),
    [202, 202, 202, 201, 200, 200],
  );
  await keeper.pass(DAY);
  const figures = await keeper.stock('MUG');
  const assertRepeated = async () => {
    for (const [index, request] of requests.entries()) {
      const again = await ask(request, request.body);
      assert.equal([again.status, again.body], [first[index]?.status, first[index]?.body], request.path);
      assert.is(again.headers.get('idempotent-replayed'), 'true', request.path);
      if (request.other === undefined) continue;
      const refused = await ask(request, request.other);
      assert.equal([refused.status, refused.body.code], [409, 'idempotency.key-reused'], request.path);
    }
    assert.equal(await keeper.stock('MUG'), figures);
  };
  await assertRepeated();
  const { token, staff } = keeper;
  await opened.pop()?.close();
  // The same people come back to a shop that was started anew.
  keeper = { ...(await open({ DATA_DIR: folder })), token, staff };
  await assertRepeated();
  await opened.pop()?.close();
  rmSync(folder, { recursive: true, force: true });
});

late.run();
