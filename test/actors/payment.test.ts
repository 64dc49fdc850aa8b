import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type PaymentCommand, paymentAddress, paymentDecider, paymentStatus } from '../../actors/payment.ts';
import {
  authorize,
  authorized,
  capture,
  captured,
  checkedPayment,
  DAY,
  EXPIRES,
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

const authorizing = suite('payment: authorize');

authorizing('authorize - asks the gateway with a key of the attempt and tells the order', () => {
  const { sent, state } = payment
    .given()
    .when(authorize())
    .then({ type: 'PaymentInitiated', v: 1, attempt: 1, amount: usd(1_000), personal: { token: 'tok_1' } });
  assert.equal(messagesTo(sent, 'gateway'), [
    { type: 'GatewayAuthorize', key: 'ord_1/authorize-1', orderId: ORDER, amount: usd(1_000), token: 'tok_1' },
  ]);
  assert.equal(messagesTo(sent, 'order-saga'), []);
  assert.is(paymentStatus(state), 'pending');
});

authorizing('authorized - tells saga and order, and sets the timer an hour before the seven days are over', () => {
  const { sent, timers } = after([authorize()])
    .when(result('authorize-1', is.authorized()))
    .then({ type: 'PaymentAuthorized', v: 1, attempt: 1, authorizationId: 'auth_1', expiresAt: EXPIRES });
  assert.equal(
    sent.map(({ to, message }) => [to, message]),
    [
      [
        { type: 'order-saga', id: ORDER },
        { type: 'PaymentAuthorized', attempt: 1, expiresAt: EXPIRES },
      ],
      [
        { type: 'order', id: ORDER },
        {
          type: 'PaymentChanged',
          seq: 2,
          status: 'authorized',
          authorized: usd(1_000),
          captured: usd(0),
          refunded: usd(0),
        },
      ],
    ],
  );
  assert.equal(timers, [
    { clear: 'enquire:ord_1/authorize-1' },
    { set: 'expire', at: EXPIRES - 3_600_000, message: { type: 'ExpireAuthorization' } },
  ]);
});

authorizing('authorized - the token is forgotten as soon as nobody has to ask with it again', () => {
  const { before, state } = after([authorize()]).when(result('authorize-1', is.authorized()));
  assert.is(before.attempts['1']?.token, 'tok_1');
  assert.is(state.attempts['1']?.token, undefined);
});

for (const [outcome, retriable] of [
  [is.declined, false],
  [is.failed, true],
] as const) {
  authorizing(`${outcome.outcome} - fails the payment; retriable: ${retriable}`, () => {
    const { sent, state } = after([authorize()]).when(result('authorize-1', outcome)).thenTypes('PaymentFailed');
    assert.equal(messagesTo(sent, 'order-saga'), [
      { type: 'PaymentDeclined', attempt: 1, reason: outcome.reason, retriable },
    ]);
    assert.is(paymentStatus(state), 'failed');
  });
}

authorizing('requires action - tells the saga where; the later authorization counts', () => {
  const { sent, state } = after([authorize()])
    .when(result('authorize-1', is.action))
    .thenTypes('PaymentActionRequired')
    .sends('PaymentActionRequired', 'PaymentChanged');
  assert.equal(sent[0]?.message, { type: 'PaymentActionRequired', attempt: 1, url: 'https://bank.example/3ds' });
  payment.from(state).when(result('authorize-1', is.authorized())).sends('PaymentAuthorized', 'PaymentChanged');
});

authorizing('a higher attempt starts over after a decline, with a key of its own', () => {
  const { sent } = after([authorize(), result('authorize-1', is.declined)]).when(authorize(2, 900));
  assert.equal(messagesTo(sent, 'gateway'), [
    { type: 'GatewayAuthorize', key: 'ord_1/authorize-2', orderId: ORDER, amount: usd(900), token: 'tok_2' },
  ]);
});

authorizing('a higher attempt voids the authorization of the one before', () => {
  const { sent, state } = after(authorized).when(authorize(2)).thenTypes('PaymentInitiated', 'VoidRequested');
  assert.equal(
    messagesTo(sent, 'gateway').map(({ type }) => type),
    ['GatewayAuthorize', 'GatewayVoid'],
  );
  payment.from(state).when(authorize(1)).then().sends('PaymentDeclined');
});

authorizing('a higher attempt while the one before is in flight: the late authorization is voided', () => {
  after([authorize(), authorize(2)])
    .when(result('authorize-1', is.authorized()))
    .thenTypes('PaymentAuthorized', 'VoidRequested')
    .sends('GatewayVoid', 'PaymentChanged');
});

for (const [why, retriable, history] of [
  ['already captured', false, captured],
  ['a capture is under way', true, [...authorized, capture()]],
] as const) {
  authorizing(`never charged twice: a higher attempt is declined when ${why}`, () => {
    const { sent } = after(history).when(authorize(2)).then();
    assert.equal(messagesTo(sent, 'order-saga'), [{ type: 'PaymentDeclined', attempt: 2, reason: why, retriable }]);
  });
}

authorizing('less than nothing and another currency are declined', () => {
  payment.given().when(authorize(1, -5)).then().sends('PaymentDeclined');
  const euros = { type: 'AuthorizePayment', attempt: 2, amount: { amount: 5, currency: 'EUR' }, token: 't' } as const;
  after([authorize(), result('authorize-1', is.declined)])
    .when(euros)
    .then()
    .sends('PaymentDeclined');
});

authorizing.run();

const repeating = suite('payment: the same attempt again');

for (const [name, answer, history] of [
  ['asking', [], [authorize()]],
  ['requires action', ['PaymentActionRequired'], [authorize(), result('authorize-1', is.action)]],
  ['authorized', ['PaymentAuthorized'], authorized],
  ['captured', ['PaymentAuthorized'], captured],
  ['declined', ['PaymentDeclined'], [authorize(), result('authorize-1', is.declined)]],
  ['capture failed', ['PaymentDeclined'], [...authorized, capture(), result('capture-1', is.failed)]],
  ['expired', ['AuthorizationExpired'], [...authorized, { at: EXPIRES, command: { type: 'ExpireAuthorization' } }]],
  ['cancelled', ['PaymentDeclined'], [...authorized, voidPayment()]],
] as const) {
  repeating(`${name}: ${answer[0] ?? 'the answer is on its way'}`, () => {
    after(history)
      .when(authorize())
      .then()
      .sends(...answer);
  });
}

repeating.run();

const capturing = suite('payment: capture');

capturing('capture - asks the gateway and answers with what was captured', () => {
  const asked = after(authorized)
    .when(capture())
    .then({ type: 'CaptureRequested', v: 1, attempt: 1, amount: usd(1_000) });
  assert.equal(messagesTo(asked.sent, 'gateway'), [
    { type: 'GatewayCapture', key: 'ord_1/capture-1', authorizationId: 'auth_1', amount: usd(1_000) },
  ]);
  const done = payment
    .from(asked.state)
    .when(result('capture-1', is.captured()))
    .then({ type: 'PaymentCaptured', v: 1, attempt: 1, captureId: 'cap_1', amount: usd(1_000) });
  assert.equal(messagesTo(done.sent, 'order-saga'), [{ type: 'PaymentCaptured', attempt: 1, amount: usd(1_000) }]);
  assert.is(paymentStatus(done.state), 'captured');
  assert.ok(done.timers.some((timer) => 'clear' in timer && timer.clear === 'expire'));
});

capturing('capture - of a part voids the rest', () => {
  const { sent, state } = after([...authorized, capture(600)])
    .when(result('capture-1', is.captured(600)))
    .thenTypes('PaymentCaptured', 'VoidRequested')
    .sends('PaymentCaptured', 'GatewayVoid', 'PaymentChanged');
  assert.equal(sent[1]?.message, { type: 'GatewayVoid', key: 'ord_1/void-1', authorizationId: 'auth_1' });
  assert.is(paymentStatus(state), 'partially-captured');
  const rest = payment.from(state).when(result('void-1', is.voided)).thenTypes('AuthorizationVoided');
  assert.is(paymentStatus(rest.state), 'partially-captured');
});

for (const [name, command, history] of [
  ['more than was authorized', capture(1_001), authorized],
  ['nothing', capture(0), authorized],
  ['before it is authorized', capture(), [authorize()]],
  ['of no payment', capture(), []],
  ['of another attempt', capture(1_000, 2), authorized],
  ['after a decline', capture(), [authorize(), result('authorize-1', is.declined)]],
  ['after a void', capture(), [...authorized, voidPayment()]],
  ['after a failed capture', capture(), [...authorized, capture(), result('capture-1', is.failed)]],
  ['of an attempt that a newer one replaced', capture(), [...authorized, authorize(2)]],
] as const) {
  capturing(`capture - ${name} fails`, () => {
    after(history).when(command).then().sends('PaymentCaptureFailed');
  });
}

capturing('capture - asked twice is captured once', () => {
  after([...authorized, capture()])
    .when(capture())
    .nothing();
  const { sent } = after(captured).when(capture()).then();
  assert.equal(messagesTo(sent, 'order-saga'), [{ type: 'PaymentCaptured', attempt: 1, amount: usd(1_000) }]);
  after(captured).when(result('capture-1', is.captured())).nothing();
});

capturing('a capture that fails is told, and its authorization given back', () => {
  const { sent, state } = after([...authorized, capture()])
    .when(result('capture-1', is.failed))
    .thenTypes('CaptureFailed', 'VoidRequested');
  assert.equal(messagesTo(sent, 'order-saga'), [{ type: 'PaymentCaptureFailed', attempt: 1, reason: 'no such thing' }]);
  assert.is(paymentStatus(state), 'failed');
});

capturing.run();

const expiring = suite('payment: expiry');

expiring('an authorization that nobody captured is given up an hour before it lapses', () => {
  const { sent, state } = after(authorized)
    .when({ type: 'ExpireAuthorization' }, { now: EXPIRES - 3_600_000 })
    .thenTypes('AuthorizationExpired', 'VoidRequested')
    .sends('AuthorizationExpired', 'GatewayVoid');
  assert.equal(sent[0]?.message, { type: 'AuthorizationExpired', attempt: 1 });
  payment.from(state).when(capture()).then().sends('PaymentCaptureFailed');
  payment.from(state).when(authorize(2)).thenTypes('PaymentInitiated').sends('GatewayAuthorize', 'PaymentChanged');
});

expiring('a timer that fires early is set again', () => {
  const { timers } = after(authorized)
    .when({ type: 'ExpireAuthorization' }, { now: T0 + DAY })
    .nothing();
  assert.equal(timers, [{ set: 'expire', at: EXPIRES - 3_600_000, message: { type: 'ExpireAuthorization' } }]);
});

for (const [name, history] of [
  ['captured', captured],
  ['being captured', [...authorized, capture()]],
  ['voided', [...authorized, voidPayment()]],
  ['unknown', []],
] as const) {
  expiring(`the timer is a no-op for one that is ${name}`, () => {
    after(history).when({ type: 'ExpireAuthorization' }, { now: EXPIRES }).nothing();
  });
}

expiring.run();

const addressing = suite('payment: address');

addressing('one payment per order, in the shard of the order', () => {
  assert.equal(paymentAddress(ORDER), { type: 'payment', id: ORDER });
  assert.is(paymentDecider.partitionKey(ORDER), ORDER);
});

addressing.run();
