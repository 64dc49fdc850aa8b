import type { OrderShipment } from '../../actors/order/events.ts';
import { parcelStatus } from '../../actors/order/parcels.ts';
import type { Order } from '../../actors/order/state.ts';
import type { OrderRow } from '../shop.ts';
import { time } from './time.ts';

export function orderView(order: Order, version: number) {
  return {
    id: order.orderId,
    status: order.status,
    awaiting: order.awaiting,
    paymentRequest: paymentRequestView(order),
    backorder: backorderView(order),
    cartId: order.cartId,
    currency: order.currency,
    payment: order.payment,
    fulfillment: {
      status: fulfillmentStatus(order),
      shipments: Object.values(order.shipments).map(shipmentView),
    },
    lines: order.lines,
    totals: order.totals,
    shippingMethod: order.shippingMethod,
    address: order.address,
    billingAddress: order.billingAddress ?? null,
    addressCheck: order.addressCheck ?? null,
    placedAt: time(order.placedAt),
    deliveredAt: order.deliveredAt === null ? null : time(order.deliveredAt),
    version,
  };
}

/** What the customer is asked to do so that the order can be paid, and where. */
function paymentRequestView({ orderId, status, hold }: Order) {
  if (status !== 'on-hold' || hold === null) return null;
  const { awaiting, reason, url, expiresAt } = hold;
  if (awaiting !== 'payment' && awaiting !== 'payment-method') return null;
  const here = awaiting === 'payment-method' ? `/v1/orders/${orderId}/payment` : null;
  return { reason, url: url ?? here, expiresAt: expiresAt === undefined ? null : time(expiresAt) };
}

function backorderView({ orderId, status, hold }: Order) {
  if (status !== 'backordered' || hold?.expectedAt === undefined) return null;
  const { awaiting, expectedAt, expiresAt } = hold;
  const url = awaiting === 'backorder-choice' ? `/v1/orders/${orderId}/backorder-choice` : null;
  return { expectedAt: time(expectedAt), url, expiresAt: expiresAt === undefined ? null : time(expiresAt) };
}

/** Once true it stays true, also for an order that is released from its hold and shows Placed again. */
export function hasLeftPlaced(order: Order): boolean {
  return order.sagaSeq > 0 || order.cancellation !== null;
}

function fulfillmentStatus(order: Order): string {
  const parcels = parcelStatus(order.lines, order.shipments);
  if (parcels !== null) return parcels;
  if (order.end !== null) return 'cancelled';
  return order.stage === 'placed' || order.stage === 'confirmed' ? 'pending' : 'preparing';
}

function shipmentView(shipment: OrderShipment) {
  const { shipmentId, status, lines, attempts, warehouse, carrier, trackingNumber, deliveredAt } = shipment;
  const { replaces, replacedBy, alert } = shipment;
  return {
    id: shipmentId,
    status,
    lines,
    ...(warehouse !== undefined && { warehouse }),
    ...(carrier !== undefined && { carrier }),
    ...(trackingNumber !== undefined && { trackingNumber }),
    attempts,
    ...(deliveredAt !== undefined && { deliveredAt: time(deliveredAt) }),
    ...(replaces !== undefined && { replaces }),
    ...(replacedBy !== undefined && { replacedBy }),
    ...(alert !== undefined && { alert }),
  };
}

export function orderRowView({ orderId, status, total, placedAt }: OrderRow) {
  return { id: orderId, status, total, placedAt: time(placedAt) };
}
