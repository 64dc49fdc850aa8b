/** The forms that decisions about a stock item have, and their refusals. */
import { type Decision, reject } from '../kernel/decider.ts';
import { type InventoryCommand, type InventorySend, MAX_STOCK_MOVEMENT } from './messages.ts';
import type { InventoryEvent } from './state.ts';

export type StockDecision = Decision<InventoryEvent, InventorySend, InventoryCommand>;

export function isPieces(quantity: number): boolean {
  return Number.isInteger(quantity) && quantity >= 1 && quantity <= MAX_STOCK_MOVEMENT;
}

export function invalidQuantity(quantity: number) {
  const detail = `Expected 1 to ${MAX_STOCK_MOVEMENT} whole pieces, got ${quantity}.`;
  return reject(422, 'stock.quantity-invalid', 'The quantity is not possible', detail);
}

export function insufficient(available: number, wanted: number) {
  const detail = `${available} pieces are available, ${wanted} are wanted.`;
  return reject(422, 'stock.insufficient', 'Not enough pieces', detail);
}
