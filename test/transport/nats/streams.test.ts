/** Streams: made as asked, read back, and refused when they are otherwise; what brokers refuse has names. */
import type { JetStreamManager, StreamConfig } from '@nats-io/jetstream';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type BrokerConnection, connectBroker } from '../../../transport/nats/connection.ts';
import { brokerError } from '../../../transport/nats/errors.ts';
import { ensureStream, type StreamSettings } from '../../../transport/nats/streams.ts';
import { rememberingLogger, until, withBroker, withBrokers } from '../../support/broker.ts';

const streams = suite('streams');

const settings: StreamSettings = {
  name: 'shop-log-0',
  subjects: ['shop.log.0'],
  replicas: 1,
  duplicateWindowMs: 600_000,
  denyDelete: true,
};

async function connected<T>(
  url: string,
  use: (made: BrokerConnection) => Promise<T>,
  credentials?: { readonly user: string; readonly password: string },
): Promise<T> {
  const logger = rememberingLogger();
  const made = await connectBroker({ url, name: 'test', logger, ...(credentials && { credentials }) });
  try {
    return await use(made);
  } finally {
    await made.close();
  }
}

async function refusal(happening: Promise<unknown>): Promise<Error & { readonly differences?: readonly string[] }> {
  const result = await happening.then(
    () => undefined,
    (error: Error) => error,
  );
  if (result === undefined) throw new Error('it worked, and should not have');
  return result;
}

/** What became of a publish, under its name. */
async function publishing(made: BrokerConnection, bytes: number, subject = 'shop.log.0'): Promise<Error> {
  return brokerError(await refusal(made.jetstream.publish(subject, new Uint8Array(bytes))), 'store a record');
}

streams('makes a stream as asked, and accepts it the next time', async () => {
  await withBroker((broker) =>
    connected(broker.url, async ({ manager }) => {
      await ensureStream(manager, { ...settings, maxMessageBytes: 4_096, maxBytes: 100_000 });
      await ensureStream(manager, { ...settings, maxMessageBytes: 4_096, maxBytes: 100_000, description: 'a log' });
      const { config } = await manager.streams.info(settings.name);
      assert.is(config.retention, 'limits');
      assert.is(config.storage, 'file');
      assert.is(config.discard, 'new');
      assert.is(config.deny_delete, true);
      assert.is(config.duplicate_window, 600e9);
      assert.is(config.max_msg_size, 4_096);
      assert.is(config.max_bytes, 100_000);
    }),
  );
});

streams('lets several nodes make the same stream at once', async () => {
  await withBroker((broker) =>
    connected(broker.url, async ({ manager }) => {
      await Promise.all(Array.from({ length: 10 }, () => ensureStream(manager, settings)));
      assert.is((await manager.streams.info(settings.name)).state.messages, 0);
    }),
  );
});

streams('refuses a stream that is otherwise, and names each difference', async () => {
  await withBroker((broker) =>
    connected(broker.url, async ({ manager }) => {
      await manager.streams.add({
        name: settings.name,
        subjects: ['other.>'],
        retention: 'interest',
        storage: 'memory',
        discard: 'old',
        duplicate_window: 60e9,
        max_msg_size: 10,
        max_age: 3_600e9,
      });
      const error = await refusal(ensureStream(manager, settings));
      assert.is(error.name, 'StreamMismatch');
      assert.equal(error.differences?.map((line) => line.split(' ')[0]).sort(), [
        'deny_delete',
        'discard',
        'duplicate_window',
        'max_age',
        'max_msg_size',
        'retention',
        'storage',
        'subjects',
      ]);
      assert.match(error.message, 'retention is "interest", not "limits"');
    }),
  );
});

/** As an old broker does it: what it doesn't know it leaves out, and says that all is well. */
function dropping(manager: JetStreamManager, setting: keyof StreamConfig): JetStreamManager {
  const without = <T extends { config: StreamConfig }>(info: T): T => {
    const { [setting]: _dropped, ...config } = info.config;
    return { ...info, config };
  };
  const inner = manager.streams;
  const calls = {
    add: async (config: Parameters<typeof inner.add>[0]) => without(await inner.add(config)),
    info: async (name: string) => without(await inner.info(name)),
  };
  return { ...manager, streams: Object.assign(Object.create(inner), calls) };
}

