/** What the catalog says about a SKU at the moment of a request. The edge looks it up; the client's word never counts. */
import { type Rejection, reject } from './kernel/decider.ts';
import type { Money } from './kernel/money.ts';
import type { ProductStatus } from './product.ts';

export type CatalogFacts = {
  readonly sku: string;
  readonly name: string;
  readonly price: Money;
  readonly status: ProductStatus;
  /** Pieces in all warehouses together; a hint for warnings, never a promise. */
  readonly available: number;
};

/**
 * The facts of a SKU that can be bought in this currency, or why it can't. `null`: the catalog has no such SKU. A draft is
 * nobody's business yet, so it is as unknown as what isn't there.
 */
export function sellable(
  sku: string,
  facts: CatalogFacts | null,
  currency: string,
): CatalogFacts | { readonly rejection: Rejection } {
  if (facts === null || facts.sku !== sku || facts.status === 'draft') {
    return reject(422, 'cart.sku-unknown', 'Unknown product', `There is no product ${sku}.`);
  }
  if (facts.status === 'discontinued' || facts.price.amount <= 0 || facts.price.currency !== currency) {
    return reject(422, 'cart.sku-unavailable', 'Product not for sale', `${sku} is not for sale.`);
  }
  return facts;
}
