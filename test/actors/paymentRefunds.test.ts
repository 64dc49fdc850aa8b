import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type PaymentCommand, paymentStatus } from '../../actors/payment.ts';
import {
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
const after = (steps: readonly Step<PaymentCommand>[]) => payment.from(play(checkedPayment, ORDER, steps).state);
const retry: PaymentCommand = { type: 'RetryRefund', refundId: 'r1' };
const told = (amount: number, refundId = 'r1') => ({ type: 'PaymentRefunded', refundId, amount: usd(amount) });

const refunding = suite('payment: refund');

refunding('refund - asks the gateway with the key of the refund and answers when it is done', () => {
  const { sent, state } = after(captured)
    .when(refund('r1', 400))
    .thenTypes('RefundRequested')
    .sends('GatewayRefund', 'PaymentChanged');
  assert.equal(messagesTo(sent, 'gateway'), [
    { type: 'GatewayRefund', key: 'ord_1/refund-r1', captureId: 'cap_1', amount: usd(400) },
  ]);
  const done = payment.from(state).when(result('refund-r1', is.refunded(400)));
  done.then({ type: 'RefundCompleted', v: 1, refundId: 'r1', attempt: 1, amount: usd(400) });
  assert.equal(messagesTo(done.sent, 'order-saga'), [told(400)]);
  assert.is(paymentStatus(done.state), 'partially-refunded');
});

refunding('case 18: several partial refunds add up to what was captured and no further', () => {
  const played = play(checkedPayment, ORDER, [
    ...captured,
    refund('r1', 333),
    refund('r2', 333),
    refund('r3', 999),
    refund('r4', 1),
    result('refund-r3', is.refunded(334)),
    result('refund-r1', is.refunded(333)),
    result('refund-r2', is.refunded(333)),
  ]);
  const amounts = messagesTo(played.sent, 'order-saga').slice(2);
  assert.equal(amounts, [told(0, 'r4'), told(334, 'r3'), told(333, 'r1'), told(333, 'r2')]);
  assert.is(paymentStatus(played.state), 'refunded');
});

refunding('settled by hand: nothing of it is asked for again, by whatever refund, and nothing is owed any more', () => {
  const settle = {
    type: 'SettleRefundByHand',
    refundId: 'r1',
    amount: usd(1_000),
    reason: 'A cheque was sent.',
  } as const;
  const failed = [...captured, refund('r1', 1_000), ...refused('r1')];
  const settled = after(failed).when(settle);
  settled.then({ type: 'RefundSettledByHand', v: 1, refundId: 'r1', reason: 'A cheque was sent.' });
  const news = settled.sent[0]?.message;
  assert.not.ok(news && 'openRefund' in news, 'nothing is owed');
  for (const command of [settle, retry, refund('r1', 1_000), voidPayment()]) {
    const { sent } = payment.from(settled.state).when(command);
    assert.equal(messagesTo(sent, 'gateway'), [], command.type);
  }
  const another = payment.from(settled.state).when(refund('r2', 500));
  assert.equal(messagesTo(another.sent, 'order-saga'), [told(0, 'r2')], 'there is nothing left of it');
  // The vendor has paid it back after all: recorded as what it is.
  payment
    .from(settled.state)
    .when(result('refund-r1', is.refunded(1_000)))
    .thenTypes('RefundCompleted');
});

refunding('settled by hand while it was refused in a dispute: it is not given back once more when that is won', () => {
  const settle = { type: 'SettleRefundByHand', refundId: 'r1', amount: usd(400), reason: 'Transferred.' } as const;
  const refused = after([...captured, dispute('opened')]).when(refund('r1', 400));
  assert.equal(messagesTo(refused.sent, 'order-saga')[0]?.type, 'RefundRefused');
  const settled = payment.from(refused.state).when(settle);
  const amount = usd(400);
  const byHand = {
    type: 'RefundSettledByHand',
    v: 1,
    refundId: 'r1',
    reason: 'Transferred.',
    attempt: 1,
    amount,
  } as const;
  settled.then(byHand);
  payment.from(settled.state).when(settle).nothing();
  const won = payment.from(settled.state).when(dispute('won'));
  payment
    .from(won.state)
    .when(refund('cancel', 1_000))
    .then({
      type: 'RefundRequested',
      v: 1,
      refundId: 'cancel',
      attempt: 1,
      amount: usd(600),
      reason: 'returned',
      waiting: false,
    });
});

refunding('the same refund again: nothing while it is under way, the same answer when it is done', () => {
  after([...captured, refund('r1', 400)])
    .when(refund('r1', 400))
    .nothing();
  const { sent } = after([...captured, refund('r1', 400), result('refund-r1', is.refunded(400))])
    .when(refund('r1', 900))
    .then();
  assert.equal(messagesTo(sent, 'order-saga'), [told(400)]);
});

for (const [name, amount, history] of [
  ['nothing was captured', 400, authorized],
  ['there is no payment', 400, []],
  ['the amount is nothing', 0, captured],
  ['the amount is negative', -1, captured],
] as const) {
  refunding(`${name}: nothing to pay back, now and when asked again`, () => {
    const { sent, state } = after(history).when(refund('r1', amount)).thenTypes('RefundCompleted');
    assert.equal(messagesTo(sent, 'order-saga'), [told(0)]);
    payment.from(state).when(refund('r1', 400)).then();
  });
}

refunding('a refund in another currency pays nothing back', () => {
  const euros = { type: 'RefundPayment', refundId: 'r1', amount: { amount: 5, currency: 'EUR' }, reason: 'x' } as const;
  assert.equal(messagesTo(after(captured).when(euros).sent, 'order-saga'), [told(0)]);
});

refunding('while a capture is in doubt a refund waits for it', () => {
  const { state } = after([...authorized, capture(600)])
    .when(refund('r1', 1_000))
    .thenTypes('RefundRequested')
    .sends('PaymentChanged');
  const happened = payment.from(state).when(result('capture-1', is.captured(600)));
  assert.equal(messagesTo(happened.sent, 'gateway')[0], {
    type: 'GatewayRefund',
    key: 'ord_1/refund-r1',
    captureId: 'cap_1',
    amount: usd(600),
  });
  const didNot = payment.from(state).when(result('capture-1', is.failed));
  assert.equal(messagesTo(didNot.sent, 'order-saga').at(-1), told(0));
});

refunding('a refund that waits and a void together pay back once', () => {
  const played = play(checkedPayment, ORDER, [
    ...authorized,
    capture(),
    refund('r1', 400),
    voidPayment(),
    result('capture-1', is.captured()),
    result('refund-r1', is.refunded(400)),
    result('refund-ord_1/void', is.refunded(600)),
  ]);
  assert.equal(messagesTo(played.sent, 'order-saga').slice(1), [told(400), { type: 'PaymentVoided', attempt: 1 }]);
  assert.is(paymentStatus(played.state), 'refunded');
});

refunding.run();

const failing = suite('payment: refunds that fail');

failing('case 19: a refund that fails is not treated as done: it is tried again after 30 s with another key', () => {
  const { timers, sent, state } = after([...captured, refund('r1', 400)])
    .when(result('refund-r1', is.failed))
    .then({ type: 'RefundFailed', v: 1, refundId: 'r1', reason: 'no such thing', keySpent: true });
  assert.equal(sent, []);
  assert.is(paymentStatus(state), 'captured');
  assert.equal(timers, [{ set: 'refund:r1', at: T0 + 30_000, message: retry }]);
  const again = payment.from(state).when(retry);
  assert.equal(messagesTo(again.sent, 'gateway'), [
    { type: 'GatewayRefund', key: 'ord_1/refund.2-r1', captureId: 'cap_1', amount: usd(400) },
  ]);
  payment.from(again.state).when(result('refund-r1', is.failed)).nothing();
  payment
    .from(again.state)
    .when(result('refund.2-r1', is.refunded(400)))
    .sends('PaymentRefunded', 'PaymentChanged');
});

failing('case 19: after three retries it is escalated; asked again by the operator it is tried again', () => {
  const played = play(checkedPayment, ORDER, [...captured, refund('r1', 400), ...refused('r1')]);
  assert.equal(messagesTo(played.sent, 'order-saga').slice(2), [
    { type: 'RefundEscalated', refundId: 'r1', reason: 'no such thing' },
  ]);
  payment.from(played.state).when(retry).nothing();
  const again = payment.from(played.state).when(refund('r1', 400));
  assert.equal(messagesTo(again.sent, 'gateway'), [
    { type: 'GatewayRefund', key: 'ord_1/refund.5-r1', captureId: 'cap_1', amount: usd(400) },
  ]);
  const done = payment.from(again.state).when(result('refund.5-r1', is.refunded(400)));
  assert.equal(messagesTo(done.sent, 'order-saga'), [told(400)]);
});

failing('what is escalated still owes its amount: nobody else gets it', () => {
  const played = play(checkedPayment, ORDER, [...captured, refund('r1', 400), ...refused('r1'), refund('r2', 1_000)]);
  assert.equal(messagesTo(played.sent, 'gateway').at(-1), {
    type: 'GatewayRefund',
    key: 'ord_1/refund-r2',
    captureId: 'cap_1',
    amount: usd(600),
  });
});

failing('a void retries what was escalated and answers only when all is back', () => {
  const steps = [...captured, refund('r1', 1_000), ...refused('r1'), voidPayment()];
  const played = play(checkedPayment, ORDER, steps);
  assert.is(messagesTo(played.sent, 'order-saga').at(-1)?.type, 'RefundEscalated');
  const done = after([...steps]).when(result('refund.5-r1', is.refunded(1_000)));
  assert.equal(messagesTo(done.sent, 'order-saga'), [told(1_000), { type: 'PaymentVoided', attempt: 1 }]);
});

failing('unavailable is tried again with the same key', () => {
  const { sent } = after([...captured, refund('r1', 400), result('refund-r1', is.unavailable)]).when(retry);
  assert.equal(messagesTo(sent, 'gateway'), [
    { type: 'GatewayRefund', key: 'ord_1/refund-r1', captureId: 'cap_1', amount: usd(400) },
  ]);
});

failing('unknown is enquired; not found is tried again with the same key', () => {
  const unknown = [...captured, refund('r1', 400), result('refund-r1', is.unknown), enquireAgain('refund-r1')];
  assert.equal(messagesTo(play(checkedPayment, ORDER, unknown).sent, 'gateway').at(-1), {
    type: 'GatewayEnquire',
    key: 'ord_1/refund-r1',
  });
  const { timers, state } = after(unknown).when(found('refund-r1', is.notFound)).thenTypes('RefundFailed');
  assert.is(timers.length, 1);
  payment.from(state).when(retry).sends('GatewayRefund');
});

failing('unknown for good is escalated, and enquired first when the operator asks again', () => {
  const vain = Array.from({ length: 3 }, () => [enquireAgain('refund-r1'), found('refund-r1', is.unknown)]).flat();
  const steps = [...captured, refund('r1', 400), result('refund-r1', is.unknown), ...vain];
  const played = play(checkedPayment, ORDER, steps);
  assert.is(messagesTo(played.sent, 'order-saga').at(-1)?.type, 'RefundEscalated');
  const again = payment.from(played.state).when(refund('r1', 400)).sends('GatewayEnquire', 'PaymentChanged');
  payment
    .from(again.state)
    .when(found('refund-r1', is.refunded(400)))
    .sends('PaymentRefunded', 'PaymentChanged');
  payment
    .from(played.state)
    .when(result('refund-r1', is.refunded(400)))
    .sends('PaymentRefunded', 'PaymentChanged');
});

failing.run();
