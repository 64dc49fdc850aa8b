import { rmSync } from 'node:fs';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Fenced, type LogEntry, LogUnanswered, type LogUnreadable } from '../../../actors/kernel/clusterPorts.ts';
import { AppendRefused } from '../../../actors/kernel/ports.ts';
import { type Broker, startBroker } from '../../../transport/nats/server/broker.ts';
import { trimLog } from '../../../transport/nats/sharedLog.ts';
import { temporaryFolder, until } from '../../support/broker.ts';
import { startProxy } from '../../support/proxy.ts';
import { type BrokerLogs, type BrokerLogsOptions, openBrokerLogs } from '../../support/sharedLogs.ts';
import { sharedLogCommands } from '../sharedLogCommands.ts';
import { collect, failureOf, outlineOf, recordOf, sharedLogContract, wholeLog } from '../sharedLogContract.ts';
import { keptLaws, playLanes, type Step } from '../sharedLogModel.ts';

const log = suite('shared log on one broker');

let broker: Broker;
const folder = temporaryFolder();
/** As many as the contract asks for. */
const NODES = 6;

log.before(async () => {
  broker = await startBroker({ folder });
});
log.after(async () => {
  await broker.kill();
  rmSync(folder, { recursive: true, force: true });
});

sharedLogContract(log, 'one broker', () => openBrokerLogs({ url: broker.url, replicas: 1 }).contract(NODES));

sharedLogCommands(log, 'one broker', {
  runs: 15,
  async open() {
    const logs = openBrokerLogs({ url: broker.url, replicas: 1 });
    const [one, other] = [await logs.node(), await logs.node()];
    return {
      nodes: [one.log, other.log],
      tooLarge: one.broker.nats.info?.max_payload ?? 0,
      trim: (upTo) => trimLog(one.broker.manager, logs.cluster, 0, upTo),
      async troubled(work) {
        const restarted = broker.kill().then(() => broker.restart());
        return work().finally(() => restarted);
      },
      until: (awaited) => awaited,
      close: logs.close,
    };
  },
});

function title(text: string, run: (logs: BrokerLogs) => Promise<void>, options: Partial<BrokerLogsOptions> = {}): void {
  log(`shared log on one broker - ${text}`, async () => {
    const logs = openBrokerLogs({ url: broker.url, replicas: 1, ...options });
    try {
      await run(logs);
    } finally {
      await logs.close();
    }
  });
}

title('trimming nothing takes nothing', async (logs) => {
  const { log: shared, broker: connection } = await logs.node();
  const claim = await shared.claim(0, 'a');
  await claim.append(recordOf(claim, 1));
  await trimLog(connection.manager, logs.cluster, 0, 0);
  assert.equal([await shared.begin(0), await shared.end(0)], [1, 2]);
  assert.is((await wholeLog(shared)).length, 2);
});

title('a broker that is killed and restarted under appends and a follower loses and doubles nothing', async (logs) => {
  const [owner, standby] = [await logs.node(), await logs.node()];
  const follower = collect(standby.log);
  const claim = await owner.log.claim(0, 'a');
  const positions: number[] = [];
  const appending = (async () => {
    for (let n = 1; n <= 300; n++) positions.push(await claim.append(recordOf(claim, n, 'x'.repeat(5_000))));
  })();
  for (const stored of [60, 120, 180]) {
    await until(`${stored} records are stored`, () => positions.length >= stored);
    await broker.kill();
    await broker.restart();
  }
  await appending;
  const expected = Array.from({ length: 300 }, (_, index) => index + 2);
  assert.equal(positions, expected);
  await until('the follower has all', () => follower.entries.length >= 301);
  assert.equal(follower.entries.map(outlineOf), [
    '1 claim a',
    ...expected.map((position) => `${position} record 1:${position - 1}`),
  ]);
  follower.stop();
});

title('a broker that is paused for longer than an answer takes stores each record once', async (logs) => {
  const { log: shared } = await logs.node();
  const claim = await shared.claim(0, 'a');
  for (let n = 1; n <= 3; n++) {
    broker.pause();
    const appending = claim.append(recordOf(claim, n));
    // Longer than the time after which the bytes are sent again.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    broker.resume();
    assert.is(await appending, n + 1);
  }
  assert.is(await shared.end(0), 4);
});

