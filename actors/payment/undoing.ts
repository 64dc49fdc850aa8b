/** Giving back whatever an attempt holds that nobody wants any more; the saga hears of it only when all is settled. */
import type { Of, Operation } from './messages.ts';
import { refundRest, refundWaiting, retryAllEscalated } from './refunds.ts';
import { type Attempt, attemptOf, attemptsOf, callOf, isCapturing, isLive, isUndone } from './state.ts';
import {
  askAgain,
  askAnew,
  askLater,
  askNoMore,
  clearTimer,
  EXPIRY,
  record,
  setTimer,
  start,
  type Turn,
  tell,
} from './turn.ts';

export function voidPayment(turn: Turn, { attempt: through, reason }: Of<'VoidPayment'>) {
  const { state, context } = turn;
  if (through <= state.closedThrough && isUndone(state, through)) {
    return tell(turn, { type: 'PaymentVoided', attempt: through });
  }
  const repeated = state.voiding.includes(through);
  if (!repeated) {
    record(turn, { type: 'CancellationRequested', v: 1, reason, through, currency: context.policy.currency });
    for (const [attempt] of attemptsOf(state)) if (attempt <= through) undo(turn, attempt);
  }
  pressOn(turn, repeated);
}

/** What we gave up asking for is asked for once more; who asks `again` doesn't wait for our next enquiry either. */
function pressOn(turn: Turn, again: boolean) {
  for (const { operation, phase, uncertain } of Object.values(turn.state.calls)) {
    if (operation.kind === 'refund' || !(phase === 'escalated' || (again && phase === 'unknown'))) continue;
    if (uncertain) askAgain(turn, operation, 'enquire');
    else askAnew(turn, operation);
  }
  retryAllEscalated(turn);
}

/** Answers the saga once nothing is held, kept or in doubt. */
export function answerCancellations(turn: Turn) {
  for (const attempt of turn.state.voiding) {
    if (!isUndone(turn.state, attempt)) continue;
    record(turn, { type: 'PaymentVoided', v: 1, attempt });
    tell(turn, { type: 'PaymentVoided', attempt });
  }
}

/** Undoes an attempt that is not wanted, as far as its outcome is known; the rest when it is. */
export function undo(turn: Turn, attempt: number) {
  for (const kind of ['authorize', 'capture'] as const) {
    const operation: Operation = { kind, attempt };
    // It won't be repeated, but it may have been executed before: ask instead.
    if (callOf(turn.state, operation)?.phase !== 'waiting') continue;
    askNoMore(turn, operation);
    askAgain(turn, operation, 'enquire');
  }
  refundRest(turn, attempt);
  voidAuthorization(turn, attempt);
}

/** Voids what is left of an authorization; while a capture is in doubt its outcome decides first. */
export function voidAuthorization(turn: Turn, number: number) {
  const attempt = attemptOf(turn.state, number);
  const operation: Operation = { kind: 'void', attempt: number };
  if (!attempt || !isLive(attempt) || isCapturing(attempt) || callOf(turn.state, operation)) return;
  if (number === turn.state.attempt) clearTimer(turn, EXPIRY);
  record(turn, { type: 'VoidRequested', v: 1, attempt: number });
  start(turn, operation);
}

export function onVoided(turn: Turn, number: number) {
  const operation: Operation = { kind: 'void', attempt: number };
  if (!callOf(turn.state, operation)) return;
  askNoMore(turn, operation);
  record(turn, { type: 'AuthorizationVoided', v: 1, attempt: number });
}

export function onVoidFailed(turn: Turn, number: number, reason: string) {
  const operation: Operation = { kind: 'void', attempt: number };
  const phase = callOf(turn.state, operation)?.phase;
  if (phase !== 'asked' && phase !== 'enquiring') return;
  // What has expired at the gateway holds nothing any more.
  if (turn.context.now >= (attemptOf(turn.state, number)?.expiresAt ?? Number.POSITIVE_INFINITY)) {
    return onVoided(turn, number);
  }
  record(turn, { type: 'VoidFailed', v: 1, attempt: number, reason });
  if (!askLater(turn, operation)) record(turn, { type: 'OutcomeEscalated', v: 1, operation, reason });
}

/** A capture that surely did not happen. Its authorization serves nothing any more: the saga is told that it failed. */
export function onCaptureFailed(turn: Turn, number: number, reason: string) {
  const attempt = attemptOf(turn.state, number);
  if (!attempt || !isCapturing(attempt)) return;
  askNoMore(turn, { kind: 'capture', attempt: number });
  if (attempt.wanted) tell(turn, { type: 'PaymentCaptureFailed', attempt: number, reason });
  record(turn, { type: 'CaptureFailed', v: 1, attempt: number, reason, unresolved: false });
  refundWaiting(turn, number);
  voidAuthorization(turn, number);
}

/** An authorization that nobody captured in time is given up before it lapses by itself. */
export function expireAuthorization(turn: Turn) {
  const number = turn.state.attempt;
  const attempt = attemptOf(turn.state, number);
  if (!attempt?.wanted || !isLive(attempt) || attempt.capture) return;
  const due = expiryOf(turn, attempt);
  if (turn.context.now < due) return setTimer(turn, EXPIRY, due, { type: 'ExpireAuthorization' });
  record(turn, { type: 'AuthorizationExpired', v: 1, attempt: number });
  tell(turn, { type: 'AuthorizationExpired', attempt: number });
  voidAuthorization(turn, number);
}

export function expiryOf(turn: Turn, { expiresAt = turn.context.now }: Pick<Attempt, 'expiresAt'>): number {
  return expiresAt - turn.context.policy.payment.voidBeforeExpiryMs;
}
