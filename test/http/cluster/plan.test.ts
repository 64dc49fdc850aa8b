/** What `npm run cluster` makes of its arguments and the environment. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { planCluster, readArguments } from '../../../http/cluster/plan.ts';
import { ConfigError } from '../../../supervisors/config.ts';
import { freePorts } from '../../../transport/nats/server/ports.ts';
import { rejection } from '../../support/eventually.ts';

type Context = { folder: string };
const planning = suite<Context>('http cluster plan');
planning.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'holdfast-plan-'));
});
planning.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));

const FREE = { PORT: '0' };

async function refusalOf(args: readonly string[], environment: Readonly<Record<string, string>>): Promise<string> {
  const error = await rejection((async () => planCluster(readArguments(args), environment))());
  assert.instance(error, ConfigError);
  return error.message;
}

planning('three nodes and one broker, each node with a name, a port and a folder of its own', async ({ folder }) => {
  const [port = 0] = await freePorts(1);
  const plan = await planCluster(readArguments([]), {
    DATA_DIR: folder,
    PORT: String(port),
    LOG_LEVEL: 'warn',
    SEED: '',
  });
  assert.is(plan.brokers, 1);
  assert.equal(
    plan.nodes.map(({ name, url, environment }) => [name, url, environment['DATA_DIR'], environment['NODE_NAME']]),
    [1, 2, 3].map((number) => {
      const name = `node-${number}`;
      return [name, `http://127.0.0.1:${port + number - 1}`, join(folder, name), name];
    }),
  );
  assert.is(plan.nodes[2]?.environment['LOG_LEVEL'], 'warn');
  assert.is(plan.nodes[2]?.environment['REPLICAS'], '1');
});

planning('PORT=0 gives each node a free port', async ({ folder }) => {
  const { nodes } = await planCluster(readArguments(['--nodes', '4']), { ...FREE, DATA_DIR: folder });
  assert.is(new Set(nodes.map(({ url }) => url)).size, 4);
  assert.not.ok(nodes.some(({ url }) => url.endsWith(':0')));
});

planning('each log is on all brokers, unless REPLICAS says less', async ({ folder }) => {
  const replicas = async (extra: Readonly<Record<string, string>>): Promise<string | undefined> => {
    const plan = await planCluster(readArguments(['--brokers=3']), { ...FREE, DATA_DIR: folder, ...extra });
    return plan.nodes[0]?.environment['REPLICAS'];
  };
  assert.is(await replicas({}), '3');
  assert.is(await replicas({ REPLICAS: '1' }), '1');
  assert.match(await refusalOf([], { ...FREE, REPLICAS: '3' }), 'REPLICAS: 3 need as many brokers: --brokers 3');
});

planning('the brokers that have the data are needed again', async ({ folder }) => {
  for (const name of ['broker-1', 'broker-2', 'broker-3', 'node-1']) mkdirSync(join(folder, name));
  const environment = { ...FREE, DATA_DIR: folder };
  assert.is((await planCluster(readArguments([]), environment)).brokers, 3);
  assert.is((await planCluster(readArguments(['--brokers', '3']), environment)).brokers, 3);
  assert.match(await refusalOf(['--brokers', '1'], environment), `the cluster in ${folder} was made with 3`);
});

planning('what it is given and can not be is named', async () => {
  assert.match(await refusalOf(['--brokers', '2'], FREE), '--brokers: must be 1, 3 or 5');
  assert.match(await refusalOf(['--nodes', '0'], FREE), '--nodes: must be 1 to 16');
  assert.match(await refusalOf(['--nodes', '3.5'], FREE), '--nodes: must be 1 to 16');
  assert.match(await refusalOf(['--node', '3'], FREE), '--node');
  assert.match(await refusalOf(['5'], FREE), 'Usage: npm run cluster');
});

planning('settings are looked through before anything is started, as npm start does it', async () => {
  assert.match(await refusalOf([], { ...FREE, SHARDS: 'many', CLOCK: 'virtual' }), /SHARDS: [\s\S]*CLOCK: each node/);
  assert.match(await refusalOf([], { ...FREE, NATS_URL: 'nats://host:4222' }), 'NATS_URL: npm run cluster starts');
  assert.match(await refusalOf([], { ...FREE, NODE_NAME: 'a' }), 'NODE_NAME: the nodes are named');
  assert.match(await refusalOf([], { PORT: '65535' }), 'port 65536 of node-2: there are no ports above 65535');
});

planning('its nodes run as those of npm start', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { start: string } };
  const flags = /const NODE = \[(.*)\];/.exec(readFileSync('http/cluster/main.ts', 'utf8'))?.[1] ?? '';
  assert.is(`exec node ${[...flags.matchAll(/'([^']+)'/g)].map(([, flag]) => flag).join(' ')}`, scripts.start);
});

planning.run();
