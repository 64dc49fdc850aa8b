/** The catalog as shoppers search it: what matches, in which order, and how many there would be under other filters. */
import type { Money } from '../../actors/kernel/money.ts';
import type { ProductStatus } from '../../actors/product.ts';
import type { Db } from '../database.ts';
import { type Expressions, expressionsOf } from '../search/expressions.ts';
import { type Cell, type Facets, facetsOf } from './catalogFacets.ts';
import type { CatalogMemory } from './catalogMemory.ts';

export type CatalogEntry = {
  readonly sku: string;
  readonly name: string;
  readonly description: string;
  readonly category: string;
  readonly tags: readonly string[];
  readonly status: ProductStatus;
  readonly price: Money | null;
  /** Summed over the warehouses. */
  readonly available: number;
  /** The product's version: stock changes leave it alone. */
  readonly version: number;
};

/** `newest`: what went on sale last comes first. */
export type CatalogSort = 'relevance' | 'name' | 'price' | '-price' | 'newest';

/** Finds active products only. Prices in minor units, bounds included. */
export type CatalogFilters = {
  /** One without a single word finds nothing; blank is no text. */
  readonly text?: string;
  readonly category?: string;
  readonly minPrice?: number;
  readonly maxPrice?: number;
  readonly inStock?: boolean;
};

/** The place of an entry in its order, whatever comes and goes around it. */
export type CatalogPosition = { readonly key: number; readonly name: string; readonly sku: string };

export type CatalogQuery = CatalogFilters & {
  readonly sort: CatalogSort;
  readonly limit: number;
  /** Starts behind this place. */
  readonly after?: CatalogPosition;
};

/** Total and facets count the matches of the whole query, not of the page. */
export type CatalogPage = {
  readonly entries: readonly CatalogEntry[];
  /** Of the last entry when there are more. */
  readonly next: CatalogPosition | null;
} & Facets;

export interface Catalog {
  find(sku: string): CatalogEntry | undefined;
  search(query: CatalogQuery): CatalogPage;
}

type Row = {
  sku: string;
  name: string;
  description: string;
  category: string;
  tags: string;
  status: ProductStatus;
  amount: number | null;
  currency: string | null;
  version: number;
  available: number | null;
};
type Placed = Row & { readonly key: number; readonly sortName: string };

/** Pieces that orders wait for are not for sale. */
const COLUMNS = `p.sku, p.name, p.description, p.category, p.tags, p.status, p.amount, p.currency, p.version,
  (SELECT sum(max(0, available - backordered)) FROM stock_levels s WHERE s.sku = p.sku) AS available`;

/** What comes first; the name and then the SKU decide between equals. Names and keys match the indexes. */
const KEYS: Readonly<Record<Exclude<CatalogSort, 'relevance'>, string>> = {
  name: '',
  price: 'p.amount',
  '-price': '-p.amount',
  newest: '-p.on_sale_at',
};

export type CatalogOptions = {
  readonly memory: CatalogMemory;
  /** Where the second and each further price range starts, in minor units, ascending. */
  readonly priceRanges: readonly number[];
};

