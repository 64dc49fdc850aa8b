/** Cases that real order systems got wrong (domain rules, section 11), by number, as far as order and saga decide them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Order, type OrderCommand, orderDecider } from '../../actors/order.ts';
import type { SagaCommand } from '../../actors/orderSaga/saga.ts';
import type { PaymentNews } from '../../actors/payment.ts';
import { defaultPolicy } from '../../actors/policy.ts';
import type { ShipmentNews, ShipmentStatus } from '../../actors/shipment.ts';
import {
  cancelByOperator,
  cancelSaga,
  draft,
  ORDER,
  payAnew,
  paymentOverdue,
  releaseHold,
  retrySaga,
  SagaRun,
  says,
  start,
  stepTimedOut,
  upTo,
  usd,
} from '../support/orders.ts';
import { specification, T0 } from '../support/spec.ts';

const cases = suite('cases');
const spec = specification(orderDecider, { id: ORDER });

/** The order as its saga, and the given news, left it. */
function orderOf(run: SagaRun, ...news: readonly OrderCommand[]): Order {
  const commands: OrderCommand[] = [{ type: 'PlaceOrder', draft: draft() }, ...run.news, ...news];
  const state = commands.reduce((current, command) => spec.from(current).when(command).state, spec.given().state);
  if (state.status === 'unknown') throw new Error('not placed');
  return state;
}

const paid = (seq: number, status: PaymentNews['status'], captured: number, refunded = 0): PaymentNews => ({
  type: 'PaymentChanged',
  seq,
  status,
  authorized: usd(2_899),
  captured: usd(captured),
  refunded: usd(refunded),
});

const released = [says.released('1.1'), says.released('2.1')] as const;

/** An end of each kind, in which a capture was asked for and undone. */
const ends = {
  cancelled: [...upTo.capturing, cancelSaga, says.refunded(), ...released, says.voided()],
  'payment-failed': [...upTo.capturing, says.captureFailed(), ...released, says.voided(), paymentOverdue],
} as const satisfies Record<string, readonly SagaCommand[]>;

for (const [outcome, commands] of Object.entries(ends)) {
  cases(`1 - a late capture on a ${outcome} order is refunded and the order's state doesn't move`, () => {
    const run = new SagaRun(commands);
    assert.is(orderOf(run).status, outcome);
    const late = run.when(says.captured()).thenTypes('CompensationRequested').sends('RefundPayment');
    const before = commands.filter(({ type }) => type === 'PaymentRefunded').length;
    assert.equal(late.sent[0]?.message, {
      type: 'RefundPayment',
      refundId: `${ORDER}/cancel-1.${before + 1}`,
      amount: usd(2_899),
      reason: 'It came when it was no longer wanted.',
    });
    const news = [paid(8, 'captured', 2_899), paid(9, 'refunded', 2_899, 2_899)];
    const order = orderOf(run, ...news);
    assert.is(order.status, outcome);
    assert.equal(order.payment.refunded, usd(2_899), 'the figures are recorded all the same');
    run
      .when(says.refunded(`1.${before + 1}`))
      .thenTypes('StepCompensated')
      .sends();
  });
}

cases('1 - a late capture on an out-of-stock order is refunded by a refund of its own', () => {
  // Out of stock after the payment: the commit was refused twice while an authorization was live.
  const run = new SagaRun([...upTo.committing, says.commitRefused('1.1'), says.reserved('1.2'), says.committed('2.1')]);
  run.does(says.commitRefused('1.2'), says.released('2.1'));
  run.when(says.voided()).sends('EndOrder');
  assert.is(orderOf(run).status, 'out-of-stock');
  run.when(says.authorized()).sends('VoidPayment');
  assert.is(orderOf(run, paid(9, 'captured', 2_899)).status, 'out-of-stock');
});

cases('2 - a late authorization never moves an order backwards', () => {
  for (const commands of [upTo.capturing, upTo.fulfilling, upTo.completed]) {
    const run = new SagaRun(commands);
    const before = orderOf(run).status;
    run.when(says.authorized()).nothing();
    assert.is(orderOf(run, paid(1, 'authorized', 0)).status, before);
  }
  const shown = orderOf(new SagaRun(upTo.completed), paid(5, 'captured', 2_899), paid(4, 'authorized', 0));
  assert.is(shown.payment.status, 'captured');
  const ended = new SagaRun([...upTo.authorizing, cancelSaga, says.voided(), ...released]);
  ended.when(says.authorized()).sends('VoidPayment');
  assert.is(orderOf(ended).status, 'cancelled');
});

