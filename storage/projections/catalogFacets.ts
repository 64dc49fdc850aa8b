/** How many products there would be under other filters. A facet counts as if its own filter were not set. */

/** So many matches of the text share all that the filters look at. */
export type Cell = {
  readonly category: string;
  /** Which of the price ranges, from 0. */
  readonly range: number;
  readonly inStock: 0 | 1;
  /** Within the wanted prices, which need not be one of the ranges. */
  readonly inPrice: 0 | 1;
  readonly count: number;
};

export type Wanted = { readonly category?: string; readonly inStock?: boolean };

export type Facets = {
  readonly total: number;
  /** Most first. */
  readonly categories: readonly { readonly category: string; readonly count: number }[];
  /** Lowest first, bounds included, in minor units; the highest has no upper one. */
  readonly priceRanges: readonly PriceRange[];
  readonly availability: { readonly inStock: number; readonly outOfStock: number };
};

type PriceRange = { readonly minPrice: number; readonly maxPrice: number | null; readonly count: number };

/** `bounds`: where the second and each further price range starts, ascending. */
export function facetsOf(cells: readonly Cell[], wanted: Wanted, bounds: readonly number[]): Facets {
  const inCategory = ({ category }: Cell) => wanted.category === undefined || category === wanted.category;
  const inStock = (cell: Cell) => wanted.inStock === undefined || (cell.inStock === 1) === wanted.inStock;
  const inPrice = (cell: Cell) => cell.inPrice === 1;
  const count = (...conditions: ((cell: Cell) => boolean)[]) =>
    cells.reduce((sum, cell) => (conditions.every((holds) => holds(cell)) ? sum + cell.count : sum), 0);

  const categories = new Map<string, number>();
  for (const cell of cells) {
    if (!inStock(cell) || !inPrice(cell)) continue;
    categories.set(cell.category, (categories.get(cell.category) ?? 0) + cell.count);
  }
  return {
    total: count(inCategory, inStock, inPrice),
    categories: [...categories]
      .map(([category, matches]) => ({ category, count: matches }))
      .sort((a, b) => b.count - a.count || (a.category < b.category ? -1 : 1)),
    priceRanges: [0, ...bounds].map((minPrice, range) => ({
      minPrice,
      maxPrice: bounds[range] === undefined ? null : bounds[range] - 1,
      count: count(inCategory, inStock, (cell) => cell.range === range),
    })),
    availability: {
      inStock: count(inCategory, inPrice, (cell) => cell.inStock === 1),
      outOfStock: count(inCategory, inPrice, (cell) => cell.inStock === 0),
    },
  };
}
