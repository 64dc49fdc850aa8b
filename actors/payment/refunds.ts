/**
 * Paying back: each refund once by its id, never more than was captured, retried and then handed to the operator. While
 * the payment is disputed nothing new is asked of the gateway, which would refuse it.
 */
import { compare, type Money, smaller, zero } from '../kernel/money.ts';
import type { Of, Operation } from './messages.ts';
import { attemptsOf, callOf, isCapturing, isDisputed, isOpen, type Refund, refundable, refundOf } from './state.ts';
import { askAgain, askAnew, askNoMore, clearTimer, record, setTimer, start, type Turn, tell } from './turn.ts';

const operationFor = (refundId: string): Operation => ({ kind: 'refund', refundId });
const retryOf = (refundId: string) => `refund:${refundId}`;
const overdueOf = (refundId: string) => `overdue:${refundId}`;

export function refund(turn: Turn, { refundId, amount, reason }: Of<'RefundPayment'>) {
  const known = refundOf(turn.state, refundId);
  if (known?.status === 'done') return tell(turn, { type: 'PaymentRefunded', refundId, amount: known.amount });
  if (isDisputed(turn.state) && (!known || known.status === 'escalated')) {
    return tell(turn, { type: 'RefundRefused', refundId, code: 'payment.disputed', reason: 'the payment is disputed' });
  }
  if (known?.status === 'escalated') return retryEscalated(turn, refundId, known);
  if (known) return;

  const valid = Number.isSafeInteger(amount.amount) && amount.amount > 0 && amount.currency === turn.state.currency;
  const attempts = attemptsOf(turn.state);
  const captured = attempts.find(([attempt]) => refundable(turn.state, attempt).amount > 0);
  const capturing = attempts.find(([, attempt]) => isCapturing(attempt));
  if (valid && captured) {
    const attempt = captured[0];
    return request(turn, refundId, { attempt, reason, amount: smaller(amount, refundable(turn.state, attempt)) });
  }
  // The capture may still succeed: what to pay back is known when its outcome is.
  if (valid && capturing) {
    return record(turn, {
      type: 'RefundRequested',
      v: 1,
      refundId,
      attempt: capturing[0],
      amount,
      reason,
      waiting: true,
    });
  }
  const currency = turn.state.currency === 'XXX' ? turn.context.policy.currency : turn.state.currency;
  complete(turn, refundId, { attempt: turn.state.attempt, amount: zero(currency) });
}

/** The capture's outcome is known: refunds that waited for it start, or end with nothing to pay back. */
export function refundWaiting(turn: Turn, attempt: number) {
  if (isDisputed(turn.state)) return;
  for (const [refundId, waiting] of Object.entries(turn.state.refunds)) {
    if (waiting.status !== 'waiting' || waiting.attempt !== attempt) continue;
    const amount = smaller(waiting.amount, refundable(turn.state, attempt));
    if (amount.amount > 0) request(turn, refundId, { ...waiting, amount });
    else complete(turn, refundId, { attempt, amount });
  }
}

/** Everything of a capture that nobody wants goes back at once. */
export function refundRest(turn: Turn, attempt: number) {
  const amount = refundable(turn.state, attempt);
  if (amount.amount <= 0 || isDisputed(turn.state)) return;
  const first = voidingRefund(turn.state.orderId);
  const refundId = refundOf(turn.state, first) ? `${first}-${attempt}` : first;
  request(turn, refundId, { attempt, amount, reason: 'the payment was cancelled' });
}

const voidingRefund = (orderId: string) => `${orderId}/void`;

function request(turn: Turn, refundId: string, what: Pick<Refund, 'attempt' | 'amount' | 'reason'>) {
  const { attempt, amount, reason } = what;
  record(turn, { type: 'RefundRequested', v: 1, refundId, attempt, amount, reason, waiting: false });
  const due = turn.context.now + turn.context.policy.payment.refundTargetMs;
  setTimer(turn, overdueOf(refundId), due, { type: 'NoteRefundOverdue', refundId });
  start(turn, operationFor(refundId));
}

function retryEscalated(turn: Turn, refundId: string, known: Refund) {
  const { attempt, amount, reason } = known;
  record(turn, { type: 'RefundRequested', v: 1, refundId, attempt, amount, reason, waiting: false });
  tryAgain(turn, refundId, known);
}

/** Of what nobody knows the outcome it is asked first. A dispute may have left less to pay back, or nothing. */
function tryAgain(turn: Turn, refundId: string, { attempt, amount, reason }: Refund) {
  const operation = operationFor(refundId);
  if (callOf(turn.state, operation)?.uncertain) return askAgain(turn, operation, 'enquire');
  const left = refundable(turn.state, attempt, refundId);
  if (left.amount === 0) return finish(turn, refundId, { attempt, amount: left });
  if (compare(left, amount) >= 0) return askAnew(turn, operation);
  record(turn, { type: 'RefundRequested', v: 1, refundId, attempt, amount: left, reason, waiting: false });
  // Another amount is another request at the vendor.
  askAgain(turn, operation, 'renew');
}

