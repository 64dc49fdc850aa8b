/**
 * What happened to a payment, and what is known about the customer's money after that. Facts about money are kept per
 * attempt, because an old attempt can still turn out to have succeeded while a newer one is under way.
 */
import type { PaymentGatewayOutcome } from '../gateways.ts';
import { assertNever } from '../kernel/assertNever.ts';
import { compare, type Money, subtract, sum, zero } from '../kernel/money.ts';
import { keyOf, type Operation, type PaymentStatus } from './messages.ts';

type Numbered = { readonly attempt: number };

export type PaymentEvent = { readonly v: 1 } & (
  | (Numbered & {
      readonly type: 'PaymentInitiated';
      readonly amount: Money;
      readonly personal: { readonly token: string };
    })
  /** The gateway knows an attempt that we don't want (any more) and never asked for here. */
  | (Numbered & { readonly type: 'StrayAttemptFound'; readonly amount: Money })
  | (Numbered & { readonly type: 'PaymentActionRequired'; readonly url: string })
  | (Numbered & { readonly type: 'PaymentAuthorized'; readonly authorizationId: string; readonly expiresAt: number })
  /** `unresolved`: the saga was told so, but it may still turn out to have been authorized. */
  | (Numbered & {
      readonly type: 'PaymentFailed';
      readonly reason: string;
      readonly retriable: boolean;
      readonly unresolved: boolean;
    })
  | (Numbered & { readonly type: 'AuthorizationExpired' })
  | (Numbered & { readonly type: 'VoidRequested' })
  | (Numbered & { readonly type: 'VoidFailed'; readonly reason: string })
  | (Numbered & { readonly type: 'AuthorizationVoided' })
  | (Numbered & { readonly type: 'CaptureRequested'; readonly amount: Money })
  | (Numbered & { readonly type: 'PaymentCaptured'; readonly captureId: string; readonly amount: Money })
  | (Numbered & { readonly type: 'CaptureFailed'; readonly reason: string; readonly unresolved: boolean })
  /** The saga wants every attempt up to `through` undone; they are refused from now on. */
  | {
      readonly type: 'CancellationRequested';
      readonly reason: string;
      readonly through: number;
      readonly currency: string;
    }
  /** Nothing is held or kept by attempts up to this one. */
  | (Numbered & { readonly type: 'PaymentVoided' })
  /** `waiting`: for a capture whose outcome is still open. */
  | (Numbered & {
      readonly type: 'RefundRequested';
      readonly refundId: string;
      readonly amount: Money;
      readonly reason: string;
      readonly waiting: boolean;
    })
  /** `keySpent`: the vendor refused it, so the next round needs another key. */
  | {
      readonly type: 'RefundFailed';
      readonly refundId: string;
      readonly reason: string;
      readonly keySpent: boolean;
    }
  | (Numbered & { readonly type: 'RefundCompleted'; readonly refundId: string; readonly amount: Money })
  | { readonly type: 'RefundEscalated'; readonly refundId: string; readonly reason: string }
  /** The call timed out: it may or may not have happened. */
  | { readonly type: 'OutcomeUnknown'; readonly operation: Operation; readonly reason: string }
  /** It was not executed, and will be asked for again. */
  | { readonly type: 'GatewayUnavailable'; readonly operation: Operation; readonly reason: string }
  | { readonly type: 'GatewayAskedAgain'; readonly operation: Operation; readonly how: 'repeat' | 'renew' | 'enquire' }
  /** Asked for in vain as often as we may: an operator has to look it up. */
  | { readonly type: 'OutcomeEscalated'; readonly operation: Operation; readonly reason: string }
  /** It came before what it belongs to. */
  | { readonly type: 'ResultKept'; readonly operation: Operation; readonly result: PaymentGatewayOutcome }
  | { readonly type: 'KeptResultUsed'; readonly operation: Operation }
);

/**
 * An operation at the gateway that is not settled. `asked` and `enquiring`: a result will come. `unknown`: to be
 * enquired, `waiting`: not executed, to be asked for again; both at a timer. `escalated`: nobody asks by himself.
 */
export type Call = {
  readonly operation: Operation;
  readonly phase: 'asked' | 'enquiring' | 'unknown' | 'waiting' | 'escalated';
  /** Results that settled nothing. */
  readonly tries: number;
  /** It may have been executed. */
  readonly uncertain: boolean;
  /** From 1; each has its own key. */
  readonly round: number;
  /** The vendor refused this round's key for good. */
  readonly keySpent: boolean;
};

export type Attempt = {
  readonly amount: Money;
  /** The saga waits for it or relies on it; whatever an unwanted attempt holds is given back at once. */
  readonly wanted: boolean;
  readonly status: 'asking' | 'requires-action' | 'refused' | 'unresolved' | 'authorized' | 'voided';
  readonly expired: boolean;
  /** Kept only while the gateway may have to be asked again. */
  readonly token?: string;
  readonly url?: string;
  readonly refusal?: { readonly reason: string; readonly retriable: boolean };
  readonly authorizationId?: string;
  readonly expiresAt?: number;
  readonly capture?: Capture;
};

export type Capture = {
  readonly status: 'asking' | 'unresolved' | 'failed' | 'done';
  readonly amount: Money;
  readonly captureId?: string;
  readonly reason?: string;
};

