/**
 * The unusual things that happen to orders, each with its time: what "payments that failed last month" is answered from,
 * also for orders that went well in the end. Nothing is written for an order that goes as it should.
 */
import type { Order, OrderEvent, OrderState } from '../../actors/order.ts';
import type { SagaEvent } from '../../actors/orderSaga/saga.ts';
import type { PaymentEvent } from '../../actors/payment/events.ts';

export const ORDER_FACTS = [
  'held',
  'review-overdue',
  'backordered',
  'backorder-overdue',
  'declined',
  'payment-failed',
  'unpaid',
  'out-of-stock',
  'cancelled',
  'refunded',
  'disputed',
  'lost',
  'returned',
  'delivery-failed',
  'reshipped',
  'escalated',
] as const;

export type OrderFact = (typeof ORDER_FACTS)[number];

/** What an order became by these events that it wasn't before. */
export function factsOfOrder(before: OrderState, after: Order, events: readonly OrderEvent[]): readonly OrderFact[] {
  if (before.status === 'unknown') return [];
  const facts: OrderFact[] = [];
  if (after.status !== before.status) facts.push(...(OF_STATUS[after.status] ?? []));
  if (after.end !== null && before.end === null) facts.push(OF_OUTCOME[after.end.outcome]);
  if (after.payment.status === 'disputed' && before.payment.status !== 'disputed') facts.push('disputed');
  for (const event of events) if (event.type === 'OrderShipmentChanged') facts.push(...factsOfParcel(before, event));
  return facts;
}

const OF_STATUS: Partial<Record<Order['status'], readonly OrderFact[]>> = {
  'on-hold': ['held'],
  backordered: ['backordered'],
  'delivery-failed': ['delivery-failed'],
  'manual-review': ['escalated'],
  'refund-pending': ['escalated'],
};

const OF_OUTCOME = { cancelled: 'cancelled', 'out-of-stock': 'out-of-stock', 'payment-failed': 'unpaid' } as const;

function factsOfParcel(
  before: Order,
  { shipment }: Extract<OrderEvent, { type: 'OrderShipmentChanged' }>,
): readonly OrderFact[] {
  const known = before.shipments[shipment.shipmentId];
  if (known === undefined) return shipment.replaces === undefined ? [] : ['reshipped'];
  if (known.status === shipment.status) return [];
  return shipment.status === 'lost' || shipment.status === 'returned' ? [shipment.status] : [];
}

export function factsOfPayment(event: PaymentEvent): readonly OrderFact[] {
  switch (event.type) {
    case 'PaymentFailed':
      return event.retriable || event.unresolved ? ['payment-failed'] : ['payment-failed', 'declined'];
    case 'CaptureFailed':
      return ['payment-failed'];
    case 'RefundCompleted':
      return ['refunded'];
    case 'RefundEscalated':
    case 'OutcomeEscalated':
      return ['escalated'];
    default:
      return [];
  }
}

export function factsOfSaga(event: SagaEvent): readonly OrderFact[] {
  switch (event.type) {
    case 'CompensationFailed':
    case 'OperatorRefundStuck':
      return ['escalated'];
    case 'ReviewOverdueNoted':
      return ['review-overdue'];
    case 'BackorderOverdueNoted':
      return ['backorder-overdue'];
    default:
      return [];
  }
}
