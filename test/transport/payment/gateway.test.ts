import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PaymentGatewayRequest } from '../../../actors/gateways.ts';
import { createVirtualClock } from '../../../supervisors/clock.ts';
import { createPaymentGateway } from '../../../transport/payment/gateway.ts';
import { createPaymentSimulator } from '../../../transport/payment/simulator.ts';
import { settle } from '../../support/eventLoop.ts';
import { paymentRequests } from '../../support/paymentRequests.ts';
import { T0 } from '../../support/spec.ts';

const DAY = 24 * 60 * 60 * 1_000;

function outcomeIn(answer: object): unknown {
  const result: unknown = 'result' in answer ? answer.result : undefined;
  return typeof result === 'object' && result !== null && 'outcome' in result ? result.outcome : undefined;
}

const test = suite('payment gateway');

function gatewayOver(token: string) {
  const clock = createVirtualClock(T0);
  const silent = () => undefined;
  const changes: string[] = [];
  const gateway = createPaymentGateway(createPaymentSimulator({ clock }), {
    clock,
    random: () => 0.5,
    telemetry: { breakerChanged: (name, state) => changes.push(`${name} ${state}`) },
    log: { info: silent, warn: silent, error: silent },
  });
  return {
    ...paymentRequests(token),
    clock,
    changes,
    call: (message: PaymentGatewayRequest) =>
      gateway.call({ id: 'm', to: { type: 'gateway', id: 'payment' }, message }, new AbortController().signal),
  };
}

test('answers the asker, without the token', async () => {
  const { call, authorize } = gatewayOver('tok_success');
  assert.equal(await call(authorize), {
    type: 'PaymentGatewayResult',
    operation: 'GatewayAuthorize',
    key: 'a',
    result: { outcome: 'authorized', authorizationId: 'auth_a', expiresAt: T0 + 7 * DAY },
  });
});

test('understands every operation of the contract', async () => {
  const { call, authorize, capture, voiding, refund, enquire } = gatewayOver('tok_success');
  const outcomes: unknown[] = [];
  for (const request of [authorize, capture('c', 4_000), refund('r', 1_000), voiding(), enquire('r')]) {
    outcomes.push(outcomeIn(await call(request)));
  }
  assert.equal(outcomes, ['authorized', 'captured', 'refunded', 'voided', 'refunded']);
});

test('hides a flaky vendor', async () => {
  const { call, clock, authorize } = gatewayOver('tok_flaky');
  const answer = call(authorize);
  await clock.advance(1_000, settle);
  assert.is(outcomeIn(await answer), 'authorized');
});

test('a time-out after 30 s is unknown, asking tells', async () => {
  const { call, clock, authorize, enquire } = gatewayOver('tok_late_success');
  const answer = call(authorize);
  await clock.advance(30_000, settle);
  assert.equal(await answer, {
    type: 'PaymentGatewayResult',
    operation: 'GatewayAuthorize',
    key: 'a',
    result: { outcome: 'unknown', reason: 'no answer within 30000 ms' },
  });
  assert.is(outcomeIn(await call(enquire('a'))), 'authorized');
});

test('three failures of five calls in 30 s open the breaker for 60 s', async () => {
  const { call, clock, changes, authorize, enquire } = gatewayOver('tok_unavailable');
  await call(enquire('x'));
  await call(enquire('x'));
  const answer = call(authorize);
  await clock.advance(10_000, settle);
  await answer;
  assert.equal(changes, ['payment open']);
  await clock.advance(45_000, settle);
  await call(enquire('x'));
  assert.equal(changes, ['payment open']);
  await clock.advance(6_000, settle);
  await call(enquire('x'));
  assert.equal(changes, ['payment open', 'payment half-open', 'payment closed']);
});

test.run();
