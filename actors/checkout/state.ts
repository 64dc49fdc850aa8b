/** What happened to a checkout and what that makes of it. */
import { assertNever } from '../kernel/assertNever.ts';
import { type Money, zero } from '../kernel/money.ts';
import type { ShippingMethod } from '../policy.ts';
import { type PriceChange, type PricedLine, totalsOf } from '../pricing.ts';
import type { AddressVerdict, PostalAddress, Totals } from '../shared.ts';

/** `expiresAt`: when it lapses without a further step, in ms since the epoch. */
type Step<Type extends string> = { readonly type: Type; readonly v: 1; readonly expiresAt: number };

export type CheckoutEvent =
  | (Step<'CheckoutBegan'> & {
      readonly round: number;
      readonly customerId: string;
      readonly lines: readonly PricedLine[];
      readonly priceChanges: readonly PriceChange[];
      readonly discount: Money;
      readonly tax: Money;
      /** Until when its prices hold, in ms since the epoch; the first checkouts had no such end. */
      readonly pricesUntil?: number;
    })
  | (Step<'AddressSet'> & { readonly personal: { readonly address: PostalAddress } })
  | { readonly type: 'AddressChecked'; readonly v: 1; readonly personal: { readonly addressCheck: AddressVerdict } }
  | (Step<'MethodSet'> & { readonly method: ShippingMethod; readonly price: Money })
  | (Step<'PaymentSet'> & { readonly personal: { readonly token: string; readonly billingAddress?: PostalAddress } })
  | { readonly type: 'PriceChangeAcknowledged'; readonly v: 1; readonly priceChanges: readonly PriceChange[] }
  | { readonly type: 'CheckoutCompleted'; readonly v: 1; readonly orderId: string }
  | {
      readonly type: 'CheckoutExpired';
      readonly v: 1;
      readonly round: number;
      readonly reason: 'timeout' | 'cart-changed';
    };

type Contents = {
  readonly id: string;
  readonly round: number;
  readonly customerId: string;
  readonly lines: readonly PricedLine[];
  readonly priceChanges: readonly PriceChange[];
  readonly discount: Money;
  readonly tax: Money;
  readonly shipping: { readonly method: ShippingMethod; readonly price: Money } | null;
  readonly expiresAt: number;
};
export type OpenCheckout = Contents & {
  readonly status: 'open';
  readonly pricesUntil?: number;
  readonly address: PostalAddress | null;
  /** Of the address. */
  readonly addressCheck?: AddressVerdict;
  readonly token: string | null;
  readonly billingAddress?: PostalAddress;
};

export type CheckoutState =
  /** `round` above 0: the cancellation of that round came before its beginning. */
  | { readonly status: 'none'; readonly id: string; readonly round: number }
  | OpenCheckout
  | (Contents & { readonly status: 'expired' })
  | (Contents & { readonly status: 'completed'; readonly orderId: string });

export type CheckoutStep = 'address' | 'shipping-method' | 'payment' | 'complete';

/** What comes next. */
export function stepOf({ address, shipping, token }: OpenCheckout): CheckoutStep {
  if (address === null) return 'address';
  if (shipping === null) return 'shipping-method';
  return token === null ? 'payment' : 'complete';
}

/** Without a shipping method yet, shipping is zero. */
export function checkoutTotals({ lines, discount, tax, shipping }: Contents): Totals {
  return totalsOf(lines, { discount, tax, shipping: shipping?.price ?? zero(discount.currency) });
}

export function evolveCheckout(state: CheckoutState, event: CheckoutEvent): CheckoutState {
  if (event.type === 'CheckoutBegan') {
    const { type: _type, v: _v, ...began } = event;
    return { status: 'open', id: state.id, ...began, address: null, shipping: null, token: null };
  }
  if (event.type === 'CheckoutExpired') {
    return state.status === 'none' ? { ...state, round: event.round } : closed(state, event.round);
  }
  if (state.status !== 'open') return state;
  switch (event.type) {
    case 'AddressSet': {
      const { addressCheck: _replaced, ...kept } = state;
      return { ...kept, ...event.personal, expiresAt: event.expiresAt };
    }
    case 'AddressChecked':
      return { ...state, ...event.personal };
    case 'MethodSet':
      return { ...state, shipping: { method: event.method, price: event.price }, expiresAt: event.expiresAt };
    case 'PaymentSet': {
      const { billingAddress: _replaced, ...kept } = state;
      return { ...kept, ...event.personal, expiresAt: event.expiresAt };
    }
    case 'PriceChangeAcknowledged':
      return { ...state, priceChanges: [] };
    case 'CheckoutCompleted':
      return { ...closed(state, state.round), status: 'completed', orderId: event.orderId };
    default:
      return assertNever(event);
  }
}

function closed(state: Exclude<CheckoutState, { status: 'none' }>, round: number): Contents & { status: 'expired' } {
  const { id, customerId, lines, priceChanges, discount, tax, shipping, expiresAt } = state;
  return { status: 'expired', id, round, customerId, lines, priceChanges, discount, tax, shipping, expiresAt };
}
