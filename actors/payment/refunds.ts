/** Paying back: each refund once by its id, never more than was captured, retried and then handed to the operator. */
import { zero } from '../kernel/money.ts';
import type { Of, Operation } from './messages.ts';
import { attemptsOf, callOf, isCapturing, type Refund, refundable, refundOf } from './state.ts';
import { askAgain, askAnew, askNoMore, clearTimer, record, setTimer, smaller, start, type Turn, tell } from './turn.ts';

const operationFor = (refundId: string): Operation => ({ kind: 'refund', refundId });
const retryOf = (refundId: string) => `refund:${refundId}`;

export function refund(turn: Turn, { refundId, amount, reason }: Of<'RefundPayment'>) {
  const known = refundOf(turn.state, refundId);
  if (known?.status === 'done') return tell(turn, { type: 'PaymentRefunded', refundId, amount: known.amount });
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
  if (amount.amount <= 0) return;
  const first = voidingRefund(turn.state.orderId);
  const refundId = refundOf(turn.state, first) ? `${first}-${attempt}` : first;
  request(turn, refundId, { attempt, amount, reason: 'the payment was cancelled' });
}

const voidingRefund = (orderId: string) => `${orderId}/void`;

function request(turn: Turn, refundId: string, what: Pick<Refund, 'attempt' | 'amount' | 'reason'>) {
  const { attempt, amount, reason } = what;
  record(turn, { type: 'RefundRequested', v: 1, refundId, attempt, amount, reason, waiting: false });
  start(turn, operationFor(refundId));
}

function retryEscalated(turn: Turn, refundId: string, known: Refund) {
  const operation = operationFor(refundId);
  const { attempt, amount, reason } = known;
  const uncertain = callOf(turn.state, operation)?.uncertain;
  record(turn, { type: 'RefundRequested', v: 1, refundId, attempt, amount, reason, waiting: false });
  if (uncertain) askAgain(turn, operation, 'enquire');
  else askAnew(turn, operation);
}

export function onRefunded(turn: Turn, refundId: string) {
  const known = refundOf(turn.state, refundId);
  if (!known || known.status === 'done') return;
  clearTimer(turn, retryOf(refundId));
  askNoMore(turn, operationFor(refundId));
  complete(turn, refundId, known);
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
  if (known.retries >= refundRetries) return escalateRefund(turn, refundId, reason);
  setTimer(turn, retryOf(refundId), turn.context.now + refundRetryDelayMs, { type: 'RetryRefund', refundId });
}

export function escalateRefund(turn: Turn, refundId: string, reason: string) {
  record(turn, { type: 'RefundEscalated', v: 1, refundId, reason });
  tell(turn, { type: 'RefundEscalated', refundId, reason });
}

export function retryRefund(turn: Turn, refundId: string) {
  const operation = operationFor(refundId);
  const call = callOf(turn.state, operation);
  if (call?.phase === 'waiting' && refundOf(turn.state, refundId)?.status === 'open') askAnew(turn, operation);
}

export function retryAllEscalated(turn: Turn) {
  for (const [refundId, known] of Object.entries(turn.state.refunds)) {
    if (known.status === 'escalated') retryEscalated(turn, refundId, known);
  }
}
