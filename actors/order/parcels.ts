/**
 * What all parcels of an order together say about it. Counted in pieces, not in parcels: the first parcel of a split
 * order may be delivered before the order has heard that there is a second one.
 */
import { assertNever } from '../kernel/assertNever.ts';
import type { OrderLine } from '../shared.ts';
import type { ShipmentStatus } from '../shipment/messages.ts';
import type { OrderShipment } from './events.ts';

type Shipments = { readonly [shipmentId: string]: OrderShipment };

export type ParcelStatus =
  | 'backordered'
  | 'partially-shipped'
  | 'shipped'
  | 'partially-delivered'
  | 'delivered'
  | 'delivery-failed';

/** The parcels that count: neither cancelled nor replaced by a reshipment. */
export function liveShipments(shipments: Shipments): OrderShipment[] {
  const all = Object.values(shipments);
  // An order asks at each of its events, most of them before its first parcel.
  if (all.length === 0) return all;
  const replaced = new Set(all.filter(({ status }) => status !== 'cancelled').map(({ replaces }) => replaces));
  return all.filter(({ shipmentId, status }) => status !== 'cancelled' && !replaced.has(shipmentId));
}

/** `null`: no parcel has left yet, the order stands where its saga says. */
export function parcelStatus(lines: readonly OrderLine[], shipments: Shipments): ParcelStatus | null {
  const live = liveShipments(shipments);
  const delivered = live.filter(({ status }) => placeOf(status) === 'delivered');
  const left = live.filter(({ status }) => placeOf(status) === 'delivered' || placeOf(status) === 'on-its-way');
  if (covers(delivered, lines)) return 'delivered';
  if (live.some(({ status }) => placeOf(status) === 'failed')) return 'delivery-failed';
  if (delivered.length > 0) return 'partially-delivered';
  if (covers(left, lines)) return 'shipped';
  if (left.length > 0) return 'partially-shipped';
  return live.some(({ status }) => status === 'backordered') ? 'backordered' : null;
}

/** Whether the carrier has, or had, any of it: also what is lost and being sent once more. */
export function handedOver(shipments: Shipments): boolean {
  return Object.values(shipments).some(({ status }) => placeOf(status) !== 'warehouse');
}

/** Nothing more will become of any parcel that counts. */
export function isSettled(shipments: Shipments): boolean {
  const over: readonly ShipmentStatus[] = ['delivered', 'returned', 'lost'];
  return liveShipments(shipments).every(({ status }) => over.includes(status));
}

/** Some of the goods may still be kept from leaving. */
export function isInWarehouse(shipments: Shipments): boolean {
  const live = liveShipments(shipments);
  return live.length === 0 || live.some(({ status }) => placeOf(status) === 'warehouse');
}

/** When the last of the parcels that count was delivered, as far as it is known. */
export function lastDelivery(shipments: Shipments): number | undefined {
  const times = liveShipments(shipments).flatMap(({ deliveredAt }) => deliveredAt ?? []);
  return times.length === 0 ? undefined : Math.max(...times);
}

/** Somebody should look at a parcel, be it one that another has taken the place of. */
export function needsAttention(shipments: Shipments): boolean {
  return Object.values(shipments).some(({ status, alert }) => status !== 'cancelled' && alert !== undefined);
}

function covers(parcels: readonly OrderShipment[], lines: readonly OrderLine[]): boolean {
  if (parcels.length === 0) return lines.length === 0;
  const pieces = new Map<string, number>();
  for (const { sku, quantity } of parcels.flatMap((parcel) => parcel.lines)) {
    pieces.set(sku, (pieces.get(sku) ?? 0) + quantity);
  }
  const wanted = new Map<string, number>();
  for (const { sku, quantity } of lines) wanted.set(sku, (wanted.get(sku) ?? 0) + quantity);
  return [...wanted].every(([sku, quantity]) => (pieces.get(sku) ?? 0) >= quantity);
}

function placeOf(status: ShipmentStatus): 'warehouse' | 'on-its-way' | 'delivered' | 'failed' {
  switch (status) {
    case 'pending':
    case 'assigned':
    case 'labeled':
    case 'backordered':
    case 'cancelled':
      return 'warehouse';
    case 'handed-to-carrier':
    case 'in-transit':
    case 'out-for-delivery':
    case 'delivery-attempt-failed':
      return 'on-its-way';
    case 'delivered':
      return 'delivered';
    case 'returning-to-sender':
    case 'returned':
    case 'lost':
      return 'failed';
    default:
      return assertNever(status);
  }
}
