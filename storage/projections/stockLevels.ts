/** Stock per SKU and warehouse, kept by the same `evolve` as the stock items themselves. */
import {
  evolve,
  type InventoryEvent,
  initial,
  type StockFigures,
  stockFigures,
} from '../../actors/inventoryItem/state.ts';
import { parseAddressKey } from '../../actors/kernel/address.ts';
import type { Db } from '../database.ts';
import type { Projection } from '../projection.ts';

export type StockRow = { readonly warehouse: string } & StockFigures;

const FIGURES = 'available, reserved, committed, picked, received, shipped, adjusted';

export function createStockLevels(db: Db): Projection {
  const read = db.prepare<[string, string], StockFigures>(
    `SELECT ${FIGURES} FROM stock_levels WHERE sku = ? AND warehouse = ?`,
  );
  const write = db.prepare('INSERT OR REPLACE INTO stock_levels VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
  // A popular SKU moves many times in one transaction: its row is read and written once.
  let touched = new Map<string, ReturnType<typeof initial>>();
  return {
    types: ['stock'],
    apply({ key, events }) {
      const { id } = parseAddressKey(key);
      const blank = initial(id);
      const before = touched.get(key) ?? { ...blank, ...read.get(blank.sku, blank.warehouse) };
      const after = events.reduce((item, event) => evolve(item, event as InventoryEvent), before);
      // Only the figures count here; reservations would pile up over the transaction for nothing.
      touched.set(key, { ...blank, ...stockFigures(after) });
    },
    flush() {
      for (const { sku, warehouse, ...item } of touched.values()) {
        const { available, reserved, committed, picked, received, shipped, adjusted } = item;
        write.run(sku, warehouse, available, reserved, committed, picked, received, shipped, adjusted);
      }
      touched = new Map();
    },
    discard() {
      touched = new Map();
    },
  };
}

export type StockLevels = (sku: string) => readonly StockRow[];

/** One row per warehouse that ever had the SKU, by warehouse. */
export function createStockReader(db: Db): StockLevels {
  const rows = db.prepare<[string], StockRow>(
    `SELECT warehouse, ${FIGURES} FROM stock_levels WHERE sku = ? ORDER BY warehouse`,
  );
  return (sku) => rows.all(sku);
}
