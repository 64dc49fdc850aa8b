/** Keeps the catalog for shoppers: products with their price, the full text of those on sale, and whether there are any. */
import { splitId } from '../../actors/inventoryItem/messages.ts';
import { parseAddressKey } from '../../actors/kernel/address.ts';
import { assertNever } from '../../actors/kernel/assertNever.ts';
import type { ProductEvent, ProductStatus } from '../../actors/product.ts';
import type { Db } from '../database.ts';
import type { Projection } from '../projection.ts';
import { isCorrectable } from '../search/typingErrors.ts';
import { folded, wordsOf } from '../search/words.ts';

/** Part of each page cursor, so not longer than needed. */
const MAX_SORT_NAME_LENGTH = 60;

/** What is remembered elsewhere of the catalog and must be forgotten, told before anybody can read the new. */
export type CatalogChanges = {
  /** The entry of this SKU: the product or how much of it there is. */
  entryChanged(sku: string): void;
  /** What a search may find, or in which facet. */
  resultsChanged(): void;
  /** Words that a product on sale is described with. */
  wordsAdded(words: readonly string[]): void;
};

/** Comes after the stock levels, whose sums it reads. */
export function createCatalogProjection(db: Db, changes: CatalogChanges): Projection {
  const write = productWriter(db);
  const index = textIndex(db, changes);
  const stock = db.prepare<{ sku: string }>(
    `UPDATE products SET in_stock = NOT in_stock WHERE sku = @sku AND in_stock <>
       EXISTS (SELECT 1 FROM stock_levels WHERE stock_levels.sku = @sku AND available > backordered)`,
  );
  let touched = new Set<string>();
  return {
    types: ['product', 'stock'],
    apply({ key, version, at, events }) {
      const { type, id } = parseAddressKey(key);
      if (type === 'stock') {
        touched.add(splitId(id).sku);
        return;
      }
      for (const event of events as readonly ProductEvent[]) write(id, event, at, version);
      if ((events as readonly ProductEvent[]).some(changesText)) index(id);
      touched.add(id);
      changes.resultsChanged();
    },
    flush() {
      for (const sku of touched) {
        if (stock.run({ sku }).changes > 0) changes.resultsChanged();
        changes.entryChanged(sku);
      }
      touched = new Set();
    },
    discard() {
      touched = new Set();
    },
  };
}

function productWriter(db: Db) {
  const put = db.prepare(
    `INSERT INTO products (sku, name, description, category, tags, sort_name, status, in_stock, version)
     VALUES (@sku, @name, @description, @category, @tags, @sortName, 'draft', 0, 0)
     ON CONFLICT (sku) DO UPDATE SET name = excluded.name, description = excluded.description,
       category = excluded.category, tags = excluded.tags, sort_name = excluded.sort_name`,
  );
  const price = db.prepare(
    `UPDATE products SET status = 'active', amount = ?, currency = ?, on_sale_at = coalesce(on_sale_at, ?) WHERE sku = ?`,
  );
  const discontinue = db.prepare("UPDATE products SET status = 'discontinued' WHERE sku = ?");
  const setVersion = db.prepare('UPDATE products SET version = ? WHERE sku = ?');
  return (sku: string, event: ProductEvent, at: number, version: number): void => {
    switch (event.type) {
      case 'ProductCreated':
      case 'ProductChanged': {
        const { name, description, category, tags } = event;
        const sortName = folded(name).slice(0, MAX_SORT_NAME_LENGTH);
        put.run({ sku, name, description, category, tags: JSON.stringify(tags), sortName });
        break;
      }
      case 'PriceSet':
      case 'PriceChangeActivated':
        price.run(event.price.amount, event.price.currency, at, sku);
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
    setVersion.run(version, sku);
  };
}

/** What may put a product into the index, change its words there, or take it out. */
function changesText(event: ProductEvent): boolean {
  switch (event.type) {
    case 'ProductChanged':
    case 'ProductDiscontinued':
      return true;
    case 'PriceSet':
    case 'PriceChangeActivated':
      return event.old === null;
    default:
      return false;
  }
}

type TextRow = {
  id: number;
  name: string;
  description: string;
  category: string;
  tags: string;
  status: ProductStatus;
};

/** Holds what is on sale, so that nothing else is ever found. */
function textIndex(db: Db, { wordsAdded }: CatalogChanges) {
  const read = db.prepare<[string], TextRow>(
    'SELECT rowid AS id, name, description, category, tags, status FROM products WHERE sku = ?',
  );
  const forget = db.prepare('DELETE FROM products_text WHERE rowid = ?');
  const insert = db.prepare(
    'INSERT INTO products_text (rowid, name, sku, category, tags, description) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const insertWord = db.prepare('INSERT OR IGNORE INTO products_words VALUES (?)');
  return (sku: string): void => {
    const row = read.get(sku);
    if (!row) return;
    forget.run(row.id);
    if (row.status !== 'active') return;
    const { name, category, tags, description } = row;
    const texts = [name, category, (JSON.parse(tags) as string[]).join(' '), description].map(wordsOf);
    const [inName = '', inCategory, inTags, inDescription] = texts.map((words) => words.join(' '));
    insert.run(row.id, inName, wordsOf(sku).join(' '), inCategory, inTags, inDescription);
    const words = new Set(texts.flat().filter(isCorrectable));
    for (const word of words) insertWord.run(word);
    wordsAdded([...words]);
  };
}
