/** Becoming a member: what a folder brings, what it keeps, and what it is refused for. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createTokens } from '../../../http/auth.ts';
import { developmentSecret, openDataFolder } from '../../../storage/dataFolder.ts';
import { joinCluster } from '../../../supervisors/cluster/join.ts';
import { type Config, readConfig } from '../../../supervisors/config.ts';
import type { BrokerConnection } from '../../../transport/nats/connection.ts';
import { withBroker } from '../../support/broker.ts';
import { withNodes } from '../../support/nodesAtBroker.ts';

const joining = suite('joining a cluster');
const about = { version: '0.1.0', now: 1_000 };

type World = {
  readonly node: BrokerConnection;
  /** The configuration of a node with a data folder of that name. */
  config(name: string, env?: Readonly<Record<string, string>>): Config;
};

const withWorld = (use: (world: World) => Promise<void>) => () =>
  withBroker((broker) =>
    withNodes(broker.url, 1, async ([node]) => {
      if (node === undefined) throw new Error('no connection');
      const folder = mkdtempSync(join(tmpdir(), 'holdfast-join-'));
      const config: World['config'] = (name, env = {}) =>
        readConfig({ NATS_URL: broker.url, DATA_DIR: join(folder, name), SHARDS: '4', ...env });
      try {
        await use({ node, config });
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }),
  );

async function joined(node: BrokerConnection, config: Config) {
  const { settings, folder } = await joinCluster(node, config, about);
  folder.db.close();
  return { settings, idSecret: folder.idSecret };
}

async function refusal(happening: Promise<unknown>): Promise<string> {
  const outcome = await happening.catch((error: Error) => error);
  if (!(outcome instanceof Error)) throw new Error('it worked, and should not have');
  return `${outcome.name}: ${outcome.message}`;
}

joining(
  'nodes with empty folders have the same secrets: a session signed on one is known on the other',
  withWorld(async ({ node, config }) => {
    const one = await joined(node, config('one'));
    const other = await joined(node, config('other'));
    assert.is(one.idSecret, other.idSecret);
    assert.is(one.idSecret, one.settings.idSecret);
    const [signing, checking] = ['one', 'other'].map((name) =>
      createTokens({ secret: developmentSecret(config(name).DATA_DIR) }),
    );
    const principal = { sub: 'cus_1', role: 'customer', scopes: [] } as const;
    const issued = await signing?.issue(principal);
    assert.equal(await checking?.principal(`Bearer ${issued?.token}`), principal);
  }),
);

joining(
  'starting again is joining again; the folder remembers its cluster',
  withWorld(async ({ node, config }) => {
    const first = await joined(node, config('one'));
    assert.equal(await joined(node, config('one')), first);
    const elsewhere = await refusal(joinCluster(node, config('one', { CLUSTER: 'elsewhere' }), about));
    assert.match(elsewhere, 'SettingsLost: this node belongs to cluster "elsewhere"');
  }),
);

joining(
  'a first node that has a shop brings its secrets, and sessions that it signed before hold',
  withWorld(async ({ node, config }) => {
    const alone = openDataFolder(config('one').DATA_DIR, 4);
    alone.db.close();
    const secret = developmentSecret(config('one').DATA_DIR);
    const { settings } = await joined(node, config('one'));
    assert.equal([settings.idSecret, settings.authSecret], [alone.idSecret, secret]);
    await joined(node, config('other'));
    assert.is(developmentSecret(config('other').DATA_DIR), secret);
  }),
);

joining(
  'a later node that has a shop of its own is refused, and keeps it',
  withWorld(async ({ node, config }) => {
    await joined(node, config('one'));
    const alone = openDataFolder(config('other').DATA_DIR, 4);
    alone.db.close();
    assert.match(await refusal(joinCluster(node, config('other'), about)), 'ClusterMismatch');
    const again = openDataFolder(config('other').DATA_DIR, 4);
    assert.is(again.idSecret, alone.idSecret);
    again.db.close();
  }),
);

joining(
  'a store of a cluster is not opened alone, with the reason',
  withWorld(async ({ node, config }) => {
    const { settings } = await joined(node, config('one', { CLUSTER: 'shop-eu' }));
    try {
      openDataFolder(config('one').DATA_DIR, 4);
      assert.unreachable();
    } catch (error) {
      assert.is((error as Error).name, 'StoreMismatch');
      for (const text of [settings.id, 'NATS_URL', 'CLUSTER=shop-eu']) assert.match((error as Error).message, text);
    }
    await joined(node, config('one', { CLUSTER: 'shop-eu' }));
  }),
);

joining(
  'another number of shards is refused, by the cluster and by the folder',
  withWorld(async ({ node, config }) => {
    await joined(node, config('one'));
    assert.match(await refusal(joinCluster(node, config('other', { SHARDS: '8' }), about)), 'SHARDS=4 for life');
    const brought = openDataFolder(config('third').DATA_DIR, 8);
    brought.db.close();
    const founding = config('third', { CLUSTER: 'another' });
    assert.match(await refusal(joinCluster(node, founding, about)), 'StoreMismatch: SHARDS is 4');
    const { settings } = await joined(node, config('third', { CLUSTER: 'another', SHARDS: '8' }));
    assert.is(settings.shards, 8, 'the refused start has founded nothing');
  }),
);

joining(
  'with AUTH_SECRET no secret is written down, and all must have it',
  withWorld(async ({ node, config }) => {
    const AUTH_SECRET = 'given to all nodes by the operator';
    await joined(node, config('one', { AUTH_SECRET }));
    assert.throws(() => readFileSync(join(config('one').DATA_DIR, 'auth.secret')), 'ENOENT');
    assert.match(await refusal(joinCluster(node, config('other'), about)), 'this node has no AUTH_SECRET');
    await joined(node, config('other', { AUTH_SECRET }));
  }),
);

joining.run();
