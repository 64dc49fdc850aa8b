/** Facts in, findings out: each rule of the checker with the defect that it is there for, and the shop as it should be. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Finding } from '../../actors/checks/finding.ts';
import { checkPayment } from '../../actors/checks/money.ts';
import { checkOrder, type OrderFacts } from '../../actors/checks/order.ts';
import { checkReservation, checkStockItem, type ReservationFacts } from '../../actors/checks/stock.ts';
import { evolve, type InventoryEvent, type InventoryState, initial } from '../../actors/inventoryItem/state.ts';
import { type Money, money } from '../../actors/kernel/money.ts';
import { tableGet } from '../../actors/kernel/table.ts';
import type { Order } from '../../actors/order.ts';
import type { Saga, Step } from '../../actors/orderSaga/state.ts';
import { type Attempt, initial as initialPayment, type PaymentState, type Refund } from '../../actors/payment/state.ts';
import { initial as initialShipment, type ShipmentState } from '../../actors/shipment/state.ts';

const checks = suite('checks');

const T0 = Date.UTC(2026, 0, 1);
const ORDER = 'ord_1';
const RESERVATION = 'ord_1/1.1';
const SHIPMENT = 'shp_1_1';
const TOTAL = money(1_000, 'USD');
const NONE = money(0, 'USD');

const codes = (findings: readonly Finding[]): string[] => findings.map(({ level, code }) => `${level} ${code}`);

// stock

const history: readonly InventoryEvent[] = [
  { type: 'StockReceived', v: 1, quantity: 10 },
  { type: 'StockReserved', v: 1, reservationId: RESERVATION, quantity: 2, sagaId: ORDER, expiresAt: T0 + 1_800_000 },
];
const committed: InventoryEvent = { type: 'ReservationCommitted', v: 1, reservationId: RESERVATION, quantity: 2 };
const picked: InventoryEvent = { type: 'StockPicked', v: 1, reservationId: RESERVATION, quantity: 2 };
const itemAfter = (...events: readonly InventoryEvent[]): InventoryState =>
  [...history, ...events].reduce(evolve, initial('TEA@wh-east'));

checks('stock that adds up has no finding, in any of its buckets', () => {
  const out: InventoryEvent = { type: 'StockTransferredOut', v: 1, transferId: 't', to: 'wh-west', quantity: 3 };
  for (const item of [itemAfter(), itemAfter(committed), itemAfter(committed, picked), itemAfter(out)]) {
    assert.equal(checkStockItem(item), []);
  }
});

checks('stock - pieces that came from nowhere or went nowhere', () => {
  const findings = checkStockItem({ ...itemAfter(), available: 9 });
  assert.equal(codes(findings), ['critical stock.not-conserved']);
  assert.equal(findings[0]?.ids, ['TEA@wh-east/stock']);
  assert.match(findings[0]?.text ?? '', '11 in its buckets, 10 by what came and went');
  assert.equal(codes(checkStockItem({ ...itemAfter(), received: 11 })), ['critical stock.not-conserved']);
});

checks('stock - a bucket below zero, though the sum is right', () => {
  const item = { ...itemAfter(), available: -1, adjusted: -9 };
  assert.equal(codes(checkStockItem(item)), ['critical stock.negative']);
  assert.equal(codes(checkStockItem({ ...itemAfter(), quarantined: -1 })), ['critical stock.negative']);
});

checks('stock - buckets that are not the sum of their reservations', () => {
  const item = { ...itemAfter(), reserved: 1, committed: 1 };
  const twice = ['critical stock.reservations-differ', 'critical stock.reservations-differ'];
  assert.equal(codes(checkStockItem(item)), twice);
  assert.equal(codes(checkStockItem({ ...itemAfter(), inTransit: 4 })), ['critical stock.transfers-differ']);
});

// the order and what belongs to it

function step(id: string, work: Step['work'], more: Partial<Step> = {}): Step {
  return { id, work, status: 'succeeded', asked: 1, undone: 0, round: 1, reason: null, ...more };
}

const lines = [{ sku: 'TEA', quantity: 2, reservationId: RESERVATION }];
const at = { line: 1, reservationId: RESERVATION, sku: 'TEA', warehouse: 'wh-east' } as const;
const STEPS: readonly Step[] = [
  step('reserve:1.1', { kind: 'reserve', route: 0, quantity: 2, ...at }),
  step('authorize:1', { kind: 'authorize', attempt: 1 }),
  step('commit:1.1', { kind: 'commit', ...at }),
  step('capture:1', { kind: 'capture', attempt: 1 }),
  step('ship:1', { kind: 'ship', shipmentId: SHIPMENT, warehouse: 'wh-east', lines }),
];

function saga(more: Partial<Saga> = {}, steps: readonly Step[] = STEPS): Saga {
  const whole: Partial<Saga> = {
    status: 'started',
    orderId: ORDER,
    phase: { status: 'completed' },
    lines: [{ sku: 'TEA', quantity: 2 }],
    total: TOTAL,
    steps: Object.fromEntries(steps.map((each) => [each.id, each])),
    paymentRequest: null,
    refunds: {},
    ...more,
  };
  return whole as Saga;
}

const aborted = (manual = false): Saga['phase'] => ({
  status: 'aborted',
  outcome: 'cancelled',
  reason: 'Asked for.',
  manual,
  refundPending: false,
});

function order(more: Partial<Order> = {}): Order {
  const whole: Partial<Order> = {
    status: 'fulfilling',
    awaiting: null,
    orderId: ORDER,
    stage: 'fulfilling',
    hold: null,
    end: null,
    totals: { subtotal: TOTAL, discount: NONE, shipping: NONE, tax: NONE, total: TOTAL },
    payment: { status: 'captured', authorized: TOTAL, captured: TOTAL, refunded: NONE },
    shipments: { [SHIPMENT]: { shipmentId: SHIPMENT, seq: 3, status: 'labeled', lines, attempts: 0 } },
    ...more,
  };
  return whole as Order;
}

const end = (manual = false): NonNullable<Order['end']> => ({
  outcome: 'cancelled',
  reason: 'Asked for.',
  manual,
  refundPending: false,
});

const captured = (amount: Money = TOTAL): Attempt => ({
  amount: TOTAL,
  wanted: true,
  status: 'authorized',
  expired: false,
  authorizationId: 'auth_1',
  capture: { status: 'done', amount },
});

function payment(attempts: Record<string, Attempt> = { 1: captured() }, refunds: Record<string, Refund> = {}) {
  const newest = Math.max(...Object.keys(attempts).map(Number), 0);
  return { ...initialPayment(ORDER), currency: 'USD', events: 3, attempt: newest, attempts, refunds } as PaymentState;
}

const refund = (amount: number, status: Refund['status'] = 'done', attempt = 1): Refund => ({
  attempt,
  amount: money(amount, 'USD'),
  reason: 'Cancelled.',
  status,
  retries: 0,
});

function shipment(more: Partial<ShipmentState> = {}): ShipmentState {
  const request = {
    warehouse: 'wh-east',
    lines,
    method: 'standard',
    address: {},
  } as unknown as ShipmentState['request'];
  return { ...initialShipment(SHIPMENT), status: 'labeled', request, events: 3, ...more };
}

function facts(more: Partial<OrderFacts> = {}): OrderFacts {
  return {
    orderId: ORDER,
    order: order(),
    saga: saga(),
    payment: payment(),
    shipments: [shipment()],
    stockOf: () => itemAfter(committed),
    underWay: false,
    sagaTimers: 0,
    paymentTimers: 0,
    ...more,
  };
}

const unknownOrder = { status: 'unknown', orderId: ORDER } as const;
const found = (more: Partial<OrderFacts>): string[] => codes(checkOrder(facts(more)));
/** While messages are on their way, whatever they bring may still set it right. */
function foundInTheEnd(more: Partial<OrderFacts>, ...expected: readonly string[]): void {
  assert.equal(found(more), expected);
  assert.equal(found({ ...more, underWay: true }), [], 'under way');
}

