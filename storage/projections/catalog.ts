/** The catalog as shoppers search it: products with their price, full text (FTS5) and what is in stock. */
import { parseAddressKey } from '../../actors/kernel/address.ts';
import { assertNever } from '../../actors/kernel/assertNever.ts';
import type { Money } from '../../actors/kernel/money.ts';
import type { ProductEvent, ProductStatus } from '../../actors/product.ts';
import type { Db } from '../database.ts';
import type { Projection } from '../projection.ts';

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

export type CatalogSort = 'relevance' | 'name' | 'price' | '-price';

/** Finds active, priced products only. Prices in minor units, bounds included. */
export type CatalogQuery = {
  readonly text?: string;
  readonly category?: string;
  readonly minPrice?: number;
  readonly maxPrice?: number;
  readonly sort: CatalogSort;
  readonly limit: number;
  readonly offset: number;
};

/** Facets count the matches of the whole query, not of the page. */
export type CatalogPage = {
  readonly entries: readonly CatalogEntry[];
  readonly total: number;
  readonly categories: readonly { readonly category: string; readonly count: number }[];
};

export interface Catalog {
  find(sku: string): CatalogEntry | undefined;
  search(query: CatalogQuery): CatalogPage;
}

type ProductRow = {
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

export function createCatalogProjection(db: Db): Projection {
  const put = db.prepare(
    `INSERT INTO products VALUES (@sku, @name, @description, @category, @tags, 'draft', NULL, NULL, @version)
     ON CONFLICT (sku) DO UPDATE SET name = excluded.name, description = excluded.description,
       category = excluded.category, tags = excluded.tags, version = excluded.version`,
  );
  const rowid = db.prepare<[string], number>('SELECT rowid FROM products WHERE sku = ?').pluck();
  const forget = db.prepare('DELETE FROM products_text WHERE rowid = ?');
  const index = db.prepare(
    `INSERT INTO products_text (rowid, name, description, category, tags)
     SELECT rowid, name, description, category, tags FROM products WHERE sku = ?`,
  );
  const price = db.prepare("UPDATE products SET status = 'active', amount = ?, currency = ? WHERE sku = ?");
  const discontinue = db.prepare("UPDATE products SET status = 'discontinued' WHERE sku = ?");
  const setVersion = db.prepare('UPDATE products SET version = ? WHERE sku = ?');
  return {
    types: ['product'],
    apply({ key, version, events }) {
      const { id: sku } = parseAddressKey(key);
      for (const event of events as readonly ProductEvent[]) {
        switch (event.type) {
          case 'ProductCreated':
          case 'ProductChanged': {
            const { name, description, category, tags } = event;
            put.run({ sku, name, description, category, tags: JSON.stringify(tags), version });
            forget.run(rowid.get(sku) as number);
            index.run(sku);
            break;
          }
          case 'PriceSet':
          case 'PriceChangeActivated':
            price.run(event.price.amount, event.price.currency, sku);
            break;
          case 'ProductDiscontinued':
            discontinue.run(sku);
            break;
          case 'PriceChangeScheduled':
          case 'PriceChangeCancelled':
            break;
          default:
            assertNever(event);
        }
      }
      setVersion.run(version, sku);
    },
    flush() {},
    discard() {},
  };
}

const COLUMNS = `p.sku, p.name, p.description, p.category, p.tags, p.status, p.amount, p.currency, p.version,
  (SELECT sum(available) FROM stock_levels s WHERE s.sku = p.sku) AS available`;

const ORDER: Readonly<Record<CatalogSort, string>> = {
  relevance: 'p.name, p.sku',
  name: 'p.name, p.sku',
  price: 'p.amount, p.sku',
  '-price': 'p.amount DESC, p.sku',
};

export function createCatalog(db: Db): Catalog {
  const find = db.prepare<[string], ProductRow>(`SELECT ${COLUMNS} FROM products p WHERE p.sku = ?`);
  return {
    find(sku) {
      const row = find.get(sku);
      return row && entry(row);
    },
    search(query) {
      const { from, where, bind } = conditions(query);
      const order =
        query.sort === 'relevance' && bind.text !== undefined ? 'products_text.rank, p.sku' : ORDER[query.sort];
      const rows = db
        .prepare<object, ProductRow>(`SELECT ${COLUMNS} ${from} ${where} ORDER BY ${order} LIMIT @limit OFFSET @offset`)
        .all({ ...bind, limit: query.limit, offset: query.offset });
      const categories = db
        .prepare<object, { category: string; count: number }>(
          `SELECT p.category, count(*) AS count ${from} ${where} GROUP BY p.category ORDER BY count DESC, p.category`,
        )
        .all(bind);
      return { entries: rows.map(entry), total: categories.reduce((sum, { count }) => sum + count, 0), categories };
    },
  };
}

type Bindings = { text?: string; category?: string; minPrice?: number; maxPrice?: number };

function conditions({ text, category, minPrice, maxPrice }: CatalogQuery) {
  const match = text === undefined ? '' : matchExpression(text);
  const bind: Bindings = {};
  const where = ["p.status = 'active'"];
  if (match !== '') {
    bind.text = match;
    where.push('products_text MATCH @text');
  } else if (text !== undefined) {
    // Nothing searchable in the text: nothing is found, rather than everything.
    where.push('0');
  }
  if (category !== undefined) {
    bind.category = category;
    where.push('p.category = @category');
  }
  if (minPrice !== undefined) {
    bind.minPrice = minPrice;
    where.push('p.amount >= @minPrice');
  }
  if (maxPrice !== undefined) {
    bind.maxPrice = maxPrice;
    where.push('p.amount <= @maxPrice');
  }
  const joined = match === '' ? '' : 'JOIN products_text ON products_text.rowid = p.rowid';
  return { from: `FROM products p ${joined}`, where: `WHERE ${where.join(' AND ')}`, bind };
}

/** Every word must occur, the last ones as beginnings: typing finds while one types. Quoted, so FTS syntax is just text. */
function matchExpression(text: string): string {
  const words = text.match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.map((word) => `"${word}"*`).join(' ');
}

function entry({ tags, amount, currency, available, ...row }: ProductRow): CatalogEntry {
  return {
    ...row,
    tags: JSON.parse(tags) as string[],
    price: amount === null || currency === null ? null : { amount, currency },
    available: available ?? 0,
  };
}
