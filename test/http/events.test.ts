/** Live updates of a node that is alone: what is told, to whom, from where on, and how a stream ends. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { expressOrder } from '../support/client.ts';
import { type Heard, type Listener, listen } from '../support/events.ts';
import { eventually, rejection } from '../support/eventually.ts';
import { startShop, type TestShop } from '../support/shop.ts';

const SKU = 'TEA-GREEN-100';
const HEARTBEAT_MS = 50;
const SETTLE_MS = 20_000;

type Context = { shop: TestShop; open: Listener[] };
const events = suite<Context>('http events');
events.before(async (context) => {
  context.open = [];
  context.shop = await startShop({ edge: { heartbeatMs: HEARTBEAT_MS } });
});
events.after.each((context) => {
  for (const listener of context.open) listener.close();
  context.open = [];
});
events.after(({ shop }) => shop.close());

async function listening({ shop, open }: Context, token: string, after?: string): Promise<Listener> {
  const listener = await listen(shop.url, { token, ...(after !== undefined && { after }) });
  open.push(listener);
  await eventually('the stream has begun', () => listener.lastId !== '' && listener.retryMs !== undefined);
  return listener;
}

let orders = 0;
async function order({ shop }: Context, token: string): Promise<string> {
  const body = expressOrder([{ sku: SKU, quantity: 1 }]);
  const placed = await shop.call('POST', '/v1/orders', { token, key: `events-order-${++orders}`, body });
  assert.is(placed.status, 202);
  return placed.body.id;
}

/** The order's version once nothing more happens to it by itself. */
async function resting({ shop }: Context, token: string, id: string): Promise<number> {
  assert.ok(await shop.shop.node.settled(SETTLE_MS));
  return (await shop.call('GET', `/v1/orders/${id}`, { token })).body.version;
}

const of = (heard: readonly Heard[], event: string, id: string): readonly Heard[] =>
  heard.filter((each) => each.event === event && each.data.id === id);
const versions = (heard: readonly Heard[]): readonly number[] => heard.map(({ data }) => data.version);
const hears = (id: string, version: number) => (heard: readonly Heard[]) =>
  of(heard, 'order.updated', id).some(({ data }) => data.version === version);
const upTo = (version: number): readonly number[] => Array.from({ length: version }, (_, index) => index + 1);

events('carts, orders and parcels are told of as they change, each version once and in order', async (context) => {
  const { shop } = context;
  const token = await shop.guest();
  const listener = await listening(context, token);
  const cart = await shop.call('POST', '/v1/carts', { token });
  await shop.call('POST', `/v1/carts/${cart.body.id}/lines`, { token, body: { sku: SKU, quantity: 2 } });
  const id = await order(context, token);
  const version = await resting(context, token, id);
  await listener.until('the order rests', hears(id, version));
  const { heard } = listener;
  assert.equal(versions(of(heard, 'cart.updated', cart.body.id)), [1, 2]);
  assert.equal(versions(of(heard, 'order.updated', id)), upTo(version));
  const { body } = await shop.call('GET', `/v1/orders/${id}`, { token });
  const last = of(heard, 'order.updated', id).at(-1)?.data;
  assert.equal([last.status, last.awaiting, last.payment], [body.status, body.awaiting, body.payment.status]);
  const [parcel] = body.fulfillment.shipments;
  const parcels = of(heard, 'shipment.updated', parcel.id);
  assert.is(parcels.at(-1)?.data.status, 'labeled');
  assert.equal([parcels.at(-1)?.data.orderId, parcels.at(-1)?.data.trackingNumber], [id, parcel.trackingNumber]);
  assert.is(new Set(heard.map((each) => each.id)).size, heard.length, 'each has an id of its own');
});

events('whoever comes back with any id gets all that came after it, and nothing else', async (context) => {
  const token = await context.shop.guest();
  const first = await listening(context, token);
  const begin = first.lastId;
  const ids = [await order(context, token), await order(context, token)];
  const ends = [];
  for (const id of ids) ends.push([id, await resting(context, token, id)] as const);
  for (const [id, version] of ends) await first.until('it rests', hears(id, version));
  const { heard } = first;
  const said = heard.map(({ id: _id, ...each }) => each);
  for (const [index, id] of [begin, ...heard.map((each) => each.id)].entries()) {
    const again = await listening(context, token, id);
    await again.until('the rest came', () => again.heard.length >= heard.length - index);
    assert.equal(
      again.heard.map(({ id: _id, ...each }) => each),
      said.slice(index),
      `after ${index} events`,
    );
    again.close();
  }
});

