/** Two real processes, and one of them has a full disk: the other one sells on, with all shards. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Client, createClient, expressOrder } from '../support/client.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { limitFiles } from '../support/fileLimit.ts';

const disk = suite<{ cluster: Cluster }>('cluster: full disk');
const MOVED_MS = 60_000;

disk.before(async (context) => {
  context.cluster = await startCluster({ nodes: 2, env: { SHARDS: '4', SEED: 'demo' } });
});
disk.after(({ cluster }) => cluster.close());

type Seen = { readonly nodes: readonly { id: string; state: string }[]; readonly shards: readonly { owner: string }[] };

let orders = 0;
async function order(client: Client, token: string): Promise<number> {
  const body = expressOrder([{ sku: 'TEA-BLACK-100', quantity: 1 }]);
  return (await client.call('POST', '/v1/orders', { token, key: `full-disk-${++orders}`, body })).status;
}

disk('a node with a full disk gives its shards away, and has its share again when there is space', async (context) => {
  const [healthy, full] = context.cluster.nodes;
  assert.ok(healthy && full);
  const client = createClient(healthy.url);
  const [token, staff] = [await client.guest(), await client.staff()];
  const view = async (): Promise<Seen> => (await client.call('GET', '/v1/admin/cluster', { token: staff })).body;
  const owners = async (): Promise<ReadonlySet<string>> => new Set((await view()).shards.map(({ owner }) => owner));
  await eventually('both have shards', async () => (await owners()).size === 2, MOVED_MS);

  limitFiles(full.pid, statSync(join(full.folder, 'holdfast.sqlite-wal')).size);
  await eventually(
    'the other one has all shards',
    async () => {
      await order(client, token);
      const all = await owners();
      return all.size === 1 && all.has(healthy.name);
    },
    MOVED_MS,
  );
  for (let count = 0; count < 5; count++) assert.is(await order(client, token), 202);
  assert.is((await createClient(full.url).call('GET', '/readyz')).status, 503);
  assert.is((await view()).nodes.find(({ id }) => id === full.name)?.state, 'joining');

  limitFiles(full.pid, 'unlimited');
  await eventually(
    'both have shards again',
    async () => {
      await order(client, token);
      return (await owners()).size === 2;
    },
    MOVED_MS,
  );
  const placed = await order(createClient(full.url), token);
  assert.is(placed, 202);
});

disk.run();
