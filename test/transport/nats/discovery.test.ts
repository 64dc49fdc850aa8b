/** Nodes answer the broker's service discovery, as `nats micro` asks: one question, many answers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createNatsCalls } from '../../../transport/nats/calls.ts';
import { connectBroker } from '../../../transport/nats/connection.ts';
import { answerDiscovery } from '../../../transport/nats/discovery.ts';
import { startBroker } from '../../../transport/nats/server/broker.ts';
import { eventually } from '../../support/eventually.ts';

const nothing = (): void => undefined;
const logger = { info: nothing, warn: nothing, error: nothing };
const folder = mkdtempSync(join(tmpdir(), 'holdfast-discovery-'));
const broker = await startBroker({ folder, syncAlways: false });

async function startNode(node: string) {
  const connection = await connectBroker({ url: broker.url, name: node, logger });
  const calls = createNatsCalls({ broker: connection, cluster: 'shop', logger });
  const discovery = answerDiscovery({
    broker: connection,
    calls,
    cluster: 'shop',
    node,
    incarnation: `${node}.first`,
    version: '1.2.3',
    address: 'http://127.0.0.1:1',
    startedAt: Date.UTC(2026, 0, 2, 3, 4, 5),
    logger,
  });
  return { connection, calls, discovery };
}

const [one, two] = [await startNode('node-1'), await startNode('node-2')];
const test = suite('service discovery');
test.after(async () => {
  for (const { discovery, connection } of [one, two]) {
    discovery.stop();
    await connection.close();
  }
  await broker.stop();
  rmSync(folder, { recursive: true, force: true });
});

type Answer = { readonly id: string; readonly [member: string]: unknown };

async function ask(subject: string, count: number): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  for await (const message of await one.connection.nats.requestMany(subject, '', {
    maxWait: 10_000,
    maxMessages: count,
    strategy: 'count',
  })) {
    answers.push(message.json<Answer>());
  }
  return answers.sort((a, b) => (a.id < b.id ? -1 : 1));
}

const PING = {
  type: 'io.nats.micro.v1.ping_response',
  name: 'holdfast',
  id: 'node-1=2efirst',
  version: '1.2.3',
  metadata: { cluster: 'shop', node: 'node-1', incarnation: 'node-1.first', address: 'http://127.0.0.1:1' },
};

test('ping - every node answers, and each alone by its id', async () => {
  for (const subject of ['$SRV.PING', '$SRV.PING.holdfast']) {
    const answers = await ask(subject, 2);
    assert.equal(answers[0], PING);
    assert.is(answers[1]?.id, 'node-2=2efirst');
  }
  assert.equal(await ask('$SRV.PING.holdfast.node-1=2efirst', 1), [PING]);
});

test('info and stats - name what is served, and count what really was', async () => {
  const serving = one.calls.serve(3, async (body) => {
    if (body === 'fail') throw new Error('as asked');
    return body;
  });
  await eventually('it is served', () =>
    two.calls.ask(3, 0, 1_000).then(
      () => true,
      () => false,
    ),
  );
  await two.calls.ask(3, 'fail', 1_000).catch(nothing);
  const [info] = await ask('$SRV.INFO.holdfast.node-1=2efirst', 1);
  assert.is(info?.['type'], 'io.nats.micro.v1.info_response');
  assert.equal(info?.['endpoints'], [{ name: 'ask-3', subject: 'shop.ask.3', queue_group: '', metadata: {} }]);
  const [stats] = await ask('$SRV.STATS.holdfast.node-1=2efirst', 1);
  assert.is(stats?.['started'], '2026-01-02T03:04:05.000Z');
  const [endpoint] = (stats?.['endpoints'] ?? []) as readonly Record<string, unknown>[];
  const { processing_time, average_processing_time, ...counted } = endpoint ?? {};
  assert.equal(counted, {
    name: 'ask-3',
    subject: 'shop.ask.3',
    queue_group: '',
    num_requests: 2,
    num_errors: 1,
    last_error: 'Error: as asked',
  });
  assert.is(average_processing_time, Math.trunc(Number(processing_time) / 2));
  assert.ok(Number(processing_time) > 0);
  serving.stop();
  const [after] = await ask('$SRV.INFO.holdfast.node-1=2efirst', 1);
  assert.equal(after?.['endpoints'], []);
});

test.run();
