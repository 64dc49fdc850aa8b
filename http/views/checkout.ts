import type { CartWarning } from '../../actors/cartLines.ts';
import { type CheckoutState, checkoutTotals, stepOf } from '../../actors/checkout.ts';
import { cartOf } from '../../actors/ids.ts';
import { money, multiply } from '../../actors/kernel/money.ts';
import type { Policy, ShippingMethod } from '../../actors/policy.ts';
import { addressWarnings } from './addressCheck.ts';
import { time } from './time.ts';

type KnownCheckout = Exclude<CheckoutState, { status: 'none' }>;

export function checkoutView(checkout: KnownCheckout, version: number, warnings: readonly CartWarning[]) {
  const open = checkout.status === 'open';
  const addressCheck = open ? checkout.addressCheck : undefined;
  return {
    id: checkout.id,
    cartId: cartOf(checkout.id),
    status: checkout.status,
    step: open ? stepOf(checkout) : null,
    lines: checkout.lines.map(({ sku, name, quantity, unitPrice }) => ({
      sku,
      name,
      quantity,
      unitPrice,
      total: multiply(unitPrice, quantity),
    })),
    priceChanges: checkout.priceChanges.map(({ sku, old, new: price }) => ({ sku, old, new: price })),
    totals: checkoutTotals(checkout),
    address: open ? checkout.address : null,
    addressCheck: addressCheck ?? null,
    billingAddress: open ? (checkout.billingAddress ?? null) : null,
    shippingMethod: checkout.shipping?.method ?? null,
    warnings: [...addressWarnings(addressCheck), ...warnings],
    expiresAt: time(checkout.expiresAt),
    ...(checkout.status === 'completed' && { orderId: checkout.orderId }),
    version,
  };
}

const METHODS: readonly ShippingMethod[] = ['standard', 'express', 'overnight'];

export function shippingMethodsView({ shipping, currency }: Policy) {
  return METHODS.map((method) => {
    const { price, minDays, maxDays } = shipping[method];
    return { method, price: money(price, currency), minDays, maxDays };
  });
}
