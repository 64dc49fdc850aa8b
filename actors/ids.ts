/**
 * Ids of what comes from one cart share a body: `cart_X`, its checkout `chk_X`, its order `ord_X`. Derived, so that
 * starting a checkout or completing it twice, on any node, reaches the same aggregate; carts and checkouts also use the
 * body as their partition key and so live in one shard.
 */
import type { Address } from './kernel/address.ts';

/** The id without its prefix. Total: an id that isn't ours is its own body. */
export function bodyOf(id: string): string {
  return id.slice(id.indexOf('_') + 1);
}

export const checkoutOf = (cartId: string): string => `chk_${bodyOf(cartId)}`;
export const cartOf = (checkoutId: string): string => `cart_${bodyOf(checkoutId)}`;
export const orderOf = (checkoutId: string): string => `ord_${bodyOf(checkoutId)}`;

export const cartAddress = (cartId: string): Address<'cart'> => ({ type: 'cart', id: cartId });
export const checkoutAddress = (checkoutId: string): Address<'checkout'> => ({ type: 'checkout', id: checkoutId });
