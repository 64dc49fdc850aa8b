/** What the saga does next, by its phase: go forward, hold, undo, end. */
import { assertNever } from '../kernel/assertNever.ts';
import type { Awaiting } from '../order/events.ts';
import { advance, isFulfilled } from './advance.ts';
import { backorderStanding, holdForStock, registerBackorders } from './backorder.ts';
import { unwind } from './compensation.ts';
import type { EndOutcome, Goal, Undoing } from './events.ts';
import { isReshipped, reshipParcels } from './reship.ts';
import { reviewReason } from './review.ts';
import { isAskingToPay, isBackordered, isConfirmed, type Phase, type Saga, stepsOf, stuckSteps } from './state.ts';
import type { Turn } from './turn.ts';

/** Goes on after anything has changed. */
export function proceed(turn: Turn): void {
  const { phase } = turn.saga;
  switch (phase.status) {
    case 'reserving':
    case 'authorizing':
    case 'committing':
    case 'capturing':
    case 'fulfilling':
      goForward(turn);
      return;
    case 'waiting':
      goOnIfAnswered(turn, phase.awaiting);
      return;
    case 'compensating':
      goBack(turn, phase);
      return;
    case 'completed':
      sendOnceMore(turn);
      return;
    case 'aborted':
      end(turn, phase.outcome, phase.reason, phase);
      return;
    default:
      assertNever(phase);
  }
}

function goForward(turn: Turn): void {
  const progress = advance(turn);
  switch (progress) {
    case 'asked':
      return;
    case 'out-of-stock':
      undo(turn, { goal: 'out-of-stock', reason: 'Not every line can be delivered.', by: 'saga', why: '' });
      return;
    case 'backordered':
      undo(turn, { goal: 'backorder', reason: 'Not every line is in stock.', by: 'saga', why: '' });
      return;
    case 'waiting-for-stock':
      // One line may have lost its promise while another was registered.
      if (backorderStanding(turn.saga) === 'lost') startAnew(turn);
      else holdForStock(turn);
      return;
    case 'needs-review':
      hold(turn, 'review', reviewReason(turn.saga.review));
      return;
    case 'fulfilled':
      turn.record({ type: 'SagaCompleted', v: 1 });
      turn.tell({ type: 'BeginFulfilment' });
      sendOnceMore(turn);
      return;
    default:
      assertNever(progress);
  }
}

function sendOnceMore(turn: Turn): void {
  const reason = reshipParcels(turn);
  if (reason !== undefined) hold(turn, 'operator', reason);
}

export function hold(turn: Turn, awaiting: 'review' | 'operator', reason: string): void {
  turn.record({ type: 'SagaHeld', v: 1, awaiting, reason });
  turn.tell({ type: 'HoldOrder', awaiting, reason });
  if (awaiting !== 'review') return;
  turn.clearTimer('saga');
  turn.setTimer('review', turn.context.policy.saga.reviewMs);
}

/** The customer has to approve it at the bank, within the time of the whole. */
export function holdForBank(turn: Turn, url: string): void {
  // The link acts for whoever has it: it stands apart, where it can be hidden.
  const reason = 'The bank asks the customer to approve it.';
  turn.record({ type: 'SagaHeld', v: 1, awaiting: 'payment', reason });
  const { confirmBy } = turn.saga;
  turn.tell({
    type: 'HoldOrder',
    awaiting: 'payment',
    reason,
    url,
    ...(confirmBy !== null && { expiresAt: confirmBy }),
  });
}

/** Asks the customer for another payment method; what the order holds goes back meanwhile. */
export function askToPay(turn: Turn, reason: string): void {
  const { paymentMethodMs } = turn.context.policy.saga;
  const expiresAt = turn.context.now + paymentMethodMs;
  turn.record({ type: 'PaymentMethodAsked', v: 1, reason, expiresAt });
  turn.setTimer('payment', paymentMethodMs);
  turn.tell({ type: 'HoldOrder', awaiting: 'payment-method', reason, expiresAt });
  undo(turn, { goal: 'payment-method', reason, by: 'saga', why: '' });
}

/** Leaves a hold. Until the order is confirmed the whole has its time-out again. */
export function release(turn: Turn, by: string, why: string): void {
  const { phase } = turn.saga;
  const { timeoutMs } = turn.context.policy.saga;
  const again = isConfirmed(turn.saga) ? {} : { confirmBy: turn.context.now + timeoutMs };
  turn.record({ type: 'SagaReleased', v: 1, by, why, ...again });
  turn.tell({ type: 'ReleaseOrder' });
  clearHoldTimer(turn, phase);
  if (!isConfirmed(turn.saga)) turn.setTimer('saga', timeoutMs);
  proceed(turn);
}

/** The timer of a hold that is left; `phase` is what it was. */
function clearHoldTimer(turn: Turn, phase: Phase): void {
  if (phase.status !== 'waiting') return;
  if (phase.awaiting === 'review') turn.clearTimer('review');
  if (phase.awaiting === 'stock' || phase.awaiting === 'backorder-choice') turn.clearTimer('backorder');
}