title('what was stored while the answer got lost is found, and fences nobody', async (logs) => {
  const proxy = await startProxy(broker.port);
  try {
    const [near, far] = [await logs.node(proxy.url), await logs.node()];
    const claim = await near.log.claim(0, 'a');
    const follower = collect(far.log);
    for (let n = 1; n <= 5; n++) {
      const appending = claim.append(recordOf(claim, n));
      // The bytes are in the socket; the answer will not come through.
      await new Promise((resolve) => setImmediate(resolve));
      proxy.swallow();
      setTimeout(proxy.drop, 50);
      assert.is(await appending, n + 1);
    }
    await until('all is followed', () => follower.entries.length === 6);
    follower.stop();
  } finally {
    proxy.close();
  }
});

title('a question that gets lost on its way, as while brokers elect a leader, is asked again', async (logs) => {
  const proxy = await startProxy(broker.port);
  try {
    const { log: near } = await logs.node(proxy.url);
    await near.claim(0, 'a');
    proxy.swallow();
    const asking = near.end(0);
    await until('it is swallowed', () => proxy.swallowed > 0);
    proxy.pass();
    assert.is(await asking, 1);
  } finally {
    proxy.close();
  }
});

title(
  'the newest entry reaches a follower whose connection swallowed it, though nothing comes after it',
  async (logs) => {
    const proxy = await startProxy(broker.port);
    try {
      const [near, far] = [await logs.node(proxy.url), await logs.node()];
      const follower = collect(near.log);
      const claim = await far.log.claim(0, 'a');
      await until('it follows', () => follower.entries.length === 1);
      proxy.swallow();
      await claim.append(recordOf(claim, 1));
      proxy.drop();
      await until('the record is handed over', () => follower.entries.length === 2);
      follower.stop();
    } finally {
      proxy.close();
    }
  },
);

title(
  'a claim of a log that was idle for longer than the window ends as stale with a restart; a new one goes on',
  async (logs) => {
    const { log: shared } = await logs.node();
    const claim = await shared.claim(0, 'a');
    await claim.append(recordOf(claim, 1));
    await new Promise((resolve) => setTimeout(resolve, 500));
    await broker.restart();
    const error = await failureOf(claim.append(recordOf(claim, 2)));
    assert.is(error instanceof Fenced && error.reason, 'stale-id');
    const next = await shared.claim(0, 'a');
    assert.is(await next.append(recordOf(next, 2)), 4);
  },
  { duplicateWindowMs: 100 },
);

title('a full stream refuses, says so, and takes the record once it has room', async (logs) => {
  const {
    log: shared,
    broker: { manager },
  } = await logs.node();
  const claim = await shared.claim(0, 'a');
  await manager.streams.update(`${logs.cluster}-log-0`, { max_bytes: 1_000 });
  const error = await failureOf(claim.append(recordOf(claim, 1, 'x'.repeat(2_000))));
  assert.instance(error, AppendRefused);
  assert.is((error as AppendRefused).fault, 'store');
  assert.match((error as AppendRefused).message, /maximum bytes exceeded.*limits/);
  await manager.streams.update(`${logs.cluster}-log-0`, { max_bytes: -1 });
  assert.is(await claim.append(recordOf(claim, 1, 'x'.repeat(2_000))), 2);
});

title('a deleted stream refuses appends and claims by name', async (logs) => {
  const {
    log: shared,
    broker: { manager },
  } = await logs.node();
  const claim = await shared.claim(0, 'a');
  await manager.streams.delete(`${logs.cluster}-log-0`);
  for (const error of [await failureOf(claim.append(recordOf(claim, 1))), await failureOf(shared.claim(0, 'a'))]) {
    assert.instance(error, AppendRefused);
    assert.match((error as AppendRefused).message, /-log-0.*stream not found.*deleted/);
  }
  assert.instance(await failureOf(shared.end(0)), LogUnanswered);
});

