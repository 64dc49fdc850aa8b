/** Chargebacks, payments of nothing, and refunds that take too long. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type PaymentCommand, paymentFigures, paymentStatus } from '../../actors/payment.ts';
import { defaultPolicy } from '../../actors/policy.ts';
import {
  authorize,
  authorized,
  capture,
  captured,
  checkedPayment,
  dispute,
  enquireAgain,
  found,
  is,
  ORDER,
  refund,
  refused,
  result,
  usd,
  voidPayment,
} from '../support/payment.ts';
import { messagesTo, play, type Step } from '../support/play.ts';
import { specification, T0 } from '../support/spec.ts';

const payment = specification(checkedPayment, { id: ORDER });
const run = (...steps: readonly Step<PaymentCommand>[]) => play(checkedPayment, ORDER, steps);
const after = (...steps: readonly Step<PaymentCommand>[]) => payment.from(run(...steps).state);
const told = (amount: number, refundId = 'r1') => ({ type: 'PaymentRefunded', refundId, amount: usd(amount) });
const retry: PaymentCommand = { type: 'RetryRefund', refundId: 'r1' };
const disputed = (status: 'open' | 'won' | 'lost', amount = 1_000, disputeId = 'dp_1') => ({
  type: 'PaymentDisputed',
  disputeId,
  amount: usd(amount),
  status,
});
const ended = { type: 'PaymentDisputeEnded', disputeId: 'dp_1' };

const disputes = suite('payment: disputes');

disputes('opened - the payment is disputed and says so to the order', () => {
  const { sent, state } = after(...captured)
    .when(dispute('opened'))
    .then({ type: 'ChargebackOpened', v: 1, disputeId: 'dp_1', amount: usd(1_000), reason: 'fraudulent' });
  assert.is(paymentStatus(state), 'disputed');
  const news = { authorized: usd(1_000), captured: usd(1_000), refunded: usd(0) };
  assert.equal(messagesTo(sent, 'order'), [{ type: 'PaymentChanged', seq: state.events, status: 'disputed', ...news }]);
  assert.equal(messagesTo(sent, 'order-saga'), [disputed('open')]);
});

disputes('won - the payment is as it was before', () => {
  const { state, sent } = after(...captured, dispute('opened'))
    .when(dispute('won'))
    .then({ type: 'ChargebackResolved', v: 1, disputeId: 'dp_1', outcome: 'won' });
  assert.is(paymentStatus(state), 'captured');
  assert.is(paymentFigures(state).refunded.amount, 0);
  assert.equal(messagesTo(sent, 'order-saga'), [disputed('won'), ended]);
});

disputes('lost - the money counts as returned, and the order hears how much of it went that way', () => {
  const { state, sent } = after(...captured, dispute('opened', 'dp_1', 300)).when(dispute('lost', 'dp_1', 300));
  assert.is(paymentStatus(state), 'partially-refunded');
  const [news] = messagesTo(sent, 'order') as readonly { refunded?: unknown; chargedBack?: unknown }[];
  assert.equal([news?.refunded, news?.chargedBack], [usd(300), usd(300)]);
  assert.is(paymentStatus(after(...captured, dispute('lost')).state), 'refunded');
});

disputes('the end may come before the beginning, and either twice', () => {
  const { state } = run(...captured, dispute('lost'), dispute('opened'), dispute('lost'), dispute('won'));
  assert.equal(Object.values(state.disputes ?? {}), [{ amount: usd(1_000), reason: 'fraudulent', status: 'lost' }]);
});

disputes('two disputes - the payment is disputed until both have ended', () => {
  const both = [dispute('opened', 'dp_1', 300), dispute('opened', 'dp_2', 200), dispute('lost', 'dp_1', 300)];
  const { state } = run(...captured, ...both);
  assert.is(paymentStatus(state), 'disputed');
  const { sent, state: over } = payment.from(state).when(dispute('lost', 'dp_2', 200));
  assert.equal(messagesTo(sent, 'order-saga'), [disputed('lost', 200, 'dp_2'), { ...ended, disputeId: 'dp_2' }]);
  assert.equal(paymentFigures(over).chargedBack, usd(500));
});

for (const [name, amount] of [
  ['another currency', { amount: 1_000, currency: 'EUR' }],
  ['less than nothing', { amount: -1, currency: 'USD' }],
] as const) {
  disputes(`news in ${name} change nothing`, () => {
    after(...captured)
      .when({ type: 'PaymentDisputeNews', disputeId: 'dp_1', amount, reason: 'fraudulent', stage: 'opened' })
      .nothing();
  });
}

disputes('a payment that a dispute has told of first keeps its currency', () => {
  const euros = { type: 'AuthorizePayment', attempt: 1, amount: { amount: 5, currency: 'EUR' }, token: 't' } as const;
  after(dispute('opened')).when(euros).sends('PaymentDeclined');
});

disputes.run();

const refunding = suite('payment: refunds of a disputed payment');
const refusal = { type: 'RefundRefused', refundId: 'r1', code: 'payment.disputed', reason: 'the payment is disputed' };

refunding('refused by name, and nothing of it is remembered', () => {
  const { sent, state } = after(...captured, dispute('opened'))
    .when(refund('r1', 400))
    .then();
  assert.equal(messagesTo(sent, 'order-saga'), [refusal]);
  assert.equal(state.refunds, {});
});

refunding('one that is done, or under way, is answered as ever', () => {
  const done = [...captured, refund('r1', 400), result('refund-r1', is.refunded(400)), dispute('opened')];
  assert.equal(messagesTo(after(...done).when(refund('r1', 400)).sent, 'order-saga'), [told(400)]);
  after(...captured, refund('r1', 400), dispute('opened'))
    .when(refund('r1', 400))
    .nothing();
});

refunding('one that was escalated is refused, too: the gateway is not asked', () => {
  const { sent } = after(...captured, refund('r1', 400), ...refused('r1'), dispute('opened'))
    .when(refund('r1', 400))
    .then();
  assert.equal(messagesTo(sent, 'order-saga'), [refusal]);
});

refunding('asked again after a lost dispute of all: nothing is paid back twice', () => {
  const { sent } = after(...captured, dispute('opened'), dispute('lost')).when(refund('r1', 1_000));
  assert.equal(messagesTo(sent, 'gateway'), []);
  assert.equal(messagesTo(sent, 'order-saga'), [told(0)]);
});

refunding('asked again after a lost dispute of a part: only the rest', () => {
  const lost = [dispute('opened', 'dp_1', 700), dispute('lost', 'dp_1', 700)];
  const { sent } = after(...captured, ...lost).when(refund('r1', 1_000));
  assert.equal(messagesTo(sent, 'gateway'), [
    { type: 'GatewayRefund', key: 'ord_1/refund-r1', captureId: 'cap_1', amount: usd(300) },
  ]);
});

const overtaken = [...captured, refund('r1', 400), dispute('opened'), result('refund-r1', is.failed)];

refunding('one that the dispute has overtaken waits for its end, is not escalated, and goes on if it is won', () => {
  const { timers } = run(...overtaken);
  assert.not(timers.some((timer) => 'set' in timer && timer.set === 'refund:r1'));
  after(...overtaken)
    .when(retry)
    .nothing();
  const { sent } = after(...overtaken).when(dispute('won'));
  assert.equal(messagesTo(sent, 'gateway'), [
    { type: 'GatewayRefund', key: 'ord_1/refund.2-r1', captureId: 'cap_1', amount: usd(400) },
  ]);
});

refunding('one that the dispute has overtaken ends with nothing if that brought all the money back', () => {
  const { sent, state, timers } = after(...overtaken).when(dispute('lost'));
  assert.equal(messagesTo(sent, 'gateway'), []);
  assert.equal(messagesTo(sent, 'order-saga'), [disputed('lost'), told(0), ended]);
  assert.is(paymentFigures(state).refunded.amount, 1_000);
  assert.ok(timers.some((timer) => 'clear' in timer && timer.clear === 'overdue:r1'));
});

refunding('one that the dispute leaves less for pays back that, under another key', () => {
  const steps = [dispute('opened', 'dp_1', 800), result('refund-r1', is.unavailable), dispute('lost', 'dp_1', 800)];
  const { sent, state } = run(...captured, refund('r1', 400), ...steps);
  assert.equal(messagesTo(sent, 'gateway').at(-1), {
    type: 'GatewayRefund',
    key: 'ord_1/refund.2-r1',
    captureId: 'cap_1',
    amount: usd(200),
  });
  const done = payment.from(state).when(result('refund.2-r1', is.refunded(200)));
  assert.equal(messagesTo(done.sent, 'order-saga'), [told(200)]);
});

refunding('of what nobody knows the outcome it is asked before it is given up', () => {
  const unknown = [dispute('opened'), result('refund-r1', is.unknown), dispute('lost')];
  const { state, sent } = run(...captured, refund('r1', 400), ...unknown);
  assert.is(messagesTo(sent, 'order-saga').at(-1)?.type, 'PaymentDisputeEnded');
  const asked = payment.from(state).when(enquireAgain('refund-r1')).sends('GatewayEnquire');
  const missing = payment.from(asked.state).when(found('refund-r1', is.notFound)).thenTypes('RefundFailed');
  const over = payment.from(missing.state).when(retry);
  assert.equal(messagesTo(over.sent, 'order-saga'), [told(0)]);
});

refunding('one that was escalated is over when the dispute has brought the money back', () => {
  const { sent, state } = after(...captured, refund('r1', 400), ...refused('r1'), dispute('opened')).when(
    dispute('lost'),
  );
  assert.equal(messagesTo(sent, 'order-saga'), [disputed('lost'), told(0), ended]);
  assert.is(state.refunds['r1']?.status, 'done');
});

refunding('one that waits for its capture goes on waiting for it after the dispute', () => {
  const { state } = run(...authorized, capture(), refund('r1', 400), dispute('opened', 'dp_1', 100));
  const over = payment.from(state).when(dispute('won', 'dp_1', 100));
  assert.is(over.state.refunds['r1']?.status, 'waiting');
  payment
    .from(over.state)
    .when(result('capture-1', is.captured()))
    .sends('PaymentCaptured', 'GatewayRefund', 'PaymentChanged');
});

refunding('a capture that turns up while it is disputed is paid back afterwards', () => {
  const steps = [...authorized, capture(), refund('r1', 400), dispute('opened', 'dp_1', 100)];
  const waiting = after(...steps).when(result('capture-1', is.captured()));
  assert.equal(messagesTo(waiting.sent, 'gateway'), []);
  const over = payment.from(waiting.state).when(dispute('won', 'dp_1', 100));
  assert.is(messagesTo(over.sent, 'gateway').length, 1);
});

refunding('a cancellation waits for the end of the dispute and pays back what that leaves', () => {
  const cancelled = after(...captured, dispute('opened', 'dp_1', 400))
    .when(voidPayment())
    .thenTypes('CancellationRequested')
    .sends();
  const over = payment.from(cancelled.state).when(dispute('lost', 'dp_1', 400));
  assert.equal(messagesTo(over.sent, 'gateway'), [
    { type: 'GatewayRefund', key: 'ord_1/refund-ord_1/void', captureId: 'cap_1', amount: usd(600) },
  ]);
  const all = payment.from(over.state).when(result('refund-ord_1/void', is.refunded(600)));
  assert.equal(messagesTo(all.sent, 'order-saga'), [{ type: 'PaymentVoided', attempt: 1 }]);
});

refunding.run();

const nothing = suite('payment: nothing to pay');

nothing('a total of 0 is authorized and captured without any gateway, and nothing of it expires', () => {
  const { sent, state, timers } = run(authorize(1, 0), capture(0));
  assert.equal(messagesTo(sent, 'gateway'), []);
  assert.equal(
    messagesTo(sent, 'order-saga').map(({ type }) => type),
    ['PaymentAuthorized', 'PaymentCaptured'],
  );
  assert.equal(timers, []);
  assert.is(paymentStatus(state), 'captured');
});

nothing('is undone without any gateway, before and after its capture', () => {
  for (const steps of [[authorize(1, 0)], [authorize(1, 0), capture(0)]]) {
    const { sent, state } = after(...steps).when(voidPayment());
    assert.equal(messagesTo(sent, 'gateway'), []);
    assert.equal(messagesTo(sent, 'order-saga'), [{ type: 'PaymentVoided', attempt: 1 }]);
    assert.is(paymentStatus(state), 'voided');
  }
});

nothing('captures nothing but nothing', () => {
  assert.is(after(authorize(1, 0)).when(capture(1)).sent[0]?.message.type, 'PaymentCaptureFailed');
});

nothing.run();

const late = suite('payment: refunds that take too long');
const overdue: PaymentCommand = { type: 'NoteRefundOverdue', refundId: 'r1' };

late('a refund is to be done within 5 min; one that is not is noted', () => {
  assert.is(defaultPolicy.payment.refundTargetMs, 300_000);
  const asked = after(...captured).when(refund('r1', 400));
  assert.equal(asked.timers, [{ set: 'overdue:r1', at: T0 + 300_000, message: overdue }]);
  payment.from(asked.state).when(overdue).then({ type: 'RefundOverdueNoted', v: 1, refundId: 'r1' });
  const done = payment.from(asked.state).when(result('refund-r1', is.refunded(400)));
  assert.ok(done.timers.some((timer) => 'clear' in timer && timer.clear === 'overdue:r1'));
  payment.from(done.state).when(overdue).nothing();
});

late('the order hears of what is still to be paid back, and whether the operator has to see to it', () => {
  const open = (...steps: readonly Step<PaymentCommand>[]) =>
    (messagesTo(run(...captured, ...steps).sent, 'order').at(-1) as unknown as { openRefund?: unknown }).openRefund;
  assert.equal(open(refund('r1', 400), refund('r2', 100)), { amount: usd(500), escalated: false });
  assert.equal(open(refund('r1', 400), ...refused('r1')), { amount: usd(400), escalated: true });
  assert.is(open(refund('r1', 400), result('refund-r1', is.refunded(400))), undefined);
});

late('three retries end, escalated, long before 24 h: 30 s apart each', () => {
  const timers = run(...captured, refund('r1', 400), ...refused('r1')).timers.filter((timer) => 'set' in timer);
  const retries = timers.filter(({ set }) => set === 'refund:r1');
  assert.equal(
    retries.map(({ at }) => at),
    [T0 + 30_000, T0 + 30_000, T0 + 30_000],
  );
});

late.run();