checks('an order that is as it should be has no finding, at any point of its way', () => {
  assert.equal(found({}), []);
  const refunded = { payment: { status: 'refunded', authorized: TOTAL, captured: TOTAL, refunded: TOTAL } } as const;
  const ended = order({ status: 'cancelled', end: end(), ...refunded, shipments: {} });
  const paidBack = payment({ 1: captured() }, { a: refund(400), b: refund(600) });
  const undone = { order: ended, saga: saga({ phase: aborted() }), payment: paidBack, shipments: [] };
  assert.equal(found(undone), []);
  const settledByHand = payment({ 1: captured() }, { a: refund(1_000, 'by-hand') });
  assert.equal(codes(checkPayment(settledByHand)), []);
  const nothing = order({
    totals: { ...order().totals, total: NONE },
    payment: { status: 'captured', authorized: NONE, captured: NONE, refunded: NONE },
  });
  const free = payment({ 1: { ...captured(NONE), amount: NONE, authorizationId: 'nothing-to-pay' } });
  assert.equal(found({ order: nothing, payment: free }), [], 'a free one');
});

checks('order - nobody fulfils it', () => {
  foundInTheEnd({ saga: unknownOrder }, 'critical order.without-saga');
});

checks('order - a saga or a payment without it', () => {
  foundInTheEnd({ order: unknownOrder, shipments: [] }, 'critical saga.without-order', 'critical money.without-order');
});

