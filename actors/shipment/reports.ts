/**
 * What warehouse and carrier report, in any order and repetition, and what follows when they report nothing. Where two
 * reports contradict each other the parcel is where it got furthest; the time of the report and the number of the attempt
 * tell a new tour from a late notice.
 */
import { stockAddress } from '../inventoryItem.ts';
import { assertNever } from '../kernel/assertNever.ts';
import { type Rejection, reject } from '../kernel/decider.ts';
import { type Draft, record, tell } from './draft.ts';
import { stopAsking } from './label.ts';
import type { Of, ShipmentReport } from './messages.ts';
import { askToReship } from './reship.ts';
import type { ShipmentState } from './state.ts';
import { isBehind, isHandedOver, isUnderWay } from './status.ts';
import { askForTrace } from './trace.ts';

type Report = Of<'ReportShipment'>;

function refusalOf(state: ShipmentState, { report, attempt }: Report): Rejection | undefined {
  const { id, status } = state;
  const impossible = (detail: string) =>
    reject(409, 'shipment.not-possible', 'This cannot have happened', detail).rejection;
  if (status === 'cancelled') return impossible(`Shipment ${id} was cancelled.`);
  if (report === 'lost' && !isHandedOver(state)) return impossible(`Shipment ${id} has not been handed over.`);
  if (report === 'attempt-failed' && !(Number.isSafeInteger(attempt) && Number(attempt) >= 1)) {
    const detail = "A failed delivery attempt needs the carrier's number of it, from 1.";
    return reject(422, 'shipment.attempt-required', 'The number of the attempt is missing', detail).rejection;
  }
  return undefined;
}

/** The rejection, if it cannot have happened. */
export function onReport(draft: Draft, command: Report): Rejection | undefined {
  const refused = refusalOf(draft.state, command);
  if (refused !== undefined) return refused;
  const { eventId } = command;
  if (eventId === undefined) {
    note(draft, command);
  } else if (!draft.state.reports.includes(eventId)) {
    record(draft, { type: 'ReportNoted', v: 1, eventId });
    note(draft, command);
  }
  return undefined;
}

function note(draft: Draft, command: Report) {
  if (command.report === 'picked') return pick(draft);
  const at = whenOf(draft, command);
  if (!isHandedOver(draft.state)) {
    handOver(draft, at);
    if (command.report === 'handed-to-carrier') return watchForFirstScan(draft);
  }
  if (command.report === 'handed-to-carrier') return;
  const before = draft.state;
  move(draft, command.report, command, at);
  if (isUnderWay(draft.state)) {
    if (draft.state === before && isNews(draft.state, command, at))
      record(draft, { type: 'ShipmentScanned', v: 1, at });
    draft.timers.push({ clear: GHOST });
    watchForNextScan(draft);
  } else if (draft.state !== before) {
    draft.timers.push({ clear: GHOST }, { clear: LOST });
  }
}

/** As the reporter says, if it can be: not before there was a parcel, not later than now. */
function whenOf({ state, context }: Draft, { occurredAt }: Report): number {
  return Math.min(Math.max(occurredAt ?? context.now, state.request?.at ?? 0), context.now);
}

/** It was seen later than the last time. Without a time of its own it was seen now. */
function isNews({ lastSeenAt }: ShipmentState, { occurredAt }: Report, at: number): boolean {
  return occurredAt === undefined || at > (lastSeenAt ?? 0);
}

function pick(draft: Draft) {
  if (draft.state.picked) return;
  record(draft, { type: 'ShipmentPicked', v: 1 });
  tellStock(draft, 'PickReservation');
}

function handOver(draft: Draft, at: number) {
  record(draft, { type: 'HandedToCarrier', v: 1, at });
  tellStock(draft, 'ShipReservation');
  stopAsking(draft);
}

function tellStock(draft: Draft, type: 'PickReservation' | 'ShipReservation') {
  const { warehouse = '', lines = [] } = draft.state.request ?? {};
  for (const { sku, reservationId } of lines) {
    draft.sends.push({ to: stockAddress(sku, warehouse), message: { type, reservationId } });
  }
}

// where it is

