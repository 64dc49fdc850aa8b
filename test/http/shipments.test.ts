/** Parcels over HTTP: what carriers report, silence, what is lost or comes back, and orders of several parcels. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { orderAddress } from '../../actors/order.ts';
import { type SagaCommand, sagaAddress } from '../../actors/orderSaga/messages.ts';
import { DAY, HOUR, MINUTE, openShop, type Shopkeeper } from '../support/shopkeeper.ts';

const opened: Shopkeeper[] = [];
const parcels = suite('http shipments');

parcels.after.each(async () => {
  for (const keeper of opened.splice(0)) await keeper.close();
});

async function open(): Promise<Shopkeeper> {
  const keeper = await openShop({ seed: false });
  opened.push(keeper);
  return keeper;
}

const body = (id: string) => id.slice('ord_'.length);
const pathOf = (id: string, number: number, what: string) =>
  `/v1/admin/orders/${id}/shipments/shp_${body(id)}_${number}/${what}`;
const why = 'Asked by phone.';

/** One parcel of two mugs, on its way. */
async function onItsWay(
  keeper: Shopkeeper,
  stock: Readonly<Record<string, number>> = { 'wh-east': 9 },
): Promise<string> {
  await keeper.sell('MUG', 1_000, stock);
  const id = await keeper.place([{ sku: 'MUG', quantity: 2 }]);
  await keeper.report(id, 1, 'handed-to-carrier');
  return id;
}

// biome-ignore lint/suspicious/noExplicitAny: bodies are whatever the server says
const shipments = async (keeper: Shopkeeper, id: string): Promise<any[]> =>
  (await keeper.order(id)).fulfillment.shipments;

parcels('the order shows warehouse, carrier and, once assigned, the tracking number', async () => {
  const keeper = await open();
  await keeper.sell('MUG', 1_000, { 'wh-east': 9 });
  const id = await keeper.place([{ sku: 'MUG', quantity: 2 }]);
  const [parcel] = await shipments(keeper, id);
  assert.equal(
    [parcel.status, parcel.warehouse, parcel.carrier, parcel.attempts],
    ['labeled', 'wh-east', 'Simulated Ground', 0],
  );
  assert.match(parcel.trackingNumber, /^SIM\d{20}$/);
  assert.is(parcel.deliveredAt, undefined);
});

parcels(
  'a label that the carrier refuses is bought under a new key; no label at all is shown to the operator',
  async () => {
    const keeper = await open();
    await keeper.sell('MUG', 1_000, { 'wh-east': 9 });
    const placeAt = async (postalCode: string) => {
      const address = { name: 'Ada', line1: '1 Main St', city: 'Newark', postalCode, country: 'US' };
      const order = {
        lines: [{ sku: 'MUG', quantity: 1 }],
        address,
        shippingMethod: 'standard',
        payment: { token: 'tok_success' },
      };
      return (await keeper.buyer('POST', '/v1/orders', order)).body.id;
    };
    const [refusedOnce, never] = [await placeAt('00003'), await placeAt('00000')];
    assert.is((await shipments(keeper, refusedOnce))[0].trackingNumber, undefined, 'shown only once assigned');
    await keeper.pass(10_000);
    assert.match((await shipments(keeper, refusedOnce))[0].trackingNumber, /^SIM/);
    await keeper.pass(10 * MINUTE);
    const order = await keeper.order(never);
    assert.equal(
      [order.status, order.awaiting, order.fulfillment.shipments[0].alert],
      ['fulfilling', 'operator', 'label-failed'],
    );
  },
);

parcels('reports are dated and counted once by their id, in whatever order they come', async () => {
  const keeper = await open();
  const id = await onItsWay(keeper);
  const now = keeper.shop.shop.clock.now();
  await keeper.pass(4 * DAY);
  const tell = (type: string, hours: number, more = {}) =>
    keeper.operator('POST', pathOf(id, 1, 'events'), {
      type,
      occurredAt: new Date(now + hours * HOUR).toISOString(),
      eventId: `${type}-${hours}`,
      ...more,
    });
  for (const [type, hours, attempt] of [
    ['out-for-delivery', 44],
    ['attempt-failed', 24, 1],
    ['in-transit', 3],
    ['attempt-failed', 24, 1],
  ] as const) {
    assert.is((await tell(type, hours, attempt && { attempt })).status, 200, type);
  }
  const [parcel] = await shipments(keeper, id);
  assert.equal([parcel.status, parcel.attempts], ['out-for-delivery', 1]);
  const delivered = await tell('delivered', 48);
  const again = await tell('delivered', 48);
  assert.equal(again.body, delivered.body, 'nothing changed');
  const order = await keeper.order(id);
  assert.is(order.deliveredAt, new Date(now + 48 * HOUR).toISOString());
  assert.is(order.fulfillment.shipments[0].deliveredAt, order.deliveredAt);
  // The return window began when it arrived, not when we heard of it.
  await keeper.pass(28 * DAY - 1);
  assert.is((await keeper.order(id)).status, 'delivered');
  await keeper.pass(1);
  assert.is((await keeper.order(id)).status, 'closed');
});

