/**
 * Sending the goods of a parcel once more, as a plan over the ledger like the way forward: its lines are reserved anew,
 * all in one warehouse so that one new parcel takes the place of the old one; then committed, then requested as the next
 * shipment. Nothing is paid again. Only the operator can go on where no warehouse has everything.
 *
 * A parcel that arrives after all is not sent once more, if that can still be stopped.
 */
import { shipmentId } from '../shipment.ts';
import { commitOf, nextParcel } from './advance.ts';
import { REFUSED } from './routing.ts';
import { type Saga, type Step, type StepOf, stepsOf } from './state.ts';
import type { Turn } from './turn.ts';

export type ParcelStep = StepOf<'ship'> | StepOf<'reship'>;
type Reservation = StepOf<'reship-reserve'>;

/** Beside one try per warehouse: for reservations that were lost between reserving and committing. */
const SPARE_TRIES = 2;

export function parcelSteps(saga: Saga): ParcelStep[] {
  return [...stepsOf(saga, 'ship'), ...stepsOf(saga, 'reship')];
}

/** Goes on with everything that is to be sent once more. The reason, if none of it can go on without the operator. */
export function reshipParcels(turn: Turn): string | undefined {
  const reasons = Object.entries(turn.saga.reshipments ?? {}).flatMap(([replaces, { dropped }]) => {
    const reason = dropped ? giveUp(turn, replaces) : goOn(turn, replaces);
    return reason ?? [];
  });
  const waits = Object.values(turn.saga.steps).some((step) => isReshipping(step) && isAsked(step));
  return waits ? undefined : reasons[0];
}

/** Nothing that is to be sent once more waits for the operator. */
export function isReshipped(saga: Saga): boolean {
  return Object.entries(saga.reshipments ?? {}).every(
    ([replaces, { dropped }]) => dropped || isOnItsWay(lastParcel(saga, replaces)),
  );
}

function goOn(turn: Turn, replaces: string): string | undefined {
  const parcel = lastParcel(turn.saga, replaces);
  if (isOnItsWay(parcel) || (parcel !== undefined && isAsked(parcel))) return undefined;
  if (parcel?.status === 'stuck') return `${parcel.work.shipmentId} can't be cancelled.`;
  if (parcel?.status === 'unknown') {
    if (parcel.round === turn.saga.round) return `No answer: ${parcel.id}`;
    turn.start(parcel.id, parcel.work);
    return undefined;
  }
  const reserved = newestTry(turn.saga, replaces);
  if (reserved.length === 0) return reserve(turn, replaces, 1, 0);
  if (isDead(turn.saga, reserved)) return tryAgain(turn, replaces, reserved);
  if (reserved.every(({ status }) => status === 'succeeded') && committed(turn, reserved)) {
    request(turn, replaces, reserved);
  }
  return undefined;
}

/** It has arrived after all: what is prepared goes back, unless the carrier has it. */
function giveUp(turn: Turn, replaces: string): string | undefined {
  for (const step of parcelsFor(turn.saga, replaces)) {
    if (mayExist(step)) turn.compensate(step, 'The parcel that it replaces has arrived.');
  }
  const parcels = parcelsFor(turn.saga, replaces);
  if (parcels.some((step) => isAsked(step) || step.status === 'kept')) return undefined;
  if (parcels.some(({ status }) => status === 'stuck')) return "A reshipment can't be cancelled.";
  return released(turn, reservationsFor(turn.saga, replaces)) === 'stuck' ? NOT_RELEASED : undefined;
}

const NOT_RELEASED = "Goods of a reshipment can't be given back to the stock.";

// reserving

function reserve(turn: Turn, replaces: string, attempt: number, route: number): string | undefined {
  const warehouse = turn.saga.candidates[route];
  if (warehouse === undefined) return `No warehouse has all the goods to send ${replaces} once more.`;
  const number = Object.keys(turn.saga.reshipments ?? {}).indexOf(replaces) + 1;
  for (const [index, { sku, quantity }] of linesOf(turn.saga, replaces).entries()) {
    const name = `r${number}.${attempt}.${index + 1}`;
    const reservationId = `${turn.saga.orderId}/${name}`;
    const what = { replaces, attempt, route, reservationId, sku, quantity, warehouse };
    turn.start(`reserve:${name}`, { kind: 'reship-reserve', ...what });
  }
  return undefined;
}

