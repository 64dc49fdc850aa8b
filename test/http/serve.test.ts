/** From the environment to a process that serves, or that says why it does not. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createClient } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startServer } from '../support/server.ts';

type Context = { folder: string };
const serving = suite<Context>('http serve');
serving.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'holdfast-serve-'));
});
serving.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));

/** What a start that fails says; its exit code is part of it. */
async function refusal(folder: string, env: Readonly<Record<string, string>>): Promise<string> {
  const started = startServer({ folder, env });
  return started.then(
    async (server) => {
      await server.kill();
      throw new Error('the server started');
    },
    (error: Error) => error.message,
  );
}

serving('a development start prints the address, a curl that works, and the password once', async ({ folder }) => {
  const env = { NODE_ENV: 'development', OPERATOR_EMAIL: '', OPERATOR_PASSWORD: '' };
  const first = await startServer({ folder, env });
  const { call } = createClient(first.url);
  while (!first.log.some((line) => line.includes('curl'))) await new Promise(setImmediate);
  const said = first.log.join('\n');
  assert.match(said, `Holdfast  ${first.url}\n`);
  const password = /Operator \(shown once\) {2}operator@example\.com {2}(\S+)/.exec(said)?.[1];
  const body = { email: 'operator@example.com', password };
  assert.is((await call('POST', '/v1/sessions', { body })).status, 201);
  const tried = /curl '([^']+)'/.exec(said)?.[1] ?? '';
  const found = await call('GET', tried.slice(first.url.length));
  assert.is(found.status, 200);
  assert.is(found.body.data.length, 3);
  assert.ok(found.body.total > 3);
  const all = await call('GET', '/v1/products?limit=1');
  assert.ok(all.body.total >= 200);
  assert.ok(all.body.facets.categories.length >= 8);
  await first.kill('SIGTERM');

  const second = await startServer({ folder, env });
  while (!second.log.some((line) => line.includes('curl'))) await new Promise(setImmediate);
  assert.not.match(second.log.join('\n'), 'shown once');
  assert.is((await createClient(second.url).call('POST', '/v1/sessions', { body })).status, 201);
  await second.kill('SIGTERM');
  assert.is(await second.ended, 0);
});

serving('a thousand clients get through at once, whatever the node is busy with', async ({ folder }) => {
  const server = await startServer({ folder, env: { SEED: 'none' } });
  process.kill(server.pid, 'SIGSTOP');
  let connected = 0;
  const { hostname: host, port } = new URL(server.url);
  // All that some systems let wait.
  const count = process.platform === 'linux' ? 1_000 : 100;
  const sockets = Array.from({ length: count }, () => connect({ host, port: Number(port) }, () => (connected += 1)));
  await eventually('all are connected', () => connected === sockets.length);
  for (const socket of sockets) socket.destroy();
  process.kill(server.pid, 'SIGCONT');
  await server.kill('SIGTERM');
  assert.is(await server.ended, 0);
});

serving('told to stop it says that it is not ready, answers until its pause is over, and ends', async ({ folder }) => {
  const server = await startServer({ folder, env: { SEED: 'none', STOP_PAUSE_MS: '2000' } });
  const { call } = createClient(server.url);
  assert.is((await call('GET', '/readyz')).status, 200);
  process.kill(server.pid, 'SIGTERM');
  await eventually('it is not ready', async () => (await call('GET', '/readyz')).status === 503);
  assert.is((await call('POST', '/v1/sessions/guest')).status, 201);
  assert.is((await call('GET', '/healthz')).status, 200);
  assert.is(await server.ended, 0);
});

serving('a wrong value is named and stops the start', async ({ folder }) => {
  const said = await refusal(folder, { SHARDS: 'many', CLOCK: 'fast' });
  assert.match(said, /ended \(1\)/);
  assert.match(said, 'wrong configuration:\n  SHARDS: ');
  assert.match(said, '\n  CLOCK: ');
  assert.not.match(said, '.ts:');
});

serving('a broker that is too old is named, before anything is written', async ({ folder }) => {
  const data = join(folder, 'data');
  const broker = createServer((socket) => {
    socket.write('INFO {"server_id":"old","version":"2.2.0","max_payload":1048576,"jetstream":true}\r\n');
    socket.on('data', (bytes) => bytes.includes('PING') && socket.write('PONG\r\n'));
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => broker.listen(0, '127.0.0.1', resolve));
  const { port } = broker.address() as AddressInfo;
  const said = await refusal(data, { NATS_URL: `nats://127.0.0.1:${port}` });
  broker.close();
  assert.match(said, /ended \(1\)/);
  assert.match(said, '2.2.0');
  assert.not.match(said, '.ts:');
  assert.not.ok(existsSync(data));
});

serving('a folder that cannot be one is named, without a stack trace', async ({ folder }) => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  const said = await refusal(join(file, 'data'), {});
  assert.match(said, /ended \(1\)/);
  assert.match(said, 'DATA_DIR: ENOTDIR');
  assert.not.match(said, '.ts:');
});

serving('a port in use is named; the password that this start made is not lost', async ({ folder }) => {
  const first = await startServer({ folder: join(folder, 'a') });
  const env = { NODE_ENV: 'development', SEED: 'none', OPERATOR_PASSWORD: '', PORT: new URL(first.url).port };
  const said = await refusal(join(folder, 'b'), env);
  assert.match(said, /ended \(1\)/);
  assert.match(said, 'HOST, PORT: listen EADDRINUSE');
  assert.match(said, /Operator \(shown once\) {2}\S+ {2}\S{16}/);
  assert.not.match(said, '.ts:');
  await first.kill('SIGTERM');
});

serving.run();
