/** `npm run cluster` from its first line to its last process, with real brokers and stand-ins for the nodes. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../../support/eventually.ts';
import { isAlive, keeperOf, type Launched, launch, listens } from '../../support/launched.ts';

const LAUNCHER = 'test/http/cluster/standInCluster.ts';
const GONE_MS = 30_000;

type Context = { folder: string };
const launcher = suite<Context>('http cluster launcher');
launcher.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'holdfast-launcher-'));
});
launcher.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));

type Told = { readonly name: string; readonly pid: number } & Readonly<Record<string, string>>;
type Living = { readonly nodes: readonly Told[]; readonly brokers: readonly string[]; readonly keeper: number };

/** Waits until all are ready; what lives then. */
async function allReady(launched: Launched, folder: string): Promise<Living> {
  await launched.said(/Ctrl-C stops all of them/);
  const nodes = launched.lines.flatMap((line) => {
    const text = /^node-\d+ \| (\{.*"started".*\})$/.exec(line)?.[1];
    return text === undefined ? [] : [JSON.parse(text) as Told];
  });
  return { nodes, brokers: (nodes[0]?.['NATS_URL'] ?? '').split(','), keeper: keeperOf(folder) };
}

async function everythingIsGone({ nodes, brokers, keeper }: Living): Promise<void> {
  const pids = [keeper, ...nodes.map(({ pid }) => pid)];
  await eventually('all processes are gone', () => !pids.some(isAlive), GONE_MS);
  for (const url of brokers) assert.is(await listens(url), false, `${url} still listens`);
}

launcher('starts a broker and nodes, says where they are, and stops nodes before the broker', async ({ folder }) => {
  const env = { DATA_DIR: folder };
  const launched = launch(LAUNCHER, { env });
  const living = await allReady(launched, folder);
  assert.equal(living.nodes.map(({ name }) => name).toSorted(), ['node-1', 'node-2', 'node-3']);
  assert.is(living.brokers.length, 1);
  for (const { name, DATA_DIR, NATS_URL, REPLICAS, PORT } of living.nodes) {
    assert.is(DATA_DIR, join(folder, name));
    assert.is(NATS_URL, living.brokers[0]);
    assert.is(REPLICAS, '1');
    assert.ok(launched.lines.includes(`${name} is ready: http://127.0.0.1:${PORT}`));
  }
  launched.child.kill('SIGINT');
  assert.is(await launched.ended, 0, launched.all);
  assert.is(launched.all.match(/"told to stop","name":"node-\d","broker":true/g)?.length, 3, launched.all);
  assert.is(launched.all.match(/Operator \(shown once\)/g)?.length, 1);
  await everythingIsGone(living);
});

launcher('three brokers keep three copies, and are found again without being asked for', async ({ folder }) => {
  const first = launch(LAUNCHER, { args: ['--brokers', '3', '--nodes', '1'], env: { DATA_DIR: folder } });
  const { nodes, brokers } = await allReady(first, folder);
  assert.is(brokers.length, 3);
  assert.is(nodes[0]?.['REPLICAS'], '3');
  first.child.kill('SIGTERM');
  assert.is(await first.ended, 0, first.all);

  const second = launch(LAUNCHER, { args: ['--nodes', '1'], env: { DATA_DIR: folder } });
  const living = await allReady(second, folder);
  assert.is(living.brokers.length, 3);
  second.child.kill('SIGTERM');
  assert.is(await second.ended, 0, second.all);
  await everythingIsGone(living);
});

launcher(
  'a node that dies is said with its exit code; the others go on; without any it ends with 1',
  async (context) => {
    const { folder } = context;
    const launched = launch(LAUNCHER, { args: ['--nodes', '2'], env: { DATA_DIR: folder } });
    const living = await allReady(launched, folder);
    const [first, second] = living.nodes.toSorted((a, b) => a.name.localeCompare(b.name));
    if (first === undefined || second === undefined) throw new Error('two nodes were asked for');
    await fetch(`http://127.0.0.1:${second['PORT']}/exit/7`).catch(() => undefined);
    await launched.said(/node-2 has ended: exit code 7\. The others go on/);
    await launched.said(
      new RegExp(`NODE_NAME=node-2 DATA_DIR=${join(folder, 'node-2')} PORT=${second['PORT']} npm start`),
    );
    assert.ok(isAlive(first.pid));
    assert.ok(await listens(living.brokers[0] ?? ''));
    process.kill(first.pid, 'SIGKILL');
    assert.is(await launched.ended, 1);
    assert.match(launched.all, 'node-1 has ended: SIGKILL.');
    assert.match(launched.all, 'No node is left.');
    await everythingIsGone(living);
  },
);

