/**
 * The way forward, as a plan over the ledger: it starts whatever is missing next. Independent steps run side by side, and
 * what was lost on the way (an expired reservation, a voided authorization) is simply missing again.
 */
import { shipmentId } from '../shipment.ts';
import type { Work } from './events.ts';
import { backorderFor, liveReservations, missingPortions, type Portion, reservationsOf } from './routing.ts';
import { isConfirmed, type Saga, type StepOf, stepsOf } from './state.ts';
import type { Turn } from './turn.ts';

type Waiting = Pick<Extract<Work, { kind: 'reserve' }>, 'wait' | 'promisedAt'>;
type ParcelLine = Extract<Work, { kind: 'ship' }>['lines'][number];

export type Progress = Exclude<Reserved, 'reserved'> | 'needs-review' | 'fulfilled';

export function advance(turn: Turn): Progress {
  if (isConfirmed(turn.saga)) return shipParcels(turn) ? 'fulfilled' : 'asked';
  const reserved = reserveLines(turn);
  if (reserved !== 'reserved') return reserved;
  if (!authorized(turn)) return 'asked';
  if (!turn.saga.reviewed && turn.saga.review.length > 0) return 'needs-review';
  if (committedLines(turn)) capture(turn);
  return 'asked';
}

type Reserved = 'reserved' | 'asked' | 'out-of-stock' | 'backordered' | 'waiting-for-stock';

function reserveLines(turn: Turn): Reserved {
  for (const step of unspokenFor(turn.saga)) queueElsewhere(turn, step);
  const waits = liveReservations(turn.saga).filter(({ work, status }) => work.wait && status !== 'succeeded');
  if (waits.length > 0) return waits.some(({ status }) => status === 'running') ? 'asked' : 'waiting-for-stock';
  const missing = turn.saga.lines.map((_, index) => missingPortions(turn.saga, index + 1));
  const lacking = missing.flatMap((portions, index) => (portions === null ? [index + 1] : []));
  const backorders = lacking.flatMap((line) => backorderFor(turn.saga, line) ?? []);
  if (backorders.length < lacking.length) return 'out-of-stock';
  for (const [index, portions] of missing.entries()) {
    for (const portion of portions ?? []) reserve(turn, index + 1, portion);
  }
  const reservations = liveReservations(turn.saga);
  if (reservations.some(({ status }) => status !== 'succeeded')) return 'asked';
  if (backorders.length === 0) return 'reserved';
  turn.record({ type: 'BackorderPlanned', v: 1, lines: backorders });
  return 'backordered';
}

/** Lines that one warehouse has promised, and that the others don't know of: a later order would overtake them there. */
function unspokenFor(saga: Saga): StepOf<'reserve'>[] {
  return saga.lines.flatMap((_, index) => {
    const steps = reservationsOf(saga, index + 1);
    const newest = steps.at(-1);
    return newest?.status === 'waiting' && isPromise(newest) ? [newest] : [];
  });
}

function isPromise({ work }: StepOf<'reserve'>): boolean {
  return work.wait === true && work.promisedAt === undefined;
}

function queueElsewhere(turn: Turn, { work, expectedAt }: StepOf<'reserve'>): void {
  for (const warehouse of turn.saga.candidates) {
    if (warehouse === work.warehouse) continue;
    reserve(
      turn,
      work.line,
      { warehouse, quantity: work.quantity },
      { wait: true, promisedAt: expectedAt ?? turn.context.now },
    );
  }
}

export function reserve(turn: Turn, line: number, { warehouse, quantity }: Portion, waiting: Waiting = {}): void {
  const { orderId, lines, candidates } = turn.saga;
  const name = `${line}.${reservationsOf(turn.saga, line).length + 1}`;
  const reservationId = `${orderId}/${name}`;
  const sku = lines[line - 1]?.sku ?? '';
  const what = { line, route: candidates.indexOf(warehouse), reservationId, sku, quantity, warehouse };
  turn.start(`reserve:${name}`, { kind: 'reserve', ...what, ...waiting });
}

function authorized(turn: Turn): boolean {
  const attempts = stepsOf(turn.saga, 'authorize');
  const last = attempts.at(-1);
  if (last?.status === 'succeeded') return true;
  if (last?.status === 'running' || last?.status === 'waiting') return false;
  const attempt = attempts.length + 1;
  turn.start(`authorize:${attempt}`, { kind: 'authorize', attempt });
  return false;
}

function committedLines(turn: Turn): boolean {
  for (const { id, work } of liveReservations(turn.saga)) {
    const step = commitOf(id);
    if (turn.saga.steps[step] !== undefined) continue;
    const { line, reservationId, sku, warehouse } = work;
    turn.start(step, { kind: 'commit', line, reservationId, sku, warehouse });
  }
  return liveReservations(turn.saga).every(({ id }) => turn.saga.steps[commitOf(id)]?.status === 'succeeded');
}

/** The step that commits what the given step reserves. */
export function commitOf(reserve: string): string {
  return reserve.replace('reserve:', 'commit:');
}

function capture(turn: Turn): void {
  const attempt = stepsOf(turn.saga, 'authorize').length;
  const step = `capture:${attempt}`;
  if (turn.saga.steps[step] === undefined) turn.start(step, { kind: 'capture', attempt });
}

function shipParcels(turn: Turn): boolean {
  for (const [warehouse, lines] of parcelsOf(turn.saga)) {
    const last = lastParcel(turn.saga, warehouse);
    if (last?.status === 'running' || last?.status === 'succeeded') continue;
    if (last?.status === 'unknown') {
      turn.start(last.id, last.work);
      continue;
    }
    const number = nextParcel(turn.saga);
    const id = shipmentId(turn.saga.orderId, number);
    turn.start(`ship:${number}`, { kind: 'ship', shipmentId: id, warehouse, lines });
  }
  return isFulfilled(turn.saga);
}

/** The number of the next shipment of the order. */
export function nextParcel(saga: Saga): number {
  return stepsOf(saga, 'ship').length + stepsOf(saga, 'reship').length + 1;
}

/** Every warehouse that has something of the order has taken its parcel. */
export function isFulfilled(saga: Saga): boolean {
  return [...parcelsOf(saga).keys()].every((warehouse) => lastParcel(saga, warehouse)?.status === 'succeeded');
}

function lastParcel(saga: Saga, warehouse: string): StepOf<'ship'> | undefined {
  return stepsOf(saga, 'ship').findLast(({ work }) => work.warehouse === warehouse);
}

function parcelsOf(saga: Saga): Map<string, ParcelLine[]> {
  const parcels = new Map<string, ParcelLine[]>();
  for (const { work } of liveReservations(saga)) {
    const { warehouse, sku, quantity, reservationId } = work;
    parcels.set(warehouse, [...(parcels.get(warehouse) ?? []), { sku, quantity, reservationId }]);
  }
  return parcels;
}
