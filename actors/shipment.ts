/**
 * One parcel of an order, from the warehouse to the door: assigned, labeled, handed over, followed, delivered.
 *
 * Its id derives from the order, so creating it twice creates it once. Reports come from warehouses and carriers in any
 * order and repetition: the status only moves forward, a later report implies the earlier ones, and the stock leaves
 * the house exactly once. It can be cancelled until the carrier has it; what doesn't arrive is sent once more as a
 * shipment of its own. The parts: messages, state, reports (and what follows from silence), label and trace (what the
 * carrier is asked), reship (and what came back), draft (a decision in the making).
 */
import { assertNever } from './kernel/assertNever.ts';
import type { Decider, Decision, Rejection } from './kernel/decider.ts';
import type { Policy } from './policy.ts';
import type { ShopContext } from './shared.ts';
import { begin, type Draft, record, tell, tellChanges } from './shipment/draft.ts';
import { askForLabel, askIfGivenUp, giveLabelBack, onLabelResult, retryLabel } from './shipment/label.ts';
import {
  type Of,
  orderOfShipment,
  type ShipmentCommand,
  type ShipmentSend,
  shipmentAddress,
} from './shipment/messages.ts';
import { checkGhost, checkLost, onReport } from './shipment/reports.ts';
import { acknowledge, bookReturned, noteReshipped, reship, unknownShipment } from './shipment/reship.ts';
import { evolve, initial, type ShipmentEvent, type ShipmentState } from './shipment/state.ts';
import { isHandedOver } from './shipment/status.ts';
import { onTraceResult, retryTrace } from './shipment/trace.ts';

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
  const { warehouse, lines, method, address, replaces } = command;
  const fail = (reason: string) => tell(draft, { type: 'ShipmentFailed', shipmentId: id, reason });
  if (status === 'cancelled') return fail('the shipment was cancelled');
  if (!known && lines.length === 0) return fail('there is nothing to ship');
  tell(draft, { type: 'ShipmentAccepted', shipmentId: id });
  if (known) return askIfGivenUp(draft);
  const what = { warehouse, lines, method, ...(replaces !== undefined && { replaces }) };
  record(draft, { type: 'WarehouseAssigned', v: 1, at: draft.context.now, ...what, personal: { address } });
  if (replaces !== undefined) {
    draft.sends.push({ to: shipmentAddress(replaces), message: { type: 'NoteReshipped', newId: id } });
  }
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

type StaffCommand = Of<'ReportShipment' | 'ReshipShipment' | 'BookReturnedPieces' | 'AcknowledgeAlert'>;

/** The rejection, if it can't be done. */
function obey(draft: Draft, command: StaffCommand): Rejection | undefined {
  const { id, status, request: known } = draft.state;
  if (!known && status !== 'cancelled') return unknownShipment(id);
  switch (command.type) {
    case 'ReportShipment':
      return onReport(draft, command);
    case 'ReshipShipment':
      return reship(draft, command);
    case 'BookReturnedPieces':
      return bookReturned(draft, command);
    case 'AcknowledgeAlert':
      return acknowledge(draft, command);
    default:
      return assertNever(command);
  }
}

function hear(draft: Draft, command: Exclude<ShipmentCommand, StaffCommand>) {
  switch (command.type) {
    case 'RequestShipment':
      return request(draft, command);
    case 'CancelShipment':
      return cancel(draft, command);
    case 'CarrierGatewayResult':
      return command.operation === 'CarrierTraceParcel' ? onTraceResult(draft, command) : onLabelResult(draft, command);
    case 'NoteReshipped':
      return noteReshipped(draft, command);
    case 'RetryLabel':
      return retryLabel(draft);
    case 'RetryTrace':
      return retryTrace(draft);
    case 'CheckGhost':
      return checkGhost(draft);
    case 'CheckLost':
      return checkLost(draft);
    default:
      return assertNever(command);
  }
}

function decide(state: ShipmentState, command: ShipmentCommand, context: ShopContext): ShipmentDecision {
  const draft = begin(state, context);
  switch (command.type) {
    case 'ReportShipment':
    case 'ReshipShipment':
    case 'BookReturnedPieces':
    case 'AcknowledgeAlert': {
      const rejection = obey(draft, command);
      return rejection === undefined ? decisionOf(draft, state, true) : { rejection };
    }
    default:
      hear(draft, command);
      return decisionOf(draft, state, false);
  }
}

function decisionOf(draft: Draft, before: ShipmentState, answered: boolean): ShipmentDecision {
  tellChanges(draft, before);
  const { events, sends, timers, state } = draft;
  return { events, sends, timers, ...(answered && { reply: { shipmentId: state.id, status: state.status } }) };
}

export const shipmentDecider: Decider<ShipmentState, ShipmentCommand, ShipmentEvent, Policy> = {
  type: 'shipment',
  // 2: times, ids of reports, traces and reshipments.
  stateVersion: 2,
  partitionKey: orderOfShipment,
  initial,
  decide,
  evolve,
};
