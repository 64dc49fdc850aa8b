/**
 * What lines cost together. Discount and tax of an order are split over its lines so that the lines, and every later
 * partial refund, add up to the total exactly.
 */
import { add, allocate, allocateWithin, type Money, money, multiply, subtract, sum, zero } from './kernel/money.ts';
import type { Policy, ShippingMethod } from './policy.ts';
import type {
  AddressVerdict,
  OrderDraft,
  OrderLine,
  PostalAddress,
  PricedOrder,
  ReviewFacts,
  ShelfStock,
  Totals,
} from './shared.ts';

/** A SKU at the unit price that its buyer was promised. */
export type PricedLine = {
  readonly sku: string;
  readonly name: string;
  readonly quantity: number;
  readonly unitPrice: Money;
};

/** A unit price that is not what its buyer last agreed to. */
export type PriceChange = { readonly sku: string; readonly old: Money; readonly new: Money };

/** What is added to or taken from the lines as a whole. */
export type Charges = { readonly discount: Money; readonly shipping: Money; readonly tax: Money };

export function shippingPrice(method: ShippingMethod, policy: Policy): Money {
  return money(policy.shipping[method].price, policy.currency);
}

export function totalsOf(lines: readonly PricedLine[], charges: Charges): Totals {
  const subtotal = sum(charges.shipping.currency, lines.map(subtotalOf));
  const total = add(add(subtract(subtotal, charges.discount), charges.shipping), charges.tax);
  return { subtotal, ...charges, total };
}

function subtotalOf(line: PricedLine): Money {
  return multiply(line.unitPrice, line.quantity);
}

/** Everything that makes lines an order. `discount` must not exceed the lines' subtotal. */
export type Purchase = Charges & {
  readonly orderId: string;
  readonly customerId: string;
  readonly cartId?: string;
  readonly lines: readonly PricedLine[];
  readonly shippingMethod: ShippingMethod;
  readonly paymentToken: string;
  readonly address: PostalAddress;
  readonly billingAddress?: PostalAddress;
  readonly addressCheck?: AddressVerdict;
  readonly facts?: ReviewFacts;
  readonly stock?: readonly ShelfStock[];
};

export function draftOf(purchase: Purchase): OrderDraft {
  const { discount, shipping, tax, lines, ...rest } = purchase;
  return { ...rest, ...pricedOrder(lines, { discount, shipping, tax }) };
}

/** What an order of these lines costs, each line with its share. */
export function pricedOrder(lines: readonly PricedLine[], charges: Charges): PricedOrder {
  const { discount, shipping, tax } = charges;
  return {
    currency: shipping.currency,
    lines: orderLines(lines, discount, tax),
    totals: totalsOf(lines, charges),
  };
}

function orderLines(lines: readonly PricedLine[], discount: Money, tax: Money): OrderLine[] {
  const nothing = zero(discount.currency);
  const subtotals = lines.map(subtotalOf);
  const discounts = allocateWithin(discount, subtotals);
  const taxes = allocate(
    tax,
    subtotals.map((subtotal) => subtotal.amount),
  );
  return lines.map(({ sku, name, quantity, unitPrice }, index) => {
    const share = { discount: discounts[index] ?? nothing, tax: taxes[index] ?? nothing };
    const total = add(subtract(multiply(unitPrice, quantity), share.discount), share.tax);
    return { sku, name, quantity, unitPrice, ...share, total };
  });
}
