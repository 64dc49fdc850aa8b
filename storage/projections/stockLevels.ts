/** Stock per SKU and warehouse, kept by the same `evolve` as the stock items themselves. */
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

/** What the stock of one SKU in one warehouse comes to, without its reservations. */
type StockLevel = StockFigures & { readonly expected: Expected | null };

export type StockRow = { readonly warehouse: string } & StockLevel;

type Stored = StockFigures & { readonly expectedQuantity: number | null; readonly expectedAt: number | null };

const COLUMNS = `available, reserved, committed, picked, received, shipped, adjusted, quarantined,
  transferred_in AS transferredIn, transferred_out AS transferredOut, in_transit AS inTransit, backordered,
  expected_quantity AS expectedQuantity, expected_at AS expectedAt`;

export function createStockLevels(db: Db): Projection {
  const read = db.prepare<[string, string], Stored>(
    `SELECT ${COLUMNS} FROM stock_levels WHERE sku = ? AND warehouse = ?`,
  );
  const write = db.prepare(
    `INSERT OR REPLACE INTO stock_levels VALUES (@sku, @warehouse, @available, @reserved, @committed, @picked,
     @received, @shipped, @adjusted, @quarantined, @transferredIn, @transferredOut, @inTransit, @backordered, @quantity, @at)`,
  );
  // A popular SKU moves many times in one transaction: its row is read and written once.
  let touched = new Map<string, ReturnType<typeof initial>>();
  const stored = (sku: string, warehouse: string) => {
    const row = read.get(sku, warehouse);
    return row && levelOf(row);
  };
  return {
    types: ['stock'],
    apply({ key, events }) {
      const { id } = parseAddressKey(key);
      const blank = initial(id);
      const before = touched.get(key) ?? { ...blank, ...stored(blank.sku, blank.warehouse) };
      const after = events.reduce((item, event) => evolve(item, event as InventoryEvent), before);
      // Only the figures count here; reservations would pile up over the transaction for nothing.
      touched.set(key, { ...blank, ...stockFigures(after), expected: after.expected });
    },
    flush() {
      for (const item of touched.values()) {
        const { sku, warehouse, expected } = item;
        const { quantity = null, at = null } = expected ?? {};
        write.run({ sku, warehouse, ...stockFigures(item), quantity, at });
      }
      touched = new Map();
    },
    discard() {
      touched = new Map();
    },
  };
}

function levelOf({ expectedQuantity: quantity, expectedAt: at, ...figures }: Stored): StockLevel {
  return { ...figures, expected: quantity === null || at === null ? null : { quantity, at } };
}

export type Shelf = { readonly warehouse: string; readonly available: number };

/** What each warehouse has of a SKU for new orders; every order of several SKUs asks, so it is only that. */
export function createShelfReader(db: Db): (sku: string) => readonly Shelf[] {
  const rows = db.prepare<[string], Shelf>(
    // What orders wait for is not for others.
    'SELECT warehouse, max(0, available - backordered) AS available FROM stock_levels WHERE sku = ? ORDER BY warehouse',
  );
  return (sku) => rows.all(sku);
}

export type StockLevels = (sku: string) => readonly StockRow[];

/** One row per warehouse that ever had the SKU, by warehouse. */
export function createStockReader(db: Db): StockLevels {
  const rows = db.prepare<[string], Stored & { readonly warehouse: string }>(
    `SELECT warehouse, ${COLUMNS} FROM stock_levels WHERE sku = ? ORDER BY warehouse`,
  );
  return (sku) => rows.all(sku).map(({ warehouse, ...stored }) => ({ warehouse, ...levelOf(stored) }));
}
