/** What operators see and do, on two nodes of one cluster: the same from any of them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../support/broker.ts';
import { type Answer, expressOrder } from '../support/client.ts';
import { type ClusterNode, startCluster, type TestCluster } from '../support/clusterNodes.ts';

const cluster = suite<{ at: TestCluster; one: ClusterNode; two: ClusterNode }>('cluster: operators');
cluster.before(async (context) => {
  context.at = await startCluster(['node-1', 'node-2'], { CHAOS: 'on' });
  const [one, two] = context.at.nodes;
  if (!one || !two) throw new Error('two nodes were started');
  Object.assign(context, { one, two });
});
cluster.after(({ at }) => at.close());

const SKU = 'TEA-GREEN-100';

const idsOf = (list: Answer<{ data: readonly { id: string }[] }>): readonly string[] =>
  list.body.data.map(({ id }) => id);

cluster('a list on one node has what the other one has just acknowledged', async ({ one, two }) => {
  const token = await one.guest();
  const staff = await one.staff();
  for (let number = 1; number <= 10; number++) {
    const [here, there] = number % 2 === 0 ? [one, two] : [two, one];
    const body = expressOrder([{ sku: SKU, quantity: 1 }]);
    const placed = await here.call('POST', '/v1/orders', { token, key: `list-${number}-of-ten`, body });
    assert.is(placed.status, 202);
    const all = await there.call('GET', '/v1/admin/orders?limit=100', { token: staff });
    assert.ok(idsOf(all).includes(placed.body.id), `on ${there.name}, after order ${number} on ${here.name}`);
    // A customer's own list hears of an order a moment later, but on all nodes at once.
    const isListed = (list: { data: readonly { id: string }[] }): boolean =>
      list.data.some(({ id }) => id === placed.body.id);
    await here.until('/v1/orders?limit=100', token, isListed);
    const own = await there.call('GET', '/v1/orders?limit=100', { token });
    assert.ok(idsOf(own).includes(placed.body.id), `own list on ${there.name}, after order ${number}`);
  }
});

type ShardSeen = {
  readonly id: number;
  readonly owner: string;
  readonly epoch: number;
  readonly position: number;
  readonly lag: number | null;
  readonly standby: { readonly lag: number | null } | null;
};

/** Once both nodes say the same: heartbeats take a moment. */
async function agreed(one: ClusterNode, two: ClusterNode, token: string): Promise<void> {
  await until('both nodes tell the same', async () => {
    const [first, second] = await Promise.all(
      [one, two].map(async (node) => (await node.call('GET', '/v1/admin/cluster', { token })).body),
    );
    const told = ({ ready, nodes, shards }: { ready: boolean; nodes: object[]; shards: readonly ShardSeen[] }) =>
      JSON.stringify([
        ready,
        nodes.map((node) => ({ ...node, heardMsAgo: 0 })),
        shards.map(({ id, owner, epoch, position, lag, standby }) => [
          [id, owner, epoch, lag !== null && standby?.lag !== null],
          position >= epoch,
        ]),
      ]);
    return told(first) === told(second) && !told(first).includes('false');
  });
}

cluster('nodes, shards, owners, standbys, epochs and lags are told alike by every node', async ({ one, two }) => {
  const token = await one.staff();
  await agreed(one, two, token);
  for (const node of [one, two]) {
    const { status, body } = await node.call('GET', '/v1/admin/cluster', { token });
    assert.is(status, 200);
    assert.equal([body.mode, body.cluster, body.node, body.ready], ['cluster', 'holdfast', node.name, true]);
    assert.is(body.broker.connected, true);
    assert.equal(
      body.nodes.map(({ id, state }: { id: string; state: string }) => [id, state]),
      [
        ['node-1', 'active'],
        ['node-2', 'active'],
      ],
    );
    assert.is(body.shards.length, 4);
    assert.is(body.checkpoint, null, 'none was made yet');
    for (const shard of body.shards) {
      const { id, owner, wanted, standby, epoch, phase, position, lag, inboxLag } = shard;
      assert.is(owner, wanted);
      assert.is(standby.id, owner === 'node-1' ? 'node-2' : 'node-1');
      assert.is(phase, owner === node.name ? 'owning' : 'following');
      assert.ok(epoch >= 1 && position >= epoch, `shard ${id}: ${JSON.stringify(shard)}`);
      assert.ok(
        [lag, standby.lag, inboxLag].every((each) => Number.isInteger(each)),
        JSON.stringify(shard),
      );
    }
    const owned = body.nodes.flatMap(({ shards }: { shards: readonly number[] }) => shards);
    assert.equal([...owned].sort(), [0, 1, 2, 3]);
  }
});