events('a heartbeat moves the place on, so that a quiet client can still come back', async (context) => {
  const { shop } = context;
  const [token, other] = [await shop.guest(), await shop.guest()];
  const listener = await listening(context, token);
  const before = listener.lastId;
  await order(context, other);
  await eventually('a heartbeat brings another id', () => listener.lastId !== before);
  assert.ok(listener.comments.includes('heartbeat'));
  assert.equal(listener.heard, [], 'nothing of the other customer');
});

events('nobody hears of what is not theirs, nor by an id of somebody else', async (context) => {
  const { shop } = context;
  const [ada, bob] = [await shop.guest(), await shop.guest()];
  const [ofAda, ofBob] = [await listening(context, ada), await listening(context, bob)];
  const begin = ofAda.lastId;
  const [adas, bobs] = [await order(context, ada), await order(context, bob)];
  await ofAda.until('hers', hears(adas, await resting(context, ada, adas)));
  await ofBob.until('his', hears(bobs, await resting(context, bob, bobs)));
  const stolen = await listening(context, bob, begin);
  await stolen.until('his', (heard) => heard.length === ofBob.heard.length);
  for (const heard of [ofBob.heard, stolen.heard]) assert.not(JSON.stringify(heard).includes(adas));
  assert.not(JSON.stringify(ofAda.heard).includes(bobs));
  const { status, body } = await shop.call('GET', '/v1/events');
  assert.equal([status, body.code], [401, 'auth.unauthorized']);
});

events("what staff note to an order is none of the customer's business", async (context) => {
  const { shop } = context;
  const [token, staff] = [await shop.guest(), await shop.staff()];
  const begin = (await listening(context, token)).lastId;
  const id = await order(context, token);
  const version = await resting(context, token, id);
  const listener = await listening(context, token, begin);
  await listener.until('all that was', hears(id, version));
  const before = listener.heard.length;
  const noted = await shop.call('POST', `/v1/admin/orders/${id}/notes`, {
    token: staff,
    key: 'a-note-that-is-not-told',
    body: { text: 'Looks like a reseller.' },
  });
  assert.ok(noted.status < 300, JSON.stringify(noted.body));
  const cart = await shop.call('POST', '/v1/carts', { token });
  await listener.until('what came after the note', (heard) => of(heard, 'cart.updated', cart.body.id).length === 1);
  assert.is(listener.heard.length, before + 1);
});

events('an id that nobody can go on from is answered with a reset, and then with what happens', async (context) => {
  const token = await context.shop.guest();
  for (const after of ['nonsense', 'AQ', '42']) {
    const listener = await listening(context, token, after);
    await listener.until('the reset', (heard) => heard[0]?.event === 'reset');
    assert.is.not(listener.lastId, after);
    const cart = await context.shop.call('POST', '/v1/carts', { token });
    await listener.until('the cart', (heard) => of(heard, 'cart.updated', cart.body.id).length === 1);
    assert.is(listener.heard.length, 2);
    listener.close();
  }
});

events('a stream ends when its session does', async (context) => {
  const { shop } = context;
  const account = { email: 'listener@example.com', password: 'a password of this test', name: 'Ada' };
  const opened = await shop.call('POST', '/v1/customers', { body: account });
  const { token } = opened.body;
  const listener = await listening(context, token);
  const body = { currentPassword: account.password, newPassword: 'another password of this test' };
  const changed = await shop.call('PUT', '/v1/me/password', { token, body });
  assert.is(changed.status, 200, JSON.stringify(changed.body));
  await listener.ended;
});

events('one customer listens so often at most, and may again when a stream has ended', async (context) => {
  const { shop } = context;
  const token = await shop.guest();
  for (let count = 0; count < 20; count++) await listening(context, token);
  const refused = await rejection(listen(shop.url, { token }));
  assert.is(refused.message, '429 events.too-many-streams');
  const other = await listening(context, await shop.guest());
  assert.is(other.heard.length, 0);
  context.open[0]?.close();
  await eventually('there is room', async () => {
    const again = await listen(shop.url, { token }).catch(() => undefined);
    if (again) context.open.push(again);
    return again !== undefined;
  });
});

events('streams that come and go leave nothing behind', async (context) => {
  const { shop } = context;
  const { streams } = shop.edge.services;
  await eventually('those of other tests are gone', () => streams.count === 0);
  const token = await shop.guest();
  for (let round = 0; round < 10; round++) {
    const some = await Promise.all(Array.from({ length: 20 }, () => listen(shop.url, { token })));
    for (const listener of some) listener.close();
    await eventually('all are gone', () => streams.count === 0);
  }
});

events('streams end when the node stops, in good order', async () => {
  const shop = await startShop();
  const token = await shop.guest();
  const listener = await listen(shop.url, { token });
  await eventually('it has begun', () => listener.lastId !== '');
  await shop.close();
  await listener.ended;
});

events.run();
