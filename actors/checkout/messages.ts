/** What is said to a checkout, what it answers and what it sends. */
import type { Address } from '../kernel/address.ts';
import type { OrderCommand } from '../order.ts';
import type { ShippingMethod } from '../policy.ts';
import type { PriceChange, PricedLine } from '../pricing.ts';
import type { AddressVerdict, PostalAddress, ReviewFacts, ShelfStock } from '../shared.ts';

/** `customerId` is always the token's subject. */
export type CheckoutEdgeCommand =
  | { readonly type: 'SetAddress'; readonly customerId: string; readonly address: PostalAddress }
  /** What an address service says of an address that was set before it was asked. */
  | {
      readonly type: 'NoteAddressCheck';
      readonly customerId: string;
      readonly address: PostalAddress;
      readonly check: AddressVerdict;
    }
  | { readonly type: 'SetShippingMethod'; readonly customerId: string; readonly method: ShippingMethod }
  | {
      readonly type: 'SetPayment';
      readonly customerId: string;
      readonly token: string;
      readonly billingAddress?: PostalAddress;
    }
  | {
      readonly type: 'CompleteCheckout';
      readonly customerId: string;
      readonly acceptPriceChanges: boolean;
      readonly facts?: ReviewFacts;
      /** A hint for choosing the warehouses. */
      readonly stock?: readonly ShelfStock[];
    };

export type CheckoutTimerCommand = { readonly type: 'ExpireCheckout' };

export type CheckoutCommand =
  // from the cart
  | {
      readonly type: 'BeginCheckout';
      readonly round: number;
      readonly customerId: string;
      readonly currency: string;
      readonly lines: readonly PricedLine[];
      readonly priceChanges: readonly PriceChange[];
    }
  | { readonly type: 'CancelCheckout'; readonly round: number }
  | CheckoutEdgeCommand
  | CheckoutTimerCommand;

/** What the checkout tells its cart. */
export type CheckoutNews =
  | { readonly type: 'CheckedOut'; readonly orderId: string; readonly round: number }
  | { readonly type: 'CheckoutLapsed'; readonly round: number };

export type CheckoutSend =
  | { readonly to: Address<'order'>; readonly message: Extract<OrderCommand, { type: 'PlaceOrder' }> }
  | { readonly to: Address<'cart'>; readonly message: CheckoutNews };

export type CompletedReply = { readonly orderId: string };