cases('3 - payment failed with only some SKUs reserved: those are released', () => {
  // Line 2 expired while the payment ran and is being reserved anew when the decline comes.
  const run = new SagaRun([...upTo.authorizing, says.expired('2.1')]);
  const outcome = run.when(says.declined()).sends('HoldOrder', 'ReleaseReservation', 'ReleaseReservation');
  assert.equal(
    outcome.sent.slice(1).map(({ message }) => 'reservationId' in message && message.reservationId),
    [`${ORDER}/1.1`, `${ORDER}/2.2`],
    'what is reserved, and what may be',
  );
  run.does(says.released('1.1'), says.released('2.2'));
  assert.equal([orderOf(run).status, orderOf(run).awaiting], ['on-hold', 'payment-method']);
  run.when(says.reserved('2.2')).sends('ReleaseReservation');
  run.does(says.released('2.2'), paymentOverdue);
  assert.is(orderOf(run).status, 'payment-failed');
});

cases('4 - a reservation confirmed after the order ended is released at once', () => {
  const run = new SagaRun([start(), cancelSaga, ...released]);
  assert.is(orderOf(run).status, 'cancelled');
  const outcome = run.when(says.reserved('1.1')).sends('ReleaseReservation');
  assert.equal(outcome.sent[0]?.to, { type: 'stock', id: 'mug@wh-central' });
  run.when(says.released('1.1')).thenTypes('StepCompensated').sends();
  assert.is(orderOf(run).status, 'cancelled');
});

cases('4 - so is one whose release came too early and was forgotten by the stock', () => {
  const run = new SagaRun([start(), cancelSaga]);
  run.when(says.reserved('1.1')).thenTypes('CompensationRequested').sends('ReleaseReservation');
  run.does(...released);
  assert.is(orderOf(run).status, 'cancelled');
});

cases('4 - so is a reservation that another one has taken the place of', () => {
  const run = new SagaRun([start(), says.refused('1.1'), says.reserved('1.2'), says.reserved('2.1')]);
  const outcome = run.when(says.reserved('1.1')).sends('ReleaseReservation');
  assert.equal(outcome.sent[0]?.to, { type: 'stock', id: 'mug@wh-central' });
  run.when(says.authorized()).sends('CommitReservation', 'CommitReservation');
});

cases('5 - two SKUs fail: one refund, one round of releases', () => {
  // Both commits of the second try are refused while the first two reservations are gone already.
  const run = new SagaRun([...upTo.committing, says.commitRefused('1.1'), says.commitRefused('2.1')]);
  run.does(says.reserved('1.2'), says.reserved('2.2'));
  run.does(says.commitRefused('1.2'), says.commitRefused('2.2'));
  assert.is(run.count('ReleaseReservation'), 1, 'only what may still exist');
  run.does(says.released('2.2'), says.voided(), says.commitRefused('2.2'), says.voided());
  const count = (type: string) => run.events.filter((event) => event.type === type).length;
  assert.equal([count('CompensationStarted'), count('SagaAborted')], [1, 1]);
  assert.is(run.count('VoidPayment'), 1);
  assert.is(run.count('EndOrder'), 1);
});

cases('5 - both lines out of stock, a cancellation and a time-out on top: still one round', () => {
  const run = new SagaRun([...upTo.capturing, cancelSaga]);
  run.does(cancelSaga, { type: 'SagaTimedOut' }, says.captureFailed(), cancelByOperator, says.captureFailed());
  run.does(...released, ...released, says.voided(), says.voided());
  assert.is(run.count('RefundPayment'), 1);
  assert.is(run.count('ReleaseReservation'), 2);
  assert.is(run.count('EndOrder'), 1);
});

cases("6 - a late commit doesn't revive a cancelled order; committed stock comes back", () => {
  const run = new SagaRun([...upTo.committing, cancelSaga]);
  run.when(says.committed('1.1')).nothing();
  run.does(...released, says.voided());
  assert.is(orderOf(run).status, 'cancelled');
  run.when(says.committed('1.1')).sends('ReleaseReservation');
  run.when(says.released('1.1')).sends();
  assert.is(orderOf(run).status, 'cancelled');
  assert.is(run.saga.phase.status, 'aborted');
});

const parcel = (n: number, status: ShipmentStatus, seq: number, sku: string, replaces?: string): ShipmentNews => ({
  type: 'ShipmentChanged',
  shipmentId: `shp_1_${n}`,
  seq,
  status,
  lines: [{ sku, quantity: sku === 'mug' ? 2 : 1 }],
  attempts: 0,
  ...(replaces === undefined ? {} : { replaces }),
});

cases("8 - the first parcel of a split shipment doesn't make the order delivered", () => {
  const run = new SagaRun(upTo.completed);
  // The order hasn't even heard of the second parcel.
  const one = orderOf(run, parcel(1, 'delivered', 1, 'mug'));
  assert.equal([one.status, one.deliveredAt], ['partially-delivered', null]);
  assert.is(orderOf(run, parcel(1, 'delivered', 1, 'mug'), parcel(2, 'delivered', 1, 'tea')).status, 'delivered');
});