checks('order - its payment does not exist, and it is confirmed all the same', () => {
  const findings = found({ payment: { ...payment({}), events: 0, attempt: 0 } });
  assert.equal(findings, ['critical order.without-payment', 'warning order.payment-differs', 'critical order.unpaid']);
});

checks('order - paid, and no parcel', () => {
  const none = STEPS.filter(({ work }) => work.kind !== 'ship');
  foundInTheEnd(
    { saga: saga({}, none), shipments: [], order: order({ shipments: {} }) },
    'critical order.without-shipment',
  );
});

checks('saga - waits for nothing and nothing will wake it', () => {
  const running = [...STEPS.slice(0, 3), step('capture:1', { kind: 'capture', attempt: 1 }, { status: 'running' })];
  const placed = order({ status: 'placed', stage: 'placed', shipments: {} });
  const capturing = { saga: saga({ phase: { status: 'capturing' } }, running), order: placed, shipments: [] };
  foundInTheEnd(capturing, 'critical saga.stuck');
  assert.equal(found({ ...capturing, sagaTimers: 1 }), []);
  const waiting = (awaiting: 'payment' | 'operator' | 'review') =>
    saga({ phase: { status: 'waiting', awaiting, reason: 'So it is.', overdue: false } }, running.slice(0, 1));
  const held = {
    ...capturing,
    payment: payment(),
    order: { ...placed, hold: { awaiting: 'operator', reason: '' } } as Order,
  };
  assert.equal(found({ ...held, saga: waiting('payment') }), ['critical saga.stuck']);
  assert.equal(found({ ...held, saga: waiting('payment'), sagaTimers: 1 }), []);
  assert.equal(found({ ...held, saga: waiting('operator') }), ['info saga.awaits-operator']);
  assert.equal(found({ ...held, saga: waiting('review') }), [], 'a person has all the time');
});

checks('saga - a compensation that failed waits for the operator', () => {
  const stuck = [
    ...STEPS.slice(1),
    step('reserve:1.1', STEPS[0]?.work as Step['work'], { status: 'stuck', reason: 'No answer.' }),
  ];
  const ended = {
    order: order({ status: 'manual-review', end: end(true) }),
    saga: saga({ phase: aborted(true) }, stuck),
  };
  const findings = checkOrder(facts({ ...ended, shipments: [] }));
  assert.equal(codes(findings), ['warning saga.compensation-stuck']);
  assert.equal(findings[0]?.ids, [ORDER, 'reserve:1.1']);
  assert.match(findings[0]?.text ?? '', 'No answer.');
  assert.equal(found({ ...ended, shipments: [], underWay: true }), ['warning saga.compensation-stuck']);
});

checks('order and saga - one has ended, the other has not', () => {
  const paidBack = {
    payment: payment({ 1: captured() }, { a: refund(1_000) }),
    shipments: [],
  };
  const shown = { status: 'refunded', authorized: TOTAL, captured: TOTAL, refunded: TOTAL } as const;
  foundInTheEnd(
    { ...paidBack, order: order({ payment: shown }), saga: saga({ phase: aborted() }) },
    'critical order.not-ended',
  );
  foundInTheEnd(
    { ...paidBack, order: order({ payment: shown, status: 'cancelled', end: end() }), saga: saga() },
    'critical saga.not-ended',
  );
  foundInTheEnd({ order: order({ status: 'confirmed', stage: 'confirmed' }) }, 'warning order.behind');
});

