/** A shop that was alone becomes the first node of a cluster. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Claim } from '../../actors/kernel/clusterPorts.ts';
import { shop as deciders } from '../../actors/shop.ts';
import type { CheckReport } from '../../supervisors/checker/checker.ts';
import { openStoppedStore } from '../../supervisors/checker/stopped.ts';
import { openBroker } from '../../supervisors/cluster/broker.ts';
import { joinCluster } from '../../supervisors/cluster/join.ts';
import { shareShop } from '../../supervisors/cluster/shareShop.ts';
import { configuredPolicy, readConfig } from '../../supervisors/config.ts';
import { openGround } from '../../supervisors/home.ts';
import type { AnyDecider } from '../../supervisors/memory.ts';
import { connectBroker } from '../../transport/nats/connection.ts';
import { rememberingLogger, until } from '../support/broker.ts';
import { liveThroughBusyDay } from '../support/busyDay.ts';
import { checkShop } from '../support/check.ts';
import { expressOrder } from '../support/client.ts';
import { startCluster, type TestCluster } from '../support/clusterNodes.ts';
import { AUTH_SECRET } from '../support/shop.ts';
import { openShop } from '../support/shopkeeper.ts';
import { digestOf, untilTheSame } from '../support/storeDigest.ts';

type Context = { home: string; alone: string; token: string; orders: readonly string[]; placed: string };
const bringing = suite<Context>('cluster: bringing a shop');
const SHARDS = '4';
const KEY = 'placed-before-there-was-a-cluster';
const ORDER = expressOrder([{ sku: 'TEA-GREEN-50', quantity: 1 }]);

bringing.before(async (context) => {
  context.home = mkdtempSync(join(tmpdir(), 'holdfast-bring-'));
  context.alone = join(context.home, 'alone');
  const keeper = await openShop({ env: { DATA_DIR: context.alone, SHARDS } });
  context.token = keeper.token;
  context.orders = await liveThroughBusyDay(keeper);
  context.placed = (await keeper.buyer('POST', '/v1/orders', ORDER, KEY)).body.id;
  await keeper.close();
});
bringing.after(({ home }) => rmSync(home, { recursive: true, force: true }));

/** A copy of the folder of the shop that was alone. */
function copyOf({ home, alone }: Context, name: string): string {
  const folder = join(home, name);
  cpSync(alone, folder, { recursive: true });
  return folder;
}

async function withCluster(use: (cluster: TestCluster) => Promise<void>): Promise<void> {
  const cluster = await startCluster([]);
  try {
    await use(cluster);
  } finally {
    await cluster.close();
  }
}

/** What a deep check finds, without what the day itself may have left: the same before and after. */
async function findingsIn(folder: string): Promise<readonly string[]> {
  const store = openStoppedStore(folder, deciders as unknown as Readonly<Record<string, AnyDecider>>);
  try {
    const found: string[] = [];
    for (let from: CheckReport['next'], looked = false; !looked || from; looked = true) {
      const report: CheckReport = await store.check({ deep: true, ...(from && { from }) });
      found.push(...report.findings.filter(({ level }) => level !== 'info').map(({ code, ids }) => `${code} ${ids}`));
      from = report.next;
    }
    return found.sort();
  } finally {
    store.close();
  }
}

bringing('a shop with orders in all states goes on in a cluster, and a node that joins has all of it', (context) =>
  withCluster(async (cluster) => {
    const lookedAt = copyOf(context, 'looked-at');
    const before = digestOf(lookedAt);
    const folder = copyOf(context, 'first');
    const one = await cluster.start({ name: 'node-1', folder });
    const two = await cluster.start({ name: 'node-2' });
    await cluster.settled();
    const { token, orders } = context;
    for (const id of orders) {
      const [here, there] = await Promise.all([one, two].map((n) => n.call('GET', `/v1/orders/${id}`, { token })));
      assert.is(here?.status, 200);
      assert.equal(there?.body, here?.body);
    }
    const repeated = await two.call('POST', '/v1/orders', { token, key: KEY, body: ORDER });
    assert.is(repeated.status, 202);
    assert.is(repeated.body.id, context.placed);
    const placed = await two.call('POST', '/v1/orders', { token, key: 'a-new-one', body: ORDER });
    await one.until(`/v1/orders/${placed.body.id}`, token, ({ status }) => status === 'fulfilling');
    const after = await untilTheSame([one, two]);
    assert.is.not(after?.histories, before.histories);
    const staff = await two.staff();
    const { serious } = await checkShop(two, staff);
    assert.equal(serious.map(({ code, ids }) => `${code} ${ids}`).sort(), await findingsIn(lookedAt));
  }),
);

