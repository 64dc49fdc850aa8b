/** The state of a saga: a ledger of steps, none of which is ever forgotten, and the phase that the whole is in. */

import type { Expected } from '../inventoryItem/messages.ts';
import { assertNever } from '../kernel/assertNever.ts';
import type { Money } from '../kernel/money.ts';
import type { Awaiting } from '../order/events.ts';
import type { ShippingMethod } from '../policy.ts';
import type { PostalAddress } from '../shared.ts';
import type { BackorderChoice, BackorderLine, EndOutcome, Goal, SagaEvent, StepKind, Undoing, Work } from './events.ts';
import type { ReviewRule } from './review.ts';

/**
 * running, waiting (for the customer, at the bank; for a delivery) and unknown (no answer): it may have happened.
 * succeeded: it has, and must be undone when the order ends. failed, compensated: nothing of it exists.
 * compensating: its compensation is asked for. kept: that was refused, it stands. stuck: it failed, the operator must act;
 * skipped: and has, by hand.
 */
export type StepStatus =
  | 'running'
  | 'waiting'
  | 'unknown'
  | 'succeeded'
  | 'failed'
  | 'compensating'
  | 'compensated'
  | 'kept'
  | 'stuck'
  | 'skipped';

export type Step = {
  readonly id: string;
  readonly work: Work;
  readonly status: StepStatus;
  /** How often it, or since it is compensating its compensation, was asked for. */
  readonly asked: number;
  /** How often it was undone: more than once if it turned out to exist after all. */
  readonly undone: number;
  /** The saga's round in which it was started. */
  readonly round: number;
  /** Why it failed or is stuck. */
  readonly reason: string | null;
  /** Of a refused reservation: the pieces that the warehouse said it has, and what it can promise. */
  readonly available?: number;
  readonly expected?: Expected;
  /** Of one that waits for a delivery. */
  readonly expectedAt?: number;
};

/** Of a refund by an operator. `amount`: what was asked for, once it is done what was given back. */
export type SagaRefund = {
  readonly amount: Money;
  readonly status: 'open' | 'done' | 'stuck' | 'skipped';
  readonly by: string;
  readonly why: string;
  /** Why it is stuck. */
  readonly reason: string | null;
  /** It is stuck because of a dispute. */
  readonly disputed?: true;
};

export type StepOf<Kind extends StepKind> = Step & { readonly work: Extract<Work, { kind: Kind }> };

export type Phase =
  | { readonly status: 'reserving' | 'authorizing' | 'committing' | 'capturing' | 'fulfilling' }
  | {
      readonly status: 'waiting';
      readonly awaiting: Awaiting;
      readonly reason: string;
      /** The operator let the review's deadline pass; or the delivery has not come for long. */
      readonly overdue: boolean;
    }
  | ({ readonly status: 'compensating' } & Undoing)
  | { readonly status: 'completed' }
  | {
      readonly status: 'aborted';
      readonly outcome: EndOutcome;
      readonly reason: string;
      /** A compensation is stuck; `refundPending`: only refunds are. */
      readonly manual: boolean;
      readonly refundPending: boolean;
    };

export type Saga = {
  readonly status: 'started';
  readonly orderId: string;
  readonly phase: Phase;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
  readonly total: Money;
  readonly shippingMethod: ShippingMethod;
  readonly paymentToken: string;
  readonly candidates: readonly string[];
  readonly address: PostalAddress;
  readonly steps: { readonly [id: string]: Step };
  /** By the shipment that is to be sent once more, oldest first; absent until there is one. */
  readonly reshipments?: { readonly [shipmentId: string]: { readonly dropped: boolean } };
  /** What it waits for, or waited for last; absent until there is something. */
  readonly backorder?: { readonly lines: readonly BackorderLine[]; readonly choice: BackorderChoice | null };
  /** Counts the starts: 1, and one more for each time that the operator let a held order start anew. */
  readonly round: number;
  /** The rules for a review that it matched. */
  readonly review: readonly ReviewRule[];
  readonly reviewed: boolean;
  /** When the running round is held unless it is confirmed, in ms since the epoch; null when it isn't known. */
  readonly confirmBy: number | null;
  /** The one time that the customer was asked for another payment method. */
  readonly paymentRequest: { readonly reason: string; readonly expiresAt: number; readonly answered: boolean } | null;
  /** By the operators, beside those that undo a step; by id. */
  readonly refunds: { readonly [refundId: string]: SagaRefund };
  /** Of the payment; absent until there is one. */
  readonly disputes?: {
    readonly [disputeId: string]: { readonly amount: Money; readonly status: 'open' | 'won' | 'lost' };
  };
  /** Parcels of which nothing more will become, if that ends the order. */
  readonly settled?: readonly string[];
  /** Number of events so far: orders what the saga tells the order. */
  readonly revision: number;
};

