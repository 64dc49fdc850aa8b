import {
  type Expected,
  type InventoryState,
  type StockFigures,
  stockFigures,
} from '../../actors/inventoryItem/state.ts';
import type { StockRow } from '../shop.ts';
import { time } from './time.ts';

export function stockView(sku: string, rows: readonly StockRow[]) {
  return { sku, warehouses: rows.map(({ warehouse, ...level }) => ({ warehouse, ...levelView(level) })) };
}

export function stockItemView(item: InventoryState, version: number) {
  const { sku, warehouse, expected } = item;
  return { sku, warehouse, ...levelView({ ...stockFigures(item), expected }), version };
}

function levelView({ expected, ...figures }: StockFigures & { readonly expected: Expected | null }) {
  return { ...figures, expected: expected && { quantity: expected.quantity, at: time(expected.at) } };
}
