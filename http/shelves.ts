/** What the shelves hold of an order's lines, as the read model has it: a hint for choosing the warehouses. */
import type { ShelfStock } from '../actors/shared.ts';
import type { Call } from './route.ts';

/** Nothing for a single SKU: the nearest warehouse that has it is asked for anyway. */
export async function shelvesOf(
  { shop }: Call,
  lines: readonly { readonly sku: string }[],
): Promise<readonly ShelfStock[] | undefined> {
  const skus = [...new Set(lines.map(({ sku }) => sku))];
  if (skus.length < 2) return undefined;
  const shelves = await Promise.all(skus.map((sku) => shop.shelves(sku)));
  return skus.flatMap((sku, index) => (shelves[index] ?? []).map((shelf) => ({ sku, ...shelf })));
}
