/** What a node of a cluster does with the shards that it is given, at a real broker; the node itself is played by the test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Envelope } from '../../../actors/kernel/message.ts';
import { type Broker, openBroker } from '../../../supervisors/cluster/broker.ts';
import { createClusterHome } from '../../../supervisors/cluster/clusterHome.ts';
import { joinCluster } from '../../../supervisors/cluster/join.ts';
import { configuredPolicy, readConfig } from '../../../supervisors/config.ts';
import { openGround } from '../../../supervisors/home.ts';
import type { Node } from '../../../supervisors/node.ts';
import { connectBroker } from '../../../transport/nats/connection.ts';
import { commit, record } from '../../storage/shardLogContract.ts';
import { rememberingLogger, until, withBroker } from '../../support/broker.ts';
import { AUTH_SECRET } from '../../support/shop.ts';

const test = suite('cluster home');

type Played = { readonly delivered: Envelope[]; readonly opened: number[]; openFails: boolean };

/** Takes every message and answers it at once. */
function playedNode(): { readonly node: Node; readonly played: Played } {
  const played: Played = { delivered: [], opened: [], openFails: false };
  const node = {
    placementOf: () => 0,
    deliver(envelope, settle) {
      played.delivered.push(envelope);
      settle({ kind: 'done' });
    },
    open(shard) {
      if (played.openFails) throw new Error('its outbox can not be read');
      played.opened.push(shard);
    },
    async close() {},
    async stop() {},
  } satisfies Partial<Node>;
  return { node: node as unknown as Node, played };
}

type Scene = Played & {
  put(envelope: Envelope): Promise<void>;
  readonly log: readonly Readonly<Record<string, unknown>>[];
};

type Trouble = {
  readonly openFails?: boolean;
  readonly diskIsFull?: boolean;
  /** What others did before. */
  readonly before?: (broker: Broker) => Promise<void>;
};

/** @param trouble from the start */
async function withHome(
  { openFails = false, diskIsFull = false, before = async () => {} }: Trouble,
  use: (scene: Scene) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-home-'));
  await withBroker(async ({ url }) => {
    const env = { NODE_ENV: 'test', DATA_DIR: folder, NATS_URL: url, NODE_NAME: 'node-1', SHARDS: '1', AUTH_SECRET };
    const config = readConfig(env);
    const log: Readonly<Record<string, unknown>>[] = [];
    const logger: Logger = pino({}, { write: (line: string) => void log.push(JSON.parse(line)) });
    const connection = await connectBroker({ url, name: 'node-1', logger: rememberingLogger() });
    const joined = await joinCluster(connection, config, { version: '0', now: Date.now() });
    const ground = openGround(config, logger, configuredPolicy(config), joined.folder);
    if (diskIsFull)
      ground.db.exec("CREATE TRIGGER full BEFORE INSERT ON followed BEGIN SELECT RAISE(ABORT, 'full'); END");
    const broker = await openBroker(ground, connection, joined.settings);
    await before(broker);
    const home = createClusterHome(ground, broker, (error) => assert.unreachable(error.message));
    const { node, played } = playedNode();
    played.openFails = openFails;
    const local = new Proxy({} as never, { get: () => () => assert.unreachable('nobody asks') });
    const running = home.run(node, local, (whole) => whole);
    try {
      await use(Object.assign(played, { put: (envelope: Envelope) => broker.inbox.put(0, envelope), log }));
    } finally {
      await running.stop(0);
      ground.entries.close();
      ground.db.close();
    }
  });
  rmSync(folder, { recursive: true, force: true });
}

const toWallet = (id: string): Envelope => ({
  id,
  to: { type: 'wallet', id: 'a' },
  from: { type: 'wallet', id: 'b' },
  message: { type: 'Deposit', amount: 1 } as Envelope['message'],
});

test('a call of a gateway that somebody wrote into an inbox is not made; what is behind it is delivered', () =>
  withHome({}, async ({ put, delivered, log }) => {
    await put({ ...toWallet('call'), to: { type: 'gateway', id: 'payment' } });
    await put(toWallet('message'));
    await until('the message is there', () => delivered.length > 0);
    assert.equal(
      delivered.map(({ id }) => id),
      ['message'],
    );
    assert.ok(log.some(({ id, level }) => id === 'call' && level === 50));
  }));

test('a shard that could not be opened gets no messages, and its reason stands in the log', () =>
  withHome({ openFails: true }, async (scene) => {
    await scene.put(toWallet('first'));
    const failures = () => scene.log.filter(({ msg }) => msg === 'a shard could not be opened, giving it up');
    await until('it was tried twice', () => failures().length >= 2);
    const [failure] = failures();
    assert.match(String((failure?.['err'] as { message?: string } | undefined)?.message), /outbox can not be read/);
    scene.openFails = false;
    await until('it is open', () => scene.opened.length === 1 && scene.delivered.length > 0);
    assert.is(scene.delivered.length, 1, 'once, by its one reader');
  }));

test('where a record was brought back, the inbox is read from its beginning: lost places are used again', async () => {
  const ids = ['one', 'two', 'three', 'four'];
  const before = async ({ log, inbox }: Broker): Promise<void> => {
    const claim = await log.claim(0, 'other');
    await claim.bring(record([commit('a/wallet', 1)], { epoch: 77, inboxOffset: 3 }));
    await claim.release();
    for (const id of ids) await inbox.put(0, toWallet(id));
  };
  await withHome({ before }, async ({ delivered }) => {
    await until('the newest message is there', () => delivered.some(({ id }) => id === 'four'));
    assert.equal(
      delivered.map(({ id }) => id),
      ids,
    );
  });
});

test('a node whose disk is full to its end leaves its broker in order', () =>
  withHome({ diskIsFull: true }, async ({ log }) => {
    await until('it is said', () =>
      log.some(({ msg }) => msg === 'the tables can not follow the log now; it is tried again'),
    );
  }));

test.run();
