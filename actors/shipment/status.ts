/** How far along the way a parcel is. */
import type { ShipmentStatus } from './messages.ts';
import type { ShipmentState } from './state.ts';

/** A report that lies behind changes nothing. The two ends are equally far. */
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

export function isHandedOver({ status }: ShipmentState): boolean {
  return PLACE[status] >= PLACE['handed-to-carrier'];
}

/** On its way to the customer: should be seen by the carrier now and then. */
export function isUnderWay(state: ShipmentState): boolean {
  return isHandedOver(state) && PLACE[state.status] <= PLACE['delivery-attempt-failed'];
}

export function isBehind({ status }: ShipmentState, other: ShipmentStatus): boolean {
  return PLACE[status] < PLACE[other];
}
