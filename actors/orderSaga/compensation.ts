/**
 * The way back: in reverse order over every step that ran or may have run. One kind of step at a time; the next follows
 * when all of it is answered or given up on, so one compensation that fails never stops the others.
 */
import { commitOf } from './advance.ts';
import type { StepKind } from './events.ts';
import { parcelSteps } from './reship.ts';
import { type Saga, type Step, type StepStatus, stepsOf } from './state.ts';
import type { Turn } from './turn.ts';

const REVERSE_ORDER: readonly StepKind[] = [
  'ship',
  'reship',
  'capture',
  'reship-commit',
  'commit',
  'authorize',
  'reship-reserve',
  'reserve',
];
const MAY_EXIST: ReadonlySet<StepStatus> = new Set<StepStatus>(['running', 'waiting', 'unknown', 'succeeded']);

/** `kept`: the carrier has a parcel, so nothing else may be undone. */
export function unwind(turn: Turn, reason: string): 'asked' | 'kept' | 'unwound' {
  const stands = standing(turn.saga);
  for (const kind of REVERSE_ORDER) {
    for (const step of stepsOf(turn.saga, kind)) {
      if (stands(step)) continue;
      if (MAY_EXIST.has(step.status) && !isOwed(turn.saga, step) && !isKept(turn.saga, step)) {
        turn.compensate(step, reason);
      }
    }
    const steps: Step[] = stepsOf(turn.saga, kind).filter((step) => !stands(step));
    if (steps.some(({ status }) => status === 'compensating')) return 'asked';
    if (steps.some(({ status }) => status === 'kept')) return 'kept';
  }
  return 'unwound';
}

/** Of an order that ends because it was paid back: its money, and the parcels of which nothing more will become. */
function standing(saga: Saga): (step: Step) => boolean {
  if (saga.phase.status !== 'compensating' || saga.phase.goal !== 'refunded') return () => false;
  const settled = parcelSteps(saga).filter(({ work }) => saga.settled?.includes(work.shipmentId));
  const parcels = new Set(settled.map(({ id }) => id));
  const goods = new Set(settled.flatMap(({ work }) => work.lines.map(({ reservationId }) => reservationId)));
  return ({ id, work }) => {
    if (work.kind === 'authorize' || work.kind === 'capture') return true;
    return 'reservationId' in work ? goods.has(work.reservationId) : parcels.has(id);
  };
}

/** What has come for an order that goes on waiting for the rest. */
function isKept({ phase, steps }: Saga, { id, work, status }: Step): boolean {
  const waitsOn = phase.status === 'compensating' && phase.goal === 'backorder';
  const came = work.kind === 'reserve' && work.wait === true && status === 'succeeded';
  return waitsOn && came && steps[commitOf(id)] === undefined;
}

/**
 * Captured, and its refund is stuck or was settled by hand: the payment answers no void before that money is back, would
 * give it back by itself, and nothing is left to void.
 */
function isOwed(saga: Saga, { work }: Step): boolean {
  return (
    work.kind === 'authorize' &&
    stepsOf(saga, 'capture').some(({ status }) => status === 'stuck' || status === 'skipped')
  );
}
