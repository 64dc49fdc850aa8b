import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Order, type OrderCommand, type OrderEvent, orderDecider, type SagaNews } from '../../actors/order.ts';
import type { PaymentNews } from '../../actors/payment.ts';
import { defaultPolicy } from '../../actors/policy.ts';
import type { OrderDraft } from '../../actors/shared.ts';
import type { ShipmentNews, ShipmentStatus } from '../../actors/shipment.ts';
import { CUSTOMER, draft, line, ORDER, ohio, usd } from '../support/orders.ts';
import { specification, T0 } from '../support/spec.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const spec = specification(orderDecider, { id: ORDER });
const place = { type: 'PlaceOrder', draft: draft() } as const;

const cancelBy = (role: 'customer' | 'staff', id = CUSTOMER) =>
  ({ type: 'CancelOrder', by: { role, id }, reason: 'changed my mind' }) as const;
const end = (outcome: 'cancelled' | 'out-of-stock' | 'payment-failed', seq: number, manual = false, refund = false) =>
  ({ type: 'EndOrder', seq, outcome, reason: 'because', manual, refundPending: refund }) as const;
const paid = (seq: number, status: PaymentNews['status'], captured = 0, refunded = 0): PaymentNews => ({
  type: 'PaymentChanged',
  seq,
  status,
  authorized: usd(2_899),
  captured: usd(captured),
  refunded: usd(refunded),
});
const mugs = { sku: 'mug', quantity: 2 };
const tea = { sku: 'tea', quantity: 1 };
const parcel = (
  n: number,
  status: ShipmentStatus,
  seq: number,
  lines = [mugs, tea],
  more: Partial<ShipmentNews> = {},
): ShipmentNews => ({ type: 'ShipmentChanged', shipmentId: `shp_1_${n}`, seq, status, lines, attempts: 0, ...more });
const confirmed: SagaNews = { type: 'ConfirmOrder', seq: 5 };
const begun: SagaNews = { type: 'BeginFulfilment', seq: 7 };

/** The order after some commands. Nothing but the last is looked at. */
function after(...commands: readonly OrderCommand[]) {
  const state = [place, ...commands].reduce(
    (current, command) => spec.from(current).when(command).state,
    orderDecider.initial(ORDER),
  );
  if (state.status === 'unknown') throw new Error('not placed');
  return { ...spec.from(state), order: state };
}

function statusAfter(...commands: readonly OrderCommand[]): Order['status'] {
  return after(...commands).order.status;
}

// placing

const placing = suite('order, placing');

placing('records what was bought, starts the saga and notes it for the customer', () => {
  const outcome = spec.given().when(place);
  const { lines, totals } = place.draft;
  outcome.then({
    type: 'OrderPlaced',
    v: 1,
    customerId: CUSTOMER,
    currency: 'USD',
    lines,
    totals,
    shippingMethod: 'standard',
    placedAt: T0,
    personal: { address: ohio },
  });
  assert.equal(outcome.sent, [
    { to: { type: 'order-saga', id: ORDER }, message: { type: 'StartSaga', draft: place.draft } },
    {
      to: { type: 'customer-orders', id: CUSTOMER },
      message: { type: 'NoteOrder', orderId: ORDER, seq: 1, status: 'placed', total: totals.total, placedAt: T0 },
    },
  ]);
  assert.equal(outcome.accepted.reply, { orderId: ORDER, status: 'placed' });
});

placing(
  'keeps the billing address with the other personal data, and hands the facts for the review to the saga',
  () => {
    const billingAddress = { ...ohio, country: 'CA' };
    const facts = { firstOrder: true, ordersFromAddress: 3 };
    const outcome = spec.given().when({ type: 'PlaceOrder', draft: { ...place.draft, billingAddress, facts } });
    const [event] = outcome.accepted.events;
    assert.equal(event?.type === 'OrderPlaced' && event.personal, { address: ohio, billingAddress });
    assert.is(outcome.state.status !== 'unknown' && outcome.state.billingAddress, billingAddress);
    const start = outcome.sent[0]?.message;
    assert.equal(start && 'draft' in start && start['draft'], { ...place.draft, billingAddress, facts });
  },
);