cases('8 - a reshipment restarts the return window', () => {
  const window = defaultPolicy.order.returnWindowMs;
  const both = [parcel(1, 'delivered', 1, 'mug'), parcel(2, 'delivered', 1, 'tea')];
  const delivered = orderOf(new SagaRun(upTo.completed), ...both);
  const again = parcel(3, 'delivered', 1, 'tea', 'shp_1_2');
  const later = T0 + 1_000_000;
  const outcome = spec.from(delivered).when(again, { now: later });
  assert.equal(outcome.timers, [{ set: 'close', at: later + window, message: { type: 'CloseOrder' } }]);
  spec
    .from(outcome.state)
    .when({ type: 'CloseOrder' }, { now: T0 + window })
    .nothing();
  spec
    .from(outcome.state)
    .when({ type: 'CloseOrder' }, { now: later + window })
    .thenTypes('OrderClosed');
});

cases('14 - the unpaid timer races the payment: one wins, the other is a no-op', () => {
  const paidFirst = new SagaRun(upTo.fulfilling);
  paidFirst.when({ type: 'SagaTimedOut' }).nothing();
  const timerFirst = new SagaRun([...upTo.capturing, { type: 'SagaTimedOut' }]);
  timerFirst.when(says.captured()).nothing();
  timerFirst.does(says.refunded(), ...released, says.voided());
  timerFirst.when({ type: 'SagaTimedOut' }).nothing();
  assert.is(timerFirst.count('ConfirmOrder'), 0);
  assert.is(orderOf(timerFirst).status, 'on-hold');
});

cases('14 - the time for another payment method races the one that is given: one wins, the other is a no-op', () => {
  const asked = [...upTo.authorizing, says.declined(), ...released];
  const given = new SagaRun([...asked, payAnew()]);
  given.when(paymentOverdue).nothing();
  assert.is(given.saga.phase.status, 'reserving');
  const over = new SagaRun([...asked, paymentOverdue]);
  over.when(payAnew()).rejects('order.payment-not-asked');
  assert.is(orderOf(over).status, 'payment-failed');
});

cases('16 - a compensation that is answered twice counts once', () => {
  const run = new SagaRun([...upTo.authorizing, cancelSaga, says.voided()]);
  run.when(says.released('1.1')).thenTypes('StepCompensated');
  run.when(says.released('1.1')).nothing();
  run.when(says.released('2.1')).thenTypes('StepCompensated', 'SagaAborted');
  run.when(says.released('2.1')).nothing();
});

cases('19 - a refund that fails is not treated as done', () => {
  const run = new SagaRun([...upTo.fulfilling, cancelSaga, says.parcelCancelled()]);
  run.when(says.refundEscalated()).thenTypes('CompensationFailed', 'CompensationRequested', 'CompensationRequested');
  // The authorization isn't voided: it was captured, and the payment owes that money.
  run.does(...released);
  const stuck = orderOf(run);
  assert.equal([stuck.status, stuck.awaiting], ['refund-pending', 'operator']);
  run.when(retrySaga).sends('RefundPayment');
  run.when(says.refunded()).sends('VoidPayment');
  run.when(says.voided()).sends('EndOrder');
  assert.is(orderOf(run).status, 'cancelled');
});

cases('20 - a message or timer for an unknown saga is answered, not a new saga', () => {
  const late: readonly SagaCommand[] = [
    ...Object.values(says).map((answer) => answer('1.1' as never)),
    stepTimedOut(1),
    { type: 'SagaTimedOut' },
    { type: 'ReviewOverdue' },
  ];
  for (const message of late) assert.is(new SagaRun([message]).state.status, 'unknown', message.type);
  for (const command of [retrySaga, releaseHold, cancelByOperator]) new SagaRun().when(command).rejects('saga.unknown');
});

cases('20 - a finished saga answers, and starts nothing', () => {
  const finished = new SagaRun(ends.cancelled);
  for (const message of [start(), stepTimedOut(1), { type: 'SagaTimedOut' }, { type: 'ReviewOverdue' }] as const) {
    finished.when(message).nothing();
  }
  finished.when(says.refused('1.1')).nothing();
  finished.when(says.reserved('9.9')).nothing();
  finished.when(says.authorized(7)).nothing();
});

cases('20 - a cancellation that overtakes its saga is not lost: the order is never fulfilled', () => {
  const run = new SagaRun();
  run.when(cancelSaga).thenTypes('SagaAborted').sends('EndOrder');
  assert.is(orderOf(run).status, 'cancelled');
  run.when(start()).nothing();
  run.when(cancelSaga).nothing();
  run.when(says.reserved('1.1')).nothing();
});

cases.run();
