/**
 * What is known about the customer's money. Facts are kept per attempt, because an old attempt can still turn out to
 * have succeeded while a newer one is under way.
 */
import type { PaymentGatewayOutcome } from '../gateways.ts';
import { assertNever } from '../kernel/assertNever.ts';
import { add, compare, type Money, smaller, subtract, sum, zero } from '../kernel/money.ts';
import { keyOf, type Operation, type PaymentStatus } from './messages.ts';

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
  /** `by-hand`: an operator has paid it back in another way. */
  readonly status: 'waiting' | 'open' | 'done' | 'escalated' | 'by-hand';
  readonly retries: number;
};

export type Dispute = {
  readonly amount: Money;
  readonly reason: string;
  readonly status: 'open' | 'won' | 'lost';
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
  /** Absent before the first. */
  readonly disputes?: Readonly<Record<string, Dispute>>;
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

export function disputeOf(state: PaymentState, disputeId: string): Dispute | undefined {
  return state.disputes && Object.hasOwn(state.disputes, disputeId) ? state.disputes[disputeId] : undefined;
}

/** While it is, nothing is paid back: the vendor may take the same money back for the customer. */
export function isDisputed({ disputes = {} }: PaymentState): boolean {
  return Object.values(disputes).some(({ status }) => status === 'open');
}

/** Stands for the authorization and the capture of nothing, of which no gateway hears. */
export const NOTHING_TO_PAY = 'nothing-to-pay';

/** An authorization that still holds the customer's money. */
export function isLive({ status, amount, capture, authorizationId }: Attempt): boolean {
  if (status !== 'authorized' || authorizationId === NOTHING_TO_PAY) return false;
  return capture?.status !== 'done' || compare(capture.amount, amount) < 0;
}

/** A capture that may take money, or has. */
export function isCapturing({ capture }: Attempt): boolean {
  return capture?.status === 'asking' || capture?.status === 'unresolved';
}

export type PaymentFigures = {
  readonly authorized: Money;
  readonly captured: Money;
  readonly refunded: Money;
  readonly chargedBack: Money;
};

/**
 * What is held or was taken, what was taken, what went back in whatever way, and what of that by lost disputes. A bank
 * may take back what we have paid back, too: that is no more back of what was captured than all of it.
 */
export function paymentFigures(state: PaymentState): PaymentFigures {
  const attempts = Object.values(state.attempts);
  const done = Object.values(state.refunds).filter((refund) => refund.status === 'done');
  const captures = attempts.flatMap(({ capture }) => (capture?.status === 'done' ? [capture.amount] : []));
  const held = attempts.filter((attempt) => isLive(attempt) || attempt.capture?.status === 'done');
  const captured = sum(state.currency, captures);
  const paidBack = sum(
    state.currency,
    done.map(({ amount }) => amount),
  );
  const chargedBack = lostOf(state);
  return {
    authorized: sum(
      state.currency,
      held.map(({ amount }) => amount),
    ),
    captured,
    refunded: smaller(captured, add(paidBack, chargedBack)),
    chargedBack,
  };
}

function lostOf({ disputes = {}, currency }: PaymentState): Money {
  const lost = Object.values(disputes).filter(({ status }) => status === 'lost');
  return sum(
    currency,
    lost.map(({ amount }) => amount),
  );
}

/** What of a capture is neither back nor about to be; without what `except`, a refund, is to pay back. */
export function refundable(state: PaymentState, attempt: number, except?: string): Money {
  const capture = attemptOf(state, attempt)?.capture;
  if (capture?.status !== 'done') return zero(state.currency);
  const refunds = Object.entries(state.refunds).flatMap(([refundId, refund]) =>
    refund.attempt === attempt && refund.status !== 'waiting' && refundId !== except ? [refund.amount] : [],
  );
  const left = subtract(subtract(capture.amount, sum(state.currency, refunds)), lostOf(state));
  return left.amount > 0 ? left : zero(state.currency);
}

/** Attempts up to this one hold and keep nothing, and nothing of them is in doubt. */
export function isUndone(state: PaymentState, through: number): boolean {
  return attemptsOf(state).every(([number, attempt]) => {
    if (number > through) return true;
    const inDoubt = attempt.status === 'asking' || attempt.status === 'unresolved' || isCapturing(attempt);
    return !inDoubt && !isLive(attempt) && isPaidBack(state, number);
  });
}

/** What operators paid back in another way. */
export function paidByHand({ refunds, currency }: PaymentState): Money {
  const amounts = Object.values(refunds).flatMap(({ status, amount }) => (status === 'by-hand' ? [amount] : []));
  return sum(currency, amounts);
}

/** It is still to be paid back. */
export function isOpen({ status }: Refund): boolean {
  return status !== 'done' && status !== 'by-hand';
}

function isPaidBack(state: PaymentState, attempt: number): boolean {
  const open = Object.values(state.refunds).some((refund) => refund.attempt === attempt && isOpen(refund));
  return !open && !isDisputed(state) && refundable(state, attempt).amount === 0;
}

export function paymentStatus(state: PaymentState, figures = paymentFigures(state)): PaymentStatus {
  if (isDisputed(state)) return 'disputed';
  const { authorized, captured, refunded } = figures;
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
      if (cancelled) return 'voided';
      return current.capture?.status === 'done' ? 'captured' : 'authorized';
    case 'voided':
      return 'voided';
    default:
      return assertNever(current.status);
  }
}