cluster('readiness tells what a node has, is to have and still lacks', async ({ one, two }) => {
  const shards = [];
  for (const node of [one, two]) {
    const { status, body } = await node.call('GET', '/readyz');
    assert.is(status, 200);
    const { mode, state, broker } = body.detail;
    assert.equal([mode, state, broker.connected], ['cluster', 'active', true]);
    assert.equal(body.detail.shards.owned, body.detail.shards.serving);
    assert.is(body.detail.shards.catchingUp, 0);
    shards.push(body.detail.shards.owned);
  }
  assert.is(shards[0] + shards[1], 4);
});

cluster('an actor is looked at and killed from the node that does not have it', async ({ one, two }) => {
  const staff = await one.staff();
  const token = await one.guest();
  const places = new Set<string>();
  for (let number = 1; places.size < 2; number++) {
    assert.ok(number < 30, 'of 30 carts some live on each of the two nodes');
    const { body: cart } = await one.call('POST', '/v1/carts', { token });
    const path = `/v1/admin/actors/cart/${cart.id}`;
    const address = { type: 'cart', id: cart.id };
    const [owner, other] = one.shop.node.shardFor(address) ? [one, two] : [two, one];
    if (places.has(owner.name)) continue;
    places.add(owner.name);
    const seen = await other.call('GET', path, { token: staff });
    assert.equal([seen.status, seen.body.live, seen.body.mailbox], [200, true, 0]);
    const killed: string[] = [];
    const shard = owner.shop.node.shardFor(address);
    const kill = shard?.kill.bind(shard);
    if (!shard || !kill) throw new Error('the owner has the shard');
    shard.kill = (which) => {
      killed.push(which.id);
      return kill(which);
    };
    assert.is((await other.call('POST', `${path}/kill`, { token: staff })).status, 202);
    assert.equal(killed, [cart.id], `at ${owner.name}`);
    assert.is((await other.call('GET', `/v1/carts/${cart.id}`, { token })).status, 200);
  }
});

/** By name and labels, as Prometheus prints them. */
async function figuresOf(node: ClusterNode): Promise<ReadonlyMap<string, number>> {
  const { body } = await node.call('GET', '/metrics');
  const lines = String(body).split('\n');
  return new Map(
    lines
      .filter((line) => line.startsWith('holdfast_'))
      .map((line) => {
        const space = line.lastIndexOf(' ');
        return [line.slice(0, space), Number(line.slice(space + 1))];
      }),
  );
}

cluster('the figures say who has what, how far behind it is, and how nodes talk', async ({ one, two }) => {
  const token = await one.guest();
  const before = await Promise.all([one, two].map(figuresOf));
  for (let number = 1; number <= 8; number++) {
    const body = expressOrder([{ sku: SKU, quantity: 1 }]);
    await one.call('POST', '/v1/orders', { token, key: `figures-${number}-of-eight`, body });
  }
  const after = await Promise.all([one, two].map(figuresOf));
  const all = (name: string, figures = after): readonly number[] => figures.map((each) => each.get(name) ?? Number.NaN);
  const owned = [one, two].map(({ shop, name }) => shop.status().shards.filter(({ owner }) => owner === name).length);
  assert.equal(all('holdfast_shards_owned'), owned);
  assert.equal(all('holdfast_shards_wanted'), owned);
  assert.equal(all('holdfast_shards_serving'), owned);
  assert.equal(all('holdfast_shards_ownerless'), [0, 0]);
  assert.equal(all('holdfast_nodes{state="active"}'), [2, 2]);
  assert.equal(all('holdfast_nodes{state="dead"}'), [0, 0]);
  assert.equal(all('holdfast_broker_connected'), [1, 1]);
  assert.ok(all('holdfast_broker_contact_age_seconds').every((age) => age >= 0 && age < 60));
  assert.equal(all('holdfast_append_failures_total{reason="fenced"}'), [0, 0]);
  assert.ok(all('holdfast_shard_claims_total').every((claims, index) => claims >= (owned[index] ?? 0)));
  for (const shard of [0, 1, 2, 3]) assert.ok(all(`holdfast_log_lag{shard="${shard}"}`).every((lag) => lag >= 0));
  for (const [index, node] of [one, two].entries()) {
    const mine = node.shop.status().shards.filter(({ owner }) => owner === node.name);
    for (const { shard } of mine) {
      for (const name of ['holdfast_inbox_unanswered', 'holdfast_inbox_lag']) {
        assert.ok(Number(after[index]?.get(`${name}{shard="${shard}"}`)) >= 0, `${name} of ${shard}`);
      }
    }
  }
  const grew = (name: string): readonly boolean[] =>
    all(name).map((value, index) => value > (before[index]?.get(name) ?? 0));
  assert.ok(grew('holdfast_append_seconds_count').includes(true));
  assert.ok(grew('holdfast_calls_total{side="asked"}').includes(true));
  assert.ok(grew('holdfast_calls_total{side="served"}').includes(true));
  assert.equal(all('holdfast_sync_seconds_count'), [0, 0], "the sync is the broker's");
});

cluster.run();