export type SagaState =
  | { readonly status: 'unknown'; readonly orderId: string }
  /** The cancellation overtook the start. */
  | { readonly status: 'cancelled-before-start'; readonly orderId: string }
  | Saga;

export function initialSaga(id: string): SagaState {
  return { status: 'unknown', orderId: id };
}

export function evolveSaga(state: SagaState, event: SagaEvent): SagaState {
  if (event.type === 'SagaStarted') return started(state.orderId, event);
  if (state.status === 'started') return evolveStarted(state, event);
  if (event.type !== 'SagaAborted') throw new Error(`${event.type} before SagaStarted of ${state.orderId}`);
  return { status: 'cancelled-before-start', orderId: state.orderId };
}

export function started(orderId: string, event: Extract<SagaEvent, { type: 'SagaStarted' }>): Saga {
  const { lines, total, shippingMethod, candidates, personal } = event;
  return {
    status: 'started',
    orderId,
    phase: { status: 'reserving' },
    lines,
    total,
    shippingMethod,
    paymentToken: personal.paymentToken,
    candidates,
    address: personal.address,
    steps: {},
    round: 1,
    review: event.review ?? [],
    reviewed: false,
    confirmBy: event.confirmBy ?? null,
    paymentRequest: null,
    refunds: {},
    revision: 1,
  };
}

export type LaterEvent = Exclude<SagaEvent, { type: 'SagaStarted' }>;

export function evolveStarted(before: Saga, event: LaterEvent): Saga {
  const saga: Saga = { ...before, revision: before.revision + 1 };
  switch (event.type) {
    case 'StepStarted':
    case 'StepSucceeded':
    case 'StepFailed':
    case 'StepDeferred':
    case 'StepTimedOut':
    case 'CompensationRequested':
    case 'StepCompensated':
    case 'CompensationRefused':
    case 'CompensationFailed':
    case 'StepSkipped':
      return evolveStep(saga, event);
    case 'OperatorRefundRequested':
    case 'OperatorRefundRetried':
    case 'OperatorRefundSkipped':
    case 'OperatorRefundDone':
    case 'OperatorRefundStuck':
      return { ...saga, refunds: { ...saga.refunds, [event.refundId]: changedRefund(saga, event) } };
    case 'DisputeNoted': {
      const { disputeId, amount, status } = event;
      return { ...saga, disputes: { ...saga.disputes, [disputeId]: { amount, status } } };
    }
    case 'ParcelsSettled':
      return { ...saga, settled: event.shipments };
    case 'CompensationStarted':
      // Whatever was given up on is tried once more.
      return { ...withSteps(saga, 'stuck', 'unknown'), phase: compensating(event) };
    case 'GoalChanged':
      return { ...saga, phase: compensating(event) };
    case 'SagaHeld': {
      const held = event.awaiting === 'payment' ? withSteps(saga, 'running', 'waiting') : saga;
      return { ...held, phase: { status: 'waiting', awaiting: event.awaiting, reason: event.reason, overdue: false } };
    }
    case 'BackorderPlanned':
      return { ...saga, backorder: { lines: event.lines, choice: null } };
    case 'BackorderChosen':
      return { ...saga, backorder: { lines: saga.backorder?.lines ?? [], choice: event.choice } };
    case 'ReviewOverdueNoted':
    case 'BackorderOverdueNoted':
      return saga.phase.status === 'waiting' ? { ...saga, phase: { ...saga.phase, overdue: true } } : saga;
    case 'SagaReleased':
      return { ...released(saga), confirmBy: event.confirmBy ?? null };
    case 'PaymentMethodAsked': {
      const { reason, expiresAt } = event;
      return { ...saga, paymentRequest: { reason, expiresAt, answered: false } };
    }
    case 'PaymentMethodGiven': {
      const { paymentRequest } = saga;
      const { paymentToken } = event.personal;
      return { ...saga, paymentToken, paymentRequest: paymentRequest && { ...paymentRequest, answered: true } };
    }
    case 'ReshipmentStarted':
      return { ...saga, reshipments: { ...saga.reshipments, [event.shipmentId]: { dropped: false } } };
    case 'ReshipmentDropped':
      return { ...saga, reshipments: { ...saga.reshipments, [event.shipmentId]: { dropped: true } } };
    case 'SagaCompleted':
      return { ...saga, phase: { status: 'completed' } };
    case 'SagaAborted': {
      const { outcome, reason, manual, refundPending } = event;
      return { ...saga, phase: { status: 'aborted', outcome, reason, manual, refundPending } };
    }
    default:
      return assertNever(event);
  }
}