checks('order - shows something else than its payment and its parcels are', () => {
  const shown = { status: 'authorized', authorized: TOTAL, captured: NONE, refunded: NONE } as const;
  foundInTheEnd({ order: order({ payment: shown }) }, 'warning order.payment-differs');
  foundInTheEnd({ shipments: [shipment({ status: 'lost' })] }, 'warning order.shipment-differs');
});

checks('parcels - on their way although the order has ended', () => {
  const ended = {
    order: order({
      status: 'cancelled',
      end: end(),
      payment: { status: 'refunded', authorized: TOTAL, captured: TOTAL, refunded: TOTAL },
    }),
    saga: saga({ phase: aborted() }),
    payment: payment({ 1: captured() }, { a: refund(1_000) }),
  };
  foundInTheEnd(ended, 'critical shipment.of-ended-order');
  const cancelled = order({ ...ended.order, shipments: {} });
  assert.equal(found({ ...ended, order: cancelled, shipments: [shipment({ status: 'cancelled' })] }), []);
  assert.equal(found({ ...ended, order: cancelled, shipments: [shipment({ request: null })] }), [], 'a tombstone');
});

checks('parcels - in the warehouse, their goods are not set aside', () => {
  foundInTheEnd({ stockOf: () => initial('TEA@wh-east') }, 'critical stock.reservation-missing');
  foundInTheEnd({ stockOf: () => itemAfter() }, 'critical stock.reservation-missing');
  assert.equal(found({ stockOf: () => itemAfter(committed, picked) }), []);
  const left = shipment({ status: 'in-transit' });
  const shown = order({ shipments: { [SHIPMENT]: { ...order().shipments[SHIPMENT], status: 'in-transit' } as never } });
  assert.equal(found({ shipments: [left], order: shown, stockOf: () => initial('TEA@wh-east') }), []);
});

// money

checks('money - more captured than authorized, more paid back than captured', () => {
  assert.equal(codes(checkPayment(payment({ 1: captured(money(1_001, 'USD')) }))), [
    'critical money.captured-too-much',
  ]);
  const twice = payment({ 1: captured() }, { a: refund(1_000), b: refund(1) });
  assert.equal(codes(checkPayment(twice)), ['critical money.refunded-too-much']);
});

checks('money - captured twice and kept', () => {
  const both = { 1: captured(), 2: captured() };
  assert.equal(codes(checkPayment(payment(both))), ['critical money.captured-twice']);
  assert.equal(codes(checkPayment(payment(both, { a: refund(1_000) }))), [], 'one of them is back');
});

checks('money - a refund or an outcome that was given up on', () => {
  const failed = checkPayment(payment({ 1: captured() }, { a: refund(1_000, 'escalated') }));
  assert.equal(codes(failed), ['warning money.refund-stuck']);
  assert.equal(failed[0]?.ids, [ORDER, 'a']);
  const call = (operation: object) => ({
    calls: { key: { operation, phase: 'escalated', tries: 3, uncertain: true, round: 1, keySpent: false } },
  });
  const unclear = { ...payment(), ...call({ kind: 'void', attempt: 1 }) } as PaymentState;
  assert.equal(codes(checkPayment(unclear)), ['warning money.outcome-unknown']);
  const ofRefund = { ...payment(), ...call({ kind: 'refund', refundId: 'a' }) } as PaymentState;
  assert.equal(codes(checkPayment(ofRefund)), []);
});

checks('money - kept or held by an order that has ended', () => {
  const ended = (more: Partial<Order['payment']> = {}, manual = false) => ({
    order: order({
      status: manual ? 'manual-review' : 'cancelled',
      end: end(manual),
      payment: { ...order().payment, ...more },
      shipments: {},
    }),
    saga: saga({ phase: aborted(manual) }),
    shipments: [],
  });
  foundInTheEnd(ended(), 'critical money.kept-after-end');
  assert.equal(found({ ...ended(), paymentTimers: 1 }), [], 'it is at it');
  assert.equal(found(ended({}, true)), [], 'an operator has been told');
  const part = payment({ 1: captured() }, { a: refund(999) });
  const shown = { status: 'partially-refunded', refunded: money(999, 'USD') } as const;
  assert.equal(found({ ...ended(shown), payment: part }), ['critical money.kept-after-end']);
  const { capture: _none, ...live } = captured();
  const held = { ...ended({ status: 'authorized', captured: NONE }), payment: payment({ 1: live }) };
  assert.equal(found(held), ['critical money.held-after-end']);
  const skipped = [...STEPS.slice(2), step('authorize:1', { kind: 'authorize', attempt: 1 }, { status: 'skipped' })];
  assert.equal(found({ ...held, saga: saga({ phase: aborted() }, skipped) }), [], 'somebody has seen to it');
});