placing('remembers its cart', () => {
  const state = spec.given().when({ type: 'PlaceOrder', draft: draft(undefined, { cartId: 'cart_1' }) }).state;
  assert.is(state.status !== 'unknown' && state.cartId, 'cart_1');
});

placing('again - is answered with the order that exists', () => {
  const outcome = after(confirmed).when(place).nothing();
  assert.equal(outcome.accepted.reply, { orderId: ORDER, status: 'confirmed' });
});

const totals = draft().totals;
const first = line('mug', 2, 900);
const invalid: readonly [string, OrderDraft][] = [
  ['order.empty', draft([])],
  ['order.too-many-lines', draft(Array.from({ length: 101 }, (_, index) => line(`sku-${index}`, 1, 100)))],
  ['order.quantity-invalid', draft([line('mug', 0, 900)])],
  ['order.quantity-invalid', draft([line('mug', 1.5, 900)])],
  ['order.quantity-invalid', draft([line('mug', 1_000, 900)])],
  ['order.currency-mixed', draft(undefined, { totals: { ...totals, tax: { amount: 0, currency: 'EUR' } } })],
  ['order.amount-invalid', draft([line('mug', 1, -5)])],
  ['order.amount-invalid', draft([line('mug', 1, 1e11)])],
  ['order.amount-invalid', draft([{ ...first, unitPrice: { amount: 0.5, currency: 'USD' } }])],
  ['order.totals-wrong', draft(undefined, { totals: { ...totals, total: usd(totals.total.amount - 1) } })],
  ['order.totals-wrong', draft(undefined, { totals: { ...totals, subtotal: usd(1), total: usd(600) } })],
  ['order.totals-wrong', draft(undefined, { totals: { ...totals, discount: usd(100), total: usd(2_799) } })],
  ['order.totals-wrong', draft(undefined, { totals: { ...totals, tax: usd(100), total: usd(2_999) } })],
  ['order.totals-wrong', draft([{ ...first, total: usd(1_700) }])],
  ['order.totals-wrong', draft([{ ...first, discount: usd(100), total: usd(1_700) }])],
];

for (const [index, [code, of]] of invalid.entries()) {
  placing(`refuses what makes no order (${index + 1}) - ${code}`, () => {
    const outcome = spec.given().when({ type: 'PlaceOrder', draft: of }).rejects(code);
    assert.is(outcome.rejection?.status, 422);
  });
}

placing('discount and tax of the lines add up to those of the order', () => {
  const mug = { ...first, discount: usd(100), tax: usd(50), total: usd(1_750) };
  const of = draft([mug, line('tea', 1, 500)]);
  const adjusted = { ...of.totals, discount: usd(100), tax: usd(50), total: usd(2_849) };
  spec
    .given()
    .when({ type: 'PlaceOrder', draft: { ...of, totals: adjusted } })
    .thenTypes('OrderPlaced');
});

placing.run();

// the saga's word

const saga = suite('order, saga');

saga('goes from placed over confirmed to fulfilling', () => {
  after().when(confirmed).then({ type: 'OrderConfirmed', v: 1, seq: 5 }).sends('NoteOrder');
  after(confirmed).when(begun).then({ type: 'OrderFulfilmentBegun', v: 1, seq: 7 }).sends('NoteOrder');
});

saga('is held and released, and shows what it waits for', () => {
  for (const awaiting of ['review', 'operator', 'payment', 'payment-method'] as const) {
    const held = after({ type: 'HoldOrder', seq: 2, awaiting, reason: 'look at it' });
    assert.equal([held.order.status, held.order.awaiting], ['on-hold', awaiting]);
    const released = held.when({ type: 'ReleaseOrder', seq: 3 });
    released.then({ type: 'OrderReleased', v: 1, seq: 3 });
    assert.equal(released.state.status !== 'unknown' && [released.state.status, released.state.awaiting], [
      'placed',
      null,
    ]);
  }
  const late = after(confirmed, { type: 'HoldOrder', seq: 6, awaiting: 'operator', reason: 'no label' });
  assert.is(late.when({ type: 'ReleaseOrder', seq: 7 }).state.status, 'confirmed');
});

