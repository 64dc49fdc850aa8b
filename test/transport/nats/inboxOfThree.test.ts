/** The inbox and the calls over three brokers that keep each message three times, also while their leader is killed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createNatsCalls, MAX_SERVED_AT_ONCE } from '../../../transport/nats/calls.ts';
import { type BrokerConnection, connectBroker } from '../../../transport/nats/connection.ts';
import { createNatsInbox, inboxStream, MAX_PUTS_IN_FLIGHT } from '../../../transport/nats/inbox.ts';
import { startBrokers } from '../../../transport/nats/server/brokers.ts';
import { eventually } from '../../support/eventually.ts';
import { collect, envelope, inboxContract } from '../inboxContract.ts';
import { nodeCallsContract } from '../nodeCallsContract.ts';

const CLUSTER = 'three';
const KILLS = 3;
/** An election takes up to 7 s here, and the reader may meet more than one. */
const RECOVERY_MS = 60_000;
const nothing = (): void => undefined;
const logger = { info: nothing, warn: nothing, error: nothing };

const folder = mkdtempSync(join(tmpdir(), 'holdfast-three-'));
const brokers = await startBrokers(3, { folder, syncAlways: false });
const connect = (name: string, url = brokers.url): Promise<BrokerConnection> =>
  connectBroker({ url, name, logger, replicas: 3 });
const [one, two] = [await connect('one'), await connect('two')];
const inbox = createNatsInbox({ broker: one, cluster: CLUSTER, replicas: 3, logger });
const nodes = [
  createNatsCalls({ broker: one, cluster: CLUSTER, logger }),
  createNatsCalls({ broker: two, cluster: CLUSTER, logger }),
] as const;

inboxContract('three brokers', () => ({ inbox, maxInFlight: MAX_PUTS_IN_FLIGHT }));
nodeCallsContract('three brokers', () => ({
  nodes,
  maxServedAtOnce: MAX_SERVED_AT_ONCE,
  tooLarge: 'x'.repeat(9 * 1024 * 1024),
  severalBrokers: true,
}));

const test = suite('inbox over three brokers');
test.after(async () => {
  await Promise.all([one.close(), two.close()]);
  await brokers.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('nothing is lost or out of order while one leader after the other is killed', async () => {
  const shard = 900;
  const reading = createNatsInbox({ broker: two, cluster: CLUSTER, replicas: 3, logger });
  const reader = collect(reading, shard);
  const put: string[] = [];
  let stopping = false;
  async function putter(name: string): Promise<void> {
    for (let number = 0; !stopping; number += 1) {
      const id = `${name}#${number}`;
      // As the relay does: again until it is stored.
      while (!(await inbox.put(shard, envelope(id)).then(() => true, nothing)));
      put.push(id);
    }
  }
  const putting = Promise.all(['a', 'b', 'c', 'd'].map(putter));
  const some = async (what: string): Promise<void> => {
    const stored = put.length + 100;
    await eventually(`messages are stored ${what}`, () => put.length >= stored, RECOVERY_MS);
    const read = reader.taken.length + 100;
    await eventually(`messages are read ${what}`, () => reader.taken.length >= read, RECOVERY_MS);
  };
  await some('at first');
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const leader = (await two.manager.streams.info(inboxStream(CLUSTER, shard))).cluster?.leader;
    const killed = brokers.all.find(({ name }) => name === leader);
    if (killed === undefined) throw new Error(`no broker is called ${leader}`);
    await killed.kill();
    await some(`after kill ${kill}`);
    await killed.restart();
    await brokers.healthy();
    await some(`after restart ${kill}`);
  }
  stopping = true;
  await putting;
  await eventually('all that was put', () => new Set(reader.ids()).size >= put.length, RECOVERY_MS);
  reader.stop();
  assert.equal(new Set(reader.ids()), new Set(put));
  const offsets = reader.taken.map(({ offset }) => offset);
  assert.equal(
    offsets,
    offsets.map((_, index) => index + 1),
  );
});

test('a message that only one broker of three has is not stored', async () => {
  const shard = 901;
  await inbox.put(shard, envelope('first'));
  const name = (await two.manager.streams.info(inboxStream(CLUSTER, shard))).cluster?.leader;
  const leader = brokers.all.find((broker) => broker.name === name);
  if (leader === undefined) throw new Error(`no broker is called ${name}`);
  const sender = await connect('sender', leader.url);
  const sending = createNatsInbox({ broker: sender, cluster: CLUSTER, replicas: 3, logger });
  let stored = false;
  const put = (): Promise<void> =>
    sending.put(shard, envelope('second')).then(() => {
      stored = true;
    }, nothing);
  const others = brokers.all.filter((broker) => broker !== leader);
  for (const other of others) other.pause();
  const putting = put();
  // Long enough for a second try, whose message the leader knows already.
  await new Promise((resolve) => setTimeout(resolve, 3_500));
  const early = stored;
  for (const other of others) other.resume();
  await putting;
  await brokers.healthy();
  while (!stored) await put();
  const reader = collect(createNatsInbox({ broker: two, cluster: CLUSTER, replicas: 3, logger }), shard);
  await eventually('both are read', () => reader.taken.length >= 2, RECOVERY_MS);
  reader.stop();
  await sender.close();
  assert.not.ok(early);
  assert.equal(reader.ids(), ['first', 'second']);
});

test.run();
