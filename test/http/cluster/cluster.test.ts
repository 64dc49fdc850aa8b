/** `npm run cluster` as a newcomer sees it: real nodes, real broker, an order that any node takes and any node shows. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createClient, expressOrder } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import { isAlive, keeperOf, launch, listens } from '../../support/launched.ts';

const GONE_MS = 30_000;
type Context = { folder: string };
const cluster = suite<Context>('http cluster');
cluster.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'holdfast-cluster-'));
});
cluster.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));

cluster('one command, three nodes: what one is told all of them know, until they are stopped', async ({ folder }) => {
  const env = { DATA_DIR: folder, NODE_ENV: 'development', OPERATOR_EMAIL: '', OPERATOR_PASSWORD: '', SEED: '' };
  const launched = launch('http/cluster/main.ts', { env });
  await launched.said(/Ctrl-C stops all of them/);
  const urls = [...launched.all.matchAll(/^node-\d is ready: (\S+)$/gm)].map(([, url]) => url ?? '');
  assert.is(urls.length, 3, launched.all);
  const [first, second, third] = urls.map((url) => createClient(url));
  if (!first || !second || !third) throw new Error('three nodes');

  const { body: session } = await first.call('POST', '/v1/sessions/guest');
  const headers = { 'idempotency-key': 'one-order', prefer: 'wait=5' };
  const asked = { token: session.token, headers, body: expressOrder([{ sku: 'TEA-GREEN-100', quantity: 1 }]) };
  const placed = await second.call('POST', '/v1/orders', asked);
  assert.is(placed.status, 202);
  assert.is((await third.call('POST', '/v1/orders', asked)).body.id, placed.body.id);
  const shown = await third.call('GET', `/v1/orders/${placed.body.id}`, { token: session.token });
  assert.ok(['confirmed', 'fulfilling'].includes(shown.body.status), shown.body.status);

  assert.is(launched.all.match(/Operator \(shown once\)/g)?.length, 1, launched.all);
  const [, email, password] = /Operator \(shown once\) {2}(\S+) {2}(\S+)/.exec(launched.all) ?? [];
  const { status } = await third.call('POST', '/v1/sessions', { body: { email, password } });
  assert.is(status, 201);

  const broker = /^nats-server \S+ (\S+)$/m.exec(launched.all)?.[1] ?? '';
  const keeper = keeperOf(folder);
  launched.child.kill('SIGINT');
  assert.is(await launched.ended, 0, launched.all);
  await eventually('the keeper is gone', () => !isAlive(keeper), GONE_MS);
  for (const url of [...urls, broker]) assert.is(await listens(url), false, `${url} still listens`);
});

cluster.run();