saga('a hold says where the customer does what is asked, and until when, if the saga does', () => {
  const url = 'https://bank.example';
  const asked = after({ type: 'HoldOrder', seq: 2, awaiting: 'payment', reason: 'approve it', url, expiresAt: T0 });
  assert.equal(asked.order.hold, { awaiting: 'payment', reason: 'approve it', url, expiresAt: T0 });
  const review = after({ type: 'HoldOrder', seq: 2, awaiting: 'review', reason: 'large' });
  assert.equal(review.order.hold, { awaiting: 'review', reason: 'large' });
});

saga('what was said earlier and arrives later is ignored', () => {
  after(begun).when(confirmed).nothing();
  after(begun).when(begun).nothing();
  after({ type: 'ReleaseOrder', seq: 4 }).when({ type: 'HoldOrder', seq: 3, awaiting: 'review', reason: '' }).nothing();
});

saga('ends, each way by its own name', () => {
  const ends = [
    ['cancelled', 'OrderCancelled'],
    ['out-of-stock', 'OrderOutOfStock'],
    ['payment-failed', 'OrderPaymentFailed'],
  ] as const;
  for (const [outcome, type] of ends) {
    const ended = after().when(end(outcome, 3)).sends('NoteOrder');
    ended.then({ type, v: 1, seq: 3, reason: 'because', manual: false, refundPending: false });
    assert.is(ended.state.status, outcome);
  }
});

saga('unfinished compensations wait for the operator and are finished later', () => {
  const stuck = after(end('cancelled', 3, true));
  assert.equal([stuck.order.status, stuck.order.awaiting], ['manual-review', 'operator']);
  const refund = after(end('cancelled', 3, true, true));
  assert.equal([refund.order.status, refund.order.awaiting], ['refund-pending', 'operator']);
  const done = refund.when(end('cancelled', 9)).state;
  assert.equal(done.status !== 'unknown' && [done.status, done.awaiting], ['cancelled', null]);
});

saga('an order that has ended hears nothing but its end', () => {
  const ended = after(end('out-of-stock', 3));
  const late: readonly SagaNews[] = [
    { type: 'HoldOrder', seq: 9, awaiting: 'operator', reason: '' },
    { type: 'ReleaseOrder', seq: 9 },
    { type: 'ConfirmOrder', seq: 9 },
    { type: 'BeginFulfilment', seq: 9 },
    { type: 'RefuseCancellation', seq: 9, reason: '' },
  ];
  for (const news of late) ended.when(news).nothing();
});

saga.run();

// cancelling

const cancelling = suite('order, cancelling');

cancelling('asks the saga and says so; asked again, it says the same', () => {
  const outcome = after().when(cancelBy('customer'));
  const by = `customer:${CUSTOMER}`;
  outcome.then({ type: 'OrderCancelRequested', v: 1, by, reason: 'changed my mind' });
  outcome.sends('CancelSaga', 'NoteOrder');
  assert.equal(outcome.sent[0]?.message, { type: 'CancelSaga', by, reason: 'changed my mind' });
  assert.equal(outcome.accepted.reply, { orderId: ORDER, status: 'cancelling' });
  const again = after(cancelBy('customer')).when(cancelBy('customer')).nothing();
  assert.equal(again.accepted.reply, { orderId: ORDER, status: 'cancelling' });
  const done = after(cancelBy('customer'), end('cancelled', 9)).when(cancelBy('customer')).nothing();
  assert.equal(done.accepted.reply, { orderId: ORDER, status: 'cancelled' });
});

cancelling('is of no order to another customer, and of none that does not exist', () => {
  const other = after().when(cancelBy('customer', 'cus_2')).rejects('order.unknown');
  assert.is(other.rejection?.status, 404);
  spec.given().when(cancelBy('staff', 'ops')).rejects('order.unknown');
});

cancelling('a customer may for two hours, staff longer', () => {
  const { customerCancelMs } = defaultPolicy.order;
  after()
    .when(cancelBy('customer'), { now: T0 + customerCancelMs })
    .thenTypes('OrderCancelRequested');
  after()
    .when(cancelBy('customer'), { now: T0 + customerCancelMs + 1 })
    .rejects('order.too-late-to-cancel');
  after()
    .when(cancelBy('staff', 'ops'), { now: T0 + DAY })
    .thenTypes('OrderCancelRequested');
});

