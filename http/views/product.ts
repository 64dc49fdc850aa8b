import type { CatalogFacts } from '../../actors/catalogFacts.ts';
import { zero } from '../../actors/kernel/money.ts';
import type { ProductState } from '../../actors/product.ts';
import type { CatalogEntry } from '../shop.ts';

export function productView({ available, version, ...entry }: CatalogEntry) {
  const { sku, name, description, category, tags, status, price } = entry;
  return { sku, name, description, category, tags, status, price, available, inStock: available > 0, version };
}

/** The product itself rather than the catalog's copy of it; how much there is, only the catalog knows. */
export function productOf(product: ProductState, version: number, entry: CatalogEntry | undefined) {
  if (product.status === 'none') return undefined;
  return productView({ ...product, available: entry?.available ?? 0, version });
}

/** What a command about a SKU carries. A product without a price has none to buy it at: zero is refused. */
export function factsOf(entry: CatalogEntry | undefined, currency: string): CatalogFacts | null {
  if (entry === undefined) return null;
  const { sku, name, price, status, available } = entry;
  return { sku, name, price: price ?? zero(currency), status, available };
}
