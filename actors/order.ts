// CONTRACT (to be completed into the aggregate; names are agreed with the saga, checkout and the edge)
import type { Address } from './kernel/address.ts';
import type { PaymentNews } from './payment.ts';
import type { OrderDraft } from './shared.ts';
import type { ShipmentNews } from './shipment.ts';

export const orderAddress = (orderId: string): Address<'order'> => ({ type: 'order', id: orderId });

export type OrderCommand =
  /** From the edge (express) or from a completed checkout. Repeats are answered with the order that exists. */
  | { readonly type: 'PlaceOrder'; readonly draft: OrderDraft }
  /** From the edge. A customer only its own, within policy.order.customerCancelMs, until hand-over; staff until hand-over. */
  | {
      readonly type: 'CancelOrder';
      readonly by: { readonly role: 'customer' | 'staff'; readonly id: string };
      readonly reason: string;
    }
  // from the saga
  | { readonly type: 'HoldOrder'; readonly reason: string; readonly awaiting: 'review' | 'operator' | 'payment' }
  | { readonly type: 'ReleaseOrder' }
  | { readonly type: 'ConfirmOrder' }
  | { readonly type: 'BeginFulfilment' }
  /** The saga ended without fulfilling; `manual` when a compensation needs the operator. */
  | {
      readonly type: 'EndOrder';
      readonly outcome: 'cancelled' | 'out-of-stock' | 'payment-failed';
      readonly reason: string;
      readonly manual: boolean;
      readonly refundPending: boolean;
    }
  /** The cancellation came too late: the carrier has the goods. */
  | { readonly type: 'RefuseCancellation'; readonly reason: string }
  // from payment and shipments
  | PaymentNews
  | ShipmentNews
  // timer
  | { readonly type: 'CloseOrder' };

/** What the order tells the saga. */
export type OrderRequest =
  | { readonly type: 'StartSaga'; readonly draft: OrderDraft }
  | { readonly type: 'CancelSaga'; readonly by: string; readonly reason: string };

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

/** What the order tells the index of its customer; `version` orders it, an older one is ignored. */
export type OrderNews = {
  readonly type: 'NoteOrder';
  readonly orderId: string;
  readonly seq: number;
  readonly status: OrderStatus;
  readonly total: { readonly amount: number; readonly currency: string };
  readonly placedAt: number;
};
export const customerOrdersAddress = (customerId: string): Address<'customer-orders'> => ({
  type: 'customer-orders',
  id: customerId,
});
