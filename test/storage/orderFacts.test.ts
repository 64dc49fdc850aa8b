import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { evolveOrder, initialOrder } from '../../actors/order/state.ts';
import type { Order, OrderEvent } from '../../actors/order.ts';
import {
  factsOfOrder,
  factsOfPayment,
  factsOfSaga,
  ORDER_FACTS,
  type OrderFact,
} from '../../storage/projections/orderFacts.ts';
import { eventSamples } from '../support/eventSamples.ts';

const facts = suite('order facts');
const { order, payment, 'order-saga': saga } = eventSamples;

const placed = order.OrderPlaced[0];
const parcel = order.OrderShipmentChanged[0].shipment;
const news = (more: Partial<typeof parcel> | { status: string }): OrderEvent =>
  ({
    type: 'OrderShipmentChanged',
    v: 1,
    shipment: { ...parcel, replaces: undefined, alert: undefined, ...more },
  }) as OrderEvent;
const paid = (status: string): OrderEvent =>
  ({ ...order.OrderPaymentChanged[0], payment: { ...order.OrderPaymentChanged[0].payment, status } }) as OrderEvent;
const ended = (manual: boolean, refundPending: boolean): OrderEvent => ({
  ...order.OrderCancelled[0],
  manual,
  refundPending,
});

/** What the last of these events brings about, when the others have happened before. */
function brought(...events: readonly OrderEvent[]): readonly OrderFact[] {
  const all = [placed, ...events];
  const before = all.slice(0, -1).reduce(evolveOrder, initialOrder('ord_1') as Order);
  const last = all.slice(-1);
  return factsOfOrder(before, last.reduce(evolveOrder, before), last);
}

facts('an order that goes as it should leaves none', () => {
  const path: OrderEvent[] = [
    paid('authorized'),
    order.OrderConfirmed[0],
    paid('captured'),
    order.OrderFulfilmentBegun[0],
    news({ status: 'labeled' }),
    news({ status: 'in-transit' }),
    news({ status: 'delivered' }),
    order.OrderDelivered[0],
    order.OrderClosed[0],
  ];
  path.forEach((_, index) => {
    assert.equal(brought(...path.slice(0, index + 1)), [], path[index]?.type);
  });
});

facts('what becomes of an order is noted when it becomes so, and not again', () => {
  const held = order.OrderHeld[0];
  assert.equal(brought(held), ['held']);
  assert.equal(brought(held, paid('captured')), []);
  assert.equal(brought(held, order.OrderReleased[0], { ...held, seq: 5 }), ['held']);
  assert.equal(brought(order.OrderOutOfStock[0]), ['out-of-stock']);
  assert.equal(brought({ ...order.OrderPaymentFailed[0], manual: false }), ['unpaid']);
  assert.equal(brought(ended(false, false)), ['cancelled']);
  assert.equal(brought(ended(true, true)), ['escalated', 'cancelled']);
  assert.equal(brought(ended(true, false), { ...ended(false, false) }), []);
  assert.equal(brought(paid('disputed')), ['disputed']);
  assert.equal(brought(paid('disputed'), paid('disputed')), []);
});

facts('parcels that are lost, come back or replace others are noted', () => {
  const sent = news({ status: 'in-transit' });
  assert.equal(brought(sent, news({ status: 'lost' })), ['delivery-failed', 'lost']);
  assert.equal(brought(sent, news({ status: 'lost' }), news({ status: 'lost', seq: 9 })), []);
  assert.equal(brought(sent, news({ status: 'returned' })), ['delivery-failed', 'returned']);
  assert.equal(brought(sent, news({ shipmentId: 'shp_2', replaces: parcel.shipmentId })), ['reshipped']);
  assert.equal(brought(news({ status: 'backordered' })), ['backordered']);
});

facts('a failed payment is noted, and whether it was the bank that said no', () => {
  const failed = payment.PaymentFailed[0];
  assert.equal(factsOfPayment({ ...failed, retriable: false, unresolved: false }), ['payment-failed', 'declined']);
  assert.equal(factsOfPayment({ ...failed, retriable: true, unresolved: false }), ['payment-failed']);
  assert.equal(factsOfPayment({ ...failed, retriable: false, unresolved: true }), ['payment-failed']);
  assert.equal(factsOfPayment(payment.CaptureFailed[0]), ['payment-failed']);
  assert.equal(factsOfPayment(payment.RefundCompleted[0]), ['refunded']);
});

facts('what is left to an operator is noted', () => {
  assert.equal(factsOfPayment(payment.RefundEscalated[0]), ['escalated']);
  assert.equal(factsOfPayment(payment.OutcomeEscalated[0]), ['escalated']);
  assert.equal(factsOfSaga(saga.CompensationFailed[0]), ['escalated']);
  assert.equal(factsOfSaga(saga.ReviewOverdueNoted[0]), ['review-overdue']);
  assert.equal(factsOfSaga(saga.OperatorRefundStuck[0]), ['escalated']);
  assert.equal(factsOfSaga(saga.BackorderOverdueNoted[0]), ['backorder-overdue']);
  assert.equal(factsOfSaga(saga.StepStarted[0]), []);
});

facts('every fact can come about', () => {
  const seen = new Set<OrderFact>([
    ...brought(order.OrderHeld[0]),
    ...brought(order.OrderOutOfStock[0]),
    ...brought({ ...order.OrderPaymentFailed[0], manual: false }),
    ...brought(ended(true, true)),
    ...brought(paid('disputed')),
    ...brought(news({ status: 'in-transit' }), news({ status: 'lost' })),
    ...brought(news({ status: 'in-transit' }), news({ status: 'returned' })),
    ...brought(news({ status: 'in-transit' }), news({ shipmentId: 'shp_2', replaces: parcel.shipmentId })),
    ...brought(news({ status: 'backordered' })),
    ...factsOfPayment({ ...payment.PaymentFailed[0], unresolved: false }),
    ...factsOfPayment(payment.RefundCompleted[0]),
    ...factsOfSaga(saga.ReviewOverdueNoted[0]),
    ...factsOfSaga(saga.BackorderOverdueNoted[0]),
  ]);
  assert.equal([...seen].sort(), [...ORDER_FACTS].sort());
});

facts.run();
