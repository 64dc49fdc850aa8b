/** What the gateway says before the payment knows what it is about. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type PaymentCommand, paymentStatus } from '../../actors/payment.ts';
import {
  authorize,
  authorized,
  capture,
  captured,
  checkedPayment,
  EXPIRES,
  is,
  ORDER,
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

const early = suite('payment: early results');

early('case 15: a result before its record is kept, and used when the record is there', () => {
  const kept = payment.given().when(result('authorize-1', is.authorized())).thenTypes('ResultKept').sends();
  const { sent } = payment
    .from(kept.state)
    .when(authorize())
    .thenTypes('PaymentInitiated', 'KeptResultUsed', 'PaymentAuthorized');
  assert.equal(messagesTo(sent, 'gateway'), []);
  assert.equal(messagesTo(sent, 'order-saga'), [{ type: 'PaymentAuthorized', attempt: 1, expiresAt: EXPIRES }]);
});

early('case 15: a capture that comes first is kept until it is asked for', () => {
  const { state } = after([result('capture-1', is.captured()), ...authorized]).when(capture());
  assert.is(paymentStatus(state), 'captured');
});

early('case 15: money that came first is given back when the saga cancels instead', () => {
  const kept = after([result('capture-1', is.captured()), result('authorize-1', is.authorized())]);
  const { state, sent } = kept.when(voidPayment());
  assert.equal(messagesTo(sent, 'gateway'), [
    { type: 'GatewayRefund', key: 'ord_1/refund-ord_1/void', captureId: 'cap_1', amount: usd(1_000) },
  ]);
  const done = payment.from(state).when(result('refund-ord_1/void', is.refunded(1_000)));
  assert.equal(messagesTo(done.sent, 'order-saga'), [voided]);
});

early('a refund that came first settles the refund when it is asked for', () => {
  const { sent } = after([...captured, result('refund-r1', is.refunded(400))]).when(refund('r1', 400));
  assert.equal(messagesTo(sent, 'gateway'), []);
  assert.equal(messagesTo(sent, 'order-saga'), [{ type: 'PaymentRefunded', refundId: 'r1', amount: usd(400) }]);
});

early('only what settles something is kept, and at most 16 results', () => {
  for (const outcome of [is.unknown, is.unavailable, is.notFound]) {
    payment.given().when(result('authorize-1', outcome)).nothing();
  }
  payment
    .given()
    .when(result('refund.2-r1', is.refunded(1)))
    .nothing();
  const many = Array.from({ length: 20 }, (_, index) => result(`authorize-${index + 1}`, is.authorized()));
  assert.is(play(checkedPayment, ORDER, [...many, ...many]).events.length, 16);
});

early.run();
