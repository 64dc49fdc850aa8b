/** Words that several aggregates share. */
import type { Context } from './kernel/decider.ts';
import type { Money } from './kernel/money.ts';
import type { Policy, ShippingMethod } from './policy.ts';

export type ShopContext = Context<Policy>;

/** An immutable snapshot of where to send an order. Personal data. */
export type PostalAddress = {
  readonly name: string;
  readonly line1: string;
  readonly line2?: string;
  readonly city: string;
  readonly region?: string;
  readonly postalCode: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
};

export function sameAddress(a: PostalAddress, b: PostalAddress): boolean {
  const members = ['name', 'line1', 'line2', 'city', 'region', 'postalCode', 'country'] as const;
  return members.every((member) => a[member] === b[member]);
}

/**
 * What an address service says about an address, a suggestion being as personal as what it corrects. `unchecked`: it did not
 * answer. Nothing of it stops anybody.
 */
export type AddressVerdict =
  | { readonly status: 'deliverable' }
  | { readonly status: 'corrected'; readonly suggestion: PostalAddress }
  | { readonly status: 'undeliverable' | 'unchecked'; readonly reason: string };

/** One SKU of an order with its frozen unit price and its share of discount and tax. */
export type OrderLine = {
  readonly sku: string;
  readonly name: string;
  readonly quantity: number;
  readonly unitPrice: Money;
  readonly discount: Money;
  readonly tax: Money;
  readonly total: Money;
};

export type Totals = {
  readonly subtotal: Money;
  readonly discount: Money;
  readonly shipping: Money;
  readonly tax: Money;
  readonly total: Money;
};

/** How many pieces of a SKU a warehouse had on its shelf: from a read model, so not quite new. */
export type ShelfStock = { readonly sku: string; readonly warehouse: string; readonly available: number };

export type PricedOrder = {
  readonly currency: string;
  readonly lines: readonly OrderLine[];
  readonly totals: Totals;
};

/** What the edge or a checkout hands over to make an order of. */
export type OrderDraft = PricedOrder & {
  readonly orderId: string;
  readonly customerId: string;
  readonly cartId?: string;
  readonly shippingMethod: ShippingMethod;
  readonly paymentToken: string;
  readonly address: PostalAddress;
  /** Where it differs from where to send it. */
  readonly billingAddress?: PostalAddress;
  readonly addressCheck?: AddressVerdict;
  readonly facts?: ReviewFacts;
  /** A hint for choosing the warehouses. */
  readonly stock?: readonly ShelfStock[];
};

/** What the edge found out about whoever orders, for the review. */
export type ReviewFacts = {
  /** The customer has never paid an order before. */
  readonly firstOrder: boolean;
  /** Orders of late from the same network address, this one included; 0 when it tells nothing. */
  readonly ordersFromAddress: number;
};
