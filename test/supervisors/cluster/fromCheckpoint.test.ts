/** A node that starts asks for checkpoints until the broker answers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errors } from 'nats';
import { pino } from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fromCheckpoint } from '../../../supervisors/cluster/fromCheckpoint.ts';
import { joinCluster } from '../../../supervisors/cluster/join.ts';
import { readConfig } from '../../../supervisors/config.ts';
import { connectBroker } from '../../../transport/nats/connection.ts';
import { rememberingLogger, withBroker } from '../../support/broker.ts';
import { AUTH_SECRET } from '../../support/shop.ts';

const test = suite('begin with a checkpoint');

test('a broker that does not answer yet, as while it elects a leader, is asked again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-begin-'));
  await withBroker(async ({ url }) => {
    const env = { NODE_ENV: 'test', DATA_DIR: folder, NATS_URL: url, NODE_NAME: 'node-1', SHARDS: '1', AUTH_SECRET };
    const config = readConfig(env);
    const connection = await connectBroker({ url, name: 'node-1', logger: rememberingLogger() });
    const joined = await joinCluster(connection, config, { version: '0', now: Date.now() });
    let asked = 0;
    const silent = { info: () => Promise.reject(new errors.TimeoutError()) };
    const manager = new Proxy(connection.manager, {
      get(target, name, self) {
        if (name !== 'streams') return Reflect.get(target, name, self);
        asked += 1;
        return asked === 1 ? silent : target.streams;
      },
    });
    const { nats, jetstream, connected } = connection;
    const link = { nats, jetstream, connected, manager };
    const begun = await fromCheckpoint(link, config, joined, pino({ level: 'silent' }));
    assert.is(begun, joined.folder, 'there is no checkpoint yet');
    assert.ok(asked > 1);
    begun.db.close();
    await connection.close();
  });
  rmSync(folder, { recursive: true, force: true });
});

test.run();