/** The next warehouse after a refusal, the nearest again after anything else; first the rest of the old try goes back. */
function tryAgain(turn: Turn, replaces: string, dead: readonly Reservation[]): string | undefined {
  const back = released(turn, dead);
  if (back === 'asked') return undefined;
  if (back === 'stuck') return NOT_RELEASED;
  const { round, candidates } = turn.saga;
  const [first] = dead;
  const attempt = (first?.work.attempt ?? 0) + 1;
  if (first?.round !== round) return reserve(turn, replaces, attempt, 0);
  const tries = new Set(
    reservationsFor(turn.saga, replaces).flatMap((step) => (step.round === round ? step.work.attempt : [])),
  );
  if (tries.size >= candidates.length + SPARE_TRIES) return `The goods to send ${replaces} once more can't be kept.`;
  const refused = dead.some(({ reason }) => reason === REFUSED);
  return reserve(turn, replaces, attempt, refused ? first.work.route + 1 : 0);
}

/** Asks the stock to take back whatever it may keep for these reservations. */
function released(turn: Turn, reservations: readonly Reservation[]): 'asked' | 'stuck' | 'released' {
  for (const { id } of reservations) {
    // One release gives back what was reserved, committed or not.
    const [commit, reservation] = [turn.saga.steps[commitOf(id)], turn.saga.steps[id]];
    if (commit !== undefined && mayExist(commit)) turn.compensate(commit, 'It is not sent once more.');
    else if (reservation !== undefined && mayExist(reservation) && !(commit !== undefined && isAsked(commit))) {
      turn.compensate(reservation, 'It is not sent once more.');
    }
  }
  const steps = reservations.flatMap(({ id }) => [turn.saga.steps[commitOf(id)], turn.saga.steps[id]]);
  if (steps.some((step) => step !== undefined && isAsked(step))) return 'asked';
  return steps.some((step) => step?.status === 'stuck') ? 'stuck' : 'released';
}

/** Something of the try is gone, or nobody says what became of it. */
function isDead(saga: Saga, reservations: readonly Reservation[]): boolean {
  return reservations
    .flatMap(({ id }) => [saga.steps[id], saga.steps[commitOf(id)]])
    .some((step) => step !== undefined && step.status !== 'running' && step.status !== 'succeeded');
}

// committing and requesting

function committed(turn: Turn, reserved: readonly Reservation[]): boolean {
  for (const { id, work } of reserved) {
    if (turn.saga.steps[commitOf(id)] !== undefined) continue;
    const { replaces, reservationId, sku, warehouse } = work;
    turn.start(commitOf(id), { kind: 'reship-commit', replaces, reservationId, sku, warehouse });
  }
  return reserved.every(({ id }) => turn.saga.steps[commitOf(id)]?.status === 'succeeded');
}

function request(turn: Turn, replaces: string, reserved: readonly Reservation[]): void {
  const [first] = reserved;
  if (first === undefined) return;
  const number = nextParcel(turn.saga);
  const lines = reserved.map(({ work: { sku, quantity, reservationId } }) => ({ sku, quantity, reservationId }));
  const id = shipmentId(turn.saga.orderId, number);
  turn.start(`ship:${number}`, { kind: 'reship', replaces, shipmentId: id, warehouse: first.work.warehouse, lines });
}

// what the ledger says

function linesOf(saga: Saga, shipment: string): readonly { readonly sku: string; readonly quantity: number }[] {
  const lines = parcelSteps(saga).find(({ work }) => work.shipmentId === shipment)?.work.lines ?? [];
  const quantities = new Map<string, number>();
  for (const { sku, quantity } of lines) quantities.set(sku, (quantities.get(sku) ?? 0) + quantity);
  return [...quantities].map(([sku, quantity]) => ({ sku, quantity }));
}

function parcelsFor(saga: Saga, replaces: string): StepOf<'reship'>[] {
  return stepsOf(saga, 'reship').filter(({ work }) => work.replaces === replaces);
}

function lastParcel(saga: Saga, replaces: string): StepOf<'reship'> | undefined {
  return parcelsFor(saga, replaces).at(-1);
}

function reservationsFor(saga: Saga, replaces: string): Reservation[] {
  return stepsOf(saga, 'reship-reserve').filter(({ work }) => work.replaces === replaces);
}

function newestTry(saga: Saga, replaces: string): Reservation[] {
  const all = reservationsFor(saga, replaces);
  return all.filter(({ work }) => work.attempt === all.at(-1)?.work.attempt);
}

function isReshipping({ work }: Step): boolean {
  return work.kind === 'reship-reserve' || work.kind === 'reship-commit' || work.kind === 'reship';
}

function isOnItsWay(step: Step | undefined): boolean {
  return step?.status === 'succeeded' || step?.status === 'kept';
}

function isAsked({ status }: Step): boolean {
  return status === 'running' || status === 'compensating';
}

function mayExist({ status }: Step): boolean {
  return status === 'running' || status === 'unknown' || status === 'succeeded';
}
