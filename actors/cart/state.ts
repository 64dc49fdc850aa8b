/** What happened to a cart and what that makes of it. */
import { type CartLine, repriced, withAdded, withLine } from '../cartLines.ts';
import { assertNever } from '../kernel/assertNever.ts';
import type { PriceChange, PricedLine } from '../pricing.ts';

/** `at`: time of the change, in ms since the epoch. */
type Changed<Type extends string> = { readonly type: Type; readonly v: 1; readonly at: number };

export type CartEvent =
  | (Changed<'CartCreated'> & { readonly customerId: string; readonly guest: boolean; readonly currency: string })
  | (Changed<'ItemAdded'> & { readonly line: PricedLine })
  | (Changed<'ItemQuantityChanged'> & { readonly sku: string; readonly quantity: number })
  | (Changed<'ItemRemoved'> & { readonly sku: string })
  | (Changed<'PriceRefreshed'> & PriceChange)
  | Changed<'CartCleared'>
  | (Changed<'CheckoutStarted'> & { readonly round: number })
  | { readonly type: 'CartReopened'; readonly v: 1; readonly round: number; readonly reason: 'changed' | 'lapsed' }
  | { readonly type: 'CartCheckedOut'; readonly v: 1; readonly orderId: string }
  | { readonly type: 'CartAbandoned'; readonly v: 1 };

type Contents = {
  readonly id: string;
  readonly customerId: string;
  readonly guest: boolean;
  readonly currency: string;
  readonly lines: readonly CartLine[];
  readonly changedAt: number;
  /** Number of the latest checkout; 0 before the first. */
  readonly round: number;
};
export type OpenCart = Contents & { readonly status: 'active' | 'checking-out' };
export type KnownCart =
  | OpenCart
  | (Contents & { readonly status: 'checked-out'; readonly orderId: string })
  | (Contents & { readonly status: 'abandoned' });
export type CartState = { readonly status: 'none'; readonly id: string } | KnownCart;

export function initialCart(id: string): CartState {
  return { status: 'none', id };
}

export function evolveCart(state: CartState, event: CartEvent): CartState {
  if (event.type === 'CartCreated') {
    const { customerId, guest, currency, at } = event;
    return { status: 'active', id: state.id, customerId, guest, currency, lines: [], changedAt: at, round: 0 };
  }
  if (state.status === 'none') return state;
  const known = 'at' in event ? { ...state, changedAt: event.at } : state;
  switch (event.type) {
    case 'ItemAdded':
      return { ...known, lines: withAdded(state.lines, event.line, event.at) };
    case 'ItemQuantityChanged':
      return { ...known, lines: withLine(state.lines, event.sku, (line) => ({ ...line, quantity: event.quantity })) };
    case 'ItemRemoved':
      return { ...known, lines: state.lines.filter((line) => line.sku !== event.sku) };
    case 'PriceRefreshed':
      return { ...known, lines: withLine(state.lines, event.sku, (line) => repriced(line, event.new, event.at)) };
    case 'CartCleared':
      return { ...known, lines: [] };
    case 'CheckoutStarted':
      return { ...known, status: 'checking-out', round: event.round };
    case 'CartReopened':
      return { ...known, status: 'active' };
    case 'CartCheckedOut':
      return { ...known, status: 'checked-out', orderId: event.orderId };
    case 'CartAbandoned':
      return { ...known, status: 'abandoned' };
    default:
      return assertNever(event);
  }
}

export function isOpen(cart: KnownCart): cart is OpenCart {
  return cart.status === 'active' || cart.status === 'checking-out';
}
