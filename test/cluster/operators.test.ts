/** What operators see and do, on two nodes of one cluster: the same from any of them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Answer, expressOrder } from '../support/client.ts';
import { type ClusterNode, startCluster, type TestCluster } from '../support/clusterNodes.ts';

const cluster = suite<{ at: TestCluster; one: ClusterNode; two: ClusterNode }>('cluster: operators');
cluster.before(async (context) => {
  context.at = await startCluster();
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

cluster.run();
