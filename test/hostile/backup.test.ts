/** A backup taken under load, restored elsewhere: what was acknowledged before it is there, and the shop goes on. */
import { execFile } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Client, createClient, expressOrder } from '../support/client.ts';
import { type Server, startServer } from '../support/server.ts';

const backup = suite('hostile: backup and restore');
const SKUS = ['TEA-BLACK-100', 'TEA-GREEN-100'];
const AUTH_SECRET = 'a secret of the backup tests, long enough';

type Ran = { readonly code: number; readonly said: string };

function run(script: string, argument: string, env: Record<string, string>): Promise<Ran> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, NODE_ENV: 'test', ...env } };
    const child = execFile(
      process.execPath,
      ['--import', 'tsx', `http/${script}.ts`, argument],
      options,
      (_, out, err) => resolve({ code: child.exitCode ?? 1, said: `${out}${err}` }),
    );
  });
}

async function withFolder(check: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-backup-'));
  try {
    await check(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function withServer(folder: string, check: (server: Server, client: Client) => Promise<void>): Promise<void> {
  const server = await startServer({ folder, env: { SEED: 'demo', AUTH_SECRET } });
  try {
    await check(server, createClient(server.url));
  } finally {
    await server.kill('SIGKILL');
  }
}

type Placed = { readonly key: string; readonly id: string };

async function place(client: Client, token: string, key: string): Promise<Placed> {
  const body = expressOrder(SKUS.map((sku) => ({ sku, quantity: 1 })));
  const { status, body: order } = await client.call('POST', '/v1/orders', { token, key, body });
  assert.is(status, 202);
  return { key, id: order.id };
}

async function untilCaptured(client: Client, token: string, id: string): Promise<void> {
  const deadline = performance.now() + 15_000;
  for (;;) {
    const { body } = await client.call('GET', `/v1/orders/${id}`, { token });
    if (body.payment?.status === 'captured') return;
    if (performance.now() > deadline) throw new Error(`${id} is still ${JSON.stringify(body)}`);
  }
}

/** Pieces of a SKU that are no longer for sale and not given back. */
async function sold(client: Client, sku: string): Promise<number> {
  const token = await client.staff();
  const { body } = await client.call('GET', `/v1/admin/stock/${sku}`, { token });
  const sum = (name: string) =>
    body.warehouses.reduce((total: number, row: Record<string, number>) => total + (row[name] ?? 0), 0);
  assert.is(
    sum('available') + sum('reserved') + sum('committed') + sum('picked'),
    sum('received') - sum('shipped') + sum('adjusted'),
  );
  return sum('committed') + sum('picked') + sum('shipped');
}

/** The warehouses have enough for these; a slow backup on a busy machine would let more be ordered. */
const MAX_DURING = 100;

backup('under load: everything acknowledged before is in it, and orders under way are finished', () =>
  withFolder(async (folder) => {
    const [data, elsewhere, backups] = [join(folder, 'data'), join(folder, 'elsewhere'), join(folder, 'backups')];
    const env = { DATA_DIR: data, BACKUP_DIR: backups, AUTH_SECRET };
    const before: Placed[] = [];
    const during: Placed[] = [];
    let token = '';
    const server = await startServer({ folder: data, env: { SEED: 'demo', ...env } });
    try {
      const client = createClient(server.url);
      token = await client.guest();
      for (let i = 0; i < 50; i++) before.push(await place(client, token, `before-${i}`));
      let going = true;
      const buying = (async () => {
        for (let i = 0; going && i < MAX_DURING; i++) during.push(await place(client, token, `during-${i}`));
      })();
      const written = await run('backup', 'first', { ...env, PORT: new URL(server.url).port });
      going = false;
      const again = await run('backup', 'first', { ...env, PORT: new URL(server.url).port });
      await buying;
      assert.is(written.code, 0, written.said);
      assert.match(written.said, join(backups, 'first'));
      assert.is(again.code, 1, again.said);
      const staff = await client.staff();
      const another = { token: staff, body: { name: 'second' } };
      assert.is((await client.call('POST', '/v1/admin/backups', another)).body.running, 'second');
      assert.is((await client.call('POST', '/v1/admin/backups', another)).status, 409);
      const listed = await client.call('GET', '/v1/admin/backups', { token: staff });
      assert.ok(listed.body.data.some(({ name }: { name: string }) => name === 'first'));
      assert.ok(during.length > 0, 'orders went on while it was written');
    } finally {
      await server.kill('SIGKILL');
    }

    const restored = await run('restore', join(backups, 'first'), { DATA_DIR: elsewhere });
    assert.is(restored.code, 0, restored.said);
    await withServer(elsewhere, async (_, client) => {
      const known = [];
      for (const order of [...before, ...during]) {
        const { status } = await client.call('GET', `/v1/orders/${order.id}`, { token });
        if (status === 200) known.push(order);
      }
      assert.equal(known.slice(0, before.length), before, 'nothing of before is missing');
      // What came later may be lost with the old machine: asked again under its key it is the same order, charged once.
      for (const { key, id } of [...before.slice(-5), ...during]) assert.is((await place(client, token, key)).id, id);
      for (const { id } of [...before, ...during]) await untilCaptured(client, token, id);
      for (const sku of SKUS) assert.is(await sold(client, sku), before.length + during.length);
      const found = await client.call('GET', '/v1/admin/payments/reconciliation', { token: await client.staff() });
      assert.equal(found.body.data, [], 'our books and the vendor agree');
    });
    const checked = await run('check', '--deep', { DATA_DIR: elsewhere, AUTH_SECRET });
    assert.is(checked.code, 0, checked.said);
    assert.match(checked.said, 'Found 0 critical, 0 warning');
  }),
);

backup('of a stopped store, which is left as it was', () =>
  withFolder(async (folder) => {
    const data = join(folder, 'data');
    let order: Placed | undefined;
    let token = '';
    await withServer(data, async (_, client) => {
      token = await client.guest();
      order = await place(client, token, 'one');
      await untilCaptured(client, token, order.id);
    });
    const written = await run('backup', 'cold', { DATA_DIR: data });
    assert.is(written.code, 0, written.said);
    const restored = join(folder, 'restored');
    assert.is((await run('restore', join(data, 'backups', 'cold'), { DATA_DIR: restored })).code, 0);
    await withServer(restored, (_, client) => untilCaptured(client, token, order?.id ?? ''));
  }),
);

backup('what is no whole backup, damaged, or would overwrite a shop is refused and changes nothing', () =>
  withFolder(async (folder) => {
    const data = join(folder, 'data');
    await withServer(data, async (_, client) => void (await client.guest()));
    assert.is((await run('backup', 'good', { DATA_DIR: data })).code, 0);
    const good = join(data, 'backups', 'good');
    const empty = join(folder, 'empty');
    const refused = async (from: string, to: string, why: RegExp): Promise<void> => {
      const { code, said } = await run('restore', from, { DATA_DIR: to });
      assert.is(code, 1, said);
      assert.match(said, why);
    };
    await refused(good, data, /holds a shop already/);
    await refused(join(folder, 'nothing'), empty, /no backup/);
    const cut = join(folder, 'cut');
    cpSync(good, cut, { recursive: true });
    rmSync(join(cut, 'backup.json'));
    await refused(cut, empty, /no backup/);
    const torn = join(folder, 'torn');
    cpSync(good, torn, { recursive: true });
    rmSync(join(torn, 'holdfast.sqlite'));
    appendFileSync(join(torn, 'holdfast.sqlite'), 'not a store');
    await refused(torn, empty, /damaged/);
    assert.not(readdirSync(empty).includes('holdfast.sqlite'));
    assert.match((await run('backup', 'x', { DATA_DIR: join(folder, 'nowhere') })).said, /no store/);
  }),
);

backup.run();
