/**
 * What stock, payment and shipments answer. Every answer is about one step of the ledger, and what it means depends on
 * where that step stands, hardly on what the saga is doing: late, repeated and reordered answers need no cases of their own.
 * An answer about a step that is not in the ledger is none of ours and changes nothing.
 */
import type { StockAnswer } from '../inventoryItem.ts';
import { assertNever } from '../kernel/assertNever.ts';
import type { PaymentAnswer } from '../payment.ts';
import type { ShipmentAnswer } from '../shipment.ts';
import { commitOf } from './advance.ts';
import { leaveOtherQueues } from './backorder.ts';
import { askToPay, hold, holdForBank, proceed, undo } from './flow.ts';
import { hearOperatorRefund, isGivenBack, retryDisputed } from './refunds.ts';
import { refundIdOf } from './requests.ts';
import { type ParcelStep, parcelSteps } from './reship.ts';
import { REFUSED } from './routing.ts';
import { isConfirmed, isForward, type Saga, type Step, stepsOf, stuckSteps } from './state.ts';
import type { Turn } from './turn.ts';

// what an answer does to its step

/** It happened. If nobody wants it any more, it is undone at once. */
function succeed(turn: Turn, step: Step): void {
  if (mayHaveHappened(step)) {
    turn.record({ type: 'StepSucceeded', v: 1, step: step.id });
    leaveOtherQueues(turn, step);
    if (step.work.kind === 'capture' && isForward(turn.saga)) {
      turn.clearTimer('saga');
      turn.tell({ type: 'ConfirmOrder' });
    }
    proceed(turn);
  } else {
    undoUnwanted(turn, step);
  }
}

function undoUnwanted(turn: Turn, step: Step): void {
  if (step.status === 'failed' || step.status === 'compensated' || mayOutliveRelease(step)) {
    turn.compensate(step, 'It came when it was no longer wanted.');
  }
}

/** A release may overtake its reservation, and a busy item may have forgotten about it when the reservation comes. */
function mayOutliveRelease({ work, status }: Step): boolean {
  return (work.kind === 'reserve' || work.kind === 'reship-reserve') && status === 'compensating';
}

function fail(turn: Turn, step: Step, reason: string): void {
  turn.record({ type: 'StepFailed', v: 1, step: step.id, reason });
  proceed(turn);
}

function compensated(turn: Turn, step: Step): void {
  turn.record({ type: 'StepCompensated', v: 1, step: step.id });
  proceed(turn);
}

function mayHaveHappened({ status }: Step): boolean {
  return status === 'running' || status === 'waiting' || status === 'unknown';
}

/** Its compensation is asked for, or was in vain so far. */
function isOwed(step: Step | undefined): step is Step {
  return step?.status === 'compensating' || step?.status === 'stuck';
}

// stock

export function hearStock(turn: Turn, answer: StockAnswer): void {
  const { steps, orderId } = turn.saga;
  const reserve = steps[`reserve:${answer.reservationId.slice(orderId.length + 1)}`];
  if (reserve === undefined) return;
  const commit = steps[commitOf(reserve.id)];
  switch (answer.type) {
    case 'StockReserved':
      succeed(turn, reserve);
      break;
    case 'StockRefused':
      if (mayHaveHappened(reserve)) refuse(turn, reserve, answer);
      break;
    case 'StockBackordered':
      defer(turn, reserve, answer.expectedAt);
      break;
    case 'StockCommitted':
      if (commit !== undefined) succeed(turn, commit);
      break;
    case 'StockCommitRefused':
      if (commit !== undefined && mayHaveHappened(commit)) lose(turn, reserve, commit, answer.reason);
      break;
    case 'StockReleased':
      if (isOwed(commit) || isOwed(reserve)) giveBack(turn, reserve, commit);
      break;
    case 'StockExpired':
      // A commit that was asked for is answered by itself.
      if (commit !== undefined) break;
      if (reserve.status === 'stuck') compensated(turn, reserve);
      else if (mayHaveHappened(reserve) || reserve.status === 'succeeded') {
        leaveOtherQueues(turn, reserve);
        fail(turn, reserve, 'expired');
      }
      break;
    default:
      assertNever(answer);
  }
}

function refuse(
  turn: Turn,
  { id: step }: Step,
  { available, expected }: Extract<StockAnswer, { type: 'StockRefused' }>,
) {
  turn.record({ type: 'StepFailed', v: 1, step, reason: REFUSED, available, ...(expected && { expected }) });
  proceed(turn);
}

/** It waits in the queue of the stock. */
function defer(turn: Turn, step: Step, expectedAt: number): void {
  if (step.status === 'running' || step.status === 'unknown') {
    turn.record({ type: 'StepDeferred', v: 1, step: step.id, expectedAt });
    proceed(turn);
  } else {
    undoUnwanted(turn, step);
  }
}

