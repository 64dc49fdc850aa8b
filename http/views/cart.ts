import type { CartState } from '../../actors/cart.ts';
import type { CartLine, CartWarning } from '../../actors/cartLines.ts';
import { checkoutOf } from '../../actors/ids.ts';
import { multiply, zero } from '../../actors/kernel/money.ts';
import { totalsOf } from '../../actors/pricing.ts';
import { time } from './time.ts';

type KnownCart = Exclude<CartState, { status: 'none' }>;

/** Shipping and tax are known once there is an address: until then the cart shows none. */
export function cartView(cart: KnownCart, version: number, warnings: readonly CartWarning[]) {
  const none = zero(cart.currency);
  return {
    id: cart.id,
    status: cart.status,
    currency: cart.currency,
    lines: cart.lines.map(lineView),
    totals: totalsOf(cart.lines, { discount: none, shipping: none, tax: none }),
    warnings,
    ...(cart.status === 'checking-out' && { checkoutId: checkoutOf(cart.id) }),
    ...(cart.status === 'checked-out' && { orderId: cart.orderId }),
    version,
  };
}

function lineView({ sku, name, quantity, unitPrice, agreedPrice, pricedAt }: CartLine) {
  return {
    sku,
    name,
    quantity,
    unitPrice,
    total: multiply(unitPrice, quantity),
    agreedPrice,
    pricedAt: time(pricedAt),
  };
}
