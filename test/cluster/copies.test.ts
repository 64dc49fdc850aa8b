/** What several nodes hold of the same logs: whoever decided, whoever stood by, and whoever read it all later. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkShop } from '../support/check.ts';
import { expressOrder } from '../support/client.ts';
import { type ClusterNode, startCluster, type TestCluster } from '../support/clusterNodes.ts';
import { untilTheSame } from '../support/storeDigest.ts';

const copies = suite<{ at: TestCluster }>('cluster: copies');
copies.before(async (context) => {
  context.at = await startCluster();
});
copies.after(({ at }) => at.close());

const SKUS = ['TEA-GREEN-50', 'TEA-BLACK-100', 'TEA-EARL-250'];
const TOKENS = ['tok_success', 'tok_decline', 'tok_success', 'tok_flaky'];
const ORDERS = 120;
const BUYERS = 8;

async function buy(nodes: readonly ClusterNode[], token: string): Promise<void> {
  let number = 0;
  const buyer = async (): Promise<void> => {
    while (number < ORDERS) {
      const order = number++;
      const lines = [{ sku: SKUS[order % SKUS.length] ?? '', quantity: 1 + (order % 2) }];
      const body = expressOrder(lines, TOKENS[order % TOKENS.length]);
      const node = nodes[order % nodes.length];
      const placed = await node?.call('POST', '/v1/orders', { token, key: `order-${order}`, body });
      assert.is(placed?.status, 202);
      if (order % 7 === 0)
        await node?.call('POST', `/v1/orders/${placed?.body.id}/cancel`, {
          token,
          body: { reason: 'Changed my mind.' },
        });
    }
  };
  await Promise.all(Array.from({ length: BUYERS }, buyer));
}

copies(
  'owner, standby and a node that reads all logs from their beginning hold the same to the byte',
  async ({ at }) => {
    const [one, two] = at.nodes;
    if (!one || !two) throw new Error('two nodes were started');
    await buy([one, two], await one.guest());
    const three = await at.start({ name: 'node-3' });
    await at.settled();
    const same = await untilTheSame([one, two, three]);
    assert.ok(Number.parseInt(same?.orders ?? '', 10) >= ORDERS, same?.orders);
    // Each compares its own snapshots, tables and lists with what all commits come to.
    const staff = await one.staff();
    for (const node of [one, two, three]) assert.equal((await checkShop(node, staff)).serious, [], node.name);
  },
);

copies.run();
