/** A node is emptied without being stopped, and what a shop says whose broker is gone. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { addressKey } from '../../actors/kernel/address.ts';
import { connectBroker } from '../../transport/nats/connection.ts';
import { rememberingLogger, until } from '../support/broker.ts';
import { expressOrder } from '../support/client.ts';
import { type ClusterNode, startCluster, type TestCluster } from '../support/clusterNodes.ts';

const drain = suite<{ at: TestCluster; one: ClusterNode; two: ClusterNode }>('cluster: drain and outage');
drain.before(async (context) => {
  context.at = await startCluster();
  const [one, two] = context.at.nodes;
  if (!one || !two) throw new Error('two nodes were started');
  Object.assign(context, { one, two });
});
drain.after(({ at }) => at.close());

const order = expressOrder([{ sku: 'TEA-GREEN-100', quantity: 1 }]);

drain('quarantines are listed and ended from the node that does not hold the actor', async ({ one, two }) => {
  const token = await one.staff();
  const guest = await one.guest();
  const { body: cart } = await one.call('POST', '/v1/carts', { token: guest });
  const address = { type: 'cart', id: cart.id };
  const [owner, other] = one.shop.node.shardFor(address) ? [one, two] : [two, one];
  owner.shop.node.shardFor(address)?.quarantine.put(addressKey(address), 'it crashed');
  const { body: listed } = await other.call('GET', '/v1/admin/quarantine', { token });
  assert.equal(
    [listed.silent, listed.data.map(({ type, id, reason }: Record<string, string>) => [type, id, reason])],
    [[], [['cart', cart.id, 'it crashed']]],
  );
  const path = `/v1/admin/actors/cart/${cart.id}/quarantine`;
  assert.is((await other.call('DELETE', path, { token })).status, 204);
  for (const node of [one, two]) {
    assert.equal((await node.call('GET', '/v1/admin/quarantine', { token })).body, { data: [], silent: [] });
  }
  assert.is((await other.call('DELETE', path, { token })).status, 404);
});

drain("the broker's service discovery finds every node, with its version and its life", async ({ at, one, two }) => {
  const connection = await connectBroker({ url: at.broker.url, name: 'operator', logger: rememberingLogger() });
  const found: Record<string, unknown>[] = [];
  try {
    for await (const message of await connection.nats.requestMany('$SRV.INFO.holdfast', '', {
      maxWait: 10_000,
      maxMessages: 2,
      strategy: 'count',
    })) {
      found.push(message.json<Record<string, unknown>>());
    }
  } finally {
    await connection.close();
  }
  const said = found.map(({ version, metadata }) => ({ version, ...(metadata as object) }));
  const { nodes } = one.shop.status();
  const known = nodes.map(({ version, node, incarnation, address }) => ({
    version,
    cluster: 'holdfast',
    node,
    incarnation,
    address,
  }));
  const byNode = (a: object, b: object): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
  assert.equal([...said].sort(byNode), [...known].sort(byNode));
  assert.is(new Set(known.map(({ incarnation }) => incarnation)).size, 2);
  for (const { address } of known) assert.ok([one.url, two.url].includes(address), address);
});

drain('a drained node owns nothing, says so and goes on answering', async ({ one, two }) => {
  const token = await one.staff();
  const guest = await one.guest();
  const unknown = await one.call('POST', '/v1/admin/cluster/nodes/node-9/drain', { token });
  assert.equal([unknown.status, unknown.body.code], [404, 'node.unknown']);
  const had = two.shop.status().shards.filter(({ owner }) => owner === 'node-2').length;

  const { status, body } = await one.call('POST', '/v1/admin/cluster/nodes/node-2/drain', { token });
  assert.equal([status, body.id, body.heirs, body.shards.length], [202, 'node-2', ['node-1'], had]);
  await until('node-1 has all shards', () => one.shop.status().shards.every(({ owner }) => owner === 'node-1'));

  const ready = await two.call('GET', '/readyz');
  assert.equal([ready.status, ready.body.detail.state, ready.body.detail.shards.owned], [503, 'draining', 0]);
  assert.is((await one.call('GET', '/readyz')).status, 200);
  const placed = await two.call('POST', '/v1/orders', { token: guest, key: 'on-a-drained-node', body: order });
  assert.is(placed.status, 202);
  const list = await two.call('GET', '/v1/admin/orders', { token });
  assert.ok(list.body.data.some(({ id }: { id: string }) => id === placed.body.id));
  const again = await two.call('POST', '/v1/admin/cluster/nodes/node-2/drain', { token });
  assert.equal([again.status, again.body.shards], [202, []]);
});

drain('the last node that could have the shards is not drained', async ({ one, two }) => {
  const token = await one.staff();
  for (const node of [one, two]) {
    const refused = await node.call('POST', '/v1/admin/cluster/nodes/node-1/drain', { token });
    assert.equal([refused.status, refused.body.code], [409, 'node.not-drainable']);
  }
  assert.is((await one.call('GET', '/readyz')).status, 200);
});

drain(
  'without the broker lists are refused with the reason, and readiness tells it; afterwards all is there',
  async ({ at, one }) => {
    const token = await one.guest();
    const placed = await one.call('POST', '/v1/orders', { token, key: 'before-the-outage', body: order });
    await one.until('/v1/orders', token, ({ data }) => data.length === 1);
    await at.broker.kill();
    await until('the connection is missed', () => one.shop.status().broker?.connected === false);
    const refused = await one.call('GET', '/v1/orders', { token });
    assert.equal([refused.status, refused.body.code, refused.body.retryable], [503, 'service.unavailable', true]);
    assert.match(refused.body.detail, 'A part of the shop cannot be looked at');
    assert.is(refused.headers.get('retry-after'), '1');
    assert.ok(one.log.some(({ reason }) => reason === 'there is no connection to the broker'));
    await until('the node is not ready', async () => (await one.call('GET', '/readyz')).status === 503);
    assert.is((await one.call('GET', '/healthz')).status, 200);

    await at.broker.restart();
    await until('the node is ready again', async () => (await one.call('GET', '/readyz')).status === 200);
    const list = await one.call('GET', '/v1/orders', { token });
    assert.equal([list.status, list.body.data.map(({ id }: { id: string }) => id)], [200, [placed.body.id]]);
  },
);

drain.run();
