/** Sending a parcel's goods once more, and what becomes of those that came back. Staff's doings, with who and why. */
import { stockAddress } from '../inventoryItem.ts';
import { type Rejection, reject } from '../kernel/decider.ts';
import { type Draft, record, tell } from './draft.ts';
import type { Of, ShipmentStatus } from './messages.ts';
import type { ShipmentState } from './state.ts';

/** It has not reached the customer and won't by itself. */
const RESHIPPABLE: readonly ShipmentStatus[] = ['returning-to-sender', 'returned', 'lost'];

function refusal(status: Rejection['status'], code: string, title: string, detail: string): Rejection {
  return reject(status, code, title, detail).rejection;
}

export function unknownShipment(id: string): Rejection {
  return refusal(404, 'shipment.unknown', 'No such shipment', `There is no shipment ${id}.`);
}

/** Asked twice it is sent once: the saga gives it one new shipment. */
export function askToReship(draft: Draft, by: string, why: string) {
  if (draft.state.reshipping) return;
  record(draft, { type: 'ReshipmentRequested', v: 1, by, why });
  tell(draft, { type: 'ReshipParcel', shipmentId: draft.state.id, by, why });
}

export function reship(draft: Draft, { by, why }: Of<'ReshipShipment'>): Rejection | undefined {
  const { status } = draft.state;
  if (!draft.state.reshipping && !RESHIPPABLE.includes(status)) {
    const detail = `It is ${status}; only what is lost, has come back or is on its way back is sent once more.`;
    return refusal(409, 'shipment.not-reshippable', 'Nothing to send once more', detail);
  }
  askToReship(draft, by, why);
  return undefined;
}

export function noteReshipped(draft: Draft, { newId }: Of<'NoteReshipped'>) {
  if (!draft.state.request || draft.state.replacedBy === newId) return;
  record(draft, { type: 'ShipmentReshipped', v: 1, newId });
}

export function acknowledge(draft: Draft, { by, why }: Of<'AcknowledgeAlert'>): undefined {
  if (draft.state.alert !== null) record(draft, { type: 'AlertAcknowledged', v: 1, by, why });
}

export function bookReturned(draft: Draft, command: Of<'BookReturnedPieces'>): Rejection | undefined {
  const { id, status, request, booked } = draft.state;
  if (status !== 'returned' || !request) {
    return refusal(409, 'shipment.not-returned', 'It has not come back', `Shipment ${id} is ${status}.`);
  }
  if (booked) return refusal(409, 'shipment.pieces-booked', 'Already booked', `The pieces of ${id} are in the books.`);
  const { lines, by, why } = command;
  const problem = problemOf(draft.state, lines);
  if (problem !== undefined) return refusal(422, 'shipment.pieces-invalid', 'Not the pieces of this parcel', problem);
  record(draft, { type: 'ReturnedPiecesBooked', v: 1, lines, by, why });
  for (const { sku, restock, quarantine: quarantined = 0 } of lines) {
    const quantity = restock + quarantined;
    if (quantity === 0) continue;
    const message = { type: 'RestockReturned', quantity, quarantined, returnId: id } as const;
    draft.sends.push({ to: stockAddress(sku, request.warehouse), message });
  }
  return undefined;
}

function problemOf({ request }: ShipmentState, lines: Of<'BookReturnedPieces'>['lines']): string | undefined {
  if (new Set(lines.map(({ sku }) => sku)).size < lines.length) return 'A SKU is mentioned twice.';
  const wrong = lines.find(({ sku, restock, quarantine = 0 }) => {
    const pieces = request?.lines.filter((line) => line.sku === sku) ?? [];
    const shipped = pieces.reduce((sum, { quantity }) => sum + quantity, 0);
    return !(isCount(restock) && isCount(quarantine) && restock + quarantine <= shipped);
  });
  return wrong && `There were not as many pieces of ${wrong.sku} in it.`;
}

function isCount(pieces: number): boolean {
  return Number.isSafeInteger(pieces) && pieces >= 0;
}
