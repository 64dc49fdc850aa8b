/** The catalog of a cluster: what was acknowledged through one node is known to whoever works with it next. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startCluster, type TestCluster } from '../support/clusterNodes.ts';

const catalog = suite<{ cluster: TestCluster }>('cluster: catalog');
catalog.before(async (context) => {
  context.cluster = await startCluster();
});
catalog.after(({ cluster }) => cluster.close());

catalog('a product that was just put can be stocked and priced, through any node', async ({ cluster }) => {
  const [one, two] = cluster.nodes;
  if (!one || !two) throw new Error('two nodes were started');
  const token = await one.staff();
  for (let number = 1; number <= 10; number++) {
    const [here, there] = number % 2 === 0 ? [one, two] : [two, one];
    const sku = `NEW-${number}`;
    const path = `/v1/admin/products/${sku}`;
    const details = { name: sku, description: 'New.', category: 'New', tags: [] };
    const put = await here.call('PUT', path, { token, body: details });
    assert.is(put.status, 201, JSON.stringify(put.body));
    const received = { token, key: `stock-${sku}-here`, body: { warehouse: 'wh-east', quantity: 5 } };
    const stocked = await here.call('POST', `/v1/admin/stock/${sku}/receive`, received);
    assert.is(stocked.status, 200, `${sku} at the same node: ${JSON.stringify(stocked.body)}`);
    const also = { ...received, key: `stock-${sku}-there` };
    const elsewhere = await there.call('POST', `/v1/admin/stock/${sku}/receive`, also);
    assert.is(elsewhere.status, 200, `${sku} at the other node: ${JSON.stringify(elsewhere.body)}`);
  }
});

catalog.run();
