/** Live updates over three nodes: on any of them the same, also while shards move and nodes come and go. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../support/broker.ts';
import { expressOrder } from '../support/client.ts';
import { type ClusterNode, startCluster, type TestCluster } from '../support/clusterNodes.ts';
import { type Heard, type Listener, listen } from '../support/events.ts';

const SKU = 'TEA-GREEN-100';

type Context = { at: TestCluster; one: ClusterNode; two: ClusterNode; three: ClusterNode };
const events = suite<Context>('cluster: live updates');
events.before(async (context) => {
  context.at = await startCluster(['node-1', 'node-2', 'node-3']);
  const [one, two, three] = context.at.nodes;
  if (!one || !two || !three) throw new Error('three nodes were started');
  Object.assign(context, { one, two, three });
});
events.after(({ at }) => at.close());

let keys = 0;
async function order(node: ClusterNode, token: string): Promise<string> {
  const body = expressOrder([{ sku: SKU, quantity: 1 }]);
  const placed = await node.call('POST', '/v1/orders', { token, key: `live-updates-${++keys}`, body });
  assert.is(placed.status, 202);
  return placed.body.id;
}

const versionsOf = (heard: readonly Heard[], id: string): readonly number[] =>
  heard.filter(({ event, data }) => event === 'order.updated' && data.id === id).map(({ data }) => data.version);
const upTo = (version: number): readonly number[] => Array.from({ length: version }, (_, index) => index + 1);

/** Resolves with its version once the parcel is packed and the money is here. */
async function packed(node: ClusterNode, token: string, id: string): Promise<number> {
  const done = ({
    payment,
    fulfillment,
  }: {
    payment: { status: string };
    fulfillment: { shipments: { status: string }[] };
  }) => payment.status === 'captured' && fulfillment.shipments.some(({ status }) => status === 'labeled');
  return (await node.until(`/v1/orders/${id}`, token, done)).version;
}

const told = (heard: readonly Heard[]): readonly string[] =>
  heard.map(({ event, data }) => JSON.stringify([event, data])).sort();
const hearsAll = (ends: ReadonlyMap<string, number>) => (heard: readonly Heard[]) =>
  [...ends].every(([id, version]) => versionsOf(heard, id).includes(version));

events('every node tells the same of every order, whichever nodes decide about it', async ({ one, two, three }) => {
  const nodes = [one, two, three];
  const [token, other] = [await one.guest(), await one.guest()];
  const listeners = await Promise.all(nodes.map(({ url }) => listen(url, { token })));
  const foreign = await listen(two.url, { token: other });
  const ends = new Map<string, number>();
  const owners = new Set<ClusterNode | undefined>();
  for (let number = 0; owners.size < 3; number++) {
    assert.ok(number < 40, 'of 40 orders each node has some');
    const id = await order(nodes[number % 3] ?? one, token);
    owners.add(nodes.find(({ shop }) => shop.node.shardFor({ type: 'order', id })));
    ends.set(id, await packed(one, token, id));
  }
  for (const listener of listeners) {
    await listener.until('all orders', hearsAll(ends));
    for (const [id, version] of ends) assert.equal(versionsOf(listener.heard, id).slice(0, version), upTo(version));
  }
  await until('all have heard the same', () =>
    listeners.every(({ heard }) => told(heard).join() === told(listeners[0]?.heard ?? []).join()),
  );
  assert.equal(foreign.heard, []);
  for (const listener of [...listeners, foreign]) listener.close();
});

/** What a client does that goes from node to node: it takes its last id along. */
async function moved(node: ClusterNode, token: string, from: Listener): Promise<Listener> {
  from.close();
  await from.ended;
  return listen(node.url, { token, after: from.lastId });
}

events('a client that goes from node to node while orders change hears each change once', async (context) => {
  const { one, two, three } = context;
  const token = await one.guest();
  const heard: Heard[] = [];
  let listener = await listen(one.url, { token });
  await until('it listens', () => listener.lastId !== '');
  const ids: string[] = [];
  for (let round = 0; round < 12; round++) {
    const [here = one, there = two] = [one, two, three, one].slice(round % 3);
    ids.push(await order(here, token));
    await until('something was heard', () => listener.heard.length > round % 2);
    listener.close();
    await listener.ended;
    heard.push(...listener.heard);
    listener = await moved(there, token, listener);
  }
  const ends = new Map<string, number>();
  for (const id of ids) ends.set(id, await packed(two, token, id));
  await listener.until('the rest', (later) => hearsAll(ends)([...heard, ...later]));
  const all = [...heard, ...listener.heard];
  for (const [id, version] of ends) assert.equal(versionsOf(all, id).slice(0, version), upTo(version), id);
  assert.is(new Set(told(all)).size, all.length, 'nothing twice');
  assert.not(all.some(({ event }) => event === 'reset'));
  listener.close();
});

events('nothing is missed or told twice when its node stops, shards move, and it starts again', async (context) => {
  const { at, one, two } = context;
  const token = await one.guest();
  const first = await listen(two.url, { token });
  await until('it listens', () => first.lastId !== '');
  const ids = [await order(one, token), await order(two, token)];
  await until('something was heard', () => first.heard.length > 0);
  await Promise.all([two.close(), first.ended]);
  await at.settled();
  ids.push(await order(one, token), await order(context.three, token));
  const ends = new Map<string, number>();
  for (const id of ids) ends.set(id, await packed(one, token, id));
  context.two = await at.start({ name: two.name });
  const second = await listen(context.two.url, { token, after: first.lastId });
  await second.until('all orders', (later) => hearsAll(ends)([...first.heard, ...later]));
  const all = [...first.heard, ...second.heard];
  for (const [id, version] of ends) assert.equal(versionsOf(all, id).slice(0, version), upTo(version), id);
  assert.is(new Set(told(all)).size, all.length, 'nothing twice');
  assert.not(all.some(({ event }) => event === 'reset'));
  second.close();
});

events.run();