type StepEvent = Extract<LaterEvent, { step: string }>;

function evolveStep(saga: Saga, event: StepEvent): Saga {
  if (event.type === 'StepStarted') {
    const { step: id, work } = event;
    const step: Step = { id, work, status: 'running', asked: 1, undone: 0, round: saga.round, reason: null };
    const status = PHASE_OF[work.kind];
    // What is sent once more is beside the way forward.
    return status === null
      ? withStep(saga, step)
      : { ...saga, steps: { ...saga.steps, [id]: step }, phase: { status } };
  }
  const step = saga.steps[event.step];
  if (step === undefined) throw new Error(`${event.type} before StepStarted of ${event.step}`);
  return withStep(saga, changedStep(step, event));
}

function changedStep(step: Step, event: Exclude<StepEvent, { type: 'StepStarted' }>): Step {
  switch (event.type) {
    case 'StepSucceeded':
      return { ...step, status: 'succeeded' };
    case 'StepFailed': {
      const { reason, available, expected } = event;
      const told = { ...(available !== undefined && { available }), ...(expected && { expected }) };
      return { ...step, status: 'failed', reason, ...told };
    }
    case 'StepDeferred':
      return { ...step, status: 'waiting', expectedAt: event.expectedAt };
    case 'StepTimedOut':
      return event.final ? { ...step, status: 'unknown' } : { ...step, asked: step.asked + 1 };
    case 'CompensationRequested':
      return { ...step, status: 'compensating', asked: step.status === 'compensating' ? step.asked + 1 : 1 };
    case 'StepCompensated':
      return { ...step, status: 'compensated', undone: step.undone + 1 };
    case 'CompensationRefused':
      return { ...step, status: 'kept', reason: event.reason };
    case 'CompensationFailed':
      return { ...step, status: 'stuck', reason: event.reason };
    case 'StepSkipped':
      return { ...step, status: 'skipped' };
    default:
      return assertNever(event);
  }
}

type RefundEvent = Extract<LaterEvent, { refundId: string }>;

function changedRefund({ refunds }: Saga, event: RefundEvent): SagaRefund {
  if (event.type === 'OperatorRefundRequested') {
    const { amount, by, why } = event;
    return { amount, status: 'open', by, why, reason: null };
  }
  const known = refunds[event.refundId];
  if (known === undefined) throw new Error(`${event.type} before OperatorRefundRequested of ${event.refundId}`);
  const { disputed: _disputed, ...refund } = known;
  switch (event.type) {
    case 'OperatorRefundRetried':
      return { ...refund, status: 'open', reason: null };
    case 'OperatorRefundSkipped':
      return { ...refund, status: 'skipped' };
    case 'OperatorRefundDone':
      return { ...refund, status: 'done', amount: event.amount, reason: null };
    case 'OperatorRefundStuck':
      return { ...refund, status: 'stuck', reason: event.reason, ...(event.disputed && { disputed: true }) };
    default:
      return assertNever(event);
  }
}

