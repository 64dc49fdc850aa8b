/**
 * A real process whose disk is full: clear refusals, nothing acknowledged that isn't there, and work as usual when there
 * is space again, without a restart.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Client, createClient, expressOrder } from '../support/client.ts';
import { limitFiles } from '../support/fileLimit.ts';
import { type Server, startServer } from '../support/server.ts';

const disk = suite('hostile: full disk');
const SKU = 'TEA-BLACK-100';
const PATIENCE_MS = 30_000;
const MEGABYTE = 1 << 20;

/** A folder whose disk can be filled up and emptied again while a server works on it. */
type Disk = { readonly folder: string; fill(server: Server): void; free(server: Server): void; close(): void };

/** Works for everybody: no file of the process may grow any more. */
function limitedFiles(): Disk {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-limit-'));
  return {
    folder,
    fill: ({ pid }) => limitFiles(pid, statSync(join(folder, 'holdfast.sqlite-wal')).size),
    free: ({ pid }) => limitFiles(pid, 'unlimited'),
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The real thing, where one may mount. */
function smallDisk(): Disk | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-disk-'));
  const ballast = join(folder, 'ballast');
  const unmount = (): void => {
    execFileSync('umount', ['--lazy', folder]);
    rmSync(folder, { recursive: true, force: true });
    process.off('exit', unmount);
  };
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=40m', 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    rmSync(folder, { recursive: true, force: true });
    return undefined;
  }
  process.on('exit', unmount);
  return {
    folder,
    fill() {
      for (let size = MEGABYTE; size >= 1; ) {
        try {
          appendFileSync(ballast, Buffer.alloc(size));
        } catch {
          size = Math.floor(size / 4);
        }
      }
    },
    free: () => rmSync(ballast),
    close: unmount,
  };
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`still not: ${what}`);
    await pause(20);
  }
}

type Placed = { readonly key: string; readonly id: string };

function buyer(client: Client, token: string) {
  return async (
    key: string,
  ): Promise<{ status: number; placed?: Placed; retryAfter: string | null; code?: string }> => {
    const body = expressOrder([{ sku: SKU, quantity: 1 }]);
    const { status, headers, body: said } = await client.call('POST', '/v1/orders', { token, key, body });
    const placed = status === 202 ? { placed: { key, id: said.id as string } } : {};
    return { status, retryAfter: headers.get('retry-after'), code: said.code, ...placed };
  };
}

async function captured(client: Client, token: string, orders: readonly Placed[]): Promise<boolean> {
  const states = await Promise.all(orders.map(({ id }) => client.call('GET', `/v1/orders/${id}`, { token })));
  return states.every(({ status, body }) => status === 200 && body.payment.status === 'captured');
}

async function surviveFullDisk(space: Disk): Promise<void> {
  const env = { SEED: 'demo', LOG_LEVEL: 'warn' };
  let server = await startServer({ folder: space.folder, env: { ...env, LOG_LEVEL: 'info' } });
  try {
    const client = createClient(server.url);
    const token = await client.guest();
    const order = buyer(client, token);
    const acknowledged: Placed[] = [];
    for (let i = 0; i < 20; i++) acknowledged.push((await order(`before-${i}`)).placed as Placed);
    await until('captured', () => captured(client, token, acknowledged));

    space.fill(server);
    const lines = server.log.length;
    let refused = 0;
    for (let i = 0; refused < 20; i++) {
      const answers = await Promise.all([0, 1, 2, 3].map((lane) => order(`full-${i}-${lane}`)));
      for (const { status, placed, retryAfter, code } of answers) {
        if (placed) acknowledged.push(placed);
        else {
          assert.equal([status, code], [503, 'service.unavailable']);
          assert.ok(Number(retryAfter) >= 1);
          refused++;
        }
      }
    }
    const ready = await client.call('GET', '/readyz');
    assert.is(ready.status, 503);
    assert.is((await client.call('GET', '/healthz')).status, 200);
    assert.is((await client.call('GET', '/v1/products?q=tea')).status, 200);
    const told = server.log.slice(lines).filter((line) => !line.includes('"msg":"request"'));
    assert.ok(
      told.some((line) => /SQLITE|disk|store/.test(line)),
      'the log names the store',
    );
    assert.ok(told.length < 400, `${told.length} lines about it`);

    space.free(server);
    await until('ready again', async () => (await client.call('GET', '/readyz')).status === 200);
    const later: Placed[] = [];
    for (let i = 0; i < 5; i++) later.push((await order(`after-${i}`)).placed as Placed);
    // What was refused may be asked again under its key, and is one order then.
    const again = await order('full-0-0');
    assert.is(again.status, 202);
    const all = [...acknowledged, ...later];
    await until('all captured', () => captured(client, token, all));

    await server.kill();
    server = await startServer({ folder: space.folder, env: { ...env, LOG_LEVEL: 'info' } });
    const restarted = createClient(server.url);
    assert.ok(await captured(restarted, token, all), 'after a restart everything is there');
    for (const { key, id } of all.slice(-10)) assert.is((await buyer(restarted, token)(key)).placed?.id, id);
  } finally {
    await server.kill('SIGKILL');
    space.close();
  }
}

disk('no file may grow: refuses, tells, recovers', () => surviveFullDisk(limitedFiles()));

const small = smallDisk();
if (small) disk('no space left on the device: refuses, tells, recovers', () => surviveFullDisk(small));

disk.run();