export type Refund = {
  readonly attempt: number;
  readonly amount: Money;
  readonly reason: string;
  readonly status: 'waiting' | 'open' | 'done' | 'escalated';
  readonly retries: number;
};

export type PaymentState = {
  readonly orderId: string;
  /** Number of events so far: orders what the order is told. */
  readonly events: number;
  /** `XXX`, ISO 4217 for none, until it is known. */
  readonly currency: string;
  /** The newest attempt of the saga; 0 before the first. */
  readonly attempt: number;
  readonly attempts: Readonly<Record<string, Attempt>>;
  readonly refunds: Readonly<Record<string, Refund>>;
  readonly calls: Readonly<Record<string, Call>>;
  readonly kept: Readonly<Record<string, { readonly operation: Operation; readonly result: PaymentGatewayOutcome }>>;
  /** Attempts up to this one were cancelled by the saga. */
  readonly closedThrough: number;
  /** Cancellations not answered yet, each by the attempt that it was asked through. */
  readonly voiding: readonly number[];
};

export function initial(id: string): PaymentState {
  return {
    orderId: id,
    events: 0,
    currency: 'XXX',
    attempt: 0,
    attempts: {},
    refunds: {},
    calls: {},
    kept: {},
    closedThrough: 0,
    voiding: [],
  };
}

export function attemptOf(state: PaymentState, attempt: number): Attempt | undefined {
  return state.attempts[String(attempt)];
}

export function attemptsOf(state: PaymentState): readonly (readonly [number, Attempt])[] {
  return Object.entries(state.attempts).map(([number, attempt]) => [Number(number), attempt]);
}

export function refundOf(state: PaymentState, refundId: string): Refund | undefined {
  return Object.hasOwn(state.refunds, refundId) ? state.refunds[refundId] : undefined;
}

export function callOf(state: PaymentState, operation: Operation): Call | undefined {
  return state.calls[keyOf(state.orderId, operation)];
}

/** An authorization that still holds the customer's money. */
export function isLive({ status, amount, capture }: Attempt): boolean {
  return status === 'authorized' && (capture?.status !== 'done' || compare(capture.amount, amount) < 0);
}

/** A capture that may take money, or has. */
export function isCapturing({ capture }: Attempt): boolean {
  return capture?.status === 'asking' || capture?.status === 'unresolved';
}

export type PaymentFigures = { readonly authorized: Money; readonly captured: Money; readonly refunded: Money };

/** What is held or was taken, what was taken, and what was given back. */
export function paymentFigures(state: PaymentState): PaymentFigures {
  const attempts = Object.values(state.attempts);
  const done = Object.values(state.refunds).filter((refund) => refund.status === 'done');
  const captures = attempts.flatMap(({ capture }) => (capture?.status === 'done' ? [capture.amount] : []));
  const held = attempts.filter((attempt) => isLive(attempt) || attempt.capture?.status === 'done');
  return {
    authorized: sum(
      state.currency,
      held.map(({ amount }) => amount),
    ),
    captured: sum(state.currency, captures),
    refunded: sum(
      state.currency,
      done.map(({ amount }) => amount),
    ),
  };
}

/** What of a capture is neither paid back nor about to be. */
export function refundable(state: PaymentState, attempt: number): Money {
  const capture = attemptOf(state, attempt)?.capture;
  if (capture?.status !== 'done') return zero(state.currency);
  const refunds = Object.values(state.refunds).filter((r) => r.attempt === attempt && r.status !== 'waiting');
  return subtract(
    capture.amount,
    sum(
      state.currency,
      refunds.map(({ amount }) => amount),
    ),
  );
}

/** Attempts up to this one hold and keep nothing, and nothing of them is in doubt. */
export function isUndone(state: PaymentState, through: number): boolean {
  return attemptsOf(state).every(([number, attempt]) => {
    if (number > through) return true;
    const inDoubt = attempt.status === 'asking' || attempt.status === 'unresolved' || isCapturing(attempt);
    return !inDoubt && !isLive(attempt) && isPaidBack(state, number);
  });
}

function isPaidBack(state: PaymentState, attempt: number): boolean {
  const open = Object.values(state.refunds).some((refund) => refund.attempt === attempt && refund.status !== 'done');
  return !open && refundable(state, attempt).amount === 0;
}

export function paymentStatus(state: PaymentState): PaymentStatus {
  const { authorized, captured, refunded } = paymentFigures(state);
  if (captured.amount > 0) {
    if (refunded.amount > 0) return compare(refunded, captured) < 0 ? 'partially-refunded' : 'refunded';
    return compare(captured, authorized) < 0 ? 'partially-captured' : 'captured';
  }
  const current = attemptOf(state, state.attempt);
  if (!current) return state.closedThrough === 0 ? 'pending' : 'cancelled-before-start';
  // What comes late is given back at once; it doesn't revive what was cancelled.
  const cancelled = state.attempt <= state.closedThrough && state.voiding.length === 0;
  if (current.capture?.status === 'failed') return 'failed';
  switch (current.status) {
    case 'asking':
      return 'pending';
    case 'requires-action':
      return cancelled ? 'voided' : 'requires-action';
    case 'refused':
    case 'unresolved':
      return 'failed';
    case 'authorized':
      return cancelled ? 'voided' : 'authorized';
    case 'voided':
      return 'voided';
    default:
      return assertNever(current.status);
  }
}
