/**
 * The contracts with the outside world: what an aggregate asks a gateway and what comes back. A request is a durable
 * message to `{ type: 'gateway', id: 'payment' | 'carrier' }`; its result comes back as a durable message to the asker.
 * `key` is the idempotency key at the vendor: the same key is the same operation, however often it is asked.
 */
import type { Address } from './kernel/address.ts';
import type { Money } from './kernel/money.ts';
import type { AddressVerdict, PostalAddress } from './shared.ts';

export const paymentGateway: Address<'gateway'> = { type: 'gateway', id: 'payment' };
export const carrierGateway: Address<'gateway'> = { type: 'gateway', id: 'carrier' };

export type PaymentGatewayRequest =
  | {
      readonly type: 'GatewayAuthorize';
      readonly key: string;
      readonly orderId: string;
      readonly amount: Money;
      readonly token: string;
    }
  | { readonly type: 'GatewayCapture'; readonly key: string; readonly authorizationId: string; readonly amount: Money }
  | { readonly type: 'GatewayVoid'; readonly key: string; readonly authorizationId: string }
  | { readonly type: 'GatewayRefund'; readonly key: string; readonly captureId: string; readonly amount: Money }
  /** Asks what became of the operation with this key. */
  | { readonly type: 'GatewayEnquire'; readonly key: string };

/**
 * `unknown`: timed out, it may or may not have happened: enquire before repeating or compensating.
 * `unavailable`: surely not executed (refused connection, open breaker): safe to repeat later with the same key.
 * `not-found` answers an enquiry only: the operation never happened.
 */
export type PaymentGatewayOutcome =
  | { readonly outcome: 'authorized'; readonly authorizationId: string; readonly expiresAt: number }
  | { readonly outcome: 'captured'; readonly captureId: string; readonly amount: Money }
  | { readonly outcome: 'voided' }
  | { readonly outcome: 'refunded'; readonly refundId: string; readonly amount: Money }
  | { readonly outcome: 'declined'; readonly reason: string }
  | { readonly outcome: 'requires-action'; readonly url: string }
  | { readonly outcome: 'failed'; readonly reason: string }
  | { readonly outcome: 'not-found' }
  | { readonly outcome: 'unknown'; readonly reason: string }
  | { readonly outcome: 'unavailable'; readonly reason: string };

export type PaymentGatewayResult = {
  readonly type: 'PaymentGatewayResult';
  /** The request that it answers, without its token. */
  readonly operation: PaymentGatewayRequest['type'];
  readonly key: string;
  readonly result: PaymentGatewayOutcome;
};

/** What the vendor tells by itself: a customer's bank takes a payment back, and how that ends. */
export type PaymentDisputeNews = {
  readonly type: 'PaymentDisputeNews';
  readonly disputeId: string;
  readonly amount: Money;
  readonly reason: string;
  readonly stage: 'opened' | 'won' | 'lost';
};

/**
 * What the vendor has on its books of one operation. A key is ours; a vendor also knows what we never asked for. Of an
 * authorization: `pending` waits for the customer, of `held` something can still be captured, of `closed` nothing.
 */
export type VendorOperation =
  | Booked<'authorize', 'pending' | 'refused' | 'held' | 'closed'>
  | Booked<'capture' | 'refund', 'done' | 'refused'>
  /** Its key is the vendor's. */
  | Booked<'dispute', 'open' | 'won' | 'lost'>;

type Booked<Kind extends string, State extends string> = {
  readonly kind: Kind;
  readonly key: string;
  readonly amount: Money;
  readonly state: State;
};

export type VendorAccount = { readonly orderId: string; readonly operations: readonly VendorOperation[] };

/** The vendor's books, to be compared with ours. Rejects when the vendor can't be asked. */
export interface PaymentBooks {
  /** At most `limit` accounts in the order of their `<orderId>/`, after that of the given order. */
  accounts(page: { readonly after?: string; readonly limit: number }): Promise<readonly VendorAccount[]>;
  account(orderId: string): Promise<VendorAccount | undefined>;
}

export type CarrierGatewayRequest =
  | {
      readonly type: 'CarrierBuyLabel';
      readonly key: string;
      readonly shipmentId: string;
      readonly warehouse: string;
      readonly method: string;
      readonly address: PostalAddress;
    }
  | { readonly type: 'CarrierVoidLabel'; readonly key: string; readonly labelId: string }
  /** Asks the carrier to look for a parcel that nobody has seen. */
  | { readonly type: 'CarrierTraceParcel'; readonly key: string; readonly trackingNumber: string };

export type CarrierGatewayOutcome =
  | { readonly outcome: 'label'; readonly labelId: string; readonly carrier: string; readonly trackingNumber: string }
  | { readonly outcome: 'voided' }
  | { readonly outcome: 'tracing'; readonly traceId: string }
  | { readonly outcome: 'failed'; readonly reason: string }
  | { readonly outcome: 'unknown'; readonly reason: string }
  | { readonly outcome: 'unavailable'; readonly reason: string };

export type CarrierGatewayResult = {
  readonly type: 'CarrierGatewayResult';
  readonly operation: CarrierGatewayRequest['type'];
  readonly key: string;
  readonly result: CarrierGatewayOutcome;
};

export type AddressGatewayRequest = {
  readonly type: 'GatewayCheckAddress';
  readonly key: string;
  readonly address: PostalAddress;
};

export type AddressGatewayOutcome =
  | { readonly outcome: 'deliverable' }
  /** Probably what was meant. */
  | { readonly outcome: 'corrected'; readonly suggestion: PostalAddress }
  | { readonly outcome: 'undeliverable'; readonly reason: string };

/**
 * Whether mail gets to an address. Asked at the edge while somebody waits, at most 5 s; no aggregate asks, because nothing
 * depends on it. Never rejects: `unchecked` is an answer.
 */
export type AddressCheck = (address: PostalAddress, trace?: string) => Promise<AddressVerdict>;