streams('refuses a broker that silently dropped a setting', async () => {
  await withBroker((broker) =>
    connected(broker.url, async ({ manager }) => {
      const error = await refusal(ensureStream(dropping(manager, 'deny_delete'), settings));
      assert.is(error.name, 'StreamMismatch');
      assert.equal(error.differences, ['deny_delete is false, not true']);
      assert.match(error.message, 'too old');
    }),
  );
});

streams('says that one broker keeps no three replicas', async () => {
  await withBroker((broker) =>
    connected(broker.url, async ({ manager }) => {
      const error = await refusal(ensureStream(manager, { ...settings, replicas: 3 }));
      assert.is(error.name, 'TooFewBrokers');
      assert.match(error.message, settings.name);
    }),
  );
});

streams('names a full stream and a message that is too large', async () => {
  await withBroker((broker) =>
    connected(broker.url, async (made) => {
      await ensureStream(made.manager, { ...settings, maxMessageBytes: 4_096, maxBytes: 8_192 });
      await made.jetstream.publish('shop.log.0', new Uint8Array(4_000));
      assert.is((await publishing(made, 5_000)).name, 'MessageTooLarge');
      assert.is((await publishing(made, 9_000_000)).name, 'MessageTooLarge');
      await made.jetstream.publish('shop.log.0', new Uint8Array(3_500));
      const full = await publishing(made, 4_000);
      assert.is(full.name, 'StreamFull');
      assert.match(full.message, "can't store a record: maximum bytes exceeded");
    }),
  );
});

streams('names a stream that was deleted, and does not blame JetStream for it', async () => {
  await withBroker((broker) =>
    connected(broker.url, async (made) => {
      await ensureStream(made.manager, settings);
      await made.manager.streams.delete(settings.name);
      assert.is((await publishing(made, 10)).name, 'StreamUnavailable');
      const asked = await refusal(made.manager.streams.info(settings.name));
      assert.is(brokerError(asked, 'read').name, 'StreamMissing');
    }),
  );
});

const USERS = `
  accounts {
    SHOP { jetstream: enabled, users: [
      { user: shop, password: right }
      { user: reader, password: right, permissions: { publish: ["$JS.API.INFO", "$JS.API.STREAM.INFO.>"], subscribe: ["_INBOX.>"] } }
    ] }
  }`;

streams('names what the user may not do', async () => {
  await withBroker(
    (broker) =>
      connected(
        broker.url,
        async (made) => {
          assert.is((await refusal(ensureStream(made.manager, settings))).name, 'BrokerForbids');
          const error = await publishing(made, 10);
          assert.is(error.name, 'BrokerForbids');
          assert.match(error.message, 'shop.log.0');
        },
        { user: 'reader', password: 'right' },
      ),
    { settings: USERS },
  );
});

streams('names a broker that does not answer', async () => {
  await withBroker((broker) =>
    connected(broker.url, async (made) => {
      await ensureStream(made.manager, settings);
      broker.pause();
      const asked = refusal(made.jetstream.publish('shop.log.0', new Uint8Array(10), { timeout: 300 }));
      assert.is(brokerError(await asked, 'store a record').name, 'BrokerUnreachable');
      broker.resume();
    }),
  );
});

streams('of three replicas go on when their leader is killed', async () => {
  await withBrokers(3, (brokers) =>
    connected(brokers.url, async (made) => {
      await ensureStream(made.manager, { ...settings, replicas: 3 });
      await made.jetstream.publish('shop.log.0', 'before');
      const leader = (await made.manager.streams.info(settings.name)).cluster?.leader;
      const broker = brokers.all.find(({ name }) => name === leader);
      if (broker === undefined) throw new Error(`no broker is called ${leader}`);
      await broker.kill();
      await until('a message is stored under another leader', () =>
        made.jetstream.publish('shop.log.0', 'after', { msgID: 'after', timeout: 1_000 }).then(
          (ack) => ack.seq === 2,
          () => false,
        ),
      );
      const info = await made.manager.streams.info(settings.name);
      assert.is.not(info.cluster?.leader, leader);
      assert.is(info.state.messages, 2);
      await broker.restart();
      await brokers.healthy();
    }),
  );
});

streams.run();