/** The first start of a member, as far as bringing its shop; the process ends when so many records are in the logs. */
async function bringUntil(cluster: TestCluster, folder: string, records: number): Promise<void> {
  const env = {
    NODE_ENV: 'test',
    DATA_DIR: folder,
    NATS_URL: cluster.broker.url,
    NODE_NAME: 'node-1',
    SHARDS,
    AUTH_SECRET,
  };
  const config = readConfig(env);
  const connection = await connectBroker({ url: cluster.broker.url, name: 'node-1', logger: rememberingLogger() });
  const { settings, folder: data } = await joinCluster(connection, config, { version: '0.1.0', now: 0 });
  const ground = openGround(config, pino({ level: 'silent' }), configuredPolicy(config), data);
  const broker = await openBroker(ground, connection, settings);
  let left = records;
  const mortal = (claim: Claim): Claim => ({
    ...claim,
    epoch: claim.epoch,
    async bring(record) {
      if (--left < 0) throw new Error('killed');
      return claim.bring(record);
    },
  });
  const log = {
    ...broker.log,
    claim: async (shard: number, node: string) => mortal(await broker.log.claim(shard, node)),
  };
  const outcome = await shareShop(ground, { ...broker, log }, connection).catch((error: Error) => error.message);
  assert.is(outcome, 'killed');
  await connection.close();
  ground.entries.close();
  data.db.close();
}

bringing('a bringing that was cut short goes on where it ended, and nobody begins before it is done', (context) =>
  withCluster(async (cluster) => {
    const before = digestOf(copyOf(context, 'compared'));
    const folder = copyOf(context, 'killed');
    await bringUntil(cluster, folder, 25);
    const joining = cluster.start({ name: 'node-2' });
    await bringUntil(cluster, folder, 40);
    const [one, two] = await Promise.all([cluster.start({ name: 'node-1', folder }), joining]);
    await cluster.settled();
    const after = await untilTheSame([one, two]);
    // Its orders go on by themselves, with time; what was there is there once.
    const count = (rows: string | undefined): number => Number.parseInt(rows ?? '', 10);
    assert.ok(count(after?.records) >= count(before.records));
    assert.is(count(after?.products), count(before.products));
    assert.is(count(after?.customerOrders), count(before.customerOrders));
  }),
);

bringing('a copy of the shop that went on alone is told that it parted, and overwrites nothing', (context) =>
  withCluster(async (cluster) => {
    const alone = copyOf(context, 'went-on');
    const keeper = await openShop({ env: { DATA_DIR: alone, SHARDS }, seed: false });
    await keeper.sell('ONLY-ALONE', 500, { 'wh-east': 10 });
    await keeper.close();
    const one = await cluster.start({ name: 'node-1', folder: copyOf(context, 'in-the-cluster') });
    await cluster.settled();
    const staff = await one.staff();
    for (let number = 0; number < 8; number++) {
      const body = { name: `Only in the cluster ${number}`, category: 'Test' };
      await one.call('PUT', `/v1/admin/products/ONLY-HERE-${number}`, { token: staff, body });
    }
    await cluster.start({ name: 'node-2', folder: alone }).then(
      (node) => until('it says so', () => node.log.some(({ err }) => /parted/.test(JSON.stringify(err ?? '')))),
      (error: Error) => assert.match(error.message, 'parted'),
    );
    const put = await one.call('PUT', '/v1/admin/products/ONLY-HERE-0', {
      token: staff,
      body: { name: 'Again', category: 'Test' },
    });
    assert.is(put.status, 428, 'it is there, as it was');
  }),
);

bringing.run();
