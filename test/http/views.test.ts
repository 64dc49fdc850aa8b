import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { z } from 'zod';
import { type CartCommand, cartDecider } from '../../actors/cart.ts';
import type { CatalogFacts } from '../../actors/catalogFacts.ts';
import { type CheckoutCommand, checkoutDecider } from '../../actors/checkout.ts';
import { customerDecider } from '../../actors/customer.ts';
import { inventoryDecider } from '../../actors/inventoryItem.ts';
import type { Decider, Typed, Versioned } from '../../actors/kernel/decider.ts';
import { money } from '../../actors/kernel/money.ts';
import type { StoredCommit } from '../../actors/kernel/ports.ts';
import { orderDecider } from '../../actors/order.ts';
import { sagaDecider } from '../../actors/orderSaga/saga.ts';
import { defaultPolicy, type Policy } from '../../actors/policy.ts';
import { draftOf } from '../../actors/pricing.ts';
import { productDecider } from '../../actors/product.ts';
import { sagaSchema, stockItemSchema, stockSchema } from '../../http/schemas/admin.ts';
import { cartSchema } from '../../http/schemas/cart.ts';
import { checkoutSchema, shippingMethodsSchema } from '../../http/schemas/checkout.ts';
import { customerSchema } from '../../http/schemas/customer.ts';
import { orderRowSchema, orderSchema, timelineSchema } from '../../http/schemas/order.ts';
import { adminProductSchema, productSchema } from '../../http/schemas/product.ts';
import type { CatalogEntry } from '../../http/shop.ts';
import { cartView } from '../../http/views/cart.ts';
import { checkoutView, shippingMethodsView } from '../../http/views/checkout.ts';
import { customerView } from '../../http/views/customer.ts';
import { hasLeftPlaced, orderRowView, orderView } from '../../http/views/order.ts';
import { adminProductView, factsOf, productView } from '../../http/views/product.ts';
import { sagaView } from '../../http/views/saga.ts';
import { stockItemView, stockView } from '../../http/views/stock.ts';
import { timelineView } from '../../http/views/timeline.ts';
import { T0 } from '../support/spec.ts';

const views = suite('http views');
const usd = (amount: number) => money(amount, 'USD');

/** An aggregate that has been told these commands, with the history that the store would keep of it. */
function told<State, Command extends Typed, Event extends Versioned>(
  decider: Decider<State, Command, Event, Policy>,
  id: string,
  ...commands: readonly Command[]
) {
  let state = decider.initial(id);
  let version = 0;
  const history: StoredCommit[] = [];
  for (const [index, command] of commands.entries()) {
    const now = T0 + index * 1_000;
    const decision = decider.decide(state, command, { now, id: `m${index}`, policy: defaultPolicy });
    if ('rejection' in decision && decision.rejection) assert.unreachable(decision.rejection.detail);
    const { events, timers = [] } = decision as { events: readonly Event[]; timers?: StoredCommit['timers'] };
    for (const event of events) state = decider.evolve(state, event);
    if (events.length > 0) version++;
    history.push({ seq: index + 1, version, cause: `m${index}`, at: now, events, timers });
  }
  return { state, version, history };
}

/** The view as it goes over the wire, which its published schema must accept: strictly, nothing unknown. */
function wire<Schema extends z.ZodType>(schema: Schema, view: unknown): z.output<Schema> {
  const result = schema.safeParse(JSON.parse(JSON.stringify(view)));
  if (!result.success) throw new Error(`the view is not as published: ${result.error.message}`);
  return result.data;
}

const tea: CatalogFacts = { sku: 'TEA-1', name: 'Green tea', price: usd(1_999), status: 'active', available: 5 };
const address = { name: 'Ada', line1: '1 Main St', city: 'Newark', postalCode: '07102', country: 'US' };

function cart(...commands: readonly CartCommand[]) {
  const { state, version } = told(
    cartDecider,
    'cart_X',
    { type: 'CreateCart', customerId: 'cus_1', guest: false },
    ...commands,
  );
  if (state.status === 'none') throw new Error('there is a cart');
  return cartView(state, version, []);
}

const add: CartCommand = { type: 'AddItem', customerId: 'cus_1', sku: 'TEA-1', quantity: 2, product: tea };