title('a follower of a trimmed or rewound log is told what is missing', async (logs) => {
  const {
    log: shared,
    broker: { manager },
  } = await logs.node();
  const claim = await shared.claim(0, 'a');
  for (let n = 1; n <= 9; n++) await claim.append(recordOf(claim, n));
  await manager.streams.purge(`${logs.cluster}-log-0`, { seq: 6 });
  assert.equal([await shared.begin(0), await shared.end(0)], [6, 10]);
  const reasonAfter = (after: number): Promise<LogUnreadable['reason']> =>
    new Promise((resolve) => shared.follow(0, after, () => {}, { failed: ({ reason }) => resolve(reason) }));
  assert.is(await reasonAfter(4), 'trimmed');
  assert.is(await reasonAfter(11), 'rewound');
  assert.match(logs.said(), /can no longer be followed/);
  const follower = collect(shared, 5);
  await until('what is kept is handed over', () => follower.entries.length === 5);
  follower.stop();
});

title(
  'a follower that was away is told that the log it comes back to has lost what it read, however long it is',
  async (logs) => {
    const proxy = await startProxy(broker.port);
    try {
      const [near, far] = [await logs.node(proxy.url), await logs.node()];
      const reasons: string[] = [];
      const entries: LogEntry[] = [];
      const failed = ({ reason }: LogUnreadable): void => void reasons.push(reason);
      const following = near.log.follow(0, 0, (entry) => void entries.push(entry), { failed });
      const fill = async (text: string, records: number): Promise<void> => {
        const claim = await far.log.claim(0, 'a');
        for (let n = 1; n <= records; n++) await claim.append(recordOf(claim, n, text));
      };
      await fill('lost', 2);
      await until('it follows', () => entries.length === 3);
      proxy.swallow();
      const { streams } = far.broker.manager;
      const { config } = await streams.info(`${logs.cluster}-log-0`);
      await streams.delete(config.name);
      await streams.add(config);
      await fill('another', 3);
      proxy.drop();
      await until('it hears', () => reasons.length > 0 || entries.length > 3);
      assert.equal(reasons, ['rewound']);
      assert.is(entries.length, 3);
      following.stop();
    } finally {
      proxy.close();
    }
  },
);

title('closing the connection ends what is pending without a verdict', async (logs) => {
  const {
    log: shared,
    broker: { nats },
  } = await logs.node();
  const claim = await shared.claim(0, 'a');
  broker.pause();
  const appending = failureOf(claim.append(recordOf(claim, 1)));
  await nats.close();
  broker.resume();
  assert.instance(await appending, LogUnanswered);
});

const steps = fc.array(fc.constantFrom<Step>('claim', 'append', 'append', 'append', 'append', 'release'), {
  maxLength: 20,
});

log('shared log on one broker - any schedule of several owners keeps every law', async () => {
  const lanes = fc.array(steps, { minLength: 2, maxLength: 4 });
  const schedule = async (schedules: readonly (readonly Step[])[]): Promise<void> => {
    const logs = openBrokerLogs({ url: broker.url, replicas: 1 });
    try {
      const nodes = await Promise.all(schedules.map(() => logs.node()));
      const played = nodes.map((node, index) => ({ node: `n${index}`, log: node.log, steps: schedules[index] ?? [] }));
      const history = await playLanes(played);
      keptLaws(history, await wholeLog((await logs.node()).log));
    } finally {
      await logs.close();
    }
  };
  await fc.assert(fc.asyncProperty(lanes, schedule), { seed: 20_261_121, numRuns: 15 });
});

log('shared log on one broker - a node that may not write is told so', async () => {
  const ours = temporaryFolder();
  const users = [
    '{ user: writer, password: w }',
    '{ user: reader, password: r, permissions: { publish: { deny: "*.log.*" } } }',
  ];
  const guarded = await startBroker({ folder: ours, settings: `authorization { users: [${users.join(', ')}] }` });
  const logs = openBrokerLogs({ url: guarded.url, replicas: 1, credentials: { user: 'reader', password: 'r' } });
  try {
    const error = await failureOf((await logs.node()).log.claim(0, 'a'));
    assert.instance(error, AppendRefused);
    assert.match((error as AppendRefused).message, /ermission/);
  } finally {
    await logs.close();
    await guarded.kill();
    rmSync(ours, { recursive: true, force: true });
  }
});

log.run();
