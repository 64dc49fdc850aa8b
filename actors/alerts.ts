/** Events that somebody should look at. Each is logged and counted when it is durable; elsewhere it is shown until it is dealt with. */
import type { InventoryEvent } from './inventoryItem.ts';
import type { Versioned } from './kernel/decider.ts';
import type { SagaEvent } from './orderSaga/saga.ts';
import type { PaymentEvent } from './payment.ts';
import type { ShipmentEvent } from './shipment.ts';

type AlertingEvent = InventoryEvent | PaymentEvent | SagaEvent | ShipmentEvent;

const ALERTS: Partial<Record<AlertingEvent['type'], string>> = {
  ShipmentGhost: 'shipment.ghost',
  ShipmentLost: 'shipment.lost',
  ShipmentFound: 'shipment.found',
  LabelFailed: 'shipment.label-failed',
  LowStockReached: 'stock.low',
  BackorderOverdueNoted: 'saga.backorder-overdue',
  ReviewOverdueNoted: 'saga.review-overdue',
  RefundEscalated: 'payment.refund-escalated',
  RefundOverdueNoted: 'payment.refund-overdue',
  OutcomeEscalated: 'payment.outcome-unknown',
  ChargebackOpened: 'payment.disputed',
  CompensationFailed: 'saga.compensation-failed',
};

const byEvent: ReadonlyMap<string, string> = new Map(Object.entries(ALERTS));

/** The alert that an event is, if it is one. Of holds those that nobody but an operator can end. */
export function alertOf(event: Versioned): string | undefined {
  const held = event.type === 'SagaHeld' && 'awaiting' in event && event.awaiting === 'operator';
  return held ? 'saga.held' : byEvent.get(event.type);
}
