import { assertNever } from '../kernel/assertNever.ts';
import { compare } from '../kernel/money.ts';
import type { PaymentEvent } from './events.ts';
import { keyOf, type Operation } from './messages.ts';
import {
  type Attempt,
  attemptOf,
  attemptsOf,
  type Call,
  callOf,
  disputeOf,
  isLive,
  type PaymentState,
  refundOf,
} from './state.ts';

export function evolve(state: PaymentState, event: PaymentEvent): PaymentState {
  return { ...apply(state, event), events: state.events + 1 };
}

function apply(state: PaymentState, event: PaymentEvent): PaymentState {
  switch (event.type) {
    case 'PaymentInitiated':
    case 'StrayAttemptFound':
    case 'PaymentActionRequired':
    case 'PaymentAuthorized':
    case 'PaymentFailed':
    case 'AuthorizationExpired':
    case 'VoidRequested':
    case 'VoidFailed':
    case 'AuthorizationVoided':
      return applyToAuthorization(state, event);
    case 'CaptureRequested':
    case 'PaymentCaptured':
    case 'CaptureFailed':
      return applyToCapture(state, event);
    case 'CancellationRequested':
      return {
        ...state,
        currency: state.currency === 'XXX' ? event.currency : state.currency,
        attempts: unwanted(state, event.through),
        closedThrough: Math.max(state.closedThrough, event.through),
        voiding: [...state.voiding, event.through],
      };
    case 'PaymentVoided':
      return { ...state, voiding: state.voiding.filter((through) => through !== event.attempt) };
    case 'RefundRequested':
    case 'RefundFailed':
    case 'RefundCompleted':
    case 'RefundEscalated':
    case 'RefundSettledByHand':
      return applyToRefund(state, event);
    case 'RefundOverdueNoted':
      return state;
    case 'ChargebackOpened': {
      const { disputeId, amount, reason } = event;
      const disputes = { ...state.disputes, [disputeId]: { amount, reason, status: 'open' } as const };
      return { ...state, disputes, currency: amount.currency };
    }
    case 'ChargebackResolved': {
      const dispute = disputeOf(state, event.disputeId);
      if (!dispute) return state;
      return { ...state, disputes: { ...state.disputes, [event.disputeId]: { ...dispute, status: event.outcome } } };
    }
    case 'OutcomeUnknown':
      return withCall(state, event.operation, { phase: 'unknown', uncertain: true, counts: true });
    case 'GatewayUnavailable':
      return withCall(state, event.operation, { phase: 'waiting', uncertain: false, counts: true });
    case 'GatewayAskedAgain': {
      if (event.how === 'enquire') return withCall(state, event.operation, { phase: 'enquiring' });
      const round = (callOf(state, event.operation)?.round ?? 0) + (event.how === 'renew' ? 1 : 0);
      return withCall(state, event.operation, { phase: 'asked', uncertain: false, keySpent: false, round });
    }
    case 'OutcomeEscalated':
      return withCall(state, event.operation, { phase: 'escalated' });
    case 'ResultKept': {
      const { operation, result } = event;
      return { ...state, kept: { ...state.kept, [keyOf(state.orderId, operation)]: { operation, result } } };
    }
    case 'KeptResultUsed': {
      const { [keyOf(state.orderId, event.operation)]: _used, ...kept } = state.kept;
      return { ...state, kept };
    }
    default:
      return assertNever(event);
  }
}

type AuthorizationEvent = Extract<
  PaymentEvent,
  {
    type:
      | 'PaymentInitiated'
      | 'StrayAttemptFound'
      | 'PaymentActionRequired'
      | 'PaymentAuthorized'
      | 'PaymentFailed'
      | 'AuthorizationExpired'
      | 'VoidRequested'
      | 'VoidFailed'
      | 'AuthorizationVoided';
  }
>;

function applyToAuthorization(state: PaymentState, event: AuthorizationEvent): PaymentState {
  const authorize: Operation = { kind: 'authorize', attempt: event.attempt };
  const voiding: Operation = { kind: 'void', attempt: event.attempt };
  switch (event.type) {
    case 'PaymentInitiated': {
      const { attempt, amount, personal } = event;
      const begun: Attempt = { amount, wanted: true, status: 'asking', expired: false, token: personal.token };
      const others = { ...state, attempts: unwanted(state, attempt), attempt, currency: amount.currency };
      return asked(withAttempt(others, attempt, begun), authorize);
    }
    case 'StrayAttemptFound': {
      const stray: Attempt = { amount: event.amount, wanted: false, status: 'refused', expired: false };
      return withAttempt({ ...state, currency: event.amount.currency }, event.attempt, stray);
    }
    case 'PaymentActionRequired':
      return change(settled(state, authorize), event.attempt, { status: 'requires-action', url: event.url });
    case 'PaymentAuthorized': {
      const { authorizationId, expiresAt } = event;
      return change(settled(state, authorize), event.attempt, { status: 'authorized', authorizationId, expiresAt });
    }
    case 'PaymentFailed': {
      const { reason, retriable, unresolved } = event;
      const refusal = { wanted: false, refusal: { reason, retriable } };
      if (unresolved) return change(state, event.attempt, { ...refusal, status: 'unresolved' });
      return change(settled(state, authorize), event.attempt, { ...refusal, status: 'refused' });
    }
    case 'AuthorizationExpired':
      return change(state, event.attempt, { wanted: false, expired: true });
    case 'VoidRequested':
      return asked(state, voiding);
    case 'VoidFailed':
      return withCall(state, voiding, { phase: 'waiting', uncertain: false, keySpent: true, counts: true });
    case 'AuthorizationVoided':
      return change(settled(state, voiding), event.attempt, { status: 'voided' });
    default:
      return assertNever(event);
  }
}