views('a cart shows its lines and adds them up', () => {
  const view = wire(cartSchema, cart(add));
  assert.is(view.id, 'cart_X');
  assert.is(view.status, 'active');
  assert.is(view.version, 2);
  assert.equal(view.totals.total, usd(3_998));
  assert.equal(view.lines[0]?.total, usd(3_998));
  assert.is(view.lines[0]?.pricedAt, new Date(T0 + 1_000).toISOString());
});

views('a cart tells its owner to nobody', () => {
  assert.not.match(JSON.stringify(cart(add)), 'cus_1');
});

views('a cart names its checkout while it is checked out, and its order afterwards', () => {
  const start: CartCommand = { type: 'StartCheckout', customerId: 'cus_1', prices: [tea] };
  assert.is(wire(cartSchema, cart(add, start)).checkoutId, 'chk_X');
  const done = wire(cartSchema, cart(add, start, { type: 'CheckedOut', orderId: 'ord_X', round: 1 }));
  assert.is(done.status, 'checked-out');
  assert.is(done.orderId, 'ord_X');
  assert.is(done.checkoutId, undefined);
});

const begin = {
  type: 'BeginCheckout',
  round: 1,
  customerId: 'cus_1',
  currency: 'USD',
  lines: [{ sku: 'TEA-1', name: 'Green tea', quantity: 2, unitPrice: usd(1_999) }],
  priceChanges: [{ sku: 'TEA-1', old: usd(1_899), new: usd(1_999) }],
} as const;
const customerId = 'cus_1';
const steps = [
  { type: 'SetAddress', customerId, address },
  { type: 'SetShippingMethod', customerId, method: 'standard' },
  { type: 'SetPayment', customerId, token: 'tok_success' },
] as const;

function checkout(...more: readonly CheckoutCommand[]) {
  const { state, version } = told(checkoutDecider, 'chk_X', begin, ...more);
  if (state.status === 'none') throw new Error('there is a checkout');
  return wire(checkoutSchema, checkoutView(state, version, []));
}

views('a checkout says what comes next, and never shows the payment token', () => {
  assert.is(checkout().step, 'address');
  assert.is(checkout(steps[0]).step, 'shipping-method');
  const ready = checkout(...steps);
  assert.is(ready.step, 'complete');
  assert.equal(ready.totals.total, usd(3_998 + 599));
  assert.is(ready.cartId, 'cart_X');
  assert.is(ready.priceChanges[0]?.old.amount, 1_899);
  assert.not.match(JSON.stringify(ready), 'tok_success');
});

views('a completed checkout names its order and keeps no address', () => {
  const done = checkout(...steps, { type: 'CompleteCheckout', customerId, acceptPriceChanges: true });
  assert.is(done.status, 'completed');
  assert.is(done.step, null);
  assert.is(done.orderId, 'ord_X');
  assert.is(done.address, null);
});

views('the shipping methods are those of the policy', () => {
  const { data } = wire(shippingMethodsSchema, { data: shippingMethodsView(defaultPolicy) });
  assert.equal(
    data.map(({ method, price }) => [method, price.amount]),
    [
      ['standard', 599],
      ['express', 1_299],
      ['overnight', 2_499],
    ],
  );
});

const draft = draftOf({
  orderId: 'ord_X',
  customerId: 'cus_1',
  lines: begin.lines,
  discount: usd(0),
  tax: usd(0),
  shipping: usd(599),
  shippingMethod: 'standard',
  paymentToken: 'tok_success',
  address,
});
const place = { type: 'PlaceOrder', draft } as const;
const payment = (seq: number, status: 'authorized' | 'captured') =>
  ({
    type: 'PaymentChanged',
    seq,
    status,
    authorized: usd(4_597),
    captured: usd(status === 'captured' ? 4_597 : 0),
    refunded: usd(0),
  }) as const;
const parcel = (seq: number, status: 'assigned' | 'handed-to-carrier' | 'delivered') =>
  ({
    type: 'ShipmentChanged',
    shipmentId: 'shp_X_1',
    seq,
    status,
    lines: [{ sku: 'TEA-1', quantity: 2 }],
    carrier: 'Ground',
    trackingNumber: 'T1',
    attempts: 0,
  }) as const;
const confirmed = { type: 'ConfirmOrder', seq: 1 } as const;
const fulfilling = { type: 'BeginFulfilment', seq: 2 } as const;

function order(...commands: readonly Parameters<typeof orderDecider.decide>[1][]) {
  const { state, version, history } = told(orderDecider, 'ord_X', place, ...commands);
  if (state.status === 'unknown') throw new Error('there is an order');
  return { state, version, history };
}

