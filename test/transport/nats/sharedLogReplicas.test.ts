/** The shared log over three brokers that keep three replicas of it. */
import { rmSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Fenced } from '../../../actors/kernel/clusterPorts.ts';
import type { Broker } from '../../../transport/nats/server/broker.ts';
import { type Brokers, startBrokers } from '../../../transport/nats/server/brokers.ts';
import { temporaryFolder, until } from '../../support/broker.ts';
import { type BrokerLogs, type BrokerLogsOptions, openBrokerLogs } from '../../support/sharedLogs.ts';
import { collect, outlineOf, recordOf, sharedLogContract, wholeLog } from '../sharedLogContract.ts';
import { keptLaws, playLanes, type Step } from '../sharedLogModel.ts';

const log = suite('shared log on three brokers');

let brokers: Brokers;
const folder = temporaryFolder();
/** As many as the contract asks for. */
const NODES = 6;

log.before(async () => {
  brokers = await startBrokers(3, { folder });
});
log.after(async () => {
  await Promise.all(brokers.all.map((broker) => broker.kill()));
  rmSync(folder, { recursive: true, force: true });
});

sharedLogContract(log, 'three brokers', () => openBrokerLogs({ url: brokers.url, replicas: 3 }).contract(NODES));

function title(text: string, run: (logs: BrokerLogs) => Promise<void>, options: Partial<BrokerLogsOptions> = {}): void {
  log(`shared log on three brokers - ${text}`, async () => {
    const logs = openBrokerLogs({ url: brokers.url, replicas: 3, ...options });
    try {
      await run(logs);
    } finally {
      await logs.close();
    }
  });
}

async function leaderOf(logs: BrokerLogs): Promise<Broker> {
  const { manager } = (await logs.node()).broker;
  const { cluster } = await manager.streams.info(`${logs.cluster}-log-0`);
  const leader = brokers.all.find(({ name }) => name === cluster?.leader);
  assert.ok(leader, 'the stream has a leader');
  return leader;
}

type Monitored = {
  readonly account_details?: readonly {
    readonly stream_detail?: readonly { readonly name: string; readonly state: { readonly last_seq: number } }[];
  }[];
};

/** Where the log ends in each broker's own replica. */
async function endsOf(logs: BrokerLogs): Promise<readonly (number | undefined)[]> {
  return Promise.all(
    brokers.all.map(async ({ monitorPort }) => {
      const answer = await fetch(`http://127.0.0.1:${monitorPort}/jsz?streams=1`);
      const { account_details: accounts = [] } = (await answer.json()) as Monitored;
      const streams = accounts.flatMap(({ stream_detail: details = [] }) => details);
      return streams.find(({ name }) => name === `${logs.cluster}-log-0`)?.state.last_seq;
    }),
  );
}

function expectFenced(error: unknown): void {
  assert.instance(error, Fenced);
}

async function replicasAgree(logs: BrokerLogs, end: number): Promise<void> {
  await until(`every replica ends at ${end}`, async () => (await endsOf(logs)).every((each) => each === end));
}

title('an owner and a follower go on over two losses of the leader; every replica has all', async (logs) => {
  const [owner, standby] = [await logs.node(), await logs.node()];
  const follower = collect(standby.log);
  const claim = await owner.log.claim(0, 'a');
  const positions: number[] = [];
  const appending = (async () => {
    for (let n = 1; n <= 150; n++) positions.push(await claim.append(recordOf(claim, n, 'x'.repeat(5_000))));
  })();
  for (const stored of [40, 80]) {
    await until(`${stored} records are stored`, () => positions.length >= stored);
    const leader = await leaderOf(logs);
    await leader.kill();
    await until('it goes on without the leader', () => positions.length >= stored + 20);
    await leader.restart();
    await brokers.healthy();
  }
  await appending;
  const expected = Array.from({ length: 150 }, (_, index) => index + 2);
  assert.equal(positions, expected);
  await until('the follower has all', () => follower.entries.length >= 151);
  assert.equal(follower.entries.map(outlineOf), [
    '1 claim a',
    ...expected.map((position) => `${position} record 1:${position - 1}`),
  ]);
  follower.stop();
  await replicasAgree(logs, 151);
});

title('owners that claim from each other while the leader is killed keep every law', async (logs) => {
  const nodes = await Promise.all([logs.node(), logs.node(), logs.node()]);
  const round: readonly Step[] = ['claim', ...Array.from({ length: 12 }, () => 'append' as const)];
  const steps = Array.from({ length: 5 }, () => round).flat();
  const playing = playLanes(nodes.map((node, index) => ({ node: `n${index}`, log: node.log, steps })));
  const leader = await leaderOf(logs);
  await leader.kill();
  const history = await playing;
  await leader.restart();
  await brokers.healthy();
  assert.ok(history.acknowledged.length > 0);
  const entries = await wholeLog((await logs.node()).log);
  keptLaws(history, entries);
  await replicasAgree(logs, entries.length);
});

title('brokers that are killed after owners were fenced in a row store nothing twice', async (logs) => {
  const [a, b, c] = [await logs.node(), await logs.node(), await logs.node()];
  const fenced = [await a.log.claim(0, 'a'), await b.log.claim(0, 'b')];
  await c.log.claim(0, 'c');
  // A replica counts what it refused, but doesn't save the count of the second in a row.
  for (const claim of fenced) await claim.append(recordOf(claim, 1)).then(() => assert.unreachable(), expectFenced);
  const claim = await a.log.claim(0, 'a');
  for (const broker of brokers.all) {
    await broker.kill();
    await broker.restart();
    await brokers.healthy();
    await replicasAgree(logs, 4);
  }
  assert.is(await claim.append(recordOf(claim, 1)), 5);
  await replicasAgree(logs, 5);
});

title('what one broker of three has is not acknowledged before the others have it', async (logs) => {
  const leader = await leaderOf(logs);
  const { log: shared } = await logs.node(leader.url);
  const claim = await shared.claim(0, 'a');
  const others = brokers.all.filter((broker) => broker !== leader);
  for (const other of others) other.pause();
  let acknowledged = false;
  const appending = claim.append(recordOf(claim, 1)).then((position) => {
    acknowledged = true;
    return position;
  });
  try {
    // Long enough for a second try, whose entry the leader knows already.
    await new Promise((resolve) => setTimeout(resolve, 3_500));
    assert.not.ok(acknowledged);
  } finally {
    for (const other of others) other.resume();
  }
  assert.is(await appending, 2);
  await brokers.healthy();
  await replicasAgree(logs, 2);
});

title(
  'a replica that restarts after the log was idle for longer than the window stores what the others store',
  async (logs) => {
    const { log: shared } = await logs.node();
    const claim = await shared.claim(0, 'a');
    for (let n = 1; n <= 3; n++) await claim.append(recordOf(claim, n));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const leader = await leaderOf(logs);
    const other = brokers.all.find((broker) => broker !== leader);
    await other?.restart();
    await brokers.healthy();
    await replicasAgree(logs, 4);
    for (let n = 4; n <= 6; n++) await claim.append(recordOf(claim, n));
    await replicasAgree(logs, 7);
  },
  { duplicateWindowMs: 500 },
);

log.run();