cancelling('nobody may once the carrier has a parcel', () => {
  const packed = after(begun, parcel(1, 'labeled', 1));
  packed.when(cancelBy('customer')).thenTypes('OrderCancelRequested');
  for (const status of ['handed-to-carrier', 'out-for-delivery', 'delivered', 'lost', 'returned'] as const) {
    const gone = after(begun, parcel(1, status, 1));
    gone.when(cancelBy('customer')).rejects('order.too-late-to-cancel');
    gone.when(cancelBy('staff', 'ops')).rejects('order.too-late-to-cancel');
  }
});

cancelling('nobody may once it has ended another way', () => {
  after(end('out-of-stock', 3)).when(cancelBy('customer')).rejects('order.not-cancellable');
  after(end('payment-failed', 3, true))
    .when(cancelBy('staff', 'ops'))
    .rejects('order.not-cancellable');
});

cancelling('the saga’s news meanwhile do not show; refused, it stands where they lead', () => {
  const asked = after(cancelBy('customer'), confirmed, begun);
  assert.is(asked.order.status, 'cancelling');
  const refused = asked.when({ type: 'RefuseCancellation', seq: 12, reason: 'gone' });
  refused.then({ type: 'OrderCancelRefused', v: 1, seq: 12, reason: 'gone' }).sends('NoteOrder');
  assert.is(refused.state.status, 'fulfilling');
});

cancelling('a refusal counts whatever the saga said since, once, and only if it was asked', () => {
  const refuse = (seq: number) => ({ type: 'RefuseCancellation', seq, reason: 'gone' }) as const;
  const begunAgain: SagaNews = { type: 'BeginFulfilment', seq: 13 };
  const overtaken = after(cancelBy('customer'), begunAgain);
  assert.is(overtaken.when(refuse(12)).state.status, 'fulfilling');
  after(cancelBy('customer'), refuse(12), cancelBy('customer')).when(refuse(12)).nothing();
  after(begun).when(refuse(12)).nothing();
});

cancelling('refused after all was delivered meanwhile - delivered, and the return window opens', () => {
  const outcome = after(begun, cancelBy('customer'), parcel(1, 'delivered', 1)).when({
    type: 'RefuseCancellation',
    seq: 12,
    reason: 'gone',
  });
  outcome.thenTypes('OrderCancelRefused', 'OrderDelivered');
  assert.is(outcome.state.status, 'delivered');
  assert.equal(outcome.timers, [{ set: 'close', at: T0 + 30 * DAY, message: { type: 'CloseOrder' } }]);
});

cancelling.run();

// money

const payment = suite('order, payment');

payment('shows the newest figures only, without moving', () => {
  const outcome = after(paid(2, 'authorized')).when(paid(3, 'captured', 2_899));
  outcome.thenTypes('OrderPaymentChanged').sends();
  assert.is(outcome.state.status, 'placed');
  const { order, ...later } = after(paid(3, 'captured', 2_899));
  assert.equal(order.payment, { status: 'captured', authorized: usd(2_899), captured: usd(2_899), refunded: usd(0) });
  later.when(paid(2, 'authorized')).nothing();
  later.when(paid(3, 'captured')).nothing();
});

payment.run();

// parcels

const parcels = suite('order, parcels');

parcels('is shipped and delivered with its parcel', () => {
  const shipped = after(begun).when(parcel(1, 'handed-to-carrier', 1));
  shipped.thenTypes('OrderShipmentChanged', 'OrderShipped').sends('NoteOrder');
  const delivered = after(begun, parcel(1, 'handed-to-carrier', 1)).when(parcel(1, 'delivered', 2), { now: T0 + HOUR });
  delivered.thenTypes('OrderShipmentChanged', 'OrderDelivered').sends('NoteOrder');
  assert.equal(delivered.timers, [{ set: 'close', at: T0 + HOUR + 30 * DAY, message: { type: 'CloseOrder' } }]);
  assert.is(delivered.state.status !== 'unknown' && delivered.state.deliveredAt, T0 + HOUR);
});

parcels('news in between are recorded without a milestone', () => {
  after(begun, parcel(1, 'handed-to-carrier', 1))
    .when(parcel(1, 'in-transit', 2))
    .thenTypes('OrderShipmentChanged');
});

