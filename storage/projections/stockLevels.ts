/** Stock per SKU and warehouse, kept by the same `evolve` as the stock items themselves. */
import { stockAddress } from '../../actors/inventoryItem/messages.ts';
import {
  type Expected,
  evolve,
  type InventoryEvent,
  initial,
  type StockFigures,
  stockFigures,
} from '../../actors/inventoryItem/state.ts';
import { parseAddressKey } from '../../actors/kernel/address.ts';
import type { Db } from '../database.ts';
import type { Projection } from '../projection.ts';
import { recentlyUsed } from '../recentlyUsed.ts';

/** What the stock of one SKU in one warehouse comes to, without its reservations. */
type StockLevel = StockFigures & { readonly expected: Expected | null };

export type StockRow = { readonly warehouse: string } & StockLevel;

type Stored = StockFigures & { readonly expectedQuantity: number | null; readonly expectedAt: number | null };

const COLUMNS = `available, reserved, committed, picked, received, shipped, adjusted, quarantined,
  transferred_in AS transferredIn, transferred_out AS transferredOut, in_transit AS inTransit, backordered,
  expected_quantity AS expectedQuantity, expected_at AS expectedAt`;

export type Shelf = { readonly warehouse: string; readonly available: number };

export type StockProjection = Projection & {
  /** What each warehouse has of a SKU for new orders, by warehouse. Every order of several SKUs asks. */
  shelves(sku: string): readonly Shelf[];
};

type Item = ReturnType<typeof initial>;
/** What there is of a SKU, by warehouse. */
type Items = Map<string, Item>;

/** SKUs whose levels stay in memory, about 1 KB each: what sells moves again and again. */
const KEPT_SKUS = 5_000;

export function createStockLevels(db: Db): StockProjection {
  const read = db.prepare<[string], Stored & { readonly warehouse: string }>(
    `SELECT warehouse, ${COLUMNS} FROM stock_levels WHERE sku = ? ORDER BY warehouse`,
  );
  const write = db.prepare(
    `INSERT OR REPLACE INTO stock_levels VALUES (@sku, @warehouse, @available, @reserved, @committed, @picked,
     @received, @shipped, @adjusted, @quarantined, @transferredIn, @transferredOut, @inTransit, @backordered, @quantity, @at)`,
  );
  const kept = recentlyUsed<string, Items>(KEPT_SKUS);
  // A popular SKU moves many times in one transaction: its row is written once.
  let touched = new Map<string, Item>();
  /** Of the SKUs that moved in this transaction: until it ends the table doesn't have what is let go from memory. */
  let moved = new Map<string, Items>();

  function itemsOf(sku: string): Items {
    const known = kept.get(sku) ?? moved.get(sku);
    if (known) return known;
    const rows = read.all(sku).map(({ warehouse, ...stored }): [string, Item] => {
      return [warehouse, { ...initial(stockAddress(sku, warehouse).id), ...levelOf(stored) }];
    });
    const items = new Map(rows);
    kept.set(sku, items);
    return items;
  }

  return {
    types: ['stock'],
    apply({ key, events }) {
      const blank = initial(parseAddressKey(key).id);
      const items = itemsOf(blank.sku);
      const before = items.get(blank.warehouse) ?? blank;
      const after = events.reduce((item, event) => evolve(item, event as InventoryEvent), before);
      // Only the figures count here; reservations would pile up for nothing.
      const level = { ...blank, ...stockFigures(after), expected: after.expected };
      items.set(blank.warehouse, level);
      moved.set(blank.sku, items);
      touched.set(key, level);
    },
    flush() {
      for (const item of touched.values()) {
        const { sku, warehouse, expected } = item;
        const { quantity = null, at = null } = expected ?? {};
        write.run({ sku, warehouse, ...stockFigures(item), quantity, at });
      }
      touched = new Map();
      moved = new Map();
    },
    discard() {
      touched = new Map();
      moved = new Map();
      kept.clear();
    },
    shelves(sku) {
      const items = [...itemsOf(sku).values()].sort((a, b) => (a.warehouse < b.warehouse ? -1 : 1));
      // What orders wait for is not for others.
      return items.map(({ warehouse, available, backordered }) => ({
        warehouse,
        available: Math.max(0, available - backordered),
      }));
    },
  };
}

function levelOf({ expectedQuantity: quantity, expectedAt: at, ...figures }: Stored): StockLevel {
  return { ...figures, expected: quantity === null || at === null ? null : { quantity, at } };
}

export type StockLevels = (sku: string) => readonly StockRow[];

/** One row per warehouse that ever had the SKU, by warehouse. */
export function createStockReader(db: Db): StockLevels {
  const rows = db.prepare<[string], Stored & { readonly warehouse: string }>(
    `SELECT warehouse, ${COLUMNS} FROM stock_levels WHERE sku = ? ORDER BY warehouse`,
  );
  return (sku) => rows.all(sku).map(({ warehouse, ...stored }) => ({ warehouse, ...levelOf(stored) }));
}
