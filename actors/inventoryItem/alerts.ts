/**
 * Low stock: one alert on the way down through the threshold, whatever moves the pieces; only replenishing arms it
 * again, not a reservation that comes back.
 */
import type { Policy } from '../policy.ts';
import { evolve, type InventoryEvent, type InventoryState } from './state.ts';

const REPLENISHING: ReadonlySet<InventoryEvent['type']> = new Set<InventoryEvent['type']>([
  'StockReceived',
  'StockRestocked',
  'StockAdjusted',
  'StockTransferredIn',
  'QuarantineReleased',
]);

/** The events with the alerts that they lead to, each right after its cause; and what is after all of them. */
export function withAlerts(before: InventoryState, events: readonly InventoryEvent[], { stock }: Policy) {
  const threshold = stock.lowStockThreshold;
  const complete: InventoryEvent[] = [];
  let state = before;
  for (const event of events) {
    const was = state.available;
    record(event);
    const { available, low } = state;
    if (!low && was > threshold && available <= threshold) {
      record({ type: 'LowStockReached', v: 1, available, threshold });
    } else if (low && available > threshold && REPLENISHING.has(event.type)) {
      record({ type: 'LowStockEnded', v: 1, available, threshold });
    }
  }
  return { events: complete, state };

  function record(event: InventoryEvent): void {
    complete.push(event);
    state = evolve(state, event);
  }
}