/** The commit came too late: the reservation is gone. */
function lose(turn: Turn, reserve: Step, commit: Step, reason: string): void {
  turn.record({ type: 'StepFailed', v: 1, step: commit.id, reason });
  if (reserve.status === 'succeeded') turn.record({ type: 'StepFailed', v: 1, step: reserve.id, reason });
  proceed(turn);
}

/** One release gives back what was reserved, committed or not. */
function giveBack(turn: Turn, reserve: Step, commit: Step | undefined): void {
  for (const step of commit === undefined ? [reserve] : [commit, reserve]) {
    if (step.status !== 'failed' && step.status !== 'compensated') {
      turn.record({ type: 'StepCompensated', v: 1, step: step.id });
    }
  }
  proceed(turn);
}

// payment

export function hearPayment(turn: Turn, answer: PaymentAnswer): void {
  if ('refundId' in answer) {
    hearRefund(turn, answer);
    return;
  }
  if (answer.type === 'PaymentDisputed') {
    noteDispute(turn, answer);
    return;
  }
  if (answer.type === 'PaymentDisputeEnded') {
    payBackAfterDispute(turn);
    return;
  }
  const authorize = turn.saga.steps[`authorize:${answer.attempt}`];
  const capture = turn.saga.steps[`capture:${answer.attempt}`];
  if (authorize === undefined) return;
  switch (answer.type) {
    case 'PaymentAuthorized':
      succeed(turn, authorize);
      break;
    case 'PaymentDeclined':
      if (mayHaveHappened(authorize)) decline(turn, authorize, answer.reason, !answer.retriable);
      break;
    case 'PaymentActionRequired':
      if (authorize.status === 'running' && isForward(turn.saga)) {
        holdForBank(turn, answer.url);
      }
      break;
    case 'PaymentCaptured':
      if (capture !== undefined) succeed(turn, capture);
      break;
    case 'PaymentCaptureFailed':
      // If its refund was asked for: there is nothing to refund.
      if (capture?.status === 'compensating') compensated(turn, capture);
      else if (capture !== undefined && mayHaveHappened(capture)) {
        decline(turn, capture, answer.reason, answer.unresolved !== true);
      }
      break;
    case 'PaymentVoided':
      if (isOwed(authorize)) compensated(turn, authorize);
      else withdraw(turn, authorize, capture, 'voided');
      break;
    case 'AuthorizationExpired':
      withdraw(turn, authorize, capture, 'expired');
      break;
    default:
      assertNever(answer);
  }
}

/**
 * What was refused is never tried again by itself: the customer is asked once for another payment method. A payment of
 * which nobody knows what became (not `certain`), or that was taken before, is the operator's.
 */
function decline(turn: Turn, step: Step, reason: string, certain: boolean): void {
  const { phase, paymentRequest } = turn.saga;
  if (!isForward(turn.saga) && !(phase.status === 'waiting' && phase.awaiting === 'payment')) {
    fail(turn, step, reason);
    return;
  }
  turn.record({ type: 'StepFailed', v: 1, step: step.id, reason });
  if (!certain || wasUndone(turn.saga)) {
    undo(turn, { goal: 'on-hold', reason: `The payment needs a look: ${reason}`, by: 'saga', why: '' });
  } else if (paymentRequest === null) {
    askToPay(turn, reason);
  } else {
    undo(turn, { goal: 'payment-failed', reason, by: 'saga', why: '' });
  }
}

/** A capture was undone: an order is captured once at most, so no other card would help. */
function wasUndone(saga: Saga): boolean {
  return stepsOf(saga, 'capture').some(({ status }) => status !== 'failed');
}

/** The authorization is gone without our doing; going forward, it is missing again. A capture of it answers by itself. */
function withdraw(turn: Turn, authorize: Step, capture: Step | undefined, reason: string): void {
  const had = mayHaveHappened(authorize) || authorize.status === 'succeeded';
  if (had && capture === undefined) fail(turn, authorize, reason);
}

type RefundAnswer = Extract<PaymentAnswer, { refundId: string }>;

function hearRefund(turn: Turn, answer: RefundAnswer): void {
  if (hearOperatorRefund(turn, answer)) return;
  const { saga } = turn;
  const capture = stepsOf(saga, 'capture').find(
    ({ work, undone }) => refundIdOf(saga.orderId, work.attempt, undone) === answer.refundId,
  );
  if (answer.type === 'PaymentRefunded') {
    if (isOwed(capture)) compensated(turn, capture);
    return;
  }
  // A void that finds the money captured refunds it under an id of the payment's own.
  const escalated = answer.type === 'RefundEscalated';
  const step =
    capture ?? (escalated ? stepsOf(saga, 'authorize').findLast(({ status }) => status === 'compensating') : undefined);
  if (step?.status === 'compensating') giveUp(turn, step, answer.reason);
}

