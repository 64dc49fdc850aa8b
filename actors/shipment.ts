/**
 * One parcel of an order, from the warehouse to the door: assigned, labeled, handed over, followed, delivered.
 *
 * Its id derives from the order, so creating it twice creates it once. Reports come from warehouses and carriers in any
 * order and repetition: the status only moves forward, a later report implies the earlier ones, and the stock leaves
 * the house exactly once. It can be cancelled until the carrier has it. The parts: messages, state, label (buying and
 * voiding it), draft (a decision in the making).
 */

import { stockAddress } from './inventoryItem.ts';
import { assertNever } from './kernel/assertNever.ts';
import { type Decider, type Decision, reject } from './kernel/decider.ts';
import type { Policy } from './policy.ts';
import type { ShopContext } from './shared.ts';
import { begin, type Draft, record, tell, tellChanges } from './shipment/draft.ts';
import { askForLabel, askIfGivenUp, giveLabelBack, onCarrierResult, retryLabel, stopAsking } from './shipment/label.ts';
import {
  type Of,
  orderOfShipment,
  type ShipmentCommand,
  type ShipmentReport,
  type ShipmentSend,
  type ShipmentStatus,
} from './shipment/messages.ts';
import { evolve, initial, type ShipmentEvent, type ShipmentState } from './shipment/state.ts';

export {
  orderOfShipment,
  type ShipmentAlert,
  type ShipmentAnswer,
  type ShipmentCommand,
  type ShipmentLine,
  type ShipmentNews,
  type ShipmentReport,
  type ShipmentSend,
  type ShipmentStatus,
  shipmentAddress,
  shipmentId,
} from './shipment/messages.ts';
export type { ShipmentEvent, ShipmentState } from './shipment/state.ts';

type ShipmentDecision = Decision<ShipmentEvent, ShipmentSend, ShipmentCommand>;

// what the saga asks

function request(draft: Draft, command: Of<'RequestShipment'>) {
  const { id, status, request: known } = draft.state;
  const { warehouse, lines, method, address } = command;
  const fail = (reason: string) => tell(draft, { type: 'ShipmentFailed', shipmentId: id, reason });
  if (status === 'cancelled') return fail('the shipment was cancelled');
  if (!known && lines.length === 0) return fail('there is nothing to ship');
  tell(draft, { type: 'ShipmentAccepted', shipmentId: id });
  if (known) return askIfGivenUp(draft);
  record(draft, { type: 'WarehouseAssigned', v: 1, warehouse, lines, method, personal: { address } });
  if (draft.state.label.status === 'none') askForLabel(draft);
}

function cancel(draft: Draft, { reason }: Of<'CancelShipment'>) {
  const { id, status } = draft.state;
  if (isHandedOver(draft.state)) return tell(draft, { type: 'ShipmentCancelRefused', shipmentId: id, status });
  tell(draft, { type: 'ShipmentCancelled', shipmentId: id });
  if (status === 'cancelled') return;
  record(draft, { type: 'ShipmentCancelled', v: 1, reason });
  giveLabelBack(draft);
}

// what warehouse and carrier report

/** How far along the way a parcel is: a report that lies behind changes nothing. The two ends are equally far. */
const PLACE: Readonly<Record<ShipmentStatus, number>> = {
  cancelled: 0,
  pending: 0,
  backordered: 0,
  assigned: 1,
  labeled: 2,
  'handed-to-carrier': 3,
  'in-transit': 4,
  'out-for-delivery': 5,
  'delivery-attempt-failed': 6,
  'returning-to-sender': 7,
  lost: 8,
  returned: 9,
  delivered: 9,
};

function isHandedOver({ status }: ShipmentState): boolean {
  return PLACE[status] >= PLACE['handed-to-carrier'];
}

/** On its way to the customer: should be seen by the carrier now and then. */
function isUnderWay(state: ShipmentState): boolean {
  return isHandedOver(state) && PLACE[state.status] <= PLACE['delivery-attempt-failed'];
}

function isBehind({ status }: ShipmentState, other: ShipmentStatus): boolean {
  return PLACE[status] < PLACE[other];
}

function refusal(state: ShipmentState, { report, attempt }: Of<'ReportShipment'>) {
  const { id, status, request: known } = state;
  const impossible = (detail: string) => reject(409, 'shipment.not-possible', 'This cannot have happened', detail);
  if (status === 'cancelled') return impossible(`Shipment ${id} was cancelled.`);
  if (!known) return reject(404, 'shipment.unknown', 'No such shipment', `There is no shipment ${id}.`);
  if (report === 'lost' && !isHandedOver(state)) return impossible(`Shipment ${id} has not been handed over.`);
  if (report === 'attempt-failed' && !(Number.isSafeInteger(attempt) && Number(attempt) >= 1)) {
    const detail = "A failed delivery attempt needs the carrier's number of it, from 1.";
    return reject(422, 'shipment.attempt-required', 'The number of the attempt is missing', detail);
  }
  return undefined;
}