parcels('a failed attempt that is repeated counts once; after the third it returns to the sender', async () => {
  const keeper = await open();
  const id = await onItsWay(keeper);
  for (const attempt of [1, 1, 2, 1, 2]) await keeper.report(id, 1, 'attempt-failed', attempt);
  assert.equal([(await shipments(keeper, id))[0].attempts, (await keeper.order(id)).status], [2, 'shipped']);
  await keeper.report(id, 1, 'attempt-failed', 3);
  const order = await keeper.order(id);
  assert.equal(
    [order.status, order.awaiting, order.fulfillment.shipments[0].status],
    ['delivery-failed', 'operator', 'returning-to-sender'],
  );
});

parcels('reports that make no sense are refused and change nothing', async () => {
  const keeper = await open();
  const id = await onItsWay(keeper);
  const other = await keeper.place([{ sku: 'MUG', quantity: 1 }]);
  const before = await keeper.order(id);
  const refused = async (path: string, sent: object) => {
    const { status, body: problem } = await keeper.operator('POST', path, sent);
    return [status, problem.code];
  };
  const events = pathOf(id, 1, 'events');
  assert.equal(await refused(events, { type: 'attempt-failed' }), [422, 'shipment.attempt-required']);
  for (const bad of [
    {},
    { type: 'eaten' },
    { type: 'delivered', attempt: 0 },
    { type: 'delivered', occurredAt: 'yesterday' },
    { type: 'delivered', occurredAt: 5 },
    { type: 'delivered', eventId: '' },
    { type: 'delivered', eventId: 'x'.repeat(201) },
  ]) {
    assert.is((await refused(events, bad))[0], 400, JSON.stringify(bad));
  }
  assert.equal(await refused(pathOf(other, 1, 'events'), { type: 'lost' }), [409, 'shipment.not-possible']);
  const foreign = pathOf(id, 1, 'events').replace(`shp_${body(id)}`, `shp_${body(other)}`);
  for (const what of ['events', 'reship', 'returned-pieces', 'acknowledge']) {
    const sent = { events: { type: 'delivered' }, 'returned-pieces': { lines: [], why } }[what] ?? { why };
    for (const path of [
      pathOf(id, 2, what),
      foreign.replace('events', what),
      pathOf(`ord_${'0'.repeat(26)}`, 1, what),
    ]) {
      assert.is((await refused(path, sent))[0], 404, path);
    }
  }
  assert.equal(await keeper.order(id), before);
});

parcels(
  'no scan for 24 h after the hand-over: shown, logged and counted, until somebody says so or it is scanned',
  async () => {
    const keeper = await open();
    const id = await onItsWay(keeper);
    await keeper.pass(DAY - 1);
    assert.is((await keeper.order(id)).awaiting, null);
    await keeper.pass(1);
    const ghost = await keeper.order(id);
    assert.equal(
      [ghost.status, ghost.awaiting, ghost.fulfillment.shipments[0].alert],
      ['shipped', 'operator', 'ghost'],
    );
    const metrics = (await keeper.shop.call('GET', '/metrics')).body;
    assert.match(metrics, 'holdfast_alerts_total{alert="shipment.ghost"} 1');
    const acknowledged = await keeper.operator('POST', pathOf(id, 1, 'acknowledge'), { why });
    assert.equal([acknowledged.status, acknowledged.body.status], [200, 'handed-to-carrier']);
    assert.is((await keeper.order(id)).awaiting, null);
  },
);

