/** What operators' queries found, as they see it. */
import type { SagaState } from '../../actors/orderSaga/saga.ts';
import type { Saga, Step } from '../../actors/orderSaga/state.ts';
import type { FoundOrder, FoundSaga, OrderFact, PastEvent, StateAsOf, TimerAt } from '../shop.ts';
import { redacted } from './redacted.ts';
import { reasonOf, stepView } from './saga.ts';
import { time } from './time.ts';

export function foundOrderView(order: FoundOrder, fact: OrderFact | undefined) {
  const { orderId, customer, status, awaiting, payment, total, placedAt, changedAt, at } = order;
  return {
    id: orderId,
    customerId: customer,
    status,
    awaiting,
    payment: { status: payment },
    total,
    placedAt: time(placedAt),
    changedAt: time(changedAt),
    ...(fact !== undefined && { event: { type: fact, at: time(at) } }),
  };
}

export function sagaSummaryView({ state, version }: { readonly state: SagaState; readonly version: number }) {
  if (state.status !== 'started') return { status: state.status, awaiting: null, reason: null, version };
  const { phase } = state;
  const awaiting = phase.status === 'waiting' ? phase.awaiting : null;
  return { status: phase.status, awaiting, reason: reasonOf(phase), version };
}

const OPEN: ReadonlySet<Step['status']> = new Set(['running', 'waiting', 'unknown', 'compensating', 'stuck']);

export function foundSagaView({ saga, awaiting, version, since, progressAt, timers }: FoundSaga) {
  const open = Object.values(saga.steps).filter((step) => OPEN.has(step.status));
  const shown = timers.map(timerView);
  return {
    orderId: saga.orderId,
    state: saga.phase.status,
    awaiting,
    reason: reasonOf(saga.phase) ?? stuckReason(saga),
    total: saga.total,
    since: time(since),
    progressAt: time(progressAt),
    attempts: Math.max(0, ...open.map(({ asked }) => asked)),
    steps: open.map(stepView),
    next: shown[0] ?? null,
    timers: shown,
    version,
  };
}

/** Of a refund that failed after the saga's end. */
function stuckReason({ refunds }: Saga): string | null {
  return Object.values(refunds).find(({ status }) => status === 'stuck')?.reason ?? null;
}

export function timerView({ name, at }: TimerAt) {
  return { name, at: time(at) };
}

/** An aggregate in the past. */
export function pastActorView(address: { type: string; id: string }, past: StateAsOf, showPersonal: boolean) {
  const { state, version, at, by, timers } = past;
  return {
    ...address,
    version,
    at: time(at),
    by: by ?? null,
    timers: timers.map(timerView),
    state: redacted(address.type, state, showPersonal),
  };
}

export function pastEventView(type: string, { event, version, at, cause, by }: PastEvent, showPersonal: boolean) {
  const { type: name, v: schemaVersion, ...data } = event;
  return {
    version,
    at: time(at),
    type: name,
    schemaVersion,
    data: redacted(type, data, showPersonal),
    cause,
    by: by ?? null,
  };
}
