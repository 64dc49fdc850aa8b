/** The inbox and the calls over one real broker, and what only a real one can do to them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CallFailed, InboxUnavailable } from '../../../actors/kernel/clusterPorts.ts';
import { createNatsCalls, MAX_SERVED_AT_ONCE } from '../../../transport/nats/calls.ts';
import { type BrokerConnection, connectBroker } from '../../../transport/nats/connection.ts';
import { createNatsInbox, inboxStream, inboxSubject, MAX_PUTS_IN_FLIGHT } from '../../../transport/nats/inbox.ts';
import { READ_AHEAD } from '../../../transport/nats/pulls.ts';
import { type Broker, startBroker } from '../../../transport/nats/server/broker.ts';
import { askSubject } from '../../../transport/nats/subjects.ts';
import { eventually, rejection } from '../../support/eventually.ts';
import { inboxCommands } from '../inboxCommands.ts';
import { collect, envelope, inboxContract } from '../inboxContract.ts';
import { nodeCallsContract } from '../nodeCallsContract.ts';

const CLUSTER = 'test';
const logged: { readonly level: string; readonly fields: object; readonly text: string }[] = [];
const write = (level: string) => (fields: object, text: string) => void logged.push({ level, fields, text });
const logger = { info: write('info'), warn: write('warn'), error: write('error') };

const folder = mkdtempSync(join(tmpdir(), 'holdfast-inbox-'));
const broker: Broker = await startBroker({ folder, syncAlways: false });
const connections: BrokerConnection[] = [];
async function connection(name: string): Promise<BrokerConnection> {
  const made = await connectBroker({ url: broker.url, name, logger });
  connections.push(made);
  return made;
}
const [one, two] = [await connection('one'), await connection('two')] as const;
const inbox = createNatsInbox({ broker: one, cluster: CLUSTER, replicas: 1, logger });
const nodes = [
  createNatsCalls({ broker: one, cluster: CLUSTER, logger }),
  createNatsCalls({ broker: two, cluster: CLUSTER, logger }),
] as const;

inboxContract('one broker', () => ({ inbox, maxInFlight: MAX_PUTS_IN_FLIGHT }));
inboxCommands('one broker', () => inbox, 20);
nodeCallsContract('one broker', () => ({
  nodes,
  maxServedAtOnce: MAX_SERVED_AT_ONCE,
  tooLarge: 'x'.repeat(9 * 1024 * 1024),
}));

const test = suite<{ shard: number }>('inbox over one broker');
let shards = 500;
test.before.each((context) => {
  shards += 1;
  context.shard = shards;
});
test.after(async () => {
  await Promise.all(connections.map((each) => each.close()));
  await broker.stop();
  rmSync(folder, { recursive: true, force: true });
});

const numbered = (count: number, prefix: string): string[] => Array.from({ length: count }, (_, n) => `${prefix}#${n}`);

test('a cluster name that would mean something else to the broker is refused', () => {
  for (const cluster of ['', 'a.b', 'a b', '*', '>', 'é', 'x'.repeat(33)]) {
    assert.throws(() => createNatsCalls({ broker: one, cluster, logger }), /cluster name/);
    assert.throws(() => createNatsInbox({ broker: one, cluster, replicas: 1, logger }), /cluster name/);
  }
});

test('an answer that came too late is worth another try, to an asker that has not noticed yet', async ({ shard }) => {
  const serving = nodes[0].serve(shard, () => new Promise(() => {}));
  const text = JSON.stringify({ call: 1, within: 20, body: null });
  const answer = await one.nats.request(askSubject(CLUSTER, shard), text, { timeout: 10_000 });
  serving.stop();
  const { error } = JSON.parse(answer.string()) as { readonly error: { readonly retryable: boolean } };
  assert.is(error.retryable, true);
});

test('an entry that is no message is told with its offset and passed over', async ({ shard }) => {
  await inbox.put(shard, envelope('before'));
  const strange = ['', 'not json', '{"id":"x"}', '[]', '{"id":"","to":{"type":"a","id":"b"},"message":{"type":"c"}}'];
  for (const text of [...strange, Buffer.from([0xff, 0xfe])]) {
    await one.jetstream.publish(inboxSubject(CLUSTER, shard), text);
  }
  await inbox.put(shard, envelope('after'));
  const reader = collect(inbox, shard);
  await reader.has(2);
  reader.stop();
  assert.equal(reader.ids(), ['before', 'after']);
  const told = logged.filter(({ level, fields }) => level === 'error' && JSON.stringify(fields).includes(`-${shard}"`));
  assert.equal(
    told.map(({ fields }) => 'offset' in fields && fields.offset),
    [2, 3, 4, 5, 6, 7],
  );
});

test('a reader that takes nothing is sent no more than the limit', async ({ shard }) => {
  const count = READ_AHEAD * 3;
  await Promise.all(numbered(count, 'a').map((id) => inbox.put(shard, envelope(id))));
  let release = (): void => undefined;
  const seen: number[] = [];
  const following = inbox.read(shard, 0, async (offset) => {
    seen.push(offset);
    if (seen.length === 1) {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    }
  });
  const delivered = async (): Promise<number> => {
    const [consumer] = await one.manager.consumers.list(inboxStream(CLUSTER, shard)).next();
    return consumer?.delivered.consumer_seq ?? 0;
  };
  await eventually('the first pull is answered', async () => (await delivered()) >= READ_AHEAD);
  // Long enough for a reader that asks again to do so: it would be within a round trip.
  for (let trip = 0; trip < 20; trip += 1) await one.nats.flush();
  assert.is(await delivered(), READ_AHEAD);
  assert.equal(seen, [1]);
  release();
  await eventually('all messages', () => seen.length === count);
  following.stop();
  assert.equal(
    seen,
    Array.from({ length: count }, (_, index) => index + 1),
  );
});

test('a full inbox refuses at once, names the stream, and takes messages again once it was trimmed', async ({
  shard,
}) => {
  const stream = inboxStream(CLUSTER, shard);
  await inbox.put(shard, envelope('first'));
  const { config } = await one.manager.streams.info(stream);
  await one.manager.streams.update(stream, { ...config, max_bytes: 600 });
  let put = 0;
  const refused = await rejection(
    (async () => {
      for (; put < 100; put += 1) await inbox.put(shard, envelope(`more#${put}`));
    })(),
  );
  assert.instance(refused, InboxUnavailable);
  assert.match(refused.message, /maximum bytes exceeded.*limits/);
  assert.match(refused.message, `shard ${shard}`);
  await inbox.trim(shard, 1);
  await inbox.put(shard, envelope(`more#${put}`));
  const reader = collect(inbox, shard, 1);
  await reader.has(put + 1);
  reader.stop();
  assert.equal(reader.ids(), numbered(put + 1, 'more'));
});

test('an inbox is full for its senders before the broker refuses anything', async ({ shard }) => {
  const small = createNatsInbox({ broker: one, cluster: CLUSTER, replicas: 1, logger, roomBytes: 4_000 });
  let put = 0;
  const fill = async (): Promise<void> => {
    for (; put < 1_000; put += 1) await small.put(shard, envelope(`more#${put}`));
  };
  const refused = await rejection(fill());
  assert.instance(refused, InboxUnavailable);
  assert.match(refused.message, `the inbox of shard ${shard} is full`);
  await inbox.trim(shard, put);
  const room = put;
  await eventually('there is room again', async () => {
    await rejection(fill());
    return put > room;
  });
});

test('a node that has just started looks how full an inbox is', async ({ shard }) => {
  for (let number = 0; number < 40; number += 1) await inbox.put(shard, envelope(`more#${number}`));
  const started = createNatsInbox({ broker: two, cluster: CLUSTER, replicas: 1, logger, roomBytes: 4_000 });
  await eventually('it refuses', async () => {
    const refused = await started.put(shard, envelope('late')).then(
      () => undefined,
      (error: unknown) => error,
    );
    return refused instanceof InboxUnavailable;
  });
  const { state } = await one.manager.streams.info(inboxStream(CLUSTER, shard));
  assert.ok(state.messages < 60, `${state.messages} messages`);
});

test('what the broker forbids fails at once and says so', async () => {
  const deny = 'publish: { deny: ["test.in.1", "test.ask.1"] }';
  const settings = `authorization { users: [{ user: "shop", password: "secret", permissions: { ${deny} } }] }`;
  const strict = await startBroker({ folder: join(folder, 'strict'), syncAlways: false, settings });
  const credentials = { user: 'shop', password: 'secret' };
  const link = await connectBroker({ url: strict.url, name: 'strict', credentials, logger });
  try {
    const forbidden = createNatsInbox({ broker: link, cluster: CLUSTER, replicas: 1, logger });
    await forbidden.put(2, envelope('allowed'));
    assert.match((await rejection(forbidden.put(1, envelope('forbidden')))).message, /[Pp]ermissions/);
    const calls = createNatsCalls({ broker: link, cluster: CLUSTER, logger });
    const failed = await rejection(calls.ask(1, 'may I?', 20_000));
    assert.instance(failed, CallFailed);
    assert.match(failed.message, /[Pp]ermissions/);
    assert.is((failed as CallFailed).retryable, false);
  } finally {
    await link.close();
    await strict.stop();
  }
});

test('trim - the broker keeps nothing up to the offset, and is asked rarely', async ({ shard }) => {
  const held = async () => (await one.manager.streams.info(inboxStream(CLUSTER, shard))).state;
  for (const id of numbered(10, 'b')) await inbox.put(shard, envelope(id));
  await inbox.trim(shard, 4);
  assert.is((await held()).first_seq, 5);
  await inbox.trim(shard, 6);
  assert.is((await held()).first_seq, 5);
  assert.is(await inbox.end(shard), 10);
});

test('trim - takes nothing where the broker has lost what was read, and has used its offsets again', async ({
  shard,
}) => {
  for (const id of numbered(3, 'old')) await inbox.put(shard, envelope(id));
  const reader = collect(inbox, shard);
  await reader.has(3);
  reader.stop();
  const { streams } = one.manager;
  const { config } = await streams.info(inboxStream(CLUSTER, shard));
  await streams.delete(config.name);
  await streams.add(config);
  for (const id of numbered(4, 'new')) await inbox.put(shard, envelope(id));
  await inbox.trim(shard, 3);
  assert.is((await streams.info(config.name)).state.first_seq, 1);
});

test('a reader is told that messages were trimmed before it came', async ({ shard }) => {
  for (const id of numbered(5, 'c')) await inbox.put(shard, envelope(id));
  await inbox.trim(shard, 3);
  const reader = collect(inbox, shard);
  await reader.has(2);
  reader.stop();
  assert.ok(logged.some(({ fields }) => JSON.stringify(fields).includes(`-${shard}","from":1,"to":3`)));
});

test('a consumer that the broker lost is replaced without a gap', async ({ shard }) => {
  const stream = inboxStream(CLUSTER, shard);
  const reader = collect(inbox, shard);
  for (const [round, prefix] of ['d', 'e', 'f'].entries()) {
    await Promise.all(numbered(50, prefix).map((id) => inbox.put(shard, envelope(id))));
    await reader.has(50 * (round + 1));
    for (const { name } of await one.manager.consumers.list(stream).next())
      await one.manager.consumers.delete(stream, name);
  }
  await inbox.put(shard, envelope('last'));
  await reader.has(151);
  reader.stop();
  assert.equal(
    reader.taken.map(({ offset }) => offset),
    Array.from({ length: 151 }, (_, index) => index + 1),
  );
});

test('a stream that was deleted is made anew, and all of it is read although its offsets begin again', async ({
  shard,
}) => {
  const reader = collect(inbox, shard);
  for (const id of numbered(3, 'g')) await inbox.put(shard, envelope(id));
  await reader.has(3);
  await one.manager.streams.delete(inboxStream(CLUSTER, shard));
  await inbox.put(shard, envelope('new'));
  await reader.has(4);
  reader.stop();
  assert.is(reader.ids().at(-1), 'new');
  const late = collect(inbox, shard, 3);
  await late.has(1);
  late.stop();
  assert.equal(late.ids(), ['new']);
  assert.ok(logged.some(({ level, text }) => level === 'error' && text.includes('made anew')));
});

test('a stream that was made anew is read from its start, also when it has grown beyond what was read', async ({
  shard,
}) => {
  for (const id of numbered(3, 'old')) await inbox.put(shard, envelope(id));
  const seen: string[] = [];
  let release = (): void => undefined;
  const following = inbox.read(shard, 0, async (_, { id }) => {
    seen.push(id);
    if (id !== 'old#2') return;
    await new Promise<void>((resolve) => {
      release = resolve;
    });
  });
  await eventually('the last old message', () => seen.length === 3);
  await one.manager.streams.delete(inboxStream(CLUSTER, shard));
  for (const id of numbered(5, 'new')) await inbox.put(shard, envelope(id));
  release();
  await eventually('the last new message', () => seen.includes('new#4'));
  following.stop();
  assert.equal(seen, [...numbered(3, 'old'), ...numbered(5, 'new')]);
});

test('a reader that is stopped leaves nothing at the broker', async ({ shard }) => {
  const consumers = async () => (await one.manager.consumers.list(inboxStream(CLUSTER, shard)).next()).length;
  await inbox.put(shard, envelope('only'));
  // They find nothing, so that no message wakes them.
  for (let round = 0; round < 10; round += 1) inbox.read(shard, 1, () => undefined).stop();
  const reader = collect(inbox, shard);
  await reader.has(1);
  reader.stop();
  await eventually('no consumer is left', async () => (await consumers()) === 0);
});

test('nothing is lost while the broker is killed, started again and paused', async ({ shard }) => {
  const reader = collect(inbox, shard);
  const put: string[] = [];
  let stopping = false;
  async function putter(prefix: string): Promise<void> {
    for (let number = 0; !stopping; number += 1) {
      const id = `${prefix}#${number}`;
      // As the relay does: again until it is stored.
      while (
        !(await inbox.put(shard, envelope(id)).then(
          () => true,
          () => false,
        ))
      );
      put.push(id);
    }
  }
  const putting = Promise.all(numbered(8, 'putter').map(putter));
  const some = async (): Promise<void> => {
    const until = put.length + 200;
    await eventually('more messages', () => put.length >= until);
  };
  await some();
  await broker.kill();
  await broker.restart();
  await some();
  broker.pause();
  await eventually('the pause is noticed', () => !one.connected);
  broker.resume();
  await some();
  stopping = true;
  await putting;
  await eventually('all that was put', () => new Set(reader.ids()).size >= put.length);
  reader.stop();
  assert.equal(new Set(reader.ids()), new Set(put));
  const offsets = reader.taken.map(({ offset }) => offset);
  assert.equal(
    offsets,
    offsets.map((_, index) => index + 1),
  );
});

test('calls fail clearly while there is no broker, and work again afterwards', async ({ shard }) => {
  const [owner, edge] = nodes;
  const following = owner.serve(shard, async (body) => body);
  await eventually('it is served', () =>
    edge.ask(shard, 1, 1_000).then(
      () => true,
      () => false,
    ),
  );
  await broker.kill();
  await eventually('both have noticed', () => !one.connected && !two.connected);
  const contact = edge.lastContact;
  const failed = await edge.ask(shard, 2, 5_000).catch((error: Error & { retryable?: boolean }) => error);
  assert.equal([Reflect.get(Object(failed), 'name'), Reflect.get(Object(failed), 'retryable')], ['CallFailed', true]);
  await broker.restart();
  await eventually('it is served again', () =>
    edge.ask(shard, 3, 1_000).then(
      (body) => body === 3,
      () => false,
    ),
  );
  await eventually('a contact since', () => edge.lastContact > contact);
  following.stop();
});

test.run();
