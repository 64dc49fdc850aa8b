/** Authorizing and capturing: at most one capture per order, and only of what was authorized. */
import type { PaymentGatewayOutcome } from '../gateways.ts';
import { compare, type Money, smaller } from '../kernel/money.ts';
import type { Of, Operation } from './messages.ts';
import { refundRest, refundWaiting } from './refunds.ts';
import { attemptOf, attemptsOf, isCapturing, isLive, NOTHING_TO_PAY } from './state.ts';
import { askNoMore, clearTimer, EXPIRY, record, setTimer, start, type Turn, tell } from './turn.ts';
import { expiryOf, undo, voidAuthorization } from './undoing.ts';

type Outcome<Kind extends PaymentGatewayOutcome['outcome']> = Extract<PaymentGatewayOutcome, { outcome: Kind }>;

export function authorize(turn: Turn, command: Of<'AuthorizePayment'>) {
  const { attempt, amount, token } = command;
  const { state } = turn;
  const decline = (reason: string, retriable: boolean) =>
    tell(turn, { type: 'PaymentDeclined', attempt, reason, retriable });
  if (attempt <= state.closedThrough) return decline('the payment was cancelled', false);
  if (attempt === state.attempt) return answerAgain(turn, attempt);
  if (attempt < state.attempt) return decline('a newer attempt has begun', false);

  const attempts = attemptsOf(state);
  // Never charged twice: once a capture may have happened nothing else may be captured.
  if (attempts.some(([, known]) => known.capture?.status === 'done')) return decline('already captured', false);
  if (attempts.some(([, known]) => isCapturing(known))) return decline('a capture is under way', true);
  const refused = invalid(turn, amount);
  if (refused) return decline(refused, false);

  record(turn, { type: 'PaymentInitiated', v: 1, attempt, amount, personal: { token } });
  if (amount.amount === 0) authorizeNothing(turn, attempt);
  else start(turn, { kind: 'authorize', attempt });
  for (const [former] of attempts) undo(turn, former);
}

function invalid({ state }: Turn, { amount, currency }: Money): string | undefined {
  if (!Number.isSafeInteger(amount) || amount < 0) return 'there is nothing to authorize';
  const { attempts, refunds, disputes = {} } = state;
  const fixed = [attempts, refunds, disputes].some((known) => Object.keys(known).length > 0);
  return fixed && currency !== state.currency ? `the payment is in ${state.currency}` : undefined;
}

/** An order that costs nothing is paid without any gateway, and holds nothing that could expire. */
function authorizeNothing(turn: Turn, attempt: number) {
  const expiresAt = turn.context.now + turn.context.policy.payment.authorizationMs;
  record(turn, { type: 'PaymentAuthorized', v: 1, attempt, authorizationId: NOTHING_TO_PAY, expiresAt });
  tell(turn, { type: 'PaymentAuthorized', attempt, expiresAt });
}

function answerAgain(turn: Turn, number: number) {
  const attempt = attemptOf(turn.state, number);
  if (attempt?.expired) return tell(turn, { type: 'AuthorizationExpired', attempt: number });
  if (attempt?.capture && !attempt.wanted) {
    const { reason = 'the capture failed', status } = attempt.capture;
    return tell(turn, { type: 'PaymentDeclined', attempt: number, reason, retriable: status === 'failed' });
  }
  if (attempt?.refusal) return tell(turn, { type: 'PaymentDeclined', attempt: number, ...attempt.refusal });
  if (attempt?.expiresAt !== undefined) {
    return tell(turn, { type: 'PaymentAuthorized', attempt: number, expiresAt: attempt.expiresAt });
  }
  if (attempt?.url !== undefined) tell(turn, { type: 'PaymentActionRequired', attempt: number, url: attempt.url });
}

export function onAuthorized(
  turn: Turn,
  number: number,
  outcome: Pick<Outcome<'authorized'>, 'authorizationId' | 'expiresAt'>,
) {
  const { authorizationId, expiresAt } = outcome;
  const attempt = attemptOf(turn.state, number);
  if (!attempt || attempt.authorizationId !== undefined) return;
  askNoMore(turn, { kind: 'authorize', attempt: number });
  record(turn, { type: 'PaymentAuthorized', v: 1, attempt: number, authorizationId, expiresAt });
  if (!attempt.wanted) return voidAuthorization(turn, number);
  tell(turn, { type: 'PaymentAuthorized', attempt: number, expiresAt });
  setTimer(turn, EXPIRY, expiryOf(turn, { expiresAt }), { type: 'ExpireAuthorization' });
}

