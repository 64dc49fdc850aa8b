/** What is said to a cart, what it answers and what it sends. */
import type { CartLine, CartWarning } from '../cartLines.ts';
import type { CatalogFacts } from '../catalogFacts.ts';
import type { CheckoutCommand, CheckoutNews } from '../checkout.ts';
import type { Address } from '../kernel/address.ts';
import type { Rejection } from '../kernel/decider.ts';

export type LineRequest = {
  /** The token's subject, as in every command of the edge. */
  readonly customerId: string;
  readonly sku: string;
  readonly quantity: number;
  /** `null`: the catalog has no such SKU. */
  readonly product: CatalogFacts | null;
};

export type CartEdgeCommand =
  | { readonly type: 'CreateCart'; readonly customerId: string; readonly guest: boolean }
  | ({ readonly type: 'AddItem' } & LineRequest)
  | ({ readonly type: 'SetItemQuantity' } & LineRequest)
  | { readonly type: 'RemoveItem'; readonly customerId: string; readonly sku: string }
  | { readonly type: 'ClearCart'; readonly customerId: string }
  /** `prices`: the facts of every SKU in the cart. */
  | { readonly type: 'StartCheckout'; readonly customerId: string; readonly prices: readonly CatalogFacts[] }
  /** `from`: the guest's cart that this one takes over. */
  | { readonly type: 'MergeCart'; readonly customerId: string; readonly from: string };

/** Between the two carts of a merge. */
type MergeMessage =
  /** `customerId`: of the cart that asks. */
  | { readonly type: 'GiveCart'; readonly into: string; readonly customerId: string; readonly attempt: number }
  | { readonly type: 'CartGiven'; readonly from: string; readonly attempt: number; readonly lines: readonly CartLine[] }
  | { readonly type: 'CartNotGiven'; readonly from: string; readonly attempt: number; readonly rejection: Rejection }
  | { readonly type: 'TakeCartBack'; readonly into: string };

export type CartTimerCommand = { readonly type: 'AbandonCart' };

export type CartCommand = CartEdgeCommand | CheckoutNews | MergeMessage | CartTimerCommand;

export type CartSend =
  | {
      readonly to: Address<'checkout'>;
      readonly message: Extract<CheckoutCommand, { type: 'BeginCheckout' | 'CancelCheckout' }>;
    }
  | { readonly to: Address<'cart'>; readonly message: MergeMessage };

export type CartReply = { readonly warnings: readonly CartWarning[] };
/** The checkout can be read once it has come to this round. */
export type CheckoutStartedReply = CartReply & { readonly checkoutId: string; readonly round: number };
/** The cart shows how this attempt ended, once it has. */
export type MergeReply = { readonly attempt: number };
