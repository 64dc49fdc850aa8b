/** What happened to a cart and what that makes of it. */
import { type CartLine, type CartWarning, repriced, withAdded, withLine, withTaken } from '../cartLines.ts';
import { assertNever } from '../kernel/assertNever.ts';
import type { Rejection } from '../kernel/decider.ts';
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
  | { readonly type: 'CartAbandoned'; readonly v: 1 }
  // of a guest's cart that is merged into another
  | (Changed<'CartMerged'> & { readonly into: string })
  | (Changed<'CartMergeUndone'> & { readonly into: string })
  // of the cart that takes it over
  | { readonly type: 'CartMergeRequested'; readonly v: 1; readonly from: string; readonly attempt: number }
  | (Changed<'CartTakenOver'> & {
      readonly from: string;
      readonly attempt: number;
      readonly taken: readonly CartLine[];
      /** What did not fit. */
      readonly warnings: readonly CartWarning[];
    })
  | {
      readonly type: 'CartMergeFailed';
      readonly v: 1;
      readonly from: string;
      readonly attempt: number;
      readonly rejection: Rejection;
    };

/** What became of taking over another cart. */
export type Merge = { readonly from: string; readonly attempt: number } & (
  | { readonly status: 'pending' }
  /** `round`: of the cart at that time. Checkouts up to this one began without what was taken. */
  | { readonly status: 'done'; readonly round?: number }
  | { readonly status: 'failed'; readonly rejection: Rejection }
);

type Contents = {
  readonly id: string;
  readonly customerId: string;
  readonly guest: boolean;
  readonly currency: string;
  readonly lines: readonly CartLine[];
  readonly changedAt: number;
  /** Number of the latest checkout; 0 before the first. */
  readonly round: number;
  /** By the cart that is taken over; a failed one only until the next begins. */
  readonly merges?: readonly Merge[];
  /** Numbers the attempts. */
  readonly mergeAttempts?: number;
  /** Of the latest merge. */
  readonly mergeWarnings?: { readonly from: string; readonly warnings: readonly CartWarning[] };
};
export type OpenCart = Contents & { readonly status: 'active' | 'checking-out' };
export type EndedCart = Contents &
  (
    | { readonly status: 'checked-out'; readonly orderId: string }
    | { readonly status: 'abandoned' }
    | { readonly status: 'merged'; readonly into: string }
  );
export type KnownCart = OpenCart | EndedCart;
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
    case 'CartMerged':
      return { ...known, status: 'merged', into: event.into };
    case 'CartMergeUndone': {
      // `into` may be missing: an event that makes no sense here must still give a state.
      const { into: _into, ...open } = { into: '', ...known };
      return { ...open, status: 'active' };
    }
    case 'CartMergeRequested':
      return { ...known, ...merging(state, { from: event.from, attempt: event.attempt, status: 'pending' }) };
    case 'CartTakenOver': {
      const { from, attempt, taken, warnings } = event;
      return {
        ...known,
        ...merging(state, { from, attempt, status: 'done', round: state.round }),
        lines: withTaken(state.lines, taken),
        mergeWarnings: { from, warnings },
      };
    }
    case 'CartMergeFailed': {
      const { from, attempt, rejection } = event;
      return { ...known, ...merging(state, { from, attempt, status: 'failed', rejection }) };
    }
    default:
      return assertNever(event);
  }
}

export function isOpen(cart: KnownCart): cart is OpenCart {
  return cart.status === 'active' || cart.status === 'checking-out';
}

function merging(
  { merges = [], mergeAttempts = 0 }: KnownCart,
  merge: Merge,
): Pick<Contents, 'merges' | 'mergeAttempts'> {
  const others = merges.filter(({ from, status }) => from !== merge.from && status !== 'failed');
  return { merges: [...others, merge], mergeAttempts: Math.max(mergeAttempts, merge.attempt) };
}