views('a placed order shows everything but who and how it is paid', () => {
  const { state, version } = order();
  const view = wire(orderSchema, orderView(state, version));
  assert.is(view.status, 'placed');
  assert.is(view.awaiting, null);
  assert.equal(view.fulfillment, { status: 'pending', shipments: [] });
  assert.is(view.payment.status, 'pending');
  assert.equal(view.totals.total, usd(4_597));
  assert.not.match(JSON.stringify(view), /tok_success|cus_1/);
});

views('a delivered order shows its parcels and when they came', () => {
  const { state, version } = order(
    payment(1, 'authorized'),
    payment(2, 'captured'),
    confirmed,
    fulfilling,
    parcel(1, 'handed-to-carrier'),
    parcel(2, 'delivered'),
  );
  const view = wire(orderSchema, orderView(state, version));
  assert.is(view.status, 'delivered');
  assert.is(view.fulfillment.status, 'delivered');
  assert.equal(view.fulfillment.shipments, [
    {
      id: 'shp_X_1',
      status: 'delivered',
      lines: [{ sku: 'TEA-1', quantity: 2 }],
      carrier: 'Ground',
      trackingNumber: 'T1',
      attempts: 0,
    },
  ]);
  assert.is.not(view.deliveredAt, null);
});

views('an order has left Placed once its saga or its customer has spoken, and for good', () => {
  assert.not(hasLeftPlaced(order().state));
  assert.not(hasLeftPlaced(order(payment(1, 'authorized')).state));
  assert.ok(hasLeftPlaced(order(confirmed).state));
  const held = { type: 'HoldOrder', seq: 1, reason: 'x', awaiting: 'review' } as const;
  const released = order(held, { type: 'ReleaseOrder', seq: 2 }).state;
  assert.is(released.status, 'placed');
  assert.ok(hasLeftPlaced(released));
  const cancel = { type: 'CancelOrder', by: { role: 'customer', id: 'cus_1' }, reason: 'x' } as const;
  assert.ok(hasLeftPlaced(order(cancel).state));
});

views('a row of the list', () => {
  const row = { orderId: 'ord_X', status: 'placed', total: usd(1), placedAt: T0 } as const;
  assert.is(wire(orderRowSchema, orderRowView(row)).id, 'ord_X');
});

views('the timeline tells it in plain words, in order, without the inside', () => {
  const { state, history } = order(
    { type: 'HoldOrder', seq: 1, reason: 'rule total-above matched for cus_1', awaiting: 'review' },
    { type: 'ReleaseOrder', seq: 2 },
    payment(1, 'authorized'),
    payment(2, 'captured'),
    { type: 'ConfirmOrder', seq: 3 },
    { type: 'BeginFulfilment', seq: 4 },
    parcel(1, 'assigned'),
    parcel(2, 'handed-to-carrier'),
    parcel(3, 'delivered'),
  );
  const data = timelineView(history);
  wire(timelineSchema, { orderId: state.orderId, status: state.status, data });
  assert.equal(
    data.map(({ title }) => title),
    [
      'Order placed',
      'Order is being reviewed',
      'Order is going on',
      'Payment authorized',
      'Payment received',
      'Order confirmed',
      'Order is being prepared',
      'Parcel assigned to a warehouse',
      'Parcel handed to the carrier',
      'Order shipped',
      'Parcel delivered',
      'Order delivered',
    ],
  );
  assert.not.match(JSON.stringify(data), /rule|cus_1|tok_success|Main St/);
});

views('the timeline does not repeat news that say the same', () => {
  const { history } = order(
    parcel(1, 'assigned'),
    parcel(2, 'assigned'),
    payment(1, 'authorized'),
    parcel(3, 'assigned'),
  );
  assert.equal(
    timelineView(history).map(({ type }) => type),
    ['order.placed', 'shipment.assigned', 'payment.authorized'],
  );
});

const product = told(
  productDecider,
  'TEA-1',
  { type: 'PutProduct', name: 'Green tea', description: '', category: 'Tea', tags: ['leaf'] },
  { type: 'SetPrice', price: usd(1_999) },
);

const listed: CatalogEntry = {
  sku: 'TEA-1',
  name: 'Green tea',
  description: '',
  category: 'Tea',
  tags: ['leaf'],
  status: 'active',
  price: usd(1_999),
  available: 3,
  version: 2,
};

