/** What becomes of orders when the broker takes no more, or somebody deletes a log while nodes run. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type BrokerConnection, connectBroker } from '../../transport/nats/connection.ts';
import { rememberingLogger, until } from '../support/broker.ts';
import { expressOrder } from '../support/client.ts';
import { type ClusterNode, startCluster, type TestCluster } from '../support/clusterNodes.ts';

const streams = suite<{ at: TestCluster; operator: BrokerConnection; one: ClusterNode; two: ClusterNode }>(
  'cluster: streams that fail at run time',
);
streams.before.each(async (context) => {
  context.at = await startCluster();
  const { url } = context.at.broker;
  context.operator = await connectBroker({ url, name: 'operator', logger: rememberingLogger() });
  const [one, two] = context.at.nodes;
  if (!one || !two) throw new Error('two nodes were started');
  Object.assign(context, { one, two });
});
streams.after.each(async ({ at, operator }) => {
  await operator.close();
  await at.close();
});

const body = expressOrder([{ sku: 'TEA-GREEN-100', quantity: 1 }]);
const said = ({ log }: ClusterNode, text: string): boolean => log.some((line) => JSON.stringify(line).includes(text));
const logs = [0, 1, 2, 3].map((shard) => `holdfast-log-${shard}`);

async function attempt(node: ClusterNode, token: string, key: string): Promise<{ status: number; id: string }> {
  const { status, body: answer } = await node.call('POST', '/v1/orders', { token, key, body });
  return { status, id: answer.id };
}

streams(
  'full streams: 503 and a log line that says what to do; with room again the same requests work',
  async ({ one, two, operator }) => {
    const token = await one.guest();
    const before = await attempt(one, token, 'before-it-was-full');
    assert.is(before.status, 202);
    await one.until(`/v1/orders/${before.id}`, token, ({ status }) => status === 'fulfilling');
    const limit = async (max_bytes: number): Promise<void> => {
      for (const name of logs) await operator.manager.streams.update(name, { max_bytes });
    };
    await limit(1);
    const refused = await attempt(one, token, 'while-it-was-full');
    assert.is(refused.status, 503);
    await until('the log names what to do', () => [one, two].some((node) => said(node, "raise the stream's limits")));
    for (const node of [one, two]) assert.is(node.ended(), undefined);
    // While a shard gets over a refused append it says for a moment that it can't answer.
    await until('what is there is told', async () => {
      return (await two.call('GET', `/v1/orders/${before.id}`, { token })).status === 200;
    });

    await limit(-1);
    // The same key: whatever became of the first one, there is one order.
    let repeated = refused;
    await until('the same request works', async () => {
      repeated = await attempt(two, token, 'while-it-was-full');
      return repeated.status === 202;
    });
    for (const { id } of [before, repeated]) {
      await two.until(`/v1/orders/${id}`, token, ({ status }) => status === 'fulfilling');
    }
    const list = await one.until('/v1/orders', token, ({ data }) => data.length >= 2);
    assert.is(list.data.length, 2);
  },
);

streams(
  'a log that is deleted: nothing is acknowledged that is not stored, and nothing wrong is told',
  async ({ one, two, operator }) => {
    const token = await one.guest();
    const before = await attempt(one, token, 'before-it-was-deleted');
    await one.until(`/v1/orders/${before.id}`, token, ({ status }) => status === 'fulfilling');
    for (const name of logs) await operator.manager.streams.delete(name);
    const refused = await attempt(one, token, 'while-it-was-deleted');
    assert.is(refused.status, 503);
    await until('the log says so', () => [one, two].some((node) => said(node, 'it was deleted')));
    for (const node of [one, two]) {
      assert.is(node.ended(), undefined);
      const list = await node.call('GET', '/v1/orders', { token });
      assert.equal(
        [list.status, list.body.code],
        [503, 'service.unavailable'],
        'rather than a list that lacks something',
      );
      assert.not(JSON.stringify(list.body).includes('holdfast-log'), 'customers hear nothing of streams');
      // An owner that was out of contact for a moment can't show any more that it still is one: then it tells nothing.
      const told = await node.call('GET', `/v1/orders/${before.id}`, { token });
      assert.ok([200, 503].includes(told.status), String(told.status));
      if (told.status === 200) assert.is(told.body.status, 'fulfilling');
    }
  },
);

streams.run();