/** News of one dispute may come twice and in any order. */
function noteDispute(turn: Turn, { disputeId, amount, status }: Extract<PaymentAnswer, { type: 'PaymentDisputed' }>) {
  const { disputes = {} } = turn.saga;
  const known = Object.hasOwn(disputes, disputeId) ? disputes[disputeId] : undefined;
  if (known !== undefined && (known.status !== 'open' || status === 'open')) return;
  turn.record({ type: 'DisputeNoted', v: 1, disputeId, amount, status });
}

/** While the payment was disputed its refund was refused, and is stuck. What is held goes on when the operator says so. */
function payBackAfterDispute(turn: Turn): void {
  const { phase } = turn.saga;
  const stuck = stuckSteps(turn.saga);
  const why = 'The dispute has ended.';
  retryDisputed(turn, why);
  if (stuck.length === 0) return;
  if (phase.status === 'aborted') undo(turn, { goal: phase.outcome, reason: phase.reason, by: 'payment', why });
  if (phase.status !== 'compensating') return;
  for (const step of stuck) if (step.work.kind === 'capture') turn.compensate(step, why);
}

function giveUp(turn: Turn, step: Step, reason: string): void {
  turn.record({ type: 'CompensationFailed', v: 1, step: step.id, reason });
  proceed(turn);
}

// shipments

export function hearShipment(turn: Turn, answer: ShipmentAnswer): void {
  const parcel = parcelSteps(turn.saga).find(({ work }) => work.shipmentId === answer.shipmentId);
  if (parcel === undefined) return;
  switch (answer.type) {
    case 'ShipmentAccepted':
      succeed(turn, parcel);
      break;
    case 'ShipmentFailed':
      if (parcel.status === 'compensating') compensated(turn, parcel);
      else failParcel(turn, parcel, answer.reason);
      break;
    case 'ShipmentCancelled':
      if (isOwed(parcel)) compensated(turn, parcel);
      else failParcel(turn, parcel, 'It was cancelled.');
      break;
    case 'ShipmentCancelRefused':
      if (parcel.status === 'compensating') keep(turn, parcel, `It is ${answer.status}.`);
      break;
    case 'ReshipParcel':
      sendOnceMore(turn, answer);
      break;
    case 'ParcelFound':
      dropReshipment(turn, answer.shipmentId);
      break;
    default:
      assertNever(answer);
  }
}

/** The money is here, so the order is not given up: the operator sees to it. */
function failParcel(turn: Turn, parcel: ParcelStep, reason: string): void {
  if (!mayHaveHappened(parcel) && parcel.status !== 'succeeded') return;
  const fulfilling = isForward(turn.saga) || turn.saga.phase.status === 'completed';
  if (!fulfilling) {
    fail(turn, parcel, reason);
    return;
  }
  turn.record({ type: 'StepFailed', v: 1, step: parcel.id, reason });
  hold(turn, 'operator', `The parcel from ${parcel.work.warehouse} failed: ${reason}`);
}

/** A cancellation that is refused while the money is here is off; later it is the operator's. */
function keep(turn: Turn, parcel: Step, reason: string): void {
  // Goods that are sent once more are out for good: two parcels arrive.
  const wanted = parcel.work.kind !== 'reship';
  if (wanted && (turn.saga.phase.status !== 'compensating' || !isConfirmed(turn.saga))) {
    giveUp(turn, parcel, reason);
    return;
  }
  turn.record({ type: 'CompensationRefused', v: 1, step: parcel.id, reason });
  proceed(turn);
}

type ToReship = Extract<ShipmentAnswer, { type: 'ReshipParcel' }>;

/** Asked twice for the same shipment it is sent once more once; what was paid back in full is not sent for free. */
function sendOnceMore(turn: Turn, { shipmentId, by, why }: ToReship): void {
  if (turn.saga.reshipments?.[shipmentId] !== undefined || isGivenBack(turn.saga)) return;
  turn.record({ type: 'ReshipmentStarted', v: 1, shipmentId, by, why });
  proceed(turn);
}

function dropReshipment(turn: Turn, shipmentId: string): void {
  if (turn.saga.reshipments?.[shipmentId]?.dropped !== false) return;
  turn.record({ type: 'ReshipmentDropped', v: 1, shipmentId, reason: 'It has arrived after all.' });
  proceed(turn);
}