parcels('older news of a parcel are ignored, those of another are not', () => {
  const shipped = after(begun, parcel(1, 'in-transit', 3, [mugs]));
  shipped.when(parcel(1, 'handed-to-carrier', 2, [mugs])).nothing();
  shipped.when(parcel(1, 'delivered', 3, [mugs])).nothing();
  shipped.when(parcel(2, 'labeled', 1, [tea])).thenTypes('OrderShipmentChanged');
});

parcels('two parcels - partly and wholly shipped, partly and wholly delivered', () => {
  const one = (status: ShipmentStatus, seq: number) => parcel(1, status, seq, [mugs]);
  const two = (status: ShipmentStatus, seq: number) => parcel(2, status, seq, [tea]);
  assert.is(statusAfter(begun, one('labeled', 1), two('assigned', 1)), 'fulfilling');
  assert.is(statusAfter(begun, one('in-transit', 1)), 'partially-shipped');
  assert.is(statusAfter(begun, one('in-transit', 1), two('out-for-delivery', 1)), 'shipped');
  assert.is(statusAfter(begun, one('delivered', 1)), 'partially-delivered');
  assert.is(statusAfter(begun, one('delivered', 1), two('in-transit', 1)), 'partially-delivered');
  assert.is(statusAfter(begun, one('delivered', 1), two('delivered', 1)), 'delivered');
  assert.is(statusAfter(begun, one('delivered', 1), two('lost', 1)), 'delivery-failed');
  assert.is(statusAfter(begun, one('backordered', 1), two('labeled', 1)), 'backordered');
});

parcels('pieces of one SKU in two parcels are counted together', () => {
  const half = [{ sku: 'mug', quantity: 1 }];
  const rest = [{ sku: 'mug', quantity: 1 }, tea];
  assert.is(statusAfter(begun, parcel(1, 'delivered', 1, half)), 'partially-delivered');
  assert.is(statusAfter(begun, parcel(1, 'delivered', 1, half), parcel(2, 'delivered', 1, rest)), 'delivered');
});

parcels('a lost parcel fails the delivery and shows it to the operator', () => {
  for (const status of ['lost', 'returning-to-sender', 'returned'] as const) {
    const outcome = after(begun)
      .when(parcel(1, status, 1))
      .thenTypes('OrderShipmentChanged', 'OrderDeliveryFailed');
    assert.equal(outcome.state.status !== 'unknown' && [outcome.state.status, outcome.state.awaiting], [
      'delivery-failed',
      'operator',
    ]);
  }
});

parcels('not delivered and paid back in full - the saga is told to end it, once, whichever comes last', () => {
  const endRefunded = { to: { type: 'order-saga', id: ORDER }, message: { type: 'EndRefunded', settled: ['shp_1_1'] } };
  const money = paid(3, 'refunded', 2_899, 2_899);
  assert.equal(after(begun, parcel(1, 'lost', 2)).when(money).sent, [endRefunded]);
  const back = after(begun, money, parcel(1, 'returning-to-sender', 2)).when(parcel(1, 'returned', 3));
  assert.equal(back.sent, [endRefunded]);
  assert.equal(after(begun, money, parcel(1, 'lost', 2)).when(parcel(1, 'lost', 3)).sent, []);
  const held: SagaNews = { type: 'HoldOrder', seq: 8, reason: 'no stock', awaiting: 'operator' };
  assert.equal(after(begun, parcel(1, 'lost', 2), held).when(money).sent, [endRefunded]);
});

parcels('paid back in part, disputed, or with something on its way it goes on', () => {
  const [lost, back] = [parcel(1, 'lost', 2, [mugs]), paid(3, 'refunded', 2_899, 2_899)];
  const told = (...commands: OrderCommand[]) => {
    const last = commands.pop();
    return (
      last &&
      after(begun, ...commands)
        .when(last)
        .sent.map(({ message }) => message.type)
    );
  };
  assert.equal(told(lost, paid(3, 'partially-refunded', 2_899, 2_898)), []);
  assert.equal(told(lost, paid(3, 'disputed', 2_899, 2_899)), []);
  for (const status of ['labeled', 'in-transit', 'returning-to-sender'] as const) {
    assert.equal(told(lost, parcel(2, status, 1, [tea]), back), [], status);
  }
  assert.equal(told(lost, parcel(2, 'delivered', 1, [tea]), back), ['EndRefunded']);
  assert.equal(told(parcel(1, 'delivered', 1), back), []);
});

