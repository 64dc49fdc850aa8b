/** Copies of the nodes' file at the broker: who joins begins with one, and the logs need not be kept for ever. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openDatabase, writeMeta } from '../../storage/database.ts';
import { hasOwnLog, STORE_FILE } from '../../storage/dataFolder.ts';
import { connectBroker } from '../../transport/nats/connection.ts';
import { logBegins } from '../../transport/nats/sharedLog.ts';
import { rememberingLogger, until } from '../support/broker.ts';
import { checkShop } from '../support/check.ts';
import { expressOrder } from '../support/client.ts';
import { type ClusterNode, startCluster, type TestCluster } from '../support/clusterNodes.ts';
import { startShop } from '../support/shop.ts';

const checkpoints = suite<{ at: TestCluster; one: ClusterNode; token: string; orders: string[] }>(
  'cluster: checkpoints',
);
// More than what still comes in once nothing is ordered any more, so that no checkpoint is made then.
const env = { CHECKPOINT_ENTRIES: '400' };
const CLUSTER = 'holdfast';
const SHARDS = 4;

checkpoints.before(async (context) => {
  context.at = await startCluster([]);
  context.one = await context.at.start({ name: 'node-1', env, seed: true });
  await context.at.settled();
  context.token = await context.one.guest();
  context.orders = [];
});
checkpoints.after(({ at }) => at.close());

const said = ({ log }: ClusterNode, text: string): number => log.filter(({ msg }) => String(msg).includes(text)).length;

async function withLink<T>(
  { broker }: TestCluster,
  use: (link: Awaited<ReturnType<typeof connectBroker>>) => Promise<T>,
): Promise<T> {
  const link = await connectBroker({ url: broker.url, name: 'test', logger: rememberingLogger() });
  try {
    return await use(link);
  } finally {
    await link.close();
  }
}

/** One after the other, so that each is some entries. */
async function orderUntil(
  context: { one: ClusterNode; token: string; orders: string[] },
  holds: () => Promise<boolean>,
): Promise<void> {
  const { one, token, orders } = context;
  const body = expressOrder([{ sku: 'TEA-GREEN-50', quantity: 1 }]);
  await until('enough was ordered', async () => {
    const placed = await one.call('POST', '/v1/orders', { token, key: `order-${orders.length}`, body });
    assert.is(placed.status, 202);
    orders.push(placed.body.id);
    return holds();
  });
}

async function showsAll(node: ClusterNode, token: string, orders: readonly string[]): Promise<void> {
  for (const id of orders) {
    const shown = await node.call('GET', `/v1/orders/${id}`, { token });
    assert.is(shown.status, 200, `${id} on ${node.name}`);
  }
}

checkpoints(
  'the logs are trimmed behind the second checkpoint, and a node that joins has everything',
  async (context) => {
    const { at, one, token, orders } = context;
    const begins = () => withLink(at, ({ manager }) => logBegins(manager, CLUSTER, SHARDS));
    await orderUntil(context, async () => (await begins()).every((begin) => begin > 1));
    const two = await at.start({ name: 'node-2', env });
    await at.settled();
    assert.is(said(two, 'begun with a checkpoint'), 1);
    await showsAll(two, token, orders);
    const { serious } = await checkShop(two, await one.staff());
    assert.equal(serious, []);
    await two.close();
  },
);

checkpoints(
  'operators see how old the newest checkpoint is and what it holds, and whoever makes them has figures',
  async (context) => {
    const { one } = context;
    const token = await one.staff();
    const { status, body } = await one.call('GET', '/v1/admin/cluster', { token });
    assert.is(status, 200);
    const { at, ageMs, entriesSince } = body.checkpoint;
    assert.ok(Math.abs(Date.parse(body.checkpoint.at) + ageMs - Date.now()) < 60_000, `${at} ${ageMs}`);
    const held = body.shards.map(({ checkpoint }: { checkpoint: number }) => checkpoint);
    assert.is(held.length, SHARDS);
    for (const { checkpoint, position } of body.shards) assert.ok(checkpoint >= 1 && checkpoint <= position);
    const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
    assert.is(entriesSince, sum(body.shards.map(({ position }: { position: number }) => position)) - sum(held));
    const { body: figures } = await one.call('GET', '/metrics');
    assert.match(String(figures), /^holdfast_checkpoint_age_seconds \d/m);
    assert.match(String(figures), /^holdfast_checkpoint_entries \d/m);
  },
);

checkpoints('a checkpoint that lost a part at the broker is passed over for the one before', async (context) => {
  const { at, token, orders, one } = context;
  await withLink(at, async ({ manager }) => {
    const stream = `OBJ_${CLUSTER}-checkpoints`;
    const subject = { subjects_filter: '$O.*.C.>' };
    const { state } = await manager.streams.info(stream, subject);
    assert.is(Object.keys(state.subjects ?? {}).length, 2, 'two are kept');
    // Each object's chunks have a subject of their own.
    const chunks = Object.keys(state.subjects ?? {}).map((chunk) =>
      manager.streams.getMessage(stream, { last_by_subj: chunk }),
    );
    const newest = Math.max(...(await Promise.all(chunks)).map((message) => message?.seq ?? 0));
    await manager.streams.deleteMessage(stream, newest);
  });
  const made = said(one, 'checkpoint stored');
  const three = await at.start({ name: 'node-3', env });
  assert.is(said(one, 'checkpoint stored'), made, 'there was no newer one meanwhile');
  await at.settled();
  assert.is(said(three, 'a checkpoint could not be used'), 1);
  assert.is(said(three, 'begun with a checkpoint'), 1);
  await showsAll(three, token, orders);
  await three.close();
});

checkpoints('a store with records of its own is never replaced by a checkpoint', async ({ at, one }) => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-own-'));
  try {
    const alone = await startShop({ env: { DATA_DIR: folder, SHARDS: String(SHARDS) }, seed: false });
    await alone.close();
    const db = openDatabase(join(folder, STORE_FILE));
    writeMeta(db, 'id-secret', one.shop.idSecret);
    db.close();
    const outcome = await at.start({ name: 'node-4', folder, env }).catch((error: Error) => error.message);
    assert.match(String(outcome), 'nothing was overwritten');
    const after = openDatabase(join(folder, STORE_FILE));
    assert.ok(hasOwnLog(after));
    after.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

checkpoints.run();
