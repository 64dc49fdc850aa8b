/**
 * What an operator gives back of a captured order that goes on: all or a part, several times. The saga keeps count, so
 * that nobody promises more than was taken; the payment makes sure of it once more against its own books.
 */
import { type Rejection, reject } from '../kernel/decider.ts';
import { compare, type Money, subtract, sum, zero } from '../kernel/money.ts';
import { type PaymentAnswer, paymentAddress } from '../payment.ts';
import { isConfirmed, isForward, type Saga } from './state.ts';
import type { Turn } from './turn.ts';

/** Enough for any order that is served by people; beyond it something is wrong. */
const MAX_REFUNDS = 100;

type Wanted = { readonly amount: Money | null; readonly by: string; readonly why: string };

export function refundByOperator(turn: Turn, { amount, by, why }: Wanted): Rejection | undefined {
  const { saga } = turn;
  if (!isRefundable(saga)) {
    const detail = `Only of an order that was paid and goes on something can be given back; the saga is ${saga.phase.status}.`;
    return reject(409, 'saga.not-refundable', 'Not possible now', detail).rejection;
  }
  if (Object.values(saga.disputes ?? {}).some(({ status }) => status === 'open')) {
    const detail =
      "The customer's bank decides on this money; what is left can be given back when the dispute has ended.";
    return reject(409, 'payment.disputed', 'The payment is disputed', detail).rejection;
  }
  const left = refundLeft(saga);
  const wanted = amount ?? left;
  const number = Object.keys(saga.refunds).length + 1;
  const tooMuch = wanted.currency !== left.currency || compare(wanted, left) > 0 || left.amount === 0;
  if (tooMuch || wanted.amount <= 0 || number > MAX_REFUNDS) {
    const range = `Between 1 and ${left.amount} ${left.currency} (minor units) can still be given back.`;
    const detail = left.amount === 0 ? 'Nothing is left to give back.' : range;
    return reject(422, 'saga.refund-too-much', 'Not that much', detail).rejection;
  }
  const refundId = `${saga.orderId}/refund-${number}`;
  turn.record({ type: 'OperatorRefundRequested', v: 1, refundId, amount: wanted, by, why });
  ask(turn, refundId);
  return undefined;
}

function isRefundable(saga: Saga): boolean {
  const { status } = saga.phase;
  return isConfirmed(saga) && (isForward(saga) || status === 'waiting' || status === 'completed');
}

/** All that was taken is given back, or is about to be. */
export function isGivenBack(saga: Saga): boolean {
  return isConfirmed(saga) && saga.total.amount > 0 && refundLeft(saga).amount === 0;
}

/** What was captured and isn't given back or about to be, nor taken back by a dispute. */
function refundLeft({ total, refunds, disputes = {} }: Saga): Money {
  const lost = Object.values(disputes).filter(({ status }) => status === 'lost');
  const given = [...Object.values(refunds), ...lost].map(({ amount }) => amount);
  const left = subtract(total, sum(total.currency, given));
  return left.amount > 0 ? left : zero(total.currency);
}

function ask(turn: Turn, refundId: string): void {
  const refund = turn.saga.refunds[refundId];
  if (refund === undefined) return;
  const message = { type: 'RefundPayment', refundId, amount: refund.amount, reason: refund.why } as const;
  turn.sends.push({ to: paymentAddress(turn.saga.orderId), message });
}

export function stuckRefunds(saga: Saga): string[] {
  return Object.entries(saga.refunds).flatMap(([refundId, { status }]) => (status === 'stuck' ? [refundId] : []));
}

/** Those that failed are tried once more. */
export function retryRefunds(turn: Turn, by: string, why: string): void {
  retryAll(turn, stuckRefunds(turn.saga), by, why);
}

/** So are those that had to wait for the end of a dispute: the payment knows what is still owed of them. */
export function retryDisputed(turn: Turn, why: string): void {
  const disputed = stuckRefunds(turn.saga).filter((refundId) => turn.saga.refunds[refundId]?.disputed);
  retryAll(turn, disputed, 'payment', why);
}

function retryAll(turn: Turn, refundIds: readonly string[], by: string, why: string): void {
  for (const refundId of refundIds) {
    turn.record({ type: 'OperatorRefundRetried', v: 1, refundId, by, why });
    ask(turn, refundId);
  }
}

/** The payment must not give back once more what somebody has given back in another way. */
export function settleByHand(turn: Turn, refundId: string, amount: Money, reason: string): void {
  const message = { type: 'SettleRefundByHand', refundId, amount, reason } as const;
  turn.sends.push({ to: paymentAddress(turn.saga.orderId), message });
}

export function skipRefunds(turn: Turn, by: string, why: string): void {
  for (const refundId of stuckRefunds(turn.saga)) {
    turn.record({ type: 'OperatorRefundSkipped', v: 1, refundId, by, why });
    const refund = turn.saga.refunds[refundId];
    if (refund) settleByHand(turn, refundId, refund.amount, why);
  }
}

/** True if it was about one of these. */
export function hearOperatorRefund(turn: Turn, answer: Extract<PaymentAnswer, { refundId: string }>): boolean {
  const { refundId } = answer;
  const refund = Object.hasOwn(turn.saga.refunds, refundId) ? turn.saga.refunds[refundId] : undefined;
  if (refund === undefined) return false;
  if (answer.type === 'PaymentRefunded') {
    if (refund.status !== 'open' && refund.status !== 'stuck') return true;
    turn.record({ type: 'OperatorRefundDone', v: 1, refundId, amount: answer.amount });
  } else {
    if (refund.status !== 'open') return true;
    const disputed = answer.type === 'RefundRefused' && ({ disputed: true } as const);
    turn.record({ type: 'OperatorRefundStuck', v: 1, refundId, reason: answer.reason, ...disputed });
  }
  return true;
}
