/** The lines of a cart: merging, the price freeze, and what their buyer should know about them. */
import { type CatalogFacts, sellable } from './catalogFacts.ts';
import { compare, type Money } from './kernel/money.ts';
import type { Policy } from './policy.ts';
import type { PriceChange, PricedLine } from './pricing.ts';

export type CartLine = PricedLine & {
  /** When its price was frozen, in ms since the epoch. */
  readonly pricedAt: number;
  /** What the buyer agreed to before the price was refreshed; `null` while that is the price. */
  readonly agreedPrice: Money | null;
};

/** What the buyer should know about a change that was made all the same. */
export type CartWarning = {
  readonly code:
    | 'cart.out-of-stock'
    | 'cart.stock-short'
    | 'cart.price-changed'
    | 'cart.sku-unavailable'
    | 'cart.quantity-capped'
    | 'cart.line-left-out';
  readonly sku: string;
  readonly detail: string;
};

/** The same SKU merges into its line at that line's price. */
export function withAdded(lines: readonly CartLine[], added: PricedLine, at: number): CartLine[] {
  return lines.some((line) => line.sku === added.sku)
    ? withLine(lines, added.sku, (line) => ({ ...line, quantity: line.quantity + added.quantity }))
    : [...lines, { ...added, pricedAt: at, agreedPrice: null }];
}

export function withLine(lines: readonly CartLine[], sku: string, change: (line: CartLine) => CartLine): CartLine[] {
  return lines.map((line) => (line.sku === sku ? change(line) : line));
}

/** Freezes the line at another price; what its buyer agreed to is kept until it is the price again. */
export function repriced(line: CartLine, price: Money, at: number): CartLine {
  const agreed = line.agreedPrice ?? line.unitPrice;
  return { ...line, unitPrice: price, pricedAt: at, agreedPrice: compare(agreed, price) === 0 ? null : agreed };
}

/** The price that the line must take now: none while it is frozen. */
export function refreshOf(line: CartLine, facts: CatalogFacts, now: number, freezeMs: number): PriceChange | undefined {
  return now < line.pricedAt + freezeMs ? undefined : { sku: line.sku, old: line.unitPrice, new: facts.price };
}

/** The prices that the buyer has not agreed to yet. */
export function priceChangesOf(lines: readonly CartLine[]): PriceChange[] {
  return lines.flatMap(({ sku, agreedPrice, unitPrice }) =>
    agreedPrice === null ? [] : [{ sku, old: agreedPrice, new: unitPrice }],
  );
}

export function priceWarnings(changes: readonly PriceChange[]): CartWarning[] {
  return changes
    .filter((change) => compare(change.old, change.new) !== 0)
    .map(({ sku }) => ({ code: 'cart.price-changed', sku, detail: `The price of ${sku} has changed.` }));
}

export function stockWarnings({ sku, available }: CatalogFacts, wanted: number): CartWarning[] {
  if (available >= wanted) return [];
  return available <= 0
    ? [{ code: 'cart.out-of-stock', sku, detail: `${sku} is out of stock.` }]
    : [{ code: 'cart.stock-short', sku, detail: `Only ${available} of ${sku} are in stock.` }];
}

/** What the catalog says of a SKU; `null` when it has none. */
type LookUp = (sku: string) => CatalogFacts | null;

/** What can't be bought as it stands: not for sale any more, out of stock, or short. */
export function goodsWarnings(lines: readonly PricedLine[], currency: string, lookUp: LookUp): CartWarning[] {
  return lines.flatMap(({ sku, quantity }) => {
    const facts = sellable(sku, lookUp(sku), currency);
    return 'rejection' in facts ? [notForSale(sku)] : stockWarnings(facts, quantity);
  });
}

function notForSale(sku: string): CartWarning {
  return { code: 'cart.sku-unavailable', sku, detail: `${sku} is not for sale any more; remove it to check out.` };
}

/** What the buyer of an open cart should know as things are now, whatever they were when the lines were added. */
export function warningsNow(
  { lines, currency }: { readonly lines: readonly CartLine[]; readonly currency: string },
  lookUp: LookUp,
  now: number,
  freezeMs: number,
): CartWarning[] {
  return lines.flatMap((line) => {
    const { sku, unitPrice, agreedPrice } = line;
    const facts = sellable(sku, lookUp(sku), currency);
    const refresh = 'rejection' in facts ? undefined : refreshOf(line, facts, now, freezeMs);
    const change = { sku, old: agreedPrice ?? unitPrice, new: refresh?.new ?? unitPrice };
    return [...priceWarnings([change]), ...goodsWarnings([line], currency, lookUp)];
  });
}

/**
 * What of another cart's lines fits into this one: the same SKU takes what is missing to the most there may be of one, new
 * SKUs as long as there is room.
 */
export function fitting(
  cart: { readonly lines: readonly CartLine[]; readonly currency: string },
  given: readonly CartLine[],
  { maxSkus, maxQuantity }: Policy['cart'],
): { readonly taken: readonly CartLine[]; readonly warnings: readonly CartWarning[] } {
  const taken: CartLine[] = [];
  const warnings: CartWarning[] = [];
  let skus = cart.lines.length;
  for (const line of given) {
    const { sku, quantity, unitPrice } = line;
    const there = cart.lines.find((candidate) => candidate.sku === sku);
    if (unitPrice.currency !== cart.currency || (!there && skus >= maxSkus)) {
      warnings.push({ code: 'cart.line-left-out', sku, detail: `There was no room for ${sku}.` });
      continue;
    }
    if (!there) skus += 1;
    const fits = Math.min(quantity, maxQuantity - (there?.quantity ?? 0));
    if (fits < quantity) {
      warnings.push({ code: 'cart.quantity-capped', sku, detail: `A cart takes at most ${maxQuantity} of ${sku}.` });
    }
    if (fits > 0) taken.push({ ...line, quantity: fits });
  }
  return { taken, warnings };
}

/** The same SKU merges into its line at that line's price; a new one comes with the price that it was frozen at. */
export function withTaken(lines: readonly CartLine[], taken: readonly CartLine[]): CartLine[] {
  const more = new Map(taken.map(({ sku, quantity }) => [sku, quantity]));
  const summed = lines.map((line) => ({ ...line, quantity: line.quantity + (more.get(line.sku) ?? 0) }));
  return [...summed, ...taken.filter(({ sku }) => !lines.some((line) => line.sku === sku))];
}