launcher('a broker that dies is said with its log; nothing is started in its place', async ({ folder }) => {
  const launched = launch(LAUNCHER, { args: ['--nodes', '1'], env: { DATA_DIR: folder } });
  const living = await allReady(launched, folder);
  const log = readFileSync(join(folder, 'broker-1', 'nats-server.log'), 'utf8');
  process.kill(Number(/^\[(\d+)\]/.exec(log)?.[1]), 'SIGKILL');
  await launched.said(/broker-1 has ended: SIGKILL\. Its log is in /);
  assert.ok(living.nodes.every(({ pid }) => isAlive(pid)));
  launched.child.kill('SIGTERM');
  assert.is(await launched.ended, 0, launched.all);
  await everythingIsGone(living);
});

launcher('a second Ctrl-C kills what does not end', async ({ folder }) => {
  const launched = launch(LAUNCHER, { args: ['--nodes', '2'], env: { DATA_DIR: folder, STUBBORN: 'node-1' } });
  const living = await allReady(launched, folder);
  launched.child.kill('SIGINT');
  await launched.said(/"told to stop","name":"node-1"/);
  // Signals right after the first are the same Ctrl-C, passed on by npm: pressed again until it counts.
  await eventually('it ends', () => launched.child.kill('SIGINT') === false || launched.child.exitCode !== null);
  assert.is(await launched.ended, 1);
  await everythingIsGone(living);
});

launcher('what npm passes on a second time does not kill', async ({ folder }) => {
  const launched = launch(LAUNCHER, { args: ['--nodes', '1'], env: { DATA_DIR: folder } });
  const living = await allReady(launched, folder);
  launched.child.kill('SIGINT');
  launched.child.kill('SIGINT');
  assert.is(await launched.ended, 0, launched.all);
  assert.match(launched.all, '"told to stop","name":"node-1","broker":true');
  await everythingIsGone(living);
});

launcher('nothing is left when the launcher itself is killed: nodes end well, then the broker', async ({ folder }) => {
  const launched = launch(LAUNCHER, { args: ['--nodes', '2'], env: { DATA_DIR: folder } });
  const living = await allReady(launched, folder);
  launched.child.kill('SIGKILL');
  await launched.ended;
  await everythingIsGone(living);
});

launcher('who reads its output may go away: then it stops', async ({ folder }) => {
  const launched = launch(LAUNCHER, { args: ['--nodes', '1'], env: { DATA_DIR: folder } });
  const living = await allReady(launched, folder);
  launched.child.stdout?.destroy();
  // Something to say is needed for it to notice.
  await fetch(`http://127.0.0.1:${living.nodes[0]?.['PORT']}/say`);
  await launched.ended;
  await everythingIsGone(living);
});

launcher('a folder has one launcher at a time', async ({ folder }) => {
  const first = launch(LAUNCHER, { args: ['--nodes', '1'], env: { DATA_DIR: folder } });
  const living = await allReady(first, folder);
  const second = launch(LAUNCHER, { args: ['--nodes', '1'], env: { DATA_DIR: folder } });
  assert.is(await second.ended, 1);
  assert.match(second.all, `another npm run cluster works here, or is just being stopped (process ${living.keeper})`);
  assert.not.match(second.all, '.ts:');
  assert.ok(living.nodes.every(({ pid }) => isAlive(pid)));
  first.child.kill('SIGTERM');
  assert.is(await first.ended, 0);
  await everythingIsGone(living);
});

launcher('a port that is taken is named before anything is started', async ({ folder }) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const data = join(folder, 'data');
  const launched = launch(LAUNCHER, { env: { DATA_DIR: data, PORT: String(port) } });
  assert.is(await launched.ended, 1);
  assert.match(launched.all, `port ${port} of node-1: taken`);
  assert.not.match(launched.all, '.ts:');
  assert.not.ok(existsSync(data));
  server.close();
});

launcher.run();
