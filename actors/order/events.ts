/** What has happened to an order, in the customer's words. One event per fact; the address is the only personal part. */
import type { Money } from '../kernel/money.ts';
import type { PaymentStatus } from '../payment.ts';
import type { ShippingMethod } from '../policy.ts';
import type { AddressVerdict, OrderLine, PostalAddress, Totals } from '../shared.ts';
import type { ShipmentAlert, ShipmentStatus } from '../shipment/messages.ts';

/**
 * `payment`: the customer's bank asks for approval. `payment-method`: the customer is asked for another one. `stock`: a
 * delivery is expected. `backorder-choice`: the customer is asked whether to wait for it.
 */
export type Awaiting = 'review' | 'operator' | 'payment' | 'payment-method' | 'stock' | 'backorder-choice';

export type OrderOutcome = 'cancelled' | 'out-of-stock' | 'payment-failed';

export type OrderPayment = {
  readonly status: PaymentStatus;
  readonly authorized: Money;
  readonly captured: Money;
  readonly refunded: Money;
  readonly chargedBack?: Money;
  readonly openRefund?: { readonly amount: Money; readonly escalated: boolean };
};

/** One parcel as the order knows it. `seq` is the newest news of it. */
export type OrderShipment = {
  readonly shipmentId: string;
  readonly seq: number;
  readonly status: ShipmentStatus;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
  readonly warehouse?: string;
  readonly carrier?: string;
  readonly trackingNumber?: string;
  readonly attempts: number;
  readonly deliveredAt?: number;
  readonly replaces?: string;
  readonly replacedBy?: string;
  readonly alert?: ShipmentAlert;
};

/** `seq` in an event of the saga's making orders it: what the saga said earlier and arrives later is ignored. */
type Ended = {
  readonly v: 1;
  readonly seq: number;
  readonly reason: string;
  /** A compensation failed: an operator has to finish it. */
  readonly manual: boolean;
  readonly refundPending: boolean;
};

export type OrderEvent =
  | {
      readonly type: 'OrderPlaced';
      readonly v: 1;
      readonly customerId: string;
      readonly cartId?: string;
      readonly currency: string;
      readonly lines: readonly OrderLine[];
      readonly totals: Totals;
      readonly shippingMethod: ShippingMethod;
      readonly placedAt: number;
      readonly personal: {
        readonly address: PostalAddress;
        readonly billingAddress?: PostalAddress;
        readonly addressCheck?: AddressVerdict;
      };
    }
  | {
      readonly type: 'OrderHeld';
      readonly v: 1;
      readonly seq: number;
      readonly awaiting: Awaiting;
      readonly reason: string;
      /** Where the customer does what is asked, if that isn't here; and until when, in ms since the epoch. */
      readonly url?: string;
      readonly expiresAt?: number;
      /** It is backordered: when everything should have come, in ms since the epoch. */
      readonly expectedAt?: number;
    }
  | { readonly type: 'OrderReleased'; readonly v: 1; readonly seq: number }
  | { readonly type: 'OrderConfirmed'; readonly v: 1; readonly seq: number }
  | { readonly type: 'OrderFulfilmentBegun'; readonly v: 1; readonly seq: number }
  | { readonly type: 'OrderPaymentChanged'; readonly v: 1; readonly seq: number; readonly payment: OrderPayment }
  | { readonly type: 'OrderShipmentChanged'; readonly v: 1; readonly shipment: OrderShipment }
  /** Milestones of the whole order, derived from all its parcels. `complete`: nothing of it is missing. */
  | { readonly type: 'OrderShipped'; readonly v: 1; readonly complete: boolean }
  | { readonly type: 'OrderDelivered'; readonly v: 1; readonly complete: boolean; readonly deliveredAt: number }
  | { readonly type: 'OrderDeliveryFailed'; readonly v: 1 }
  | { readonly type: 'OrderCancelRequested'; readonly v: 1; readonly by: string; readonly reason: string }
  | { readonly type: 'OrderCancelRefused'; readonly v: 1; readonly seq: number; readonly reason: string }
  | ({ readonly type: 'OrderCancelled' } & Ended)
  | ({ readonly type: 'OrderOutOfStock' } & Ended)
  | ({ readonly type: 'OrderPaymentFailed' } & Ended)
  /** Of the operators, for the operators; what people write may be personal. */
  | {
      readonly type: 'OrderNoteAdded';
      readonly v: 1;
      readonly at: number;
      readonly by: string;
      readonly personal: { readonly text: string };
    }
  | { readonly type: 'OrderClosed'; readonly v: 1 };
