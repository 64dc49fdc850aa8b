/** The state of an order and how events change it. The status is derived from facts, so that no late fact can set it back. */
import { assertNever } from '../kernel/assertNever.ts';
import { zero } from '../kernel/money.ts';
import type { ShippingMethod } from '../policy.ts';
import type { AddressVerdict, OrderLine, PostalAddress, Totals } from '../shared.ts';
import type { Awaiting, OrderEvent, OrderOutcome, OrderPayment, OrderShipment } from './events.ts';
import { isInWarehouse, needsAttention, parcelStatus } from './parcels.ts';

export type OrderStatus =
  | 'placed'
  | 'on-hold'
  | 'confirmed'
  | 'fulfilling'
  | 'backordered'
  | 'partially-shipped'
  | 'shipped'
  | 'partially-delivered'
  | 'delivered'
  | 'delivery-failed'
  | 'cancelling'
  | 'cancelled'
  | 'out-of-stock'
  | 'payment-failed'
  | 'refund-pending'
  | 'manual-review'
  | 'closed';

export type Order = {
  readonly status: OrderStatus;
  readonly awaiting: Awaiting | null;
  readonly orderId: string;
  readonly customerId: string;
  readonly cartId: string | null;
  readonly currency: string;
  readonly lines: readonly OrderLine[];
  readonly totals: Totals;
  readonly shippingMethod: ShippingMethod;
  readonly address: PostalAddress;
  readonly billingAddress?: PostalAddress;
  readonly addressCheck?: AddressVerdict;
  readonly placedAt: number;
  readonly deliveredAt: number | null;
  readonly payment: OrderPayment;
  readonly shipments: { readonly [shipmentId: string]: OrderShipment };
  /** The facts behind the status. */
  readonly stage: 'placed' | 'confirmed' | 'fulfilling' | 'closed';
  readonly hold: {
    readonly awaiting: Awaiting;
    readonly reason: string;
    readonly url?: string;
    readonly expiresAt?: number;
    readonly expectedAt?: number;
  } | null;
  readonly cancellation: { readonly by: string; readonly reason: string } | null;
  readonly end: {
    readonly outcome: OrderOutcome;
    readonly reason: string;
    readonly manual: boolean;
    readonly refundPending: boolean;
  } | null;
  readonly notes?: readonly { readonly at: number; readonly by: string; readonly text: string }[];
  /** Number of events so far: orders what the order tells others. */
  readonly revision: number;
  /** Newest word of the saga, of its refusals of a cancellation, and of the payment. */
  readonly sagaSeq: number;
  readonly refusalSeq: number;
  readonly paymentSeq: number;
};

export type OrderState = { readonly status: 'unknown'; readonly orderId: string } | Order;

export function initialOrder(id: string): OrderState {
  return { status: 'unknown', orderId: id };
}

export function evolveOrder(state: OrderState, event: OrderEvent): Order {
  if (event.type === 'OrderPlaced') return placed(state.orderId, event);
  if (state.status === 'unknown') throw new Error(`${event.type} before OrderPlaced of ${state.orderId}`);
  const changed = change(state, event);
  const order = { ...changed, revision: state.revision + 1 };
  const status = statusOf(order);
  return Object.assign(order, { status, awaiting: awaitingOf(order, status) });
}

function placed(orderId: string, event: Extract<OrderEvent, { type: 'OrderPlaced' }>): Order {
  const none = zero(event.currency);
  return {
    status: 'placed',
    awaiting: null,
    orderId,
    customerId: event.customerId,
    cartId: event.cartId ?? null,
    currency: event.currency,
    lines: event.lines,
    totals: event.totals,
    shippingMethod: event.shippingMethod,
    ...event.personal,
    placedAt: event.placedAt,
    deliveredAt: null,
    payment: { status: 'pending', authorized: none, captured: none, refunded: none },
    shipments: {},
    stage: 'placed',
    hold: null,
    cancellation: null,
    end: null,
    revision: 1,
    sagaSeq: 0,
    refusalSeq: 0,
    paymentSeq: 0,
  };
}

function change(order: Order, event: Exclude<OrderEvent, { type: 'OrderPlaced' }>): Order {
  switch (event.type) {
    case 'OrderHeld': {
      const { type: _type, v: _v, seq, ...hold } = event;
      return { ...order, sagaSeq: seq, hold };
    }
    case 'OrderReleased':
      return { ...order, sagaSeq: event.seq, hold: null };
    case 'OrderConfirmed':
      return { ...order, sagaSeq: event.seq, hold: null, stage: 'confirmed' };
    case 'OrderFulfilmentBegun':
      return { ...order, sagaSeq: event.seq, hold: null, stage: 'fulfilling' };
    case 'OrderPaymentChanged':
      return { ...order, paymentSeq: event.seq, payment: event.payment };
    case 'OrderShipmentChanged':
      return { ...order, shipments: { ...order.shipments, [event.shipment.shipmentId]: event.shipment } };
    case 'OrderDelivered':
      return event.complete ? { ...order, deliveredAt: event.deliveredAt } : order;
    case 'OrderShipped':
    case 'OrderDeliveryFailed':
      return order;
    case 'OrderCancelRequested':
      return { ...order, cancellation: { by: event.by, reason: event.reason } };
    case 'OrderCancelRefused':
      return { ...order, refusalSeq: event.seq, cancellation: null };
    case 'OrderCancelled':
      return ended(order, 'cancelled', event);
    case 'OrderOutOfStock':
      return ended(order, 'out-of-stock', event);
    case 'OrderPaymentFailed':
      return ended(order, 'payment-failed', event);
    case 'OrderNoteAdded': {
      const { at, by, personal } = event;
      return { ...order, notes: [...(order.notes ?? []), { at, by, text: personal.text }] };
    }
    case 'OrderClosed':
      return { ...order, stage: 'closed' };
    default:
      return assertNever(event);
  }
}

function ended(
  order: Order,
  outcome: OrderOutcome,
  event: Extract<OrderEvent, { type: 'OrderCancelled' | 'OrderOutOfStock' | 'OrderPaymentFailed' }>,
): Order {
  const { reason, manual, refundPending } = event;
  return { ...order, sagaSeq: event.seq, hold: null, end: { outcome, reason, manual, refundPending } };
}

function statusOf(order: Order): OrderStatus {
  if (order.end !== null) {
    if (order.end.refundPending) return 'refund-pending';
    return order.end.manual ? 'manual-review' : order.end.outcome;
  }
  if (order.stage === 'closed') return 'closed';
  if (order.cancellation !== null) return 'cancelling';
  if (order.hold !== null) return order.hold.expectedAt === undefined ? 'on-hold' : 'backordered';
  return parcelStatus(order.lines, order.shipments) ?? order.stage;
}

function awaitingOf(order: Order, status: OrderStatus): Awaiting | null {
  if (status === 'manual-review' || status === 'refund-pending' || status === 'delivery-failed') return 'operator';
  const held = status === 'on-hold' || status === 'backordered';
  if (held && order.hold !== null) return order.hold.awaiting;
  if (order.payment.openRefund?.escalated) return 'operator';
  if (isDoubtful(order)) return 'operator';
  return order.end === null && needsAttention(order.shipments) ? 'operator' : null;
}

/** The customer's bank wants the money back, or has it, and goods that it was for have not left yet. */
function isDoubtful({ end, stage, payment, shipments }: Order): boolean {
  if (end !== null || stage === 'closed' || !isInWarehouse(shipments)) return false;
  return payment.status === 'disputed' || (payment.chargedBack?.amount ?? 0) > 0;
}