export function createCatalog(db: Db, { memory, priceRanges }: CatalogOptions): Catalog {
  const find = db.prepare<[string], Row>(`SELECT ${COLUMNS} FROM products p WHERE p.sku = ?`);
  const known = db.prepare<[string], 1>('SELECT 1 FROM products_text WHERE products_text MATCH ? LIMIT 1').pluck();
  const lookup = { isKnown: (word: string) => known.get(`"${word}"`) === 1, near: memory.near };
  const prepared = statements(db);
  const range = ['0', ...priceRanges.map((bound) => `(p.amount >= ${bound})`)].join(' + ');

  function cells(filters: CatalogFilters, match: string | undefined): readonly Cell[] {
    const { minPrice, maxPrice } = filters;
    return memory.cells(JSON.stringify([match, minPrice, maxPrice]), () => {
      const { from, where, bind } = conditions({}, match);
      const price = priceConditions(filters);
      const inPrice = price.where.length > 0 ? price.where.join(' AND ') : '1';
      const sql = `SELECT p.category, ${range} AS range, p.in_stock AS inStock, ${inPrice} AS inPrice, count(*) AS count
        ${from} WHERE ${where.join(' AND ')} GROUP BY 1, 2, 3, 4`;
      return prepared<Cell>(sql).all({ ...bind, ...price.bind });
    });
  }

  /** In the order of one key, behind `after`. */
  function ordered(query: CatalogQuery, key: string, match: string | undefined): Placed[] {
    const { from, where, bind } = conditions(query, match);
    const order = `${key === '' ? '' : `${key}, `}p.sort_name, p.sku`;
    if (query.after) where.push(`(${order}) > (${key === '' ? '' : '@key, '}@name, @sku)`);
    const sql = `SELECT ${COLUMNS}, ${key === '' ? '0' : key} AS key, p.sort_name AS sortName ${from}
      WHERE ${where.join(' AND ')} ORDER BY ${order} LIMIT @limit`;
    return prepared<Placed>(sql).all({ ...bind, ...query.after, limit: query.limit });
  }

  /** The best tier first; what is in a worse one is looked for only while the page has room. */
  function byRelevance(query: CatalogQuery, { tiers }: Expressions): Placed[] {
    const { after, ...rest } = query;
    const found: Placed[] = [];
    for (let tier = Math.max(after?.key ?? 0, 0); tier < tiers.length && found.length < query.limit; tier++) {
      const limit = query.limit - found.length;
      const page = after?.key === tier ? { ...rest, limit, after } : { ...rest, limit };
      found.push(...ordered(page, '', tiers[tier]).map((row) => ({ ...row, key: tier })));
    }
    return found;
  }

  function page(query: CatalogQuery, expressions: Expressions | undefined): Placed[] {
    if (query.sort !== 'relevance') return ordered(query, KEYS[query.sort], expressions?.all);
    return expressions ? byRelevance(query, expressions) : ordered(query, KEYS.name, undefined);
  }

  return {
    find: (sku) =>
      memory.entry(sku, () => {
        const row = find.get(sku);
        return row && entry(row);
      }),
    search(query) {
      const text = query.text?.trim() ?? '';
      const expressions = text === '' ? undefined : expressionsOf(text, lookup);
      // Nothing searchable in the text: nothing is found, rather than everything.
      if (text !== '' && !expressions) return { entries: [], next: null, ...facetsOf([], query, priceRanges) };
      const rows = page({ ...query, limit: query.limit + 1 }, expressions);
      const shown = rows.slice(0, query.limit);
      const last = rows.length > shown.length ? shown.at(-1) : undefined;
      return {
        entries: shown.map(entry),
        next: last ? { key: last.key, name: last.sortName, sku: last.sku } : null,
        ...facetsOf(cells(query, expressions?.all), query, priceRanges),
      };
    },
  };
}

type Bindings = Record<string, string | number>;
type Conditions = { readonly from: string; readonly where: string[]; readonly bind: Bindings };

function conditions(filters: CatalogFilters, match: string | undefined): Conditions {
  const { category, inStock } = filters;
  const { where, bind } = priceConditions(filters);
  where.push("p.status = 'active'");
  if (category !== undefined) {
    bind['category'] = category;
    where.push('p.category = @category');
  }
  if (inStock !== undefined) where.push(`p.in_stock = ${inStock ? 1 : 0}`);
  if (match === undefined) return { from: 'FROM products p', where, bind };
  bind['match'] = match;
  where.push('products_text MATCH @match');
  return { from: 'FROM products_text JOIN products p ON p.rowid = products_text.rowid', where, bind };
}

function priceConditions({ minPrice, maxPrice }: CatalogFilters): { where: string[]; bind: Bindings } {
  const where: string[] = [];
  const bind: Bindings = {};
  if (minPrice !== undefined) {
    bind['minPrice'] = minPrice;
    where.push('p.amount >= @minPrice');
  }
  if (maxPrice !== undefined) {
    bind['maxPrice'] = maxPrice;
    where.push('p.amount <= @maxPrice');
  }
  return { where, bind };
}

/** The filters make few different statements: each is prepared once. */
function statements(db: Db) {
  const known = new Map<string, ReturnType<typeof db.prepare>>();
  return <Result>(sql: string): { all(bind: Bindings): Result[] } => {
    const statement = known.get(sql) ?? db.prepare<[Bindings], unknown>(sql);
    known.set(sql, statement);
    return statement as unknown as { all(bind: Bindings): Result[] };
  };
}

function entry({
  sku,
  name,
  description,
  category,
  tags,
  status,
  amount,
  currency,
  version,
  available,
}: Row): CatalogEntry {
  return {
    sku,
    name,
    description,
    category,
    tags: JSON.parse(tags) as string[],
    status,
    price: amount === null || currency === null ? null : { amount, currency },
    available: available ?? 0,
    version,
  };
}