parcels('lost: no scan for 7 days, traced, and sent once more; only the new parcel counts', async () => {
  const keeper = await open();
  const id = await onItsWay(keeper);
  await keeper.report(id, 1, 'in-transit');
  await keeper.pass(7 * DAY - 1);
  assert.is((await shipments(keeper, id)).length, 1);
  await keeper.pass(1);
  const [old, fresh] = await shipments(keeper, id);
  assert.equal([old.status, old.replacedBy], ['lost', fresh.id]);
  assert.equal([fresh.status, fresh.replaces, fresh.lines], ['labeled', old.id, old.lines]);
  assert.is((await keeper.order(id)).status, 'fulfilling');
  assert.equal(await keeper.stock('MUG'), { available: 5, reserved: 0, committed: 2, picked: 0, shipped: 2 });
  const cancel = await keeper.buyer('POST', `/v1/orders/${id}/cancel`, {});
  assert.is(cancel.body.code, 'order.too-late-to-cancel');
  for (const type of ['handed-to-carrier', 'delivered']) await keeper.report(id, 2, type);
  const order = await keeper.order(id);
  assert.is(order.status, 'delivered');
  assert.equal(order.payment.captured, order.totals.total, 'paid once');
  // News of the lost one come late and move nothing, neither now nor at the end of the window.
  await keeper.pass(10 * DAY);
  await keeper.report(id, 1, 'delivered');
  const found = await keeper.order(id);
  assert.equal([found.status, found.deliveredAt, found.awaiting], ['delivered', order.deliveredAt, 'operator']);
  assert.equal(await keeper.stock('MUG'), { available: 5, reserved: 0, committed: 0, picked: 0, shipped: 4 });
  await keeper.operator('POST', pathOf(id, 1, 'acknowledge'), { why });
  assert.is((await keeper.order(id)).awaiting, null);
  await keeper.pass(20 * DAY - 1);
  assert.is((await keeper.order(id)).status, 'delivered');
  await keeper.pass(1);
  assert.is((await keeper.order(id)).status, 'closed');
});

parcels(
  'lost and found before the new parcel has left: that one is cancelled, its goods and label go back',
  async () => {
    const keeper = await open();
    const id = await onItsWay(keeper);
    await keeper.report(id, 1, 'lost');
    assert.is((await shipments(keeper, id)).length, 2);
    await keeper.report(id, 1, 'delivered');
    const order = await keeper.order(id);
    const [old, fresh] = order.fulfillment.shipments;
    assert.equal([order.status, old.status, old.alert, fresh.status], ['delivered', 'delivered', 'found', 'cancelled']);
    assert.equal(await keeper.stock('MUG'), { available: 7, reserved: 0, committed: 0, picked: 0, shipped: 2 });
    await keeper.pass(30 * DAY);
    assert.is((await keeper.order(id)).status, 'closed');
  },
);

parcels(
  'lost with nothing left to send: the order waits for the operator, who retries when there is stock',
  async () => {
    const keeper = await open();
    const id = await onItsWay(keeper, { 'wh-east': 2, 'wh-west': 1 });
    await keeper.report(id, 1, 'lost');
    const held = await keeper.order(id);
    assert.equal([held.status, held.awaiting, held.fulfillment.shipments.length], ['on-hold', 'operator', 1]);
    assert.match((await keeper.saga(id)).reason, /No warehouse has all the goods/);
    assert.is((await keeper.stock('MUG')).reserved, 0);
    await keeper.operator('POST', '/v1/admin/stock/MUG/receive', { warehouse: 'wh-west', quantity: 5 });
    const retry = await keeper.operator('POST', `/v1/admin/sagas/${id}/retry`, { why: 'There is stock again.' });
    assert.is(retry.status, 200, JSON.stringify(retry.body));
    const order = await keeper.order(id);
    assert.equal([order.status, order.fulfillment.shipments[1].warehouse], ['fulfilling', 'wh-west']);
    for (const type of ['handed-to-carrier', 'delivered']) await keeper.report(id, 2, type);
    assert.is((await keeper.order(id)).status, 'delivered');
  },
);

parcels('staff sends once more what came back: once, recorded with who and why', async () => {
  const keeper = await open();
  const id = await onItsWay(keeper);
  const reship = (key?: string) => keeper.operator('POST', pathOf(id, 1, 'reship'), { why }, key);
  const early = await reship();
  assert.equal([early.status, early.body.code], [409, 'shipment.not-reshippable']);
  assert.is((await keeper.operator('POST', pathOf(id, 1, 'reship'), {})).status, 400);
  await keeper.report(id, 1, 'returned');
  assert.is((await keeper.order(id)).status, 'delivery-failed');
  const first = await reship('again');
  assert.equal([first.status, first.body.status], [202, 'returned']);
  const repeated = await reship('again');
  assert.equal([repeated.body, repeated.headers.get('idempotent-replayed')], [first.body, 'true']);
  assert.is((await reship()).status, 202, 'asked for twice without a key');
  const [old, fresh, ...more] = await shipments(keeper, id);
  assert.equal([old.replacedBy, fresh.replaces, more], [fresh.id, old.id, []]);
  const { history } = await keeper.saga(id);
  const [started] = history.filter(({ type }: { type: string }) => type === 'ReshipmentStarted');
  assert.is(started.why, why);
  assert.match(started.by, /^cus_/);
  for (const type of ['handed-to-carrier', 'delivered']) await keeper.report(id, 2, type);
  assert.is((await keeper.order(id)).status, 'delivered');
});

