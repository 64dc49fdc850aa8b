/** The checker over a running node, by HTTP and by `npm run check`. */
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openDatabase } from '../../storage/database.ts';
import { checkShop } from '../support/check.ts';
import { createClient, expressOrder } from '../support/client.ts';
import { startServer } from '../support/server.ts';
import { startShop } from '../support/shop.ts';

const check = suite('http check');

const PATH = '/v1/admin/check';
const SKUS = ['TEA-GREEN-50', 'TEA-BLACK-100', 'TEA-EARL-250'];
const ORDERS = 150;

check('over a busy healthy shop it finds nothing, however often it looks, and holds nobody up', async () => {
  const shop = await startShop();
  try {
    const [staff, guest] = await Promise.all([shop.staff(), shop.guest()]);
    let left = ORDERS;
    const buy = async (): Promise<void> => {
      while (left-- > 0) {
        const lines = [{ sku: SKUS[left % 3] ?? '', quantity: 1 }];
        const body = expressOrder(lines, left % 5 === 0 ? 'tok_decline' : 'tok_success');
        const { status } = await shop.call('POST', '/v1/orders', { token: guest, key: `order-${left}`, body });
        assert.is(status, 202);
      }
    };
    const buyers = Promise.all(Array.from({ length: 6 }, buy));
    let looks = 0;
    let orders = 0;
    while (left > 0 || looks === 0) {
      const found = await checkShop(shop, staff);
      assert.equal(found.serious, [], `look ${looks}, ${left} orders left`);
      looks += 1;
      orders = found.orders;
    }
    await buyers;
    assert.ok(orders > 0, `${looks} looks`);
  } finally {
    await shop.close();
  }
});

check('what is wrong is told with its level, counted, and only to who may know', async () => {
  const shop = await startShop({ env: { CLOCK: 'virtual' } });
  try {
    const [token, guest] = await Promise.all([shop.staff(), shop.guest()]);
    const nothing = { serious: [], infos: [], orders: 0 };
    assert.equal(await checkShop(shop, token, false), nothing);
    const body = expressOrder([{ sku: SKUS[0] ?? '', quantity: 1 }], 'tok_timeout');
    const { body: order } = await shop.call('POST', '/v1/orders', { token: guest, key: 'k', body });
    await shop.advance(0);
    const underWay = await checkShop(shop, token, false);
    assert.equal(underWay, { ...nothing, orders: 1 }, 'the call of the vendor is under way');
    await shop.advance(6 * 60_000);
    const { serious, infos } = await checkShop(shop, token, false);
    assert.equal(serious, []);
    assert.ok(infos.some(({ code, ids }) => code === 'saga.awaits-operator' && ids[0] === order.id));
    assert.is((await shop.call('GET', PATH, { token: guest })).status, 403);
    for (const query of ['deep=yes', 'cursor=x', 'else=1', 'deep=true&deep=true'])
      assert.is((await shop.call('GET', `${PATH}?${query}`, { token })).status, 400, query);
  } finally {
    await shop.close();
  }
});

check('two at once: the second is told to come back', async () => {
  const shop = await startShop();
  try {
    const token = await shop.staff();
    const both = await Promise.all([1, 2].map(() => shop.call('GET', PATH, { token })));
    assert.equal(both.map(({ status }) => status).sort(), [200, 503]);
    assert.is((await shop.call('GET', PATH, { token })).status, 200);
  } finally {
    await shop.close();
  }
});

type Ran = { readonly code: number | null; readonly out: string; readonly errors: string };

/** As `npm run check` does it. */
function run(env: Readonly<Record<string, string>>, ...options: string[]): Promise<Ran> {
  const script: string = JSON.parse(readFileSync('package.json', 'utf8')).scripts.check;
  const child = spawn(process.execPath, [...script.split(' ').slice(1), ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_ENV: 'test', ...env },
  });
  let out = '';
  let errors = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, errors })));
}

check('npm run check asks the running node, or opens the store of one that is stopped', async () => {
  const server = await startServer({ env: { SEED: 'demo', LOG_LEVEL: 'info' } });
  const { folder, url } = server;
  try {
    const client = createClient(url);
    const body = expressOrder([{ sku: SKUS[0] ?? '', quantity: 1 }]);
    const token = await client.guest();
    const { body: order } = await client.call('POST', '/v1/orders', {
      token,
      key: 'k',
      body,
      headers: { prefer: 'wait=5' },
    });
    const port = new URL(url).port;
    const asked = await run({ DATA_DIR: folder, PORT: port });
    assert.equal([asked.code, asked.errors], [0, ''], asked.out);
    assert.match(asked.out, /Looked at \d+ aggregates/);
    assert.match(asked.out, 'Found 0 critical, 0 warning');
    const lost = await run({ DATA_DIR: folder, PORT: '1' });
    assert.is(lost.code, 2);
    assert.match(lost.errors, 'set HOST and PORT');
    const stranger = await run({ DATA_DIR: folder, PORT: port, AUTH_SECRET: 'x'.repeat(32) });
    assert.is(stranger.code, 2);
    assert.match(stranger.errors, 'AUTH_SECRET');
    await server.kill('SIGKILL');
    const dead = await run({ DATA_DIR: folder }, '--deep', '--json');
    assert.is(dead.code, 0, dead.out + dead.errors);
    const report = JSON.parse(dead.out);
    assert.ok(report.covered.orders === 1 && report.covered.records > 10, dead.out);
    const db = openDatabase(join(folder, 'holdfast.sqlite'));
    db.prepare("UPDATE customer_orders SET status = 'cancelled'").run();
    db.close();
    const damaged = await run({ DATA_DIR: folder });
    assert.is(damaged.code, 1);
    assert.match(damaged.out, 'WARNING  read-model.differs');
    assert.match(damaged.out, order.id);
    assert.match(damaged.out, 'Found 0 critical, 1 warning');
  } finally {
    await server.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
});

check('npm run check says what is wrong with how it was called', async () => {
  const nowhere = await run({ DATA_DIR: '/nonexistent' });
  assert.is(nowhere.code, 2);
  assert.match(nowhere.errors, 'There is no store');
  const option = await run({}, '--fast');
  assert.is(option.code, 2);
  assert.match(option.errors, '--deep');
  const config = await run({ PORT: 'x' });
  assert.is(config.code, 2);
  assert.match(config.errors, 'PORT');
});

check.run();