parcels('ended because it was paid back - late news are recorded and move nothing', () => {
  const ended = [begun, parcel(1, 'lost', 2), paid(3, 'refunded', 2_899, 2_899), end('cancelled', 9)];
  for (const late of [parcel(1, 'delivered', 4), paid(5, 'disputed', 2_899, 2_899), { ...begun, seq: 10 } as const]) {
    const { order } = after(...ended, late);
    assert.equal([order.status, order.awaiting], ['cancelled', null], late.type);
    assert.equal(after(...ended).when(late).sent, [], late.type);
  }
});

parcels('disputed before the goods have left - it is shown to the operator until they have', () => {
  const lostDispute = { ...paid(3, 'refunded', 2_899, 2_899), chargedBack: usd(2_899) };
  for (const news of [paid(3, 'disputed', 2_899), lostDispute]) {
    const { order } = after(begun, parcel(1, 'labeled', 1), news);
    assert.equal([order.status, order.awaiting], ['fulfilling', 'operator']);
    assert.is(after(begun, parcel(1, 'in-transit', 1), news).order.awaiting, null);
  }
  assert.is(
    after(begun, parcel(1, 'labeled', 1), paid(3, 'disputed', 2_899), paid(4, 'captured', 2_899)).order.awaiting,
    null,
  );
});

parcels('a parcel that needs attention shows it to the operator', () => {
  const { order } = after(begun, parcel(1, 'assigned', 1, undefined, { alert: 'label-failed' }));
  assert.equal([order.status, order.awaiting], ['fulfilling', 'operator']);
});

parcels('a cancelled parcel and what it replaces count for nothing', () => {
  assert.is(statusAfter(begun, parcel(1, 'cancelled', 2), parcel(2, 'labeled', 1)), 'fulfilling');
  const again = parcel(2, 'cancelled', 1, undefined, { replaces: 'shp_1_1' });
  assert.is(statusAfter(begun, parcel(1, 'delivered', 1), again), 'delivered', 'its reshipment was cancelled');
});

parcels('after a hold its parcels still say where it stands', () => {
  const held = after(
    begun,
    { type: 'HoldOrder', seq: 9, awaiting: 'operator', reason: '' },
    parcel(1, 'in-transit', 1),
  );
  assert.is(held.order.status, 'on-hold');
  held.when({ type: 'ReleaseOrder', seq: 10 }).thenTypes('OrderReleased', 'OrderShipped');
});

parcels('never move an order that has ended', () => {
  const outcome = after(end('cancelled', 3))
    .when(parcel(1, 'delivered', 1))
    .thenTypes('OrderShipmentChanged');
  outcome.sends();
  assert.is(outcome.state.status, 'cancelled');
  assert.equal(outcome.timers, []);
});

parcels.run();

// closing

const closing = suite('order, closing');
const delivered = [begun, parcel(1, 'delivered', 1)] as const;
const close = { type: 'CloseOrder' } as const;
const windowEnds = T0 + defaultPolicy.order.returnWindowMs;

closing('closes when the return window ends, for good', () => {
  after(...delivered)
    .when(close, { now: windowEnds })
    .thenTypes('OrderClosed')
    .sends('NoteOrder');
  const events: OrderEvent[] = [];
  let state = orderDecider.initial(ORDER);
  for (const command of [place, ...delivered, close]) {
    const outcome = spec.from(state).when(command, { now: command === close ? windowEnds : T0 });
    events.push(...outcome.accepted.events);
    state = outcome.state;
  }
  const closed = spec.from(state);
  assert.is(state.status, 'closed');
  closed.when(end('cancelled', 99)).nothing();
  closed.when(close, { now: windowEnds }).nothing();
  closed.when(cancelBy('customer')).rejects('order.not-cancellable');
  assert.is(closed.when(parcel(1, 'lost', 9)).state.status, 'closed');
  assert.equal(events.reduce(orderDecider.evolve, orderDecider.initial(ORDER)), state, 'replay');
});