parcels('a reshipment that is lost too waits for staff, and is sent a third time', async () => {
  const keeper = await open();
  const id = await onItsWay(keeper);
  await keeper.report(id, 1, 'lost');
  await keeper.report(id, 2, 'handed-to-carrier');
  await keeper.pass(7 * DAY);
  const lost = await keeper.order(id);
  assert.equal([lost.status, lost.awaiting, lost.fulfillment.shipments.length], ['delivery-failed', 'operator', 2]);
  assert.is((await keeper.operator('POST', pathOf(id, 2, 'reship'), { why })).status, 202);
  const third = (await shipments(keeper, id))[2];
  assert.equal([third.id, third.replaces], [`shp_${body(id)}_3`, `shp_${body(id)}_2`]);
  await keeper.report(id, 3, 'delivered');
  assert.is((await keeper.order(id)).status, 'delivered');
});

const refundAll = (keeper: Shopkeeper, id: string) =>
  keeper.operator('POST', `/v1/admin/sagas/${id}/refund`, { why: 'It came back to us.' });
// biome-ignore lint/suspicious/noExplicitAny: bodies are whatever the server says
const refusalOf = ({ status, body: { code } }: { status: number; body: any }) => [status, code];

parcels('what came back and was refunded in full ends as cancelled, and is never sent for free', async () => {
  const keeper = await open();
  const id = await onItsWay(keeper);
  for (const attempt of [1, 2, 3]) await keeper.report(id, 1, 'attempt-failed', attempt);
  assert.is((await refundAll(keeper, id)).status, 200);
  await keeper.pass(0);
  assert.is((await keeper.order(id)).status, 'delivery-failed', 'it is still on its way back');
  const reship = (key?: string) => keeper.operator('POST', pathOf(id, 1, 'reship'), { why }, key);
  assert.equal(refusalOf(await reship('early')), [409, 'order.refunded']);
  const retry = () => keeper.operator('POST', `/v1/admin/sagas/${id}/retry`, { why });
  assert.equal(refusalOf(await retry()), [409, 'order.refunded']);

  await keeper.report(id, 1, 'returned');
  await keeper.pass(0);
  const order = await keeper.order(id);
  assert.equal([order.status, order.awaiting, order.payment.status], ['cancelled', null, 'refunded']);
  const saga = await keeper.saga(id);
  assert.is(saga.phase ?? saga.status, 'aborted');
  assert.equal(refusalOf(await reship()), [409, 'order.refunded']);
  const booked = { lines: [{ sku: 'MUG', restock: 2 }], why };
  assert.is((await keeper.operator('POST', pathOf(id, 1, 'returned-pieces'), booked)).status, 200);
  await keeper.pass(60 * DAY);
  await keeper.report(id, 1, 'delivered');
  const late = await keeper.order(id);
  assert.equal([late.status, late.awaiting, late.fulfillment.shipments.length], ['cancelled', null, 1]);
  assert.equal(await keeper.stock('MUG'), { available: 9, reserved: 0, committed: 0, picked: 0, shipped: 2 });
  const { body: check } = await keeper.operator('GET', '/v1/admin/check');
  assert.equal(check.findings ?? check.data, []);
});

parcels(
  'lost, nothing left to send, refunded: it ends although it was held; asked before, a key keeps its answer',
  async () => {
    const keeper = await open();
    const id = await onItsWay(keeper, { 'wh-east': 2 });
    await keeper.report(id, 1, 'lost');
    const held = await keeper.order(id);
    assert.equal([held.status, held.awaiting], ['on-hold', 'operator']);
    const reship = () => keeper.operator('POST', pathOf(id, 1, 'reship'), { why }, 'before');
    const before = await reship();
    assert.is(before.status, 202);
    await refundAll(keeper, id);
    await keeper.pass(0);
    const order = await keeper.order(id);
    assert.equal([order.status, order.awaiting], ['cancelled', null]);
    assert.equal((await reship()).body, before.body);
    assert.equal((await keeper.operator('GET', '/v1/admin/orders?awaiting=operator')).body.data, []);
  },
);

