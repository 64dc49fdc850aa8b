/** What the catalog says about lines: of an order as a client sends them, and of a cart or checkout that is still open. */
import { createHash } from 'node:crypto';
import type { CartState } from '../actors/cart.ts';
import { type CartWarning, goodsWarnings, priceWarnings, warningsNow } from '../actors/cartLines.ts';
import { type CatalogFacts, sellable } from '../actors/catalogFacts.ts';
import type { CheckoutState } from '../actors/checkout.ts';
import type { Rejection } from '../actors/kernel/decider.ts';
import type { PricedLine } from '../actors/pricing.ts';
import { type Problem, rejected } from './problem.ts';
import type { Call, Services } from './route.ts';
import { factsOf } from './views/product.ts';

type Wanted = { readonly sku: string; readonly quantity: number };

export function lookUpIn({ shop, policy }: Services): (sku: string) => CatalogFacts | null {
  return (sku) => factsOf(shop.catalog.find(sku), policy.currency);
}

/** Priced from the catalog; the same SKU twice is one line, as in a cart. */
export function pricedLines(call: Call, wanted: readonly Wanted[]): PricedLine[] {
  const { currency, cart } = call.policy;
  const lookUp = lookUpIn(call);
  const lines = new Map<string, PricedLine>();
  for (const [index, { sku, quantity }] of wanted.entries()) {
    const facts = sellable(sku, lookUp(sku), currency);
    if ('rejection' in facts) throw refusedLine(facts.rejection, `/lines/${index}/sku`);
    const merged = (lines.get(sku)?.quantity ?? 0) + quantity;
    if (quantity < 1 || merged > cart.maxQuantity) {
      throw refusedLine(quantityInvalid(sku, cart.maxQuantity), `/lines/${index}/quantity`);
    }
    lines.set(sku, { sku, name: facts.name, quantity: merged, unitPrice: facts.price });
  }
  return [...lines.values()];
}

/** The order's own rule, said before its lines are priced: money has an end. */
function quantityInvalid(sku: string, max: number): Rejection {
  const detail = `${sku}: the quantity must be 1 to ${max}.`;
  return { status: 422, code: 'order.quantity-invalid', title: 'Not a valid order', detail };
}

function refusedLine(rejection: Rejection, pointer: string): Problem {
  const { code, detail } = rejection;
  return rejected({ ...rejection, errors: [{ pointer, code, detail }] });
}

/** Of a cart as it stands now: its stock may have gone since a line was added. What is over needs no warning. */
export function cartWarnings(call: Call, cart: CartState): CartWarning[] {
  if (cart.status !== 'active' && cart.status !== 'checking-out') return [];
  return warningsNow(cart, lookUpIn(call), call.shop.clock.now(), call.policy.cart.priceFreezeMs);
}

/** Of a checkout as it stands now. Its prices are promised, so only those that were changed when it began are told. */
export function checkoutWarnings(call: Call, checkout: CheckoutState): CartWarning[] {
  if (checkout.status !== 'open') return [];
  const { lines, discount, priceChanges } = checkout;
  return [...priceWarnings(priceChanges), ...goodsWarnings(lines, discount.currency, lookUpIn(call))];
}

/** For the ETag: warnings come and go without a new version of what they are about. */
export function variantOf(warnings: readonly CartWarning[]): { readonly variant?: string } {
  if (warnings.length === 0) return {};
  const text = warnings.map(({ code, sku, detail }) => `${code} ${sku} ${detail}`).join('\n');
  return { variant: createHash('sha256').update(text).digest('hex').slice(0, 16) };
}
