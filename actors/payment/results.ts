/**
 * What the gateway says, in any order and repetition. A result is first of all a fact about money; a result that
 * settles nothing leads to asking again: a call whose outcome is unknown is enquired before it is repeated or undone.
 */
import type { PaymentGatewayOutcome, PaymentGatewayResult } from '../gateways.ts';
import { assertNever } from '../kernel/assertNever.ts';
import { zero } from '../kernel/money.ts';
import { type Operation, operationOf } from './messages.ts';
import { escalateRefund, onRefunded, onRefundFailed } from './refunds.ts';
import { attemptOf, callOf, refundOf } from './state.ts';
import { onActionRequired, onAuthorized, onCaptured, onRefused } from './taking.ts';
import { askAgain, askAnew, askLater, record, type Turn, tell } from './turn.ts';
import { onCaptureFailed, onVoided, onVoidFailed, voidAuthorization } from './undoing.ts';

/** Results that may wait for the record that they belong to. */
const MAX_KEPT = 16;

export function onResult(turn: Turn, { key, operation: asked, result }: PaymentGatewayResult) {
  const { state } = turn;
  const known = operationOf(state.orderId, key);
  if (!known) return;
  const { operation, round } = known;
  if (belongs(turn, operation)) {
    const current = callOf(state, operation)?.round ?? round;
    // Of a round that is over only success is news.
    if (round === current || isSuccess(result)) settle(turn, operation, result, asked === 'GatewayEnquire');
    return;
  }
  const saysNothing = ['unknown', 'unavailable', 'not-found'].includes(result.outcome);
  if (saysNothing || round > 1 || state.kept[key] || Object.keys(state.kept).length >= MAX_KEPT) return;
  record(turn, { type: 'ResultKept', v: 1, operation, result });
}

/** Matches results that came early (case 15) with what has been recorded since. */
export function useKept(turn: Turn) {
  for (;;) {
    const match = Object.values(turn.state.kept).find(
      ({ operation }) =>
        callOf(turn.state, operation) || (operation.kind !== 'refund' && isOver(turn, operation.attempt)),
    );
    if (!match) return;
    record(turn, { type: 'KeptResultUsed', v: 1, operation: match.operation });
    settle(turn, match.operation, match.result, false);
  }
}

function belongs(turn: Turn, operation: Operation): boolean {
  if (operation.kind === 'refund') return refundOf(turn.state, operation.refundId) !== undefined;
  return attemptOf(turn.state, operation.attempt) !== undefined || isOver(turn, operation.attempt);
}

function isOver({ state }: Turn, attempt: number): boolean {
  return attempt <= state.closedThrough || attempt < state.attempt;
}

function settle(turn: Turn, operation: Operation, outcome: PaymentGatewayOutcome, enquired: boolean) {
  const otherCurrency = 'amount' in outcome && !fits(turn, outcome.amount.currency);
  if (otherCurrency) return inconclusive(turn, operation, { outcome: 'unknown', reason: 'another currency' }, enquired);
  if (operation.kind !== 'refund' && !attemptOf(turn.state, operation.attempt)) {
    if (outcome.outcome !== 'authorized' && outcome.outcome !== 'captured') return;
    const currency = turn.state.currency === 'XXX' ? turn.context.policy.currency : turn.state.currency;
    const amount = outcome.outcome === 'captured' ? outcome.amount : zero(currency);
    record(turn, { type: 'StrayAttemptFound', v: 1, attempt: operation.attempt, amount });
  }
  if (!conclusive(turn, operation, outcome)) inconclusive(turn, operation, outcome, enquired);
}

function fits({ state }: Turn, currency: string): boolean {
  return state.currency === 'XXX' || state.currency === currency;
}

function isSuccess({ outcome }: PaymentGatewayOutcome): boolean {
  return outcome === 'authorized' || outcome === 'captured' || outcome === 'voided' || outcome === 'refunded';
}

/** True if the outcome settles the operation; also when it was settled before and this changes nothing. */
function conclusive(turn: Turn, operation: Operation, outcome: PaymentGatewayOutcome): boolean {
  if (operation.kind === 'refund') return settleRefund(turn, operation.refundId, outcome);
  const { kind, attempt } = operation;
  // Whatever it was that we asked for: money that was taken is a fact.
  if (outcome.outcome === 'captured') {
    onCaptured(turn, attempt, outcome);
    const expiresAt = turn.context.now + turn.context.policy.payment.authorizationMs;
    if (kind === 'authorize') onAuthorized(turn, attempt, { authorizationId: outcome.captureId, expiresAt });
    voidAuthorization(turn, attempt);
    return true;
  }
  switch (kind) {
    case 'authorize':
      return settleAuthorization(turn, attempt, outcome);
    case 'capture':
      return settleCapture(turn, attempt, outcome);
    case 'void':
      return settleVoid(turn, attempt, outcome);
    default:
      return assertNever(kind);
  }
}

function settleAuthorization(turn: Turn, attempt: number, outcome: PaymentGatewayOutcome): boolean {
  switch (outcome.outcome) {
    case 'authorized':
      onAuthorized(turn, attempt, outcome);
      return true;
    case 'requires-action':
      onActionRequired(turn, attempt, outcome);
      return true;
    case 'declined':
      onRefused(turn, attempt, outcome.reason, false);
      return true;
    case 'failed':
      onRefused(turn, attempt, outcome.reason, true);
      return true;
    case 'voided':
      onRefused(turn, attempt, 'voided at the gateway', true);
      return true;
    default:
      return false;
  }
}