function move(draft: Draft, to: Exclude<ShipmentReport, 'picked' | 'handed-to-carrier'>, command: Report, at: number) {
  const { state } = draft;
  switch (to) {
    case 'in-transit':
      if (isBehind(state, 'in-transit')) return record(draft, { type: 'InTransit', v: 1, at });
      return findAgain(draft, command, at);
    case 'out-for-delivery':
      if (isBehind(state, 'out-for-delivery') || isNextTour(state, command, at)) {
        const { attempt } = command;
        return record(draft, { type: 'OutForDelivery', v: 1, at, ...(attempt !== undefined && { attempt }) });
      }
      return findAgain(draft, command, at);
    case 'attempt-failed':
      return isUnderWay(state) ? failAttempt(draft, command, at) : findAgain(draft, command, at);
    case 'delivered':
      if (isBehind(state, 'delivered')) arrive(draft, 'Delivered', at);
      return;
    case 'returned':
      if (isBehind(state, 'returned')) arrive(draft, 'Returned', at);
      return;
    case 'lost':
      if (isBehind(state, 'lost')) lose(draft, at);
      return;
    default:
      return assertNever(to);
  }
}

function isNextTour({ status, attempts, statusAt }: ShipmentState, { attempt, occurredAt }: Report, at: number) {
  if (status !== 'delivery-attempt-failed') return false;
  if (attempt !== undefined) return attempt > attempts;
  return occurredAt !== undefined && at > (statusAt ?? 0);
}

function failAttempt(draft: Draft, { attempt = 0, occurredAt }: Report, at: number) {
  const { status, attempts, tour, statusAt } = draft.state;
  if (attempt <= attempts) return;
  const earlier = attempt < tour || (occurredAt !== undefined && at < (statusAt ?? 0));
  const late = status === 'out-for-delivery' && earlier;
  record(draft, { type: 'DeliveryAttemptFailed', v: 1, at, attempt, ...(late && { late }) });
  if (attempt < draft.context.policy.shipment.maxDeliveryAttempts) return;
  record(draft, { type: 'ReturnToSenderStarted', v: 1, at });
}

function arrive(draft: Draft, type: 'Delivered' | 'Returned', at: number) {
  const { status, reshipping } = draft.state;
  record(draft, { type, v: 1, at });
  // What was on its way back comes back as expected.
  if (!reshipping || (type === 'Returned' && status !== 'lost')) return;
  record(draft, { type: 'ShipmentFound', v: 1, at });
  if (type === 'Delivered') tell(draft, { type: 'ParcelFound', shipmentId: draft.state.id });
}

/** A parcel that was given up is seen again. It stays lost until it arrives somewhere: its goods are sent once more. */
function findAgain(draft: Draft, command: Report, at: number) {
  const { status, alert } = draft.state;
  if (status !== 'lost' || alert === 'found' || !isNews(draft.state, command, at)) return;
  record(draft, { type: 'ShipmentFound', v: 1, at });
}

/** What was lost for the first time on its way to the customer is sent once more; everything else is for staff to decide. */
function lose(draft: Draft, at: number) {
  const { state } = draft;
  const automatic = isUnderWay(state) && state.request?.replaces === null;
  record(draft, { type: 'ShipmentLost', v: 1, at });
  askForTrace(draft);
  if (automatic) askToReship(draft, 'system', 'The parcel is lost.');
}

// parcels that nobody sees

const GHOST = 'ghost';
const LOST = 'lost';

function watchForFirstScan(draft: Draft) {
  const at = (draft.state.lastSeenAt ?? 0) + draft.context.policy.shipment.ghostMs;
  draft.timers.push({ set: GHOST, at, message: { type: 'CheckGhost' } });
  watchForNextScan(draft);
}

function watchForNextScan(draft: Draft) {
  const at = (draft.state.lastSeenAt ?? 0) + draft.context.policy.shipment.lostMs;
  draft.timers.push({ set: LOST, at, message: { type: 'CheckLost' } });
}

export function checkGhost(draft: Draft) {
  const { status, lastSeenAt, alert } = draft.state;
  const { context } = draft;
  if (status !== 'handed-to-carrier' || alert === 'ghost') return;
  const due = (lastSeenAt ?? 0) + context.policy.shipment.ghostMs;
  if (context.now >= due) return record(draft, { type: 'ShipmentGhost', v: 1 });
  draft.timers.push({ set: GHOST, at: due, message: { type: 'CheckGhost' } });
}

export function checkLost(draft: Draft) {
  const { state, context } = draft;
  if (!isUnderWay(state)) return;
  if (context.now < (state.lastSeenAt ?? 0) + context.policy.shipment.lostMs) return watchForNextScan(draft);
  draft.timers.push({ clear: GHOST });
  lose(draft, context.now);
}