export function onRefunded(turn: Turn, refundId: string) {
  const known = refundOf(turn.state, refundId);
  if (known && known.status !== 'done') finish(turn, refundId, known);
}

function finish(turn: Turn, refundId: string, what: Pick<Refund, 'attempt' | 'amount'>) {
  clearTimer(turn, retryOf(refundId));
  clearTimer(turn, overdueOf(refundId));
  askNoMore(turn, operationFor(refundId));
  complete(turn, refundId, what);
}

function complete(turn: Turn, refundId: string, { attempt, amount }: Pick<Refund, 'attempt' | 'amount'>) {
  record(turn, { type: 'RefundCompleted', v: 1, refundId, attempt, amount });
  // The saga didn't ask for the refund that undoes a capture: it hears PaymentVoided when all is undone.
  if (refundId.startsWith(voidingRefund(turn.state.orderId))) return;
  tell(turn, { type: 'PaymentRefunded', refundId, amount });
}

/** A refund that surely failed is not treated as done (case 19). */
export function onRefundFailed(turn: Turn, refundId: string, reason: string, keySpent: boolean) {
  const known = refundOf(turn.state, refundId);
  const call = callOf(turn.state, operationFor(refundId));
  if (known?.status !== 'open' || (call?.phase !== 'asked' && call?.phase !== 'enquiring')) return;
  const { refundRetries, refundRetryDelayMs } = turn.context.policy.payment;
  record(turn, { type: 'RefundFailed', v: 1, refundId, reason, keySpent });
  // It goes on when the dispute has ended.
  if (isDisputed(turn.state)) return;
  if (known.retries >= refundRetries) return escalateRefund(turn, refundId, reason);
  setTimer(turn, retryOf(refundId), turn.context.now + refundRetryDelayMs, { type: 'RetryRefund', refundId });
}

export function escalateRefund(turn: Turn, refundId: string, reason: string) {
  record(turn, { type: 'RefundEscalated', v: 1, refundId, reason });
  clearTimer(turn, overdueOf(refundId));
  tell(turn, { type: 'RefundEscalated', refundId, reason });
}

export function retryRefund(turn: Turn, refundId: string) {
  const known = refundOf(turn.state, refundId);
  if (isDisputed(turn.state) || known?.status !== 'open') return;
  if (callOf(turn.state, operationFor(refundId))?.phase === 'waiting') tryAgain(turn, refundId, known);
}

export function retryAllEscalated(turn: Turn) {
  if (isDisputed(turn.state)) return;
  for (const [refundId, known] of Object.entries(turn.state.refunds)) {
    if (known.status === 'escalated') retryEscalated(turn, refundId, known);
  }
}

/** Should the vendor turn out to have paid it back all the same, that is recorded as what it is. */
export function settleByHand(turn: Turn, { refundId, amount, reason }: Of<'SettleRefundByHand'>) {
  const known = refundOf(turn.state, refundId);
  if (!known) return noteByHand(turn, refundId, amount, reason);
  if (!isOpen(known)) return;
  clearTimer(turn, overdueOf(refundId));
  clearTimer(turn, retryOf(refundId));
  askNoMore(turn, operationFor(refundId));
  record(turn, { type: 'RefundSettledByHand', v: 1, refundId, reason });
}

/** It was refused while the payment was disputed. What somebody has given back must not be given back again. */
function noteByHand(turn: Turn, refundId: string, amount: Money, reason: string) {
  const captured = attemptsOf(turn.state).find(([attempt]) => refundable(turn.state, attempt).amount > 0);
  if (!captured || amount.currency !== turn.state.currency) return;
  const [attempt] = captured;
  const settled = smaller(amount, refundable(turn.state, attempt));
  record(turn, { type: 'RefundSettledByHand', v: 1, refundId, reason, attempt, amount: settled });
}

export function noteOverdue(turn: Turn, refundId: string) {
  if (refundOf(turn.state, refundId)?.status === 'open') record(turn, { type: 'RefundOverdueNoted', v: 1, refundId });
}

/** The dispute has brought the money back that the operator was to see to. */
function dropIfBack(turn: Turn, refundId: string, { attempt }: Refund) {
  const left = refundable(turn.state, attempt, refundId);
  const uncertain = callOf(turn.state, operationFor(refundId))?.uncertain;
  if (left.amount === 0 && !uncertain) finish(turn, refundId, { attempt, amount: left });
}

/** What had to wait for the end of a dispute; what went back through it is not paid back again. */
export function payBackAfterDispute(turn: Turn) {
  for (const [number, attempt] of attemptsOf(turn.state)) {
    if (isCapturing(attempt)) continue;
    refundWaiting(turn, number);
    if (!attempt.wanted) refundRest(turn, number);
  }
  for (const [refundId, known] of Object.entries(turn.state.refunds)) {
    if (known.status === 'escalated') dropIfBack(turn, refundId, known);
    else retryRefund(turn, refundId);
  }
}