const PHASE_OF = {
  reserve: 'reserving',
  authorize: 'authorizing',
  commit: 'committing',
  capture: 'capturing',
  ship: 'fulfilling',
  'reship-reserve': null,
  'reship-commit': null,
  reship: null,
} as const;

function compensating({ goal, reason, by, why }: Undoing): Phase {
  return { status: 'compensating', goal, reason, by, why };
}

const PARCELS: readonly StepKind[] = ['ship', 'reship'];

/** Goes on from a hold, or from a cancellation that came too late; the next step says where it stands. */
function released(saga: Saga): Saga {
  const { phase } = saga;
  const awaiting = phase.status === 'waiting' ? phase.awaiting : null;
  // A parcel that is in doubt, or that would not be cancelled, is asked for again, not sent twice.
  const doubted = PARCELS.reduce((next, kind) => {
    const asked = phase.status === 'completed' ? withSteps(next, 'succeeded', 'unknown', kind) : next;
    return withSteps(asked, 'stuck', 'unknown', kind);
  }, saga);
  return {
    ...withSteps(doubted, 'kept', 'succeeded'),
    phase: { status: isConfirmed(saga) ? 'fulfilling' : 'reserving' },
    round: awaiting === 'review' || awaiting === 'payment' ? saga.round : saga.round + 1,
    reviewed: saga.reviewed || awaiting === 'review',
  };
}

function withStep(saga: Saga, step: Step): Saga {
  return { ...saga, steps: { ...saga.steps, [step.id]: step } };
}

function withSteps(saga: Saga, from: StepStatus, to: StepStatus, kind?: StepKind): Saga {
  const moved = Object.values(saga.steps).filter(
    ({ status, work }) => status === from && (kind === undefined || work.kind === kind),
  );
  return moved.reduce((next, step) => withStep(next, { ...step, status: to }), saga);
}

/** The steps of one kind, oldest first. */
export function stepsOf<Kind extends StepKind>(saga: Saga, kind: Kind): StepOf<Kind>[] {
  return Object.values(saga.steps).filter((step): step is StepOf<Kind> => step.work.kind === kind);
}

/** The money is here: from now on the saga goes forward whatever it takes, unless the order is cancelled. */
export function isConfirmed(saga: Saga): boolean {
  return stepsOf(saga, 'capture').some(({ status }) => status === 'succeeded');
}

/** Compensations that failed and wait for the operator. */
export function stuckSteps(saga: Saga): Step[] {
  return Object.values(saga.steps).filter(({ status }) => status === 'stuck');
}

/** Its own steps are under way. */
export function isForward({ phase }: Saga): boolean {
  return !['waiting', 'compensating', 'completed', 'aborted'].includes(phase.status);
}

/** Waits for a delivery, or for the customer's word whether to wait for it. */
export function isBackordered({ phase }: Saga): boolean {
  return phase.status === 'waiting' && (phase.awaiting === 'stock' || phase.awaiting === 'backorder-choice');
}

/** Waits for another payment method, or will as soon as everything is undone. */
export function isAskingToPay({ phase, paymentRequest }: Saga): boolean {
  if (paymentRequest === null || paymentRequest.answered) return false;
  return phase.status === 'waiting' ? phase.awaiting === 'payment-method' : goalOf(phase) === 'payment-method';
}

function goalOf(phase: Phase): Goal | null {
  return phase.status === 'compensating' ? phase.goal : null;
}

/** It leads to an end that nothing but a late answer changes. */
export function isEnding({ phase }: Saga): boolean {
  const goal = goalOf(phase);
  return goal !== null && goal !== 'on-hold' && goal !== 'payment-method' && goal !== 'backorder' && goal !== 'retry';
}
