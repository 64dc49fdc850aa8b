import type { Change } from '../../actors/changes.ts';
import { assertNever } from '../../actors/kernel/assertNever.ts';
import { time } from './time.ts';

/** The name of the event, and what it says: which resource has changed, and what people look at first. */
export function changeView(change: Change) {
  const { version } = change;
  const at = time(change.at);
  switch (change.kind) {
    case 'cart': {
      const { id, status } = change.cart;
      return { event: 'cart.updated', data: { id, status, version, at } };
    }
    case 'order': {
      const { orderId: id, status, awaiting, payment } = change.order;
      return { event: 'order.updated', data: { id, status, awaiting, payment: payment.status, version, at } };
    }
    case 'shipment': {
      const { shipmentId: id, status, carrier, trackingNumber } = change.shipment;
      const parcel = {
        ...(carrier !== undefined && { carrier }),
        ...(trackingNumber !== undefined && { trackingNumber }),
      };
      return { event: 'shipment.updated', data: { id, orderId: change.orderId, status, ...parcel, version, at } };
    }
    default:
      return assertNever(change);
  }
}
