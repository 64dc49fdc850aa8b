/** Words for the tests of the payment: commands of the saga, results of the gateway, and I6 after every event. */
import * as assert from 'uvu/assert';
import type { PaymentGatewayOutcome, PaymentGatewayResult } from '../../actors/gateways.ts';
import { compare, money } from '../../actors/kernel/money.ts';
import { type PaymentCommand, type PaymentState, paymentDecider, paymentFigures } from '../../actors/payment.ts';
import { T0 } from './spec.ts';

export const ORDER = 'ord_1';
export const DAY = 24 * 60 * 60_000;
export const EXPIRES = T0 + 7 * DAY;
export const usd = (amount: number) => money(amount, 'USD');

/** I6: captured ≤ authorized and refunded ≤ captured, also counting what is on its way back; at most one capture. */
function assertI6(state: PaymentState): void {
  const { authorized, captured, refunded } = paymentFigures(state);
  const paidBack = Object.values(state.refunds).reduce((sum, { status, amount }) => {
    return sum + (status === 'done' ? amount.amount : 0);
  }, 0);
  assert.ok(compare(refunded, captured) <= 0, 'what is shown as back is no more than what was taken');
  const onTheWay = Object.values(state.refunds).filter(({ status }) => status === 'open' || status === 'escalated');
  const leaving = onTheWay.reduce((sum, { amount }) => sum + amount.amount, 0);
  assert.ok(compare(captured, authorized) <= 0, 'captured ≤ authorized');
  assert.ok(paidBack + leaving <= captured.amount, 'refunded ≤ captured');
  const captures = Object.values(state.attempts).filter(({ capture }) => capture && capture.status !== 'failed');
  assert.ok(captures.length <= 1, 'at most one capture');
}

export const checkedPayment: typeof paymentDecider = {
  ...paymentDecider,
  evolve(state, event) {
    const next = paymentDecider.evolve(state, event);
    assertI6(next);
    return next;
  },
};

export const authorize = (attempt = 1, amount = 1_000): PaymentCommand => ({
  type: 'AuthorizePayment',
  attempt,
  amount: usd(amount),
  token: `tok_${attempt}`,
});
export const capture = (amount = 1_000, attempt = 1): PaymentCommand => ({
  type: 'CapturePayment',
  attempt,
  amount: usd(amount),
});
export const voidPayment = (attempt = 1): PaymentCommand => ({ type: 'VoidPayment', attempt, reason: 'cancelled' });
export const refund = (refundId: string, amount: number): PaymentCommand => ({
  type: 'RefundPayment',
  refundId,
  amount: usd(amount),
  reason: 'returned',
});
/** The vendor tells of a dispute of the whole amount. */
export const dispute = (stage: 'opened' | 'won' | 'lost', disputeId = 'dp_1', amount = 1_000): PaymentCommand => ({
  type: 'PaymentDisputeNews',
  disputeId,
  amount: usd(amount),
  reason: 'fraudulent',
  stage,
});
export const enquireAgain = (name: string): PaymentCommand => ({ type: 'EnquireAgain', key: `${ORDER}/${name}` });

const OPERATION = {
  authorize: 'GatewayAuthorize',
  capture: 'GatewayCapture',
  void: 'GatewayVoid',
  refund: 'GatewayRefund',
} as const;

/** The gateway's answer to the operation with this name, e.g. `authorize-1`. */
export function result(name: string, outcome: PaymentGatewayOutcome): PaymentGatewayResult {
  const kind = name.replace(/[.-].*/s, '') as keyof typeof OPERATION;
  return { type: 'PaymentGatewayResult', operation: OPERATION[kind], key: `${ORDER}/${name}`, result: outcome };
}

/** The gateway's answer when it was asked what became of the operation. */
export function found(name: string, outcome: PaymentGatewayOutcome): PaymentGatewayResult {
  return { ...result(name, outcome), operation: 'GatewayEnquire' };
}

export const is = {
  authorized: (attempt = 1): PaymentGatewayOutcome => ({
    outcome: 'authorized',
    authorizationId: `auth_${attempt}`,
    expiresAt: EXPIRES,
  }),
  captured: (amount = 1_000, attempt = 1): PaymentGatewayOutcome => ({
    outcome: 'captured',
    captureId: `cap_${attempt}`,
    amount: usd(amount),
  }),
  refunded: (amount: number): PaymentGatewayOutcome => ({ outcome: 'refunded', refundId: 're_1', amount: usd(amount) }),
  voided: { outcome: 'voided' },
  declined: { outcome: 'declined', reason: 'card declined' },
  failed: { outcome: 'failed', reason: 'no such thing' },
  action: { outcome: 'requires-action', url: 'https://bank.example/3ds' },
  unknown: { outcome: 'unknown', reason: 'timed out' },
  unavailable: { outcome: 'unavailable', reason: 'breaker open' },
  notFound: { outcome: 'not-found' },
} as const;

/** The vendor refuses a refund and its three retries: it is escalated. */
export const refused = (refundId: string): PaymentCommand[] => [
  result(`refund-${refundId}`, is.failed),
  ...[2, 3, 4].flatMap((round): PaymentCommand[] => [
    { type: 'RetryRefund', refundId },
    result(`refund.${round}-${refundId}`, is.failed),
  ]),
];

/** Ways to the states that the tests start from. */
export const authorized = [authorize(), result('authorize-1', is.authorized())];
export const captured = [...authorized, capture(), result('capture-1', is.captured())];
export const partlyCaptured = [...authorized, capture(600), result('capture-1', is.captured(600))];