parcels('pieces that came back go into stock as staff says, once', async () => {
  const keeper = await open();
  const id = await onItsWay(keeper);
  const book = (restock: number, key?: string) => {
    const lines = [{ sku: 'MUG', restock, quarantine: 1 }];
    return keeper.operator('POST', pathOf(id, 1, 'returned-pieces'), { lines, why }, key);
  };
  assert.equal((await book(1)).body.code, 'shipment.not-returned');
  await keeper.report(id, 1, 'returned');
  assert.equal((await book(2)).body.code, 'shipment.pieces-invalid');
  assert.is((await book(-1)).status, 400);
  const booked = await book(1, 'book');
  assert.is(booked.status, 200);
  assert.equal((await book(1, 'book')).body, booked.body);
  assert.equal([(await book(1)).status, (await book(1)).body.code], [409, 'shipment.pieces-booked']);
  assert.equal(await keeper.stock('MUG'), { available: 8, reserved: 0, committed: 0, picked: 0, shipped: 2 });
  const { warehouses } = (await keeper.shop.call('GET', '/v1/admin/stock/MUG', { token: keeper.staff })).body;
  const [row] = warehouses;
  assert.equal([row.warehouse, row.quarantined], ['wh-east', 1]);
});

parcels('of two parcels one is handed over: too late to cancel, the other one is still sent', async () => {
  const keeper = await open();
  await keeper.sell('MUG', 1_000, { 'wh-east': 5 });
  await keeper.sell('TEA', 500, { 'wh-west': 5 });
  const id = await keeper.place([
    { sku: 'MUG', quantity: 1 },
    { sku: 'TEA', quantity: 1 },
  ]);
  await keeper.report(id, 2, 'handed-to-carrier');
  const asCustomer = await keeper.buyer('POST', `/v1/orders/${id}/cancel`, {});
  assert.equal([asCustomer.status, asCustomer.body.code], [409, 'order.too-late-to-cancel']);
  const asStaff = await keeper.operator('POST', `/v1/admin/sagas/${id}/cancel`, { why });
  assert.equal([asStaff.status, asStaff.body.code], [409, 'order.too-late-to-cancel']);
  // One that the hand-over has overtaken: the saga asks the parcels, one gives way, the carrier has the other.
  const cancellation: SagaCommand = { type: 'CancelSaga', by: 'customer:late', reason: why };
  await keeper.deliver(sagaAddress(id), cancellation, orderAddress(id));
  const order = await keeper.order(id);
  assert.is(order.status, 'partially-shipped');
  assert.equal(order.payment.refunded.amount, 0);
  const live = order.fulfillment.shipments.filter(({ status }: { status: string }) => status !== 'cancelled');
  assert.equal(
    live.map((parcel: { warehouse: string; status: string }) => [parcel.warehouse, parcel.status]),
    [
      ['wh-west', 'handed-to-carrier'],
      ['wh-east', 'labeled'],
    ],
  );
  for (const number of [2, 3]) await keeper.report(id, number, 'delivered');
  assert.is((await keeper.order(id)).status, 'delivered');
});

parcels('of two parcels one is lost: the other is delivered, the lost one is sent once more', async () => {
  const keeper = await open();
  await keeper.sell('MUG', 1_000, { 'wh-east': 5 });
  await keeper.sell('TEA', 500, { 'wh-west': 5 });
  const id = await keeper.place([
    { sku: 'MUG', quantity: 1 },
    { sku: 'TEA', quantity: 1 },
  ]);
  for (const number of [1, 2]) await keeper.report(id, number, 'handed-to-carrier');
  assert.is((await keeper.order(id)).status, 'shipped');
  await keeper.report(id, 1, 'delivered');
  await keeper.report(id, 2, 'lost');
  const order = await keeper.order(id);
  assert.is(order.status, 'partially-delivered');
  const third = order.fulfillment.shipments[2];
  assert.equal([third.replaces, third.lines], [`shp_${body(id)}_2`, [{ sku: 'TEA', quantity: 1 }]]);
  await keeper.report(id, 3, 'delivered');
  assert.is((await keeper.order(id)).status, 'delivered');
});

parcels.run();
