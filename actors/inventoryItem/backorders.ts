/**
 * Orders that wait for stock: first come, first served. They are registered only as far as the next delivery, here or in
 * the warehouse that promises it to them, is expected to bring pieces for them, and nobody overtakes them: what is free
 * for others is what they leave. Whenever pieces become available the oldest gets all that it wants or keeps everybody
 * behind it waiting, and the allocation is a reservation like any other, under the id that was registered.
 */
import type { TimerChange } from '../kernel/decider.ts';
import type { ShopContext } from '../shared.ts';
import { withAlerts } from './alerts.ts';
import type { InventoryCommand, InventorySend, StockAnswer } from './messages.ts';
import type { Backorder, Expected, InventoryEvent, InventoryState } from './state.ts';

/** Allocations of one decision: a decision may not send any number of messages. */
const BATCH = 100;

export function waitingFor({ backorders }: InventoryState, reservationId: string): Backorder | undefined {
  return backorders.find((backorder) => backorder.reservationId === reservationId);
}

/** Pieces that nobody waits for. */
export function freePieces({ available, backordered }: InventoryState): number {
  return Math.max(0, available - backordered);
}

/** What can be promised to one more who waits; null if nothing is expected, or others wait for all of it. */
export function promise({ available, backorders, expected }: InventoryState): Expected | null {
  if (expected === null) return null;
  const promised = backorders.reduce((sum, { quantity, elsewhere }) => (elsewhere ? sum : sum + quantity), 0);
  const quantity = available + expected.quantity - promised;
  return quantity > 0 ? { ...expected, quantity } : null;
}

/** Gives what is available to those who wait; in batches, the next of which a timer brings. */
export function allocate(before: InventoryState, context: ShopContext) {
  const events: InventoryEvent[] = [];
  const sends: InventorySend[] = [];
  const timers: TimerChange<InventoryCommand>[] = [];
  const expiresAt = context.now + context.policy.backorder.holdMs;
  let { available } = before;
  for (const { reservationId, quantity, sagaId } of before.backorders) {
    if (quantity > available) break;
    if (sends.length === BATCH) {
      timers.push({ set: 'allocate', at: context.now, message: { type: 'AllocateBackorders' } });
      break;
    }
    available -= quantity;
    const keep = context.policy.stock.tombstones;
    events.push(
      { type: 'BackorderCleared', v: 1, reservationId, quantity, outcome: 'allocated', keep },
      { type: 'StockReserved', v: 1, reservationId, quantity, sagaId, expiresAt },
    );
    const message: StockAnswer = { type: 'StockReserved', reservationId, expiresAt };
    sends.push({ to: { type: 'order-saga', id: sagaId }, message });
    timers.push({
      set: `expire:${reservationId}`,
      at: expiresAt,
      message: { type: 'ExpireReservation', reservationId },
    });
  }
  return { ...withAlerts(before, events, context.policy), sends, timers };
}
