import type { CatalogFacts } from '../../actors/catalogFacts.ts';
import { zero } from '../../actors/kernel/money.ts';
import type { ProductState } from '../../actors/product.ts';
import type { CatalogEntry } from '../shop.ts';
import { time } from './time.ts';

export function productView({ available, version, ...entry }: CatalogEntry) {
  const { sku, name, description, category, tags, status, price } = entry;
  return { sku, name, description, category, tags, status, price, available, inStock: available > 0, version };
}

/** For the catalog's keepers: the product itself rather than the catalog's copy of it; only that knows how much there is. */
export function adminProductView(product: ProductState, version: number, entry: CatalogEntry | undefined) {
  if (product.status === 'none') return undefined;
  const { scheduled, ...shown } = product;
  return {
    ...productView({ ...shown, available: entry?.available ?? 0, version }),
    scheduledPrice: scheduled === undefined ? null : { price: scheduled.price, at: time(scheduled.at) },
  };
}

/** What a command about a SKU carries. A product without a price has none to buy it at: zero is refused. */
export function factsOf(entry: CatalogEntry | undefined, currency: string): CatalogFacts | null {
  if (entry === undefined) return null;
  const { sku, name, price, status, available } = entry;
  return { sku, name, price: price ?? zero(currency), status, available };
}