// reservations

function reservation(more: Partial<ReservationFacts> = {}): string[] {
  const item = more.item ?? itemAfter(committed);
  const live = tableGet(item.reservations, RESERVATION);
  if (!live) throw new Error('no reservation');
  const whole = { item, reservationId: RESERVATION, reservation: live, order: order(), saga: saga(), underWay: false };
  return codes(checkReservation({ ...whole, now: T0, ...more }));
}

checks('reservation - one with a reason has no finding', () => {
  assert.equal(reservation(), []);
  assert.equal(reservation({ item: itemAfter(), saga: saga({ phase: { status: 'committing' } }) }), []);
});

checks('reservation - held longer than it may be, by more than a minute', () => {
  const expired = { item: itemAfter(), now: T0 + 1_800_000 + 60_001 };
  assert.equal(reservation(expired), ['warning stock.reservation-stale']);
  assert.equal(reservation({ ...expired, underWay: true }), ['warning stock.reservation-stale']);
  assert.equal(reservation({ ...expired, now: T0 + 1_860_000 }), []);
  assert.equal(reservation({ ...expired, item: itemAfter(committed) }), [], 'a committed one does not expire');
});

checks('reservation - of nobody, or of an order that knows nothing of it', () => {
  assert.equal(reservation({ order: unknownOrder }), ['critical stock.reservation-of-nobody']);
  assert.equal(reservation({ saga: unknownOrder }), ['critical stock.reservation-of-nobody']);
  assert.equal(reservation({ saga: saga({}, STEPS.slice(1, 2)) }), ['critical stock.reservation-unknown']);
  assert.equal(reservation({ order: unknownOrder, underWay: true }), []);
});

checks('reservation - outlives its order', () => {
  const ended = { order: order({ status: 'cancelled', end: end() }), saga: saga({ phase: aborted() }) };
  assert.equal(reservation(ended), ['critical stock.reservation-outlives-order']);
  assert.equal(reservation({ ...ended, underWay: true }), []);
  for (const status of ['stuck', 'skipped', 'compensating'] as const) {
    const steps = STEPS.map((each) => (each.id === 'reserve:1.1' ? { ...each, status } : each));
    assert.equal(reservation({ ...ended, saga: saga({ phase: aborted() }, steps) }), [], status);
  }
});

checks('reservation - in the queue of a stock item while its order does not wait for it', () => {
  const queued = { reservationId: RESERVATION, quantity: 2, sagaId: ORDER, expectedAt: T0 };
  const waitsAs = (status: Step['status'], more: Partial<ReservationFacts> = {}) => {
    const [reserve, ...others] = STEPS;
    const steps = reserve === undefined ? others : [{ ...reserve, status }, ...others];
    return reservation({ reservation: queued, saga: saga({}, steps), ...more });
  };
  for (const status of ['running', 'waiting', 'compensating', 'stuck', 'skipped'] as const) {
    assert.equal(waitsAs(status), [], status);
  }
  for (const status of ['succeeded', 'compensated', 'failed'] as const) {
    assert.equal(waitsAs(status), ['critical stock.backorder-unwanted'], status);
    assert.equal(waitsAs(status, { underWay: true }), []);
  }
  assert.equal(waitsAs('waiting', { order: order({ status: 'cancelled', end: end() }) }), [
    'critical stock.reservation-outlives-order',
  ]);
});

checks('reservation - everything has arrived, and it was never booked as shipped', () => {
  const delivered = { order: order({ status: 'delivered' }) };
  assert.equal(reservation(delivered), ['warning stock.reservation-not-shipped']);
});

checks.run();
