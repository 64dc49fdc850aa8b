/** Nodes that can't be part of a cluster end with status 1 and say what is wrong, why, and what to do. Real processes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connectBroker } from '../../transport/nats/connection.ts';
import { type Broker, startBroker } from '../../transport/nats/server/broker.ts';
import { offerSettings } from '../../transport/nats/settings.ts';
import { rememberingLogger, withBroker } from '../support/broker.ts';
import { type Server, startServer } from '../support/server.ts';

type Context = { home: string; broker: Broker; first: Server };
const refusals = suite<Context>('cluster: refusals');

const SECRET = 'the secret that all nodes of these tests have';
const DEADLINE_MS = 90_000;

type Environment = Readonly<Record<string, string>>;

function environment(broker: Broker, more: Environment): Environment {
  return { NATS_URL: broker.url, NODE_NAME: 'node-2', SHARDS: '2', AUTH_SECRET: SECRET, ...more };
}

refusals.before(async (context) => {
  context.home = mkdtempSync(join(tmpdir(), 'holdfast-refusals-'));
  context.broker = await startBroker({ folder: join(context.home, 'broker'), syncAlways: false });
  context.first = await startServer({
    folder: join(context.home, 'node-1'),
    env: environment(context.broker, { NODE_NAME: 'node-1' }),
    deadlineMs: DEADLINE_MS,
  });
});
refusals.after(async ({ home, broker, first }) => {
  await first.close();
  await broker.stop();
  rmSync(home, { recursive: true, force: true });
});

/** What a node said before it ended with status 1, without serving anybody. */
async function refusal(folder: string, env: Environment): Promise<string> {
  const started = startServer({ folder, env, deadlineMs: DEADLINE_MS });
  const outcome = await started.catch((error: Error) => error);
  if (outcome instanceof Error) {
    assert.match(outcome.message, 'the server ended (1)');
    return outcome.message;
  }
  await outcome.kill();
  throw new Error('it started, and should not have');
}

async function isRefused({ home, broker }: Context, name: string, env: Environment, texts: readonly string[]) {
  const said = await refusal(join(home, name), environment(broker, env));
  for (const text of texts) assert.match(said, text);
  assert.not.match(said, /\n\s+at .*\.ts:/, 'a stack helps nobody here');
}

refusals('another number of shards is refused with the number to use', async (context) => {
  await isRefused(context, 'shards', { SHARDS: '4' }, ['has SHARDS=2 for life', 'this node has 4', 'with SHARDS=2']);
});

refusals('another AUTH_SECRET is refused, and neither secret is told', async (context) => {
  const other = 'quite another secret, of one node only';
  const said = await refusal(join(context.home, 'auth'), environment(context.broker, { AUTH_SECRET: other }));
  for (const text of ['AUTH_SECRET with fingerprint', 'start it as the others']) assert.match(said, text);
  for (const secret of [other, SECRET]) assert.not(said.includes(secret));
});

refusals('another purpose is refused', async (context) => {
  await isRefused(context, 'purpose', { NODE_ENV: 'development' }, ['is for test', 'NODE_ENV=development']);
});

refusals('records of a later version are refused by an older one', async (context) => {
  const connection = await connectBroker({ url: context.broker.url, name: 'later', logger: rememberingLogger() });
  const auth = { kind: 'given', secret: SECRET } as const;
  const later = { cluster: 'later', replicas: 1, shards: 2, purpose: 'test', schema: 99, version: '9.0.0' } as const;
  await offerSettings(connection, { ...later, auth, now: Date.now() }).finally(connection.close);
  await isRefused(context, 'later', { CLUSTER: 'later' }, ['made by version 9.0.0', 'schema 99', 'update this node']);
});

refusals('a node of one cluster does not found another one by mistake', async (context) => {
  const { home, broker } = context;
  const folder = join(home, 'mover');
  const member = await startServer({ folder, env: environment(broker, {}), deadlineMs: DEADLINE_MS });
  await member.kill('SIGTERM');
  const texts = ['of which the broker knows nothing', 'CLUSTER may be another', 'empty DATA_DIR'];
  await isRefused(context, 'mover', { CLUSTER: 'mistyped' }, texts);
});

refusals(
  'of two nodes with one name the later one ends, and the first one goes on',
  async ({ home, broker, first }) => {
    const started = startServer({
      folder: join(home, 'namesake'),
      env: environment(broker, { NODE_NAME: 'node-1' }),
      deadlineMs: DEADLINE_MS,
    });
    const outcome = await started.catch((error: Error) => error);
    // It may answer for a moment before it hears of the other one: as long as it is joining, it owns nothing.
    const said =
      outcome instanceof Error ? outcome.message : `ended (${await outcome.ended})\n${outcome.log.join('\n')}`;
    for (const text of ['ended (1)', 'another node is named "node-1" too', 'give each node a name of its own']) {
      assert.match(said, text);
    }
    assert.is((await fetch(`${first.url}/readyz`)).status, 200);
  },
);

refusals('a broker that does not let the node work is named with what it forbids', async ({ home }) => {
  const settings =
    'no_auth_user: guest\n' +
    'authorization { users = [{ user: guest, password: x, permissions: { publish: { deny: ["$JS.API.STREAM.CREATE.>"] } } }] }';
  await withBroker(
    async (broker) => {
      const said = await refusal(join(home, 'forbidden'), environment(broker, {}));
      for (const text of ['STREAM.CREATE', "check the user's permissions"]) assert.match(said, text);
    },
    { syncAlways: false, settings },
  );
});

refusals('a broker without JetStream is named with what to do', async ({ home }) => {
  await withBroker(
    async (broker) => {
      const said = await refusal(join(home, 'no-jetstream'), environment(broker, {}));
      assert.match(said, 'has no JetStream: enable it in the configuration of nats-server');
    },
    { jetstream: false },
  );
});

refusals.run();