function goOnIfAnswered(turn: Turn, awaiting: Awaiting): void {
  const { saga } = turn;
  if (awaiting === 'payment' && stepsOf(saga, 'authorize').at(-1)?.status === 'succeeded') {
    release(turn, 'customer', 'The payment was approved.');
  }
  if (awaiting === 'operator' && isConfirmed(saga) && isFulfilled(saga) && isReshipped(saga)) {
    release(turn, 'saga', 'Every warehouse has answered after all.');
  }
  if (isBackordered(saga)) goOnWithStock(turn);
}

function goOnWithStock(turn: Turn): void {
  const standing = backorderStanding(turn.saga);
  if (standing === 'arrived') release(turn, 'stock', 'What it waited for has come.');
  if (standing === 'lost') startAnew(turn);
}

function startAnew(turn: Turn): void {
  const reason = 'What it waited for is gone.';
  undo(turn, { goal: 'retry', reason, by: 'saga', why: reason });
}

/** Starts to undo everything. A round that is running already goes on; at most it leads elsewhere. */
export function undo(turn: Turn, undoing: Undoing): void {
  const { phase } = turn.saga;
  if (isAskingToPay(turn.saga) && undoing.goal !== 'payment-method') turn.clearTimer('payment');
  if (phase.status === 'compensating') {
    turn.record({ type: 'GoalChanged', v: 1, ...undoing });
    return;
  }
  if (!isConfirmed(turn.saga)) turn.clearTimer('saga');
  clearHoldTimer(turn, phase);
  turn.record({ type: 'CompensationStarted', v: 1, ...undoing });
  if (undoing.goal === 'on-hold') turn.tell({ type: 'HoldOrder', awaiting: 'operator', reason: undoing.reason });
  proceed(turn);
}

function goBack(turn: Turn, { goal, reason, by, why }: Extract<Phase, { status: 'compensating' }>): void {
  const progress = unwind(turn, reason);
  if (progress === 'asked') return;
  if (progress === 'kept') {
    refuseCancellation(turn, goal);
    return;
  }
  switch (goal) {
    case 'on-hold':
      turn.record({ type: 'SagaHeld', v: 1, awaiting: 'operator', reason });
      return;
    case 'payment-method':
      turn.record({ type: 'SagaHeld', v: 1, awaiting: 'payment-method', reason });
      return;
    case 'backorder':
    case 'retry': {
      const stuck = stuckSteps(turn.saga).map(({ id }) => id);
      if (stuck.length > 0) hold(turn, 'operator', `Could not be undone: ${stuck.join(', ')}`);
      else if (goal === 'retry') release(turn, by, why);
      else registerBackorders(turn);
      return;
    }
    case 'cancelled':
    case 'out-of-stock':
    case 'payment-failed':
    case 'refunded':
      end(turn, goal, reason);
      return;
    default:
      assertNever(goal);
  }
}

/** What was cancelled of it is shipped again; unless there is nothing to ship any more, as has been heard meanwhile. */
function refuseCancellation(turn: Turn, goal: Goal): void {
  const why = 'The carrier has the goods.';
  turn.record({ type: 'SagaReleased', v: 1, by: 'carrier', why });
  turn.tell({ type: 'RefuseCancellation', reason: why });
  if (turn.saga.settled !== undefined && goal !== 'refunded') undo(turn, refunded(turn.saga));
  else proceed(turn);
}

/**
 * The order has nothing on its way any more and its money is back: it ends, and what is prepared for it goes back. A
 * cancellation that is under way comes first.
 */
export function endRefunded(turn: Turn, settled: readonly string[]): void {
  const { phase } = turn.saga;
  if (phase.status === 'aborted' || !isConfirmed(turn.saga)) return;
  if (phase.status === 'compensating' && phase.goal === 'refunded') return;
  turn.record({ type: 'ParcelsSettled', v: 1, shipments: settled });
  if (phase.status !== 'compensating') undo(turn, refunded(turn.saga));
}

function refunded({ refunds }: Saga): Undoing {
  const given = Object.values(refunds).filter(({ status, amount }) => status === 'done' && amount.amount > 0);
  const reason = given.at(-1)?.why ?? "The customer's bank has taken the money back.";
  return { goal: 'refunded', reason, by: 'saga', why: '' };
}

/** Ends the order; again if what is left to do has changed since it was ended `before`. */
function end(turn: Turn, outcome: EndOutcome, reason: string, before?: Unfinished): void {
  const stuck = stuckSteps(turn.saga);
  const manual = stuck.length > 0;
  const refundPending = manual && stuck.every(({ work }) => work.kind === 'capture');
  if (before?.manual === manual && before.refundPending === refundPending) return;
  turn.record({ type: 'SagaAborted', v: 1, outcome, reason, manual, refundPending });
  const told = outcome === 'refunded' ? 'cancelled' : outcome;
  turn.tell({ type: 'EndOrder', outcome: told, reason, manual, refundPending });
}

type Unfinished = { readonly manual: boolean; readonly refundPending: boolean };
