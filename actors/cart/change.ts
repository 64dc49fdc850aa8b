/** What the functions of a cart share: how a change ends, when a guest's cart is abandoned, why a cart takes no more. */
import type { CartWarning } from '../cartLines.ts';
import { priceWarnings } from '../cartLines.ts';
import { checkoutAddress, checkoutOf } from '../ids.ts';
import { assertNever } from '../kernel/assertNever.ts';
import { type Decision, reject, type TimerChange } from '../kernel/decider.ts';
import type { PriceChange } from '../pricing.ts';
import type { ShopContext } from '../shared.ts';
import type { CartReply, CartSend, CartTimerCommand } from './messages.ts';
import type { CartEvent, EndedCart, OpenCart } from './state.ts';

export type CartDecision = Decision<CartEvent, CartSend, CartTimerCommand>;

// The same words as for a cart that isn't there at all: who asks must not learn that somebody has it.
export const unknownCart = () => reject(404, 'cart.unknown', 'Unknown cart', 'There is no such cart.');

/** Why a cart that is over takes no change. */
export function endedCart(cart: EndedCart) {
  switch (cart.status) {
    case 'checked-out':
      return reject(
        409,
        'cart.checked-out',
        'Cart already ordered',
        `This cart became order ${cart.orderId}; start a new one.`,
      );
    case 'abandoned':
      return reject(409, 'cart.abandoned', 'Cart abandoned', 'This cart was left alone too long; start a new one.');
    case 'merged':
      return reject(409, 'cart.merged', 'Cart merged', "What was in this cart is in its customer's cart now.");
    default:
      return assertNever(cart);
  }
}

/** The end of every change of lines: takes the cart out of its checkout and puts its abandonment off. */
export function changed(
  cart: OpenCart,
  refreshes: readonly PriceChange[],
  events: readonly CartEvent[],
  warnings: readonly CartWarning[],
  { now, policy }: ShopContext,
): CartDecision {
  const reply = warned([...priceWarnings(refreshes), ...warnings]);
  if (refreshes.length + events.length === 0) return { events: [], reply };
  const { round } = cart;
  const leaving = cart.status === 'checking-out';
  return {
    events: [
      ...(leaving ? [{ type: 'CartReopened', v: 1, round, reason: 'changed' } as const] : []),
      ...refreshes.map((refresh) => priceRefreshed(refresh, now)),
      ...events,
    ],
    sends: leaving ? [{ to: checkoutAddress(checkoutOf(cart.id)), message: { type: 'CancelCheckout', round } }] : [],
    timers: cart.guest ? [abandonAt(now + policy.cart.guestExpiryMs)] : [],
    reply,
  };
}

export function priceRefreshed(change: PriceChange, at: number): CartEvent {
  return { type: 'PriceRefreshed', v: 1, ...change, at };
}

export function abandonAt(at: number): TimerChange<CartTimerCommand> {
  return { set: 'abandon', at, message: { type: 'AbandonCart' } };
}

export function warned(warnings: readonly CartWarning[]): CartReply {
  return { warnings };
}