export function onActionRequired(turn: Turn, number: number, { url }: Outcome<'requires-action'>) {
  const attempt = attemptOf(turn.state, number);
  if (attempt?.status !== 'asking' && attempt?.status !== 'unresolved') return;
  // Nobody will ask the customer any more. If the customer acts all the same, the authorization is voided.
  if (!attempt.wanted) return onRefused(turn, number, 'the customer was not asked in time', true);
  askNoMore(turn, { kind: 'authorize', attempt: number });
  record(turn, { type: 'PaymentActionRequired', v: 1, attempt: number, url });
  tell(turn, { type: 'PaymentActionRequired', attempt: number, url });
}

/** An authorization that surely was not given. */
export function onRefused(turn: Turn, number: number, reason: string, retriable: boolean) {
  const attempt = attemptOf(turn.state, number);
  if (!attempt || attempt.authorizationId !== undefined || attempt.status === 'refused') return;
  askNoMore(turn, { kind: 'authorize', attempt: number });
  record(turn, { type: 'PaymentFailed', v: 1, attempt: number, reason, retriable, unresolved: false });
  if (attempt.wanted) tell(turn, { type: 'PaymentDeclined', attempt: number, reason, retriable });
}

export function capture(turn: Turn, { attempt: number, amount }: Of<'CapturePayment'>) {
  const attempt = attemptOf(turn.state, number);
  const fail = (reason: string) => tell(turn, { type: 'PaymentCaptureFailed', attempt: number, reason });
  const known = attempt?.capture;
  if (!attempt) return fail('there is no payment');
  if (known && !attempt.wanted) return fail(known.reason ?? 'the payment was cancelled');
  if (known?.status === 'done') return tell(turn, { type: 'PaymentCaptured', attempt: number, amount: known.amount });
  if (known) return;
  if (attempt.expired) return fail('the authorization expired');
  if (!attempt.wanted) return fail(attempt.refusal?.reason ?? 'the payment was cancelled');
  if (attempt.authorizationId === NOTHING_TO_PAY && amount.amount === 0) {
    record(turn, { type: 'PaymentCaptured', v: 1, attempt: number, captureId: NOTHING_TO_PAY, amount });
    return tell(turn, { type: 'PaymentCaptured', attempt: number, amount });
  }
  if (!isLive(attempt)) return fail('the payment is not authorized');
  const within = amount.currency === attempt.amount.currency && compare(amount, attempt.amount) <= 0;
  if (!Number.isSafeInteger(amount.amount) || amount.amount <= 0 || !within) {
    return fail(`only up to ${attempt.amount.amount} ${attempt.amount.currency} can be captured`);
  }
  record(turn, { type: 'CaptureRequested', v: 1, attempt: number, amount });
  start(turn, { kind: 'capture', attempt: number });
}

export function onCaptured(turn: Turn, number: number, outcome: Pick<Outcome<'captured'>, 'captureId' | 'amount'>) {
  const attempt = attemptOf(turn.state, number);
  if (!attempt || attempt.capture?.status === 'done') return;
  const operation: Operation = { kind: 'capture', attempt: number };
  askNoMore(turn, operation);
  if (number === turn.state.attempt) clearTimer(turn, EXPIRY);
  // What a key stands for doesn't change: the amount is the one that was asked for, if it was asked for here.
  const found = attempt.amount.amount > 0 ? smaller(attempt.amount, outcome.amount) : outcome.amount;
  const amount = attempt.capture?.amount ?? found;
  record(turn, { type: 'PaymentCaptured', v: 1, attempt: number, captureId: outcome.captureId, amount });
  if (attempt.wanted && attempt.capture) tell(turn, { type: 'PaymentCaptured', attempt: number, amount });
  refundWaiting(turn, number);
  if (!attempt.wanted) refundRest(turn, number);
  voidAuthorization(turn, number);
}