function report(draft: Draft, command: Of<'ReportShipment'>) {
  if (command.report === 'picked') return pick(draft);
  const news = draft.events.length;
  if (!isHandedOver(draft.state)) handOver(draft);
  if (command.report === 'handed-to-carrier') {
    if (draft.events.length > news) watchForFirstScan(draft);
    return;
  }
  const before = draft.state;
  move(draft, command.report, command.attempt ?? 0);
  if (isUnderWay(draft.state)) {
    if (draft.state === before) record(draft, { type: 'ShipmentScanned', v: 1, at: draft.context.now });
    draft.timers.push({ clear: GHOST });
    watchForNextScan(draft);
  } else if (draft.state !== before) {
    draft.timers.push({ clear: GHOST }, { clear: LOST });
  }
}

function pick(draft: Draft) {
  if (draft.state.picked) return;
  record(draft, { type: 'ShipmentPicked', v: 1 });
  tellStock(draft, 'PickReservation');
}

function handOver(draft: Draft) {
  record(draft, { type: 'HandedToCarrier', v: 1, at: draft.context.now });
  tellStock(draft, 'ShipReservation');
  stopAsking(draft);
}

function tellStock(draft: Draft, type: 'PickReservation' | 'ShipReservation') {
  const { warehouse = '', lines = [] } = draft.state.request ?? {};
  for (const { sku, reservationId } of lines) {
    draft.sends.push({ to: stockAddress(sku, warehouse), message: { type, reservationId } });
  }
}

function move(draft: Draft, to: Exclude<ShipmentReport, 'picked' | 'handed-to-carrier'>, attempt: number) {
  const { state, context } = draft;
  const at = context.now;
  switch (to) {
    case 'in-transit':
      if (isBehind(state, 'in-transit')) record(draft, { type: 'InTransit', v: 1, at });
      return;
    case 'out-for-delivery': {
      const nextTour = state.status === 'delivery-attempt-failed' && attempt > state.attempts;
      if (isBehind(state, 'out-for-delivery') || nextTour) record(draft, { type: 'OutForDelivery', v: 1, at });
      return;
    }
    case 'attempt-failed':
      if (!isUnderWay(state) || attempt <= state.attempts) return;
      record(draft, { type: 'DeliveryAttemptFailed', v: 1, at, attempt });
      if (attempt < context.policy.shipment.maxDeliveryAttempts) return;
      return record(draft, { type: 'ReturnToSenderStarted', v: 1, at });
    case 'delivered':
      if (isBehind(state, 'delivered')) record(draft, { type: 'Delivered', v: 1, at });
      return;
    case 'returned':
      if (isBehind(state, 'returned')) record(draft, { type: 'Returned', v: 1, at });
      return;
    case 'lost':
      if (isBehind(state, 'lost')) record(draft, { type: 'ShipmentLost', v: 1, at });
      return;
    default:
      return assertNever(to);
  }
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

function checkGhost(draft: Draft) {
  const { status, lastSeenAt, alert } = draft.state;
  const { context } = draft;
  if (status !== 'handed-to-carrier' || alert === 'ghost') return;
  const due = (lastSeenAt ?? 0) + context.policy.shipment.ghostMs;
  if (context.now >= due) return record(draft, { type: 'ShipmentGhost', v: 1 });
  draft.timers.push({ set: GHOST, at: due, message: { type: 'CheckGhost' } });
}

function checkLost(draft: Draft) {
  const { state, context } = draft;
  if (!isUnderWay(state)) return;
  if (context.now < (state.lastSeenAt ?? 0) + context.policy.shipment.lostMs) return watchForNextScan(draft);
  draft.timers.push({ clear: GHOST });
  record(draft, { type: 'ShipmentLost', v: 1, at: context.now });
}

function decide(state: ShipmentState, command: ShipmentCommand, context: ShopContext): ShipmentDecision {
  const refused = command.type === 'ReportShipment' ? refusal(state, command) : undefined;
  if (refused) return refused;
  const draft = begin(state, context);
  handle(draft, command);
  tellChanges(draft, state);
  const { events, sends, timers } = draft;
  const reply = { shipmentId: state.id, status: draft.state.status };
  return { events, sends, timers, ...(command.type === 'ReportShipment' && { reply }) };
}

function handle(draft: Draft, command: ShipmentCommand) {
  switch (command.type) {
    case 'RequestShipment':
      return request(draft, command);
    case 'CancelShipment':
      return cancel(draft, command);
    case 'CarrierGatewayResult':
      return onCarrierResult(draft, command);
    case 'ReportShipment':
      return report(draft, command);
    case 'RetryLabel':
      return retryLabel(draft);
    case 'CheckGhost':
      return checkGhost(draft);
    case 'CheckLost':
      return checkLost(draft);
    default:
      return assertNever(command);
  }
}

export const shipmentDecider: Decider<ShipmentState, ShipmentCommand, ShipmentEvent, Policy> = {
  type: 'shipment',
  partitionKey: orderOfShipment,
  initial,
  decide,
  evolve,
};
