/** The saga undoes a payment in whatever state; late money is given back. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type PaymentCommand, paymentFigures, paymentStatus } from '../../actors/payment.ts';
import {
  authorize,
  authorized,
  capture,
  captured,
  checkedPayment,
  EXPIRES,
  enquireAgain,
  found,
  is,
  ORDER,
  partlyCaptured,
  refund,
  result,
  usd,
  voidPayment,
} from '../support/payment.ts';
import { messagesTo, play, type Step } from '../support/play.ts';
import { specification } from '../support/spec.ts';

const payment = specification(checkedPayment, { id: ORDER });
const after = (steps: readonly Step<PaymentCommand>[]) => payment.from(play(checkedPayment, ORDER, steps).state);
const voided = { type: 'PaymentVoided', attempt: 1 } as const;

const voiding = suite('payment: void');

voiding('a cancel that overtakes its payment leaves a tombstone that refuses it', () => {
  const { state, sent } = payment.given().when(voidPayment()).thenTypes('CancellationRequested', 'PaymentVoided');
  assert.equal(messagesTo(sent, 'order-saga'), [voided]);
  assert.is(paymentStatus(state), 'cancelled-before-start');
  const refused = payment.from(state).when(authorize()).then();
  assert.equal(messagesTo(refused.sent, 'order-saga'), [
    { type: 'PaymentDeclined', attempt: 1, reason: 'the payment was cancelled', retriable: false },
  ]);
});

voiding('an authorization is voided at the gateway, and the saga told only when it is', () => {
  const asked = after(authorized)
    .when(voidPayment())
    .thenTypes('CancellationRequested', 'VoidRequested')
    .sends('GatewayVoid');
  assert.equal(messagesTo(asked.sent, 'gateway'), [
    { type: 'GatewayVoid', key: 'ord_1/void-1', authorizationId: 'auth_1' },
  ]);
  const done = payment.from(asked.state).when(result('void-1', is.voided));
  done.thenTypes('AuthorizationVoided', 'PaymentVoided').sends('PaymentVoided', 'PaymentChanged');
  assert.is(paymentStatus(done.state), 'voided');
  assert.equal(paymentFigures(done.state), {
    authorized: usd(0),
    captured: usd(0),
    refunded: usd(0),
    chargedBack: usd(0),
  });
  payment.from(done.state).when(voidPayment()).then().sends('PaymentVoided');
});

voiding('an authorization in flight is voided as soon as it is there', () => {
  const { state } = after([authorize()]).when(voidPayment()).thenTypes('CancellationRequested').sends();
  payment
    .from(state)
    .when(result('authorize-1', is.authorized()))
    .thenTypes('PaymentAuthorized', 'VoidRequested')
    .sends('GatewayVoid', 'PaymentChanged');
  payment
    .from(state)
    .when(result('authorize-1', is.declined))
    .thenTypes('PaymentFailed', 'PaymentVoided')
    .sends('PaymentVoided', 'PaymentChanged');
});

voiding(
  'what waits to be repeated is not repeated but enquired: it may have been executed before a crash of ours',
  () => {
    const { timers, state } = after([authorize(), result('authorize-1', is.unavailable)])
      .when(voidPayment())
      .thenTypes('CancellationRequested', 'GatewayAskedAgain')
      .sends('GatewayEnquire');
    assert.equal(timers, [{ clear: 'enquire:ord_1/authorize-1' }]);
    payment
      .from(state)
      .when(found('authorize-1', is.notFound))
      .thenTypes('PaymentFailed', 'PaymentVoided')
      .sends('PaymentVoided', 'PaymentChanged');
    after([...authorized, capture(), result('capture-1', is.unavailable), voidPayment()])
      .when(found('capture-1', is.notFound))
      .thenTypes('CaptureFailed', 'VoidRequested');
  },
);

voiding('what is unavailable after the void is not repeated either', () => {
  const { timers } = after([authorize(), voidPayment()])
    .when(result('authorize-1', is.unavailable))
    .thenTypes('OutcomeUnknown');
  assert.is(timers.length, 1);
});

voiding('what was captured is paid back with a refund of its own', () => {
  const { sent, state } = after(captured)
    .when(voidPayment())
    .thenTypes('CancellationRequested', 'RefundRequested')
    .sends('GatewayRefund', 'PaymentChanged');
  assert.equal(messagesTo(sent, 'gateway'), [
    { type: 'GatewayRefund', key: 'ord_1/refund-ord_1/void', captureId: 'cap_1', amount: usd(1_000) },
  ]);
  const done = payment.from(state).when(result('refund-ord_1/void', is.refunded(1_000)));
  assert.equal(messagesTo(done.sent, 'order-saga'), [voided]);
  assert.is(paymentStatus(done.state), 'refunded');
});

voiding('only the rest of what was captured is paid back, and the uncaptured rest voided', () => {
  const { sent } = after([...partlyCaptured, refund('r1', 100)]).when(voidPayment());
  assert.equal(messagesTo(sent, 'gateway'), [
    { type: 'GatewayRefund', key: 'ord_1/refund-ord_1/void', captureId: 'cap_1', amount: usd(500) },
  ]);
});

voiding('a capture in flight decides: nothing is voided before, the money is paid back after', () => {
  const { state } = after([...authorized, capture()])
    .when(voidPayment())
    .sends();
  payment
    .from(state)
    .when(result('capture-1', is.captured()))
    .thenTypes('PaymentCaptured', 'RefundRequested')
    .sends('GatewayRefund', 'PaymentChanged');
  payment
    .from(state)
    .when(result('capture-1', is.failed))
    .thenTypes('CaptureFailed', 'VoidRequested')
    .sends('GatewayVoid', 'PaymentChanged');
});

voiding('nothing to give back is answered at once', () => {
  for (const outcome of [is.declined, is.action]) {
    const { sent } = after([authorize(), result('authorize-1', outcome)]).when(voidPayment());
    assert.equal(messagesTo(sent, 'order-saga'), [voided]);
  }
});

voiding('a void that the vendor refuses is tried again with another key', () => {
  const { state, timers } = after([...authorized, voidPayment()])
    .when(result('void-1', is.failed))
    .thenTypes('VoidFailed');
  assert.is(timers.length, 1);
  const again = payment.from(state).when(enquireAgain('void-1'));
  assert.equal(messagesTo(again.sent, 'gateway'), [
    { type: 'GatewayVoid', key: 'ord_1/void.2-1', authorizationId: 'auth_1' },
  ]);
  payment.from(again.state).when(result('void-1', is.failed)).nothing();
  payment.from(again.state).when(result('void.2-1', is.voided)).thenTypes('AuthorizationVoided', 'PaymentVoided');
});

voiding('a void that is unavailable or lost is repeated with the same key', () => {
  const again = [...authorized, voidPayment(), result('void-1', is.unavailable), enquireAgain('void-1')];
  const { sent } = after(again.slice(0, -1)).when(enquireAgain('void-1'));
  assert.equal(messagesTo(sent, 'gateway'), [{ type: 'GatewayVoid', key: 'ord_1/void-1', authorizationId: 'auth_1' }]);
  const lost = [...authorized, voidPayment(), result('void-1', is.unknown), enquireAgain('void-1')];
  const waiting = after(lost).when(found('void-1', is.notFound)).thenTypes('GatewayUnavailable');
  payment.from(waiting.state).when(enquireAgain('void-1')).sends('GatewayVoid');
  after(again).when(result('void-1', is.voided)).thenTypes('AuthorizationVoided', 'PaymentVoided');
});

voiding('an authorization that has lapsed holds nothing: its void counts as done', () => {
  after([...authorized, voidPayment()])
    .when(result('void-1', is.failed), { now: EXPIRES })
    .thenTypes('AuthorizationVoided', 'PaymentVoided');
});

voiding('a void that never works escalates, and is tried again when the saga insists', () => {
  const refusals = Array.from({ length: 24 }, (_, round) => [
    result(round === 0 ? 'void-1' : `void.${round + 1}-1`, is.failed),
    enquireAgain('void-1'),
  ]).flat();
  const played = play(checkedPayment, ORDER, [...authorized, voidPayment(), ...refusals]);
  assert.is(played.events.filter(({ type }) => type === 'OutcomeEscalated').length, 1);
  assert.is(played.events.filter(({ type }) => type === 'VoidFailed').length, 24);
  payment.from(played.state).when(voidPayment()).thenTypes('GatewayAskedAgain').sends('GatewayVoid');
});

voiding('a higher attempt starts over after a void; a late repeat of that void leaves it alone', () => {
  const voidedOnce = [...authorized, voidPayment(), result('void-1', is.voided)];
  const { state } = after(voidedOnce).when(authorize(2)).thenTypes('PaymentInitiated');
  assert.is(paymentStatus(state), 'pending');
  const second = payment.from(state).when(result('authorize-2', is.authorized(2)));
  second.sends('PaymentAuthorized', 'PaymentChanged');
  payment.from(second.state).when(voidPayment(1)).then().sends('PaymentVoided');
  payment.from(second.state).when(voidPayment(2)).thenTypes('CancellationRequested', 'VoidRequested');
});

voiding('a void leaves a newer attempt alone', () => {
  const steps = [
    authorize(1),
    result('authorize-1', is.declined),
    authorize(2),
    result('authorize-2', is.authorized(2)),
  ];
  const { sent, state } = after(steps).when(voidPayment(1)).thenTypes('CancellationRequested', 'PaymentVoided');
  assert.equal(messagesTo(sent, 'order-saga'), [voided]);
  payment.from(state).when(capture(1_000, 2)).sends('GatewayCapture');
});

voiding('one void undoes every attempt up to its own', () => {
  const { state } = after([authorize(1), authorize(2)])
    .when(voidPayment(2))
    .sends();
  const first = payment
    .from(state)
    .when(result('authorize-1', is.authorized(1)))
    .sends('GatewayVoid', 'PaymentChanged');
  const second = payment.from(first.state).when(result('authorize-2', is.declined));
  assert.equal(messagesTo(second.sent, 'order-saga'), []);
  const done = payment.from(second.state).when(result('void-1', is.voided));
  assert.equal(messagesTo(done.sent, 'order-saga'), [{ type: 'PaymentVoided', attempt: 2 }]);
});

voiding.run();

const late = suite('payment: late money');
const undone = [...authorized, voidPayment(), result('void-1', is.voided)];

late('case 1: late capture on a cancelled payment is refunded at once, and the saga hears nothing of it', () => {
  const { sent, state } = after(undone)
    .when(result('capture-1', is.captured()))
    .thenTypes('PaymentCaptured', 'RefundRequested');
  assert.equal(messagesTo(sent, 'order-saga'), []);
  assert.equal(messagesTo(sent, 'gateway'), [
    { type: 'GatewayRefund', key: 'ord_1/refund-ord_1/void', captureId: 'cap_1', amount: usd(1_000) },
  ]);
  const repeated = payment.from(state).when(voidPayment()).thenTypes('CancellationRequested').sends();
  const done = payment.from(repeated.state).when(result('refund-ord_1/void', is.refunded(1_000)));
  assert.equal(messagesTo(done.sent, 'order-saga'), [voided]);
});

late('case 2: late authorization never revives a payment: it is voided and the visible state stays', () => {
  const cancelled = after([authorize(), result('authorize-1', is.declined), voidPayment()]);
  const { sent, state } = cancelled
    .when(result('authorize-1', is.authorized()))
    .thenTypes('PaymentAuthorized', 'VoidRequested');
  assert.equal(messagesTo(sent, 'order-saga'), []);
  assert.is(paymentStatus(state), 'voided');
  assert.is(paymentStatus(payment.from(state).when(result('void-1', is.voided)).state), 'voided');
});

late('authorized or captured for a tombstone: an attempt that we know nothing of is given back', () => {
  const tombstone = after([voidPayment()]);
  tombstone
    .when(result('authorize-1', is.authorized()))
    .thenTypes('StrayAttemptFound', 'PaymentAuthorized', 'VoidRequested')
    .sends('GatewayVoid');
  const { state } = tombstone
    .when(result('capture-1', is.captured(700)))
    .thenTypes('StrayAttemptFound', 'PaymentCaptured', 'RefundRequested')
    .sends('GatewayRefund', 'PaymentChanged');
  assert.equal(paymentFigures(state).captured, usd(700));
  tombstone.when(result('authorize-1', is.declined)).nothing();
});

late('a capture that turns up after the authorization was given up as expired is paid back', () => {
  after([...authorized, { at: EXPIRES, command: { type: 'ExpireAuthorization' } }])
    .when(result('capture-1', is.captured()))
    .thenTypes('PaymentCaptured', 'RefundRequested');
});

late('a void that finds the money captured pays it back', () => {
  after([...authorized, voidPayment()])
    .when(result('void-1', is.captured()))
    .thenTypes('PaymentCaptured', 'RefundRequested')
    .sends('GatewayRefund', 'PaymentChanged');
});

late('a capture that turns up after it was told as failed is paid back', () => {
  const steps = [...authorized, capture(), result('capture-1', is.failed), result('void-1', is.voided)];
  after(steps).when(result('capture-1', is.captured())).thenTypes('PaymentCaptured', 'RefundRequested');
});

late('results in another currency or with a key that is not ours say nothing about this money', () => {
  after(authorized)
    .when({ ...result('capture-1', is.captured()), key: 'ord_2/capture-1' })
    .nothing();
  for (const name of ['capture-0', 'capture-x', 'sell-1', 'authorize']) {
    after(authorized)
      .when({ ...result('capture-1', is.captured()), key: `${ORDER}/${name}` })
      .nothing();
  }
  const euros = { outcome: 'captured', captureId: 'c', amount: { amount: 5, currency: 'EUR' } } as const;
  after([...authorized, capture()])
    .when(result('capture-1', euros))
    .thenTypes('OutcomeUnknown');
});

late.run();