type CaptureEvent = Extract<PaymentEvent, { type: 'CaptureRequested' | 'PaymentCaptured' | 'CaptureFailed' }>;

function applyToCapture(state: PaymentState, event: CaptureEvent): PaymentState {
  const { attempt } = event;
  const operation: Operation = { kind: 'capture', attempt };
  const current = attemptOf(state, attempt);
  if (!current) return state;
  switch (event.type) {
    case 'CaptureRequested':
      return asked(change(state, attempt, { capture: { status: 'asking', amount: event.amount } }), operation);
    case 'PaymentCaptured': {
      const { amount, captureId } = event;
      const authorized = compare(amount, current.amount) > 0 ? amount : current.amount;
      const taken = change(state, attempt, { amount: authorized, capture: { status: 'done', amount, captureId } });
      const after = attemptOf(taken, attempt);
      // A full capture leaves nothing that could be voided.
      const rest = after && isLive(after) ? taken : settled(taken, { kind: 'void', attempt });
      return settled(rest, operation);
    }
    case 'CaptureFailed': {
      const { reason, unresolved } = event;
      const amount = current.capture?.amount ?? current.amount;
      if (unresolved) {
        return change(state, attempt, { wanted: false, capture: { status: 'unresolved', amount, reason } });
      }
      const failed = { status: 'failed', amount, reason } as const;
      return settled(change(state, attempt, { wanted: false, capture: failed }), operation);
    }
    default:
      return assertNever(event);
  }
}

type RefundEvent = Extract<
  PaymentEvent,
  { type: 'RefundRequested' | 'RefundFailed' | 'RefundCompleted' | 'RefundEscalated' | 'RefundSettledByHand' }
>;

function applyToRefund(state: PaymentState, event: RefundEvent): PaymentState {
  const { refundId } = event;
  const operation: Operation = { kind: 'refund', refundId };
  const known = refundOf(state, refundId);
  switch (event.type) {
    case 'RefundRequested': {
      const { attempt, amount, reason, waiting } = event;
      const status = waiting ? 'waiting' : 'open';
      const refunds = { ...state.refunds, [refundId]: { attempt, amount, reason, status, retries: 0 } as const };
      return waiting ? { ...state, refunds } : asked({ ...state, refunds }, operation);
    }
    case 'RefundCompleted': {
      const { attempt, amount } = event;
      const done = { reason: '', retries: 0, ...known, attempt, amount, status: 'done' } as const;
      const refunds = { ...state.refunds, [refundId]: done };
      return settled({ ...state, refunds, currency: amount.currency }, operation);
    }
    case 'RefundFailed': {
      if (!known) return state;
      const refunds = { ...state.refunds, [refundId]: { ...known, retries: known.retries + 1 } };
      return withCall({ ...state, refunds }, operation, {
        phase: 'waiting',
        uncertain: false,
        keySpent: event.keySpent,
      });
    }
    case 'RefundEscalated': {
      if (!known) return state;
      const refunds = { ...state.refunds, [refundId]: { ...known, status: 'escalated' } as const };
      return withCall({ ...state, refunds }, operation, { phase: 'escalated' });
    }
    case 'RefundSettledByHand': {
      const { attempt, amount, reason } = event;
      const refund = known ?? (attempt !== undefined && amount && { attempt, amount, reason, retries: 0 });
      if (!refund) return state;
      const refunds = { ...state.refunds, [refundId]: { ...refund, status: 'by-hand' } as const };
      return settled({ ...state, refunds }, operation);
    }
    default:
      return assertNever(event);
  }
}

function unwanted(state: PaymentState, through: number): PaymentState['attempts'] {
  const attempts = attemptsOf(state).map(([number, attempt]) => {
    return [number, number <= through ? { ...attempt, wanted: false } : attempt] as const;
  });
  return Object.fromEntries(attempts);
}

function withAttempt(state: PaymentState, number: number, attempt: Attempt): PaymentState {
  return { ...state, attempts: { ...state.attempts, [number]: attempt } };
}

/** The token is forgotten with the first change: only the call that is under way needs it. */
function change(state: PaymentState, number: number, changes: Partial<Attempt>): PaymentState {
  const attempt = attemptOf(state, number);
  if (!attempt) return state;
  const { token: _token, ...kept } = attempt;
  return withAttempt(state, number, { ...kept, ...changes });
}

function asked(state: PaymentState, operation: Operation): PaymentState {
  const { round, uncertain, keySpent } = callOf(state, operation) ?? { round: 1, uncertain: false, keySpent: false };
  const call: Call = { operation, phase: 'asked', tries: 0, uncertain, round, keySpent };
  return { ...state, calls: { ...state.calls, [keyOf(state.orderId, operation)]: call } };
}

function settled(state: PaymentState, operation: Operation): PaymentState {
  const { [keyOf(state.orderId, operation)]: _settled, ...calls } = state.calls;
  return { ...state, calls };
}

type CallChange = Partial<Pick<Call, 'phase' | 'uncertain' | 'round' | 'keySpent'>> & { readonly counts?: boolean };

function withCall(state: PaymentState, operation: Operation, { counts, ...changes }: CallChange): PaymentState {
  const call = callOf(state, operation);
  if (!call) return state;
  const tries = call.tries + (counts ? 1 : 0);
  return { ...state, calls: { ...state.calls, [keyOf(state.orderId, operation)]: { ...call, ...changes, tries } } };
}