function settleCapture(turn: Turn, attempt: number, outcome: PaymentGatewayOutcome): boolean {
  if (outcome.outcome === 'voided') onCaptureFailed(turn, attempt, 'voided at the gateway');
  else if (isRefusal(outcome)) onCaptureFailed(turn, attempt, outcome.reason);
  else return false;
  return true;
}

function settleVoid(turn: Turn, attempt: number, outcome: PaymentGatewayOutcome): boolean {
  if (outcome.outcome === 'voided') onVoided(turn, attempt);
  else if (isRefusal(outcome)) onVoidFailed(turn, attempt, outcome.reason);
  else return false;
  return true;
}

function settleRefund(turn: Turn, refundId: string, outcome: PaymentGatewayOutcome): boolean {
  if (outcome.outcome === 'refunded') onRefunded(turn, refundId);
  else if (isRefusal(outcome)) onRefundFailed(turn, refundId, outcome.reason, true);
  else return false;
  return true;
}

function isRefusal(
  outcome: PaymentGatewayOutcome,
): outcome is Extract<PaymentGatewayOutcome, { outcome: 'declined' | 'failed' }> {
  return outcome.outcome === 'declined' || outcome.outcome === 'failed';
}

/** Only the answer to what we asked last counts; an older one says nothing about the call that is under way. */
function inconclusive(turn: Turn, operation: Operation, outcome: PaymentGatewayOutcome, enquired: boolean) {
  const phase = callOf(turn.state, operation)?.phase;
  if (phase !== 'asked' && phase !== 'enquiring') return;
  const reason = 'reason' in outcome ? outcome.reason : `the gateway answered ${outcome.outcome}`;
  if (enquired && outcome.outcome === 'not-found') {
    if (phase === 'enquiring') neverExecuted(turn, operation, 'the gateway has no record of it');
  } else if (!enquired && outcome.outcome === 'unavailable') {
    if (phase === 'asked') unavailable(turn, operation, reason);
  } else {
    uncertain(turn, operation, reason);
  }
}

/** Not executed this time: safe to repeat with the same key, as long as somebody wants it. */
function unavailable(turn: Turn, operation: Operation, reason: string) {
  if (operation.kind === 'refund') return onRefundFailed(turn, operation.refundId, reason, false);
  // A call that is repeated after a crash of ours may have been executed before: if it is to be given up, we ask first.
  if (operation.kind !== 'void' && !mayRepeat(turn, operation)) return uncertain(turn, operation, reason);
  record(turn, { type: 'GatewayUnavailable', v: 1, operation, reason });
  if (!askLater(turn, operation)) record(turn, { type: 'OutcomeEscalated', v: 1, operation, reason });
}

/** Surely never executed. */
function neverExecuted(turn: Turn, operation: Operation, reason: string) {
  if (operation.kind === 'refund') return onRefundFailed(turn, operation.refundId, reason, false);
  const { kind, attempt } = operation;
  if (kind === 'void') return unavailable(turn, operation, reason);
  if (mayRepeat(turn, operation)) {
    record(turn, { type: 'GatewayUnavailable', v: 1, operation, reason });
    return askAgain(turn, operation, 'repeat');
  }
  if (kind === 'authorize') onRefused(turn, attempt, reason, true);
  else onCaptureFailed(turn, attempt, reason);
}

function mayRepeat(turn: Turn, operation: Exclude<Operation, { kind: 'refund' }>): boolean {
  const tries = callOf(turn.state, operation)?.tries ?? 0;
  const wanted = attemptOf(turn.state, operation.attempt)?.wanted ?? false;
  return wanted && tries < turn.context.policy.payment.repeats;
}

/** It may or may not have happened: ask, and when that is used up tell the saga that it failed but go on asking. */
function uncertain(turn: Turn, operation: Operation, reason: string) {
  record(turn, { type: 'OutcomeUnknown', v: 1, operation, reason });
  const enquired = callOf(turn.state, operation)?.tries ?? 0;
  if (enquired > turn.context.policy.payment.enquiries) {
    if (operation.kind === 'refund') return escalateRefund(turn, operation.refundId, reason);
    giveUp(turn, operation, reason);
  }
  if (!askLater(turn, operation)) record(turn, { type: 'OutcomeEscalated', v: 1, operation, reason });
}

/** The saga goes on as if it had failed. The obligation stays: a late success is given back. */
function giveUp(turn: Turn, { kind, attempt }: Exclude<Operation, { kind: 'refund' }>, reason: string) {
  const known = attemptOf(turn.state, attempt);
  if (kind === 'authorize' && known?.status === 'asking') {
    if (known.wanted) tell(turn, { type: 'PaymentDeclined', attempt, reason, retriable: true });
    record(turn, { type: 'PaymentFailed', v: 1, attempt, reason, retriable: true, unresolved: true });
  }
  if (kind === 'capture' && known?.capture?.status === 'asking') {
    if (known.wanted) tell(turn, { type: 'PaymentCaptureFailed', attempt, reason, unresolved: true });
    record(turn, { type: 'CaptureFailed', v: 1, attempt, reason, unresolved: true });
  }
}

export function enquireAgain(turn: Turn, key: string) {
  const call = Object.hasOwn(turn.state.calls, key) ? turn.state.calls[key] : undefined;
  if (call?.phase === 'unknown') askAgain(turn, call.operation, 'enquire');
  else if (call?.phase === 'waiting' && call.operation.kind !== 'refund') askAnew(turn, call.operation);
}
