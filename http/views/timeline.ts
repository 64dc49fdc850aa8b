/** An order's history as its customer may see it: what happened, in plain words; nothing of how the shop works inside. */
import { assertNever } from '../../actors/kernel/assertNever.ts';
import type { Money } from '../../actors/kernel/money.ts';
import type { StoredCommit } from '../../actors/kernel/ports.ts';
import type { Awaiting, OrderEvent, OrderPayment, OrderShipment } from '../../actors/order/events.ts';
import type { PaymentStatus } from '../../actors/payment.ts';
import type { ShipmentStatus } from '../../actors/shipment.ts';
import { time } from './time.ts';

type Entry = {
  readonly type: string;
  readonly title: string;
  readonly shipmentId?: string;
  readonly carrier?: string;
  readonly trackingNumber?: string;
  readonly amount?: Money;
};

export function timelineView(history: readonly StoredCommit[]) {
  // News that change nothing a customer would notice say the same as the entry before of the same thing.
  const said = new Map<string, string>();
  return history.flatMap((commit) =>
    commit.events.flatMap((event) => {
      const entry = entryOf(event as OrderEvent);
      if (entry === null) return [];
      const subject = entry.shipmentId ?? entry.type.split('.')[0] ?? '';
      const words = JSON.stringify(entry);
      if (said.get(subject) === words) return [];
      said.set(subject, words);
      return [{ at: time(commit.at), ...entry }];
    }),
  );
}

/** `null`: nothing for the customer's eyes. */
function entryOf(event: OrderEvent): Entry | null {
  switch (event.type) {
    case 'OrderPlaced':
      return { type: 'order.placed', title: 'Order placed' };
    case 'OrderHeld':
      return { type: 'order.held', title: holdTitle(event.awaiting) };
    case 'OrderReleased':
      return { type: 'order.released', title: 'Order is going on' };
    case 'OrderConfirmed':
      return { type: 'order.confirmed', title: 'Order confirmed' };
    case 'OrderFulfilmentBegun':
      return { type: 'order.fulfilling', title: 'Order is being prepared' };
    case 'OrderPaymentChanged':
      return paymentEntry(event.payment);
    case 'OrderShipmentChanged':
      return shipmentEntry(event.shipment);
    case 'OrderShipped':
      return event.complete
        ? { type: 'order.shipped', title: 'Order shipped' }
        : { type: 'order.partially-shipped', title: 'Part of the order shipped' };
    case 'OrderDelivered':
      return event.complete
        ? { type: 'order.delivered', title: 'Order delivered' }
        : { type: 'order.partially-delivered', title: 'Part of the order delivered' };
    case 'OrderDeliveryFailed':
      return { type: 'order.delivery-failed', title: 'A parcel could not be delivered' };
    case 'OrderCancelRequested':
      return { type: 'order.cancelling', title: 'Cancellation requested' };
    case 'OrderCancelRefused':
      return { type: 'order.cancel-refused', title: 'Too late to cancel' };
    case 'OrderCancelled':
      return { type: 'order.cancelled', title: 'Order cancelled' };
    case 'OrderOutOfStock':
      return { type: 'order.out-of-stock', title: 'Order ended: out of stock' };
    case 'OrderPaymentFailed':
      return { type: 'order.payment-failed', title: 'Order ended: payment failed' };
    case 'OrderNoteAdded':
      return null;
    case 'OrderClosed':
      return { type: 'order.closed', title: 'Order closed' };
    default:
      return assertNever(event);
  }
}

function holdTitle(awaiting: Awaiting): string {
  switch (awaiting) {
    case 'review':
      return 'Order is being reviewed';
    case 'operator':
      return 'We are looking into this order';
    case 'payment':
      return 'Your bank asks you to approve the payment';
    case 'stock':
      return 'Order waits for a delivery';
    case 'backorder-choice':
      return 'Do you want to wait for the delivery?';
    case 'payment-method':
      return 'Another payment method is needed';
    default:
      return assertNever(awaiting);
  }
}

const PAYMENT_TITLES: Readonly<Record<PaymentStatus, string>> = {
  pending: 'Payment started',
  'requires-action': 'Payment needs your confirmation',
  authorized: 'Payment authorized',
  'partially-captured': 'Payment partly received',
  captured: 'Payment received',
  'partially-refunded': 'Partly refunded',
  refunded: 'Refunded',
  voided: 'Payment authorization released',
  failed: 'Payment failed',
  disputed: 'Payment disputed',
  'cancelled-before-start': 'Payment not started',
};

const SHIPMENT_TITLES: Readonly<Record<ShipmentStatus, string>> = {
  pending: 'Parcel planned',
  assigned: 'Parcel assigned to a warehouse',
  labeled: 'Parcel packed and labelled',
  'handed-to-carrier': 'Parcel handed to the carrier',
  'in-transit': 'Parcel in transit',
  'out-for-delivery': 'Parcel out for delivery',
  delivered: 'Parcel delivered',
  'delivery-attempt-failed': 'Delivery attempt failed',
  'returning-to-sender': 'Parcel on its way back to us',
  returned: 'Parcel came back to us',
  lost: 'Parcel lost',
  backordered: 'Parcel waits for stock',
  cancelled: 'Parcel cancelled',
};

function paymentEntry({ status, authorized, captured, refunded }: OrderPayment): Entry {
  const amount = amountOf(status, authorized, captured, refunded);
  return { type: `payment.${status}`, title: PAYMENT_TITLES[status], ...(amount && { amount }) };
}

function amountOf(status: PaymentStatus, authorized: Money, captured: Money, refunded: Money): Money | undefined {
  if (status === 'authorized') return authorized;
  if (status === 'captured' || status === 'partially-captured') return captured;
  return status === 'refunded' || status === 'partially-refunded' ? refunded : undefined;
}

function shipmentEntry({ shipmentId, status, carrier, trackingNumber, attempts }: OrderShipment): Entry {
  const attempt = status === 'delivery-attempt-failed' ? ` (${attempts})` : '';
  return {
    type: `shipment.${status}`,
    title: `${SHIPMENT_TITLES[status]}${attempt}`,
    shipmentId,
    ...(carrier !== undefined && { carrier }),
    ...(trackingNumber !== undefined && { trackingNumber }),
  };
}