views('a product is the same from the catalog and from itself, where its keepers see what is scheduled too', () => {
  const shown = wire(productSchema, productView(listed));
  assert.equal(shown, { ...listed, inStock: true });
  const own = wire(adminProductSchema, adminProductView(product.state, product.version, listed));
  assert.equal(own, { ...shown, scheduledPrice: null });
  const unstocked = wire(adminProductSchema, adminProductView(product.state, product.version, undefined));
  assert.equal([unstocked.available, unstocked.inStock], [0, false]);
  assert.is(adminProductView(productDecider.initial('NONE'), 0, undefined), undefined);
});

views('a scheduled price is shown with its time', () => {
  const { state, version } = told(
    productDecider,
    'TEA-1',
    { type: 'PutProduct', name: 'Green tea', description: '', category: 'Tea', tags: [] },
    { type: 'SchedulePrice', price: usd(900), at: Date.UTC(2030, 0, 1) },
  );
  const { status, price, scheduledPrice } = wire(adminProductSchema, adminProductView(state, version, undefined));
  assert.equal([status, price, scheduledPrice], ['draft', null, { price: usd(900), at: '2030-01-01T00:00:00.000Z' }]);
});

views('a product without a price cannot be bought at one', () => {
  assert.is(factsOf({ ...listed, status: 'draft', price: null }, 'USD')?.price.amount, 0);
  assert.is(factsOf(undefined, 'USD'), null);
  assert.equal(factsOf({ ...listed, available: 5 }, 'USD'), tea);
});

views('stock shows every bucket, in one warehouse and in all, and what is expected', () => {
  const east = 'TEA-1@wh-east';
  const { state, version } = told(inventoryDecider, east, { type: 'ReceiveStock', quantity: 7 });
  const waiting = told(inventoryDecider, east, { type: 'ExpectDelivery', quantity: 5, at: Date.UTC(2099, 0) });
  const { expected } = wire(stockItemSchema, stockItemView(waiting.state, waiting.version));
  assert.equal(expected, { quantity: 5, at: '2099-01-01T00:00:00.000Z' });
  const item = wire(stockItemSchema, stockItemView(state, version));
  assert.is(item.warehouse, 'wh-east');
  assert.is(item.available, 7);
  const { sku, version: _version, ...shown } = item;
  const row = { ...shown, expected: null };
  assert.equal(wire(stockSchema, stockView(sku, [row])), { sku: 'TEA-1', warehouses: [row] });
});

views('an account never shows its password or the hash of its address', () => {
  const { state, version } = told(
    customerDecider,
    'cus_1',
    {
      type: 'RegisterCustomer',
      emailHash: 'HASH',
      passwordHash: '$scrypt$x',
      role: 'customer',
      scopes: [],
      personal: { email: 'ada@example.com', name: 'Ada' },
    },
    { type: 'AddAddress', address, makeDefault: true },
  );
  if (state.status !== 'active') throw new Error('there is an account');
  const view = wire(customerSchema, customerView(state, version));
  const unchecked = { verified: false, addressCheck: null };
  assert.equal(view.addresses, [{ id: 'adr_1', isDefault: true, address, ...unchecked }]);
  assert.not.match(JSON.stringify(view), /scrypt|HASH/);
});

views('a saga shows its steps, what it waits for and when it acts next, but nothing personal', () => {
  const { state, version, history } = told(sagaDecider, 'ord_X', { type: 'StartSaga', draft });
  const view = wire(sagaSchema, sagaView(state, version, history, T0));
  assert.is(view.status, 'reserving');
  assert.is(view.steps[0]?.kind, 'reserve');
  assert.is(view.steps[0]?.sku, 'TEA-1');
  assert.ok(view.timers.length > 0, 'the step and the whole have time-outs');
  assert.equal(view.history.map(({ type }) => type).slice(0, 2), ['SagaStarted', 'StepStarted']);
  assert.not.match(JSON.stringify(view), /tok_success|Main St|Ada/);
  const later = wire(sagaSchema, sagaView(state, version, history, T0 + 365 * 86_400_000));
  assert.equal(later.timers, [], 'what has fired is not to come');
});

views('a saga that was cancelled before it began is shown as that', () => {
  const { state, version, history } = told(sagaDecider, 'ord_X', { type: 'CancelSaga', by: 'x', reason: 'y' });
  assert.is(wire(sagaSchema, sagaView(state, version, history, T0)).status, 'cancelled-before-start');
});

views.run();