closing('not before, and only if it is delivered', () => {
  after(...delivered)
    .when(close, { now: windowEnds - 1 })
    .nothing();
  after(begun).when(close, { now: windowEnds }).nothing();
  after(end('cancelled', 3)).when(close, { now: windowEnds }).nothing();
});

closing('waits while the payment is disputed', () => {
  const outcome = after(...delivered, paid(9, 'disputed'))
    .when(close, { now: windowEnds })
    .nothing();
  assert.equal(outcome.timers, [{ set: 'close', at: windowEnds + DAY, message: close }]);
});

closing('waits while anything is still to be paid back (case 19)', () => {
  const news = paid(9, 'partially-refunded');
  const open = { ...news, openRefund: { amount: usd(100), escalated: true } };
  const outcome = after(...delivered, open)
    .when(close, { now: windowEnds })
    .nothing();
  assert.equal(outcome.timers, [{ set: 'close', at: windowEnds + DAY, message: close }]);
  assert.equal(outcome.state.status === 'unknown' ? undefined : outcome.state.payment.openRefund, open.openRefund);
  after(...delivered, open, paid(10, 'partially-refunded'))
    .when(close, { now: windowEnds })
    .thenTypes('OrderClosed');
});

closing('a reshipment shuts the window until it is delivered', () => {
  const again = (status: ShipmentStatus, seq: number) => parcel(2, status, seq, undefined, { replaces: 'shp_1_1' });
  const reshipped = after(...delivered).when(again('assigned', 1));
  assert.is(reshipped.state.status, 'fulfilling');
  assert.equal(reshipped.timers, [{ clear: 'close' }]);
  const arrived = after(...delivered, again('assigned', 1)).when(again('delivered', 2), { now: T0 + DAY });
  assert.equal(arrived.timers, [{ set: 'close', at: windowEnds + DAY, message: close }]);
});

closing('news of what was replaced leave the window as it is', () => {
  const again = parcel(2, 'delivered', 1, undefined, { replaces: 'shp_1_1' });
  const lost = after(begun, parcel(1, 'lost', 1), again);
  const outcome = lost.when(parcel(1, 'delivered', 2)).thenTypes('OrderShipmentChanged');
  assert.equal(outcome.timers, []);
});

closing('what is owed and waits for the operator is shown', () => {
  const openRefund = { amount: usd(500), escalated: true };
  assert.is(
    after(begun, parcel(1, 'delivered', 1), { ...paid(5, 'captured', 2_899), openRefund }).order.awaiting,
    'operator',
  );
});

closing.run();

const notes = suite('order, notes');

notes('are kept with who and when, whatever the order is doing; the text is personal', () => {
  const note = { type: 'AddNote', by: 'ops', text: 'Knock, the bell is broken.' } as const;
  for (const commands of [[], [confirmed, begun], [end('cancelled', 3)]]) {
    const outcome = after(...commands).when(note);
    outcome.then({ type: 'OrderNoteAdded', v: 1, at: T0, by: 'ops', personal: { text: note.text } }).sends();
    assert.equal(outcome.state.status !== 'unknown' && outcome.state.notes, [{ at: T0, by: 'ops', text: note.text }]);
  }
  spec.given().when(note).rejects('order.unknown');
});

notes('are at most a hundred', () => {
  const many = Array.from({ length: 100 }, (_, n) => ({ type: 'AddNote', by: 'ops', text: `${n}` }) as const);
  after(...many)
    .when({ type: 'AddNote', by: 'ops', text: 'one more' })
    .rejects('order.too-many-notes');
});

notes.run();

const decider = suite('order, decider');

decider('news of an order that does not exist change nothing', () => {
  for (const news of [confirmed, end('cancelled', 1), paid(1, 'captured'), parcel(1, 'delivered', 1), close]) {
    spec.given().when(news).nothing();
  }
});

decider('lives in its own shard', () => {
  assert.is(orderDecider.type, 'order');
  assert.is(orderDecider.partitionKey(ORDER), ORDER);
});

decider('events before its placing are a bug', () => {
  assert.throws(() => spec.given({ type: 'OrderClosed', v: 1 }), /before OrderPlaced/);
});

decider.run();
