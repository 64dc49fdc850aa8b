/** What staff does to the stock of one warehouse. Each is answered with the figures. */
import { reject } from '../kernel/decider.ts';
import { recentGet } from '../kernel/recent.ts';
import type { ShopContext } from '../shared.ts';
import { insufficient, invalidQuantity, isPieces, type StockDecision } from './decision.ts';
import type { Of } from './messages.ts';
import type { InventoryState } from './state.ts';

export function receive({ quantity, reference }: Of<'ReceiveStock'>): StockDecision {
  if (!isPieces(quantity)) return invalidQuantity(quantity);
  return { events: [{ type: 'StockReceived', v: 1, quantity, ...(reference !== undefined && { reference }) }] };
}

export function restock(state: InventoryState, command: Of<'RestockReturned'>, { policy }: ShopContext): StockDecision {
  const { quantity, quarantined = 0, returnId } = command;
  if (!isPieces(quantity)) return invalidQuantity(quantity);
  if (quarantined !== 0 && !(isPieces(quarantined) && quarantined <= quantity)) return invalidQuantity(quarantined);
  if (recentGet(state.restocked, returnId)) return { events: [] };
  const some = quarantined === 0 ? {} : { quarantined };
  return { events: [{ type: 'StockRestocked', v: 1, quantity, ...some, returnId, keep: policy.stock.tombstones }] };
}

export function adjust(state: InventoryState, { delta, reason }: Of<'AdjustStock'>): StockDecision {
  if (!isPieces(Math.abs(delta))) return invalidQuantity(delta);
  if (state.available + delta < 0) {
    const detail = `${state.available} available pieces can't be adjusted by ${delta}.`;
    return reject(422, 'stock.adjustment-negative', 'Stock would become negative', detail);
  }
  return { events: [{ type: 'StockAdjusted', v: 1, delta, reason }] };
}

export function quarantine(state: InventoryState, { quantity, reason }: Of<'QuarantineStock'>): StockDecision {
  if (!isPieces(quantity)) return invalidQuantity(quantity);
  if (quantity > state.available) return insufficient(state.available, quantity);
  return { events: [{ type: 'StockQuarantined', v: 1, quantity, reason }] };
}

export function releaseQuarantine(
  { quarantined }: InventoryState,
  { quantity, reason }: Of<'ReleaseQuarantine'>,
): StockDecision {
  if (!isPieces(quantity)) return invalidQuantity(quantity);
  if (quantity > quarantined) {
    const detail = `${quarantined} pieces are in quarantine, ${quantity} are to be released.`;
    return reject(422, 'stock.quarantine-insufficient', 'Not that many in quarantine', detail);
  }
  return { events: [{ type: 'QuarantineReleased', v: 1, quantity, ...(reason !== undefined && { reason }) }] };
}

export function expect(
  { expected }: InventoryState,
  { quantity, at }: Of<'ExpectDelivery'>,
  { now }: ShopContext,
): StockDecision {
  if (!isPieces(quantity)) return invalidQuantity(quantity);
  if (!Number.isSafeInteger(at) || at <= now) {
    const detail = 'A delivery is expected at a time to come.';
    return reject(422, 'stock.expected-in-past', 'The time is over', detail);
  }
  if (expected?.quantity === quantity && expected.at === at) return { events: [] };
  return { events: [{ type: 'DeliveryExpected', v: 1, quantity, at }] };
}

export function clearExpected({ expected }: InventoryState): StockDecision {
  return { events: expected === null ? [] : [{ type: 'ExpectationCleared', v: 1 }] };
}
