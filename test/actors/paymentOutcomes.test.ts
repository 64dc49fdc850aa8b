/** A call whose outcome is unknown is enquired before it is repeated or undone; what is unavailable is repeated. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PaymentCommand } from '../../actors/payment.ts';
import {
  authorize,
  authorized,
  capture,
  captured,
  checkedPayment,
  enquireAgain,
  found,
  is,
  ORDER,
  result,
  usd,
  voidPayment,
} from '../support/payment.ts';
import { messagesTo, play, type Step } from '../support/play.ts';
import { specification, T0 } from '../support/spec.ts';

const payment = specification(checkedPayment, { id: ORDER });
const after = (steps: readonly Step<PaymentCommand>[]) => payment.from(play(checkedPayment, ORDER, steps).state);
const SECOND = 1_000;

const asking = suite('payment: outcomes that are not known');

asking('unknown is enquired after 5 s, and the enquiry decides', () => {
  const { timers, state } = after([authorize()]).when(result('authorize-1', is.unknown)).thenTypes('OutcomeUnknown');
  assert.equal(timers, [
    {
      set: 'enquire:ord_1/authorize-1',
      at: T0 + 5 * SECOND,
      message: { type: 'EnquireAgain', key: 'ord_1/authorize-1' },
    },
  ]);
  const asked = payment.from(state).when(enquireAgain('authorize-1'));
  assert.equal(messagesTo(asked.sent, 'gateway'), [{ type: 'GatewayEnquire', key: 'ord_1/authorize-1' }]);
  payment.from(asked.state).when(found('authorize-1', is.authorized())).sends('PaymentAuthorized', 'PaymentChanged');
});

asking('not found is repeated at once with the same key', () => {
  const { sent } = after([authorize(), result('authorize-1', is.unknown), enquireAgain('authorize-1')])
    .when(found('authorize-1', is.notFound))
    .thenTypes('GatewayUnavailable', 'GatewayAskedAgain');
  assert.equal(messagesTo(sent, 'gateway'), [
    { type: 'GatewayAuthorize', key: 'ord_1/authorize-1', orderId: ORDER, amount: usd(1_000), token: 'tok_1' },
  ]);
});

asking(
  'unavailable is repeated with the same key for as long as breakers may stay open, then declined as retriable and enquired',
  () => {
    const pauses: number[] = [];
    const first = payment.given().when(authorize());
    let { state } = first;
    for (let round = 0; round < 6; round++) {
      const waiting = payment.from(state).when(result('authorize-1', is.unavailable)).thenTypes('GatewayUnavailable');
      const timer = waiting.timers[0];
      pauses.push(timer && 'set' in timer ? timer.at - T0 : 0);
      const asked = payment.from(waiting.state).when(enquireAgain('authorize-1'));
      assert.equal(messagesTo(asked.sent, 'gateway'), messagesTo(first.sent, 'gateway'));
      state = asked.state;
    }
    assert.equal(
      pauses,
      [5, 15, 45, 60, 60, 60].map((seconds) => seconds * SECOND),
    );
    const { sent } = payment
      .from(state)
      .when(result('authorize-1', is.unavailable))
      .thenTypes('OutcomeUnknown', 'PaymentFailed');
    assert.equal(messagesTo(sent, 'order-saga'), [
      { type: 'PaymentDeclined', attempt: 1, reason: 'breaker open', retriable: true },
    ]);
  },
);

const vain = (name: string, times: number): PaymentCommand[] =>
  Array.from({ length: times }, () => [enquireAgain(name), found(name, is.unknown)]).flat();

asking('after three enquiries in vain the saga hears of a retriable decline, and a late success is voided', () => {
  const played = play(checkedPayment, ORDER, [
    authorize(),
    result('authorize-1', is.unknown),
    ...vain('authorize-1', 3),
  ]);
  assert.equal(messagesTo(played.sent, 'order-saga'), [
    { type: 'PaymentDeclined', attempt: 1, reason: 'timed out', retriable: true },
  ]);
  const late = payment.from(played.state).when(result('authorize-1', is.authorized()));
  late.thenTypes('PaymentAuthorized', 'VoidRequested').sends('GatewayVoid', 'PaymentChanged');
});

asking('a capture that stays unknown is told as failed, and paid back if it turns out to have happened', () => {
  const played = play(checkedPayment, ORDER, [
    ...authorized,
    capture(),
    result('capture-1', is.unknown),
    ...vain('capture-1', 3),
  ]);
  assert.equal(messagesTo(played.sent, 'order-saga').at(-1), {
    type: 'PaymentCaptureFailed',
    attempt: 1,
    reason: 'timed out',
    unresolved: true,
  });
  const { sent } = payment
    .from(played.state)
    .when(result('capture-1', is.captured()))
    .thenTypes('PaymentCaptured', 'RefundRequested');
  assert.equal(messagesTo(sent, 'gateway'), [
    { type: 'GatewayRefund', key: 'ord_1/refund-ord_1/void', captureId: 'cap_1', amount: usd(1_000) },
  ]);
  assert.equal(messagesTo(sent, 'order-saga'), []);
});

asking('it goes on asking in the background with growing pauses up to an hour, then escalates', () => {
  const played = play(checkedPayment, ORDER, [
    authorize(),
    result('authorize-1', is.unknown),
    ...vain('authorize-1', 23),
  ]);
  const pauses = played.timers.flatMap((timer) => ('set' in timer ? [(timer.at - T0) / SECOND] : []));
  assert.equal(pauses.slice(0, 6), [5, 5, 5, 10, 20, 40]);
  assert.is(Math.max(...pauses), 3_600);
  assert.is(pauses.length, 23);
  assert.is(played.events.at(-1)?.type, 'OutcomeEscalated');
  assert.is(messagesTo(played.sent, 'order-saga').length, 1);
  // An escalated call is asked for again when the saga insists.
  payment.from(played.state).when(voidPayment()).sends('GatewayEnquire');
});

asking('who asks once more for a cancellation does not wait for the next enquiry in the background', () => {
  const unknown = [authorize(), result('authorize-1', is.unknown), voidPayment()];
  after(unknown).when(voidPayment()).thenTypes('GatewayAskedAgain').sends('GatewayEnquire');
  after([...unknown, voidPayment()])
    .when(voidPayment())
    .nothing();
});

asking('an answer that settles nothing is ignored once the call is settled or asked anew', () => {
  for (const outcome of [is.unknown, is.unavailable, is.notFound]) {
    after(captured).when(result('capture-1', outcome)).nothing();
    after([authorize(), result('authorize-1', is.unknown)])
      .when(result('authorize-1', outcome))
      .nothing();
  }
});

asking('a timer that comes late enquires nothing', () => {
  after(authorized).when(enquireAgain('authorize-1')).nothing();
  after([authorize()]).when(enquireAgain('authorize-1')).nothing();
  after([]).when(enquireAgain('constructor')).nothing();
});

asking('found captured where an authorization was asked for: authorized now, captured when asked', () => {
  const steps = [authorize(), result('authorize-1', is.unknown), enquireAgain('authorize-1')];
  const { state } = after(steps)
    .when(found('authorize-1', is.captured()))
    .thenTypes('PaymentCaptured', 'PaymentAuthorized')
    .sends('PaymentAuthorized', 'PaymentChanged');
  payment.from(state).when(capture()).then().sends('PaymentCaptured');
});

asking('found captured in part: the rest is voided', () => {
  after([authorize(), result('authorize-1', is.unknown), enquireAgain('authorize-1')])
    .when(found('authorize-1', is.captured(600)))
    .thenTypes('PaymentCaptured', 'PaymentAuthorized', 'VoidRequested');
});

asking.run();
