import { type InventoryState, stockFigures } from '../../actors/inventoryItem/state.ts';
import type { StockRow } from '../shop.ts';

export function stockView(sku: string, rows: readonly StockRow[]) {
  return {
    sku,
    warehouses: rows.map(({ warehouse, available, reserved, committed, picked, received, shipped, adjusted }) => ({
      warehouse,
      available,
      reserved,
      committed,
      picked,
      received,
      shipped,
      adjusted,
    })),
  };
}

export function stockItemView(item: InventoryState, version: number) {
  return { sku: item.sku, warehouse: item.warehouse, ...stockFigures(item), version };
}
