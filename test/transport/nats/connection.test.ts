/** The connection to a broker: what it accepts, how it says what is wrong, how it is lost and comes back. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ConnectOptions, connectBroker } from '../../../transport/nats/connection.ts';
import { freePorts } from '../../../transport/nats/server/ports.ts';
import {
  rememberingLogger,
  temporaryFolder,
  until,
  withBroker,
  withBrokers,
  withFakeBroker,
} from '../../support/broker.ts';
import { operatorMode } from '../../support/credentials.ts';

const connection = suite('connection');

const options = (url: string, more: Partial<ConnectOptions> = {}): ConnectOptions => ({
  url,
  name: 'test',
  logger: rememberingLogger(),
  ...more,
});

async function refusal(asked: ConnectOptions): Promise<Error & { retryable?: boolean }> {
  const result = await connectBroker(asked).then(
    async (made) => {
      await made.close();
      return undefined;
    },
    (error: Error) => error,
  );
  if (result === undefined) throw new Error('connected, and should not have');
  return result;
}

connection('says after its deadline that nobody answers, and where', async () => {
  const [port] = await freePorts(1);
  const error = await refusal(options(`nats://127.0.0.1:${port}`, { deadlineMs: 600 }));
  assert.is(error.name, 'BrokerUnreachable');
  assert.is(error.retryable, true);
  assert.match(error.message, `127.0.0.1:${port}`);
});

connection('waits for a broker that starts later', async () => {
  const [port = 0] = await freePorts(1);
  const connecting = connectBroker(options(`nats://127.0.0.1:${port}`));
  await withBroker(
    async () => {
      const made = await connecting;
      assert.ok(made.connected);
      await made.close();
    },
    { port },
  );
});

connection('refuses brokers that are too old', async () => {
  for (const [version, replicas] of [
    ['2.9.9', 1],
    ['2.10.21', 3],
  ] as const) {
    const error = await withFakeBroker(version, ({ url }) => refusal(options(url, { replicas })));
    assert.is(error.name, 'BrokerTooOld', version);
    assert.is(error.retryable, false);
    assert.match(error.message, version);
  }
});

connection('takes an older broker for one replica, with a warning', async () => {
  for (const version of ['2.9.10', '2.10.21']) {
    const logger = rememberingLogger();
    await withFakeBroker(version, async ({ url }) => {
      const made = await connectBroker(options(url, { logger }));
      assert.equal(made.version.join('.'), version);
      await made.close();
    });
    assert.equal(logger.lines.filter(({ level }) => level === 'warn').length, 1);
  }
});

connection('says that a broker has no JetStream', async () => {
  const error = await withBroker((broker) => refusal(options(broker.url)), { jetstream: false });
  assert.is(error.name, 'JetStreamOff');
  assert.is(error.retryable, false);
});

const USERS = `
  accounts {
    SHOP { jetstream: enabled, users: [
      { user: shop, password: right }
      { user: guest, password: right, permissions: { publish: ["shop.>"], subscribe: ["_INBOX.>"] } }
    ] }
    OTHER { users: [ { user: other, password: right } ] }
  }`;

connection('says which of credentials, permissions and account are not enough', async () => {
  await withBroker(
    async (broker) => {
      const login = (user: string, password: string) =>
        refusal(options(broker.url, { credentials: { user, password }, deadlineMs: 3_000 }));
      const wrong = await login('shop', 'wrong');
      assert.is(wrong.name, 'BrokerForbids');
      assert.match(wrong.message, 'credentials');
      const guest = await login('guest', 'right');
      assert.is(guest.name, 'BrokerForbids');
      assert.match(guest.message, 'permissions');
      assert.is((await login('other', 'right')).name, 'JetStreamOff');
      const credentials = { user: 'shop', password: 'right' };
      await (await connectBroker(options(broker.url, { credentials }))).close();
    },
    { settings: USERS },
  );
});

connection('logs in with a file of credentials, and says when that is no use', async () => {
  const folder = temporaryFolder();
  const credsFile = join(folder, 'shop.creds');
  const { settings, creds } = operatorMode();
  await withBroker(
    async (broker) => {
      const login = options(broker.url, { credentials: { credsFile } });
      assert.match((await refusal(login)).message, 'no such file');
      writeFileSync(credsFile, 'no credentials');
      assert.is((await refusal(login)).name, 'BrokerForbids');
      writeFileSync(credsFile, operatorMode().creds);
      const stranger = await refusal(login);
      assert.is(stranger.name, 'BrokerForbids');
      assert.match(stranger.message, 'check the credentials');
      writeFileSync(credsFile, creds);
      await (await connectBroker(login)).close();
    },
    { settings },
  );
  rmSync(folder, { recursive: true, force: true });
});

connection('is lost with its broker and comes back with it', async () => {
  const logger = rememberingLogger();
  await withBroker(async (broker) => {
    const made = await connectBroker(options(broker.url, { logger }));
    await broker.kill();
    await until('the connection is known to be lost', () => !made.connected);
    const lost = made.lastContact;
    await broker.restart();
    await until('the broker was in reach again', () => made.connected && made.lastContact > lost);
    await made.manager.getAccountInfo();
    await made.close();
    const texts = logger.lines.map(({ text }) => text);
    assert.not.ok(made.connected);
    // Closing it is no loss.
    assert.is(texts.filter((text) => text.includes('lost the connection')).length, 1);
    assert.is(texts.filter((text) => text.includes('again')).length, 2);
  });
});

connection('dates its last contact by when it asked, not by when it was answered', async () => {
  await withFakeBroker('2.10.27', async (broker) => {
    const made = await connectBroker(options(broker.url));
    broker.hold();
    const heldAt = performance.now();
    await until('a ping waits for its answer', () => broker.held > 0 && performance.now() > heldAt);
    await until('its own round trips are under way', () => broker.held > 1);
    const answeredAt = performance.now();
    broker.answerHeld();
    await until('the late answer has come', () => made.lastContact > heldAt);
    assert.ok(made.lastContact < answeredAt);
    broker.release();
    await made.close();
  });
});

connection('has no contact with a broker that is paused, and has it again afterwards', async () => {
  await withBroker(async (broker) => {
    const made = await connectBroker(options(broker.url));
    const connectedAt = performance.now();
    await until('a round trip after the first', () => made.lastContact > connectedAt);
    broker.pause();
    const pausedAt = performance.now();
    await until('a silent broker is given up', () => !made.connected);
    assert.ok(made.lastContact <= pausedAt);
    broker.resume();
    await until('it answers again', () => made.connected && made.lastContact > pausedAt);
    await made.close();
  });
});

connection('moves to another broker when its own stops answering', async () => {
  await withBrokers(3, async (brokers) => {
    const made = await connectBroker(options(brokers.url, { replicas: 3 }));
    const own = brokers.all.find(({ port }) => made.nats.getServer().endsWith(`:${port}`));
    if (own === undefined) throw new Error(`connected to none of ours: ${made.nats.getServer()}`);
    own.pause();
    const pausedAt = performance.now();
    const atOwn = (): boolean => made.nats.getServer().endsWith(`:${own.port}`);
    await until('another broker answers', () => made.lastContact > pausedAt && !atOwn());
    assert.ok(made.connected);
    await made.close();
  });
});

connection.run();
