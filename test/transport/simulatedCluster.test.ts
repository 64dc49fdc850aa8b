/** The simulated inbox and calls keep the contracts of the real ones, with and without faults. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Inbox } from '../../actors/kernel/clusterPorts.ts';
import { eventually } from '../support/eventually.ts';
import { createSimulatedNet, type SimulatedNode } from '../support/simulatedCalls.ts';
import { createSimulatedInbox } from '../support/simulatedInbox.ts';
import { createTimeline, realTimeline, seededRandom } from '../support/timeline.ts';
import { inboxCommands } from './inboxCommands.ts';
import { collect, envelope, inboxContract } from './inboxContract.ts';
import { heartbeatOf, nodeCallsContract } from './nodeCallsContract.ts';

const MAX_IN_FLIGHT = 1_000;
const MAX_SERVED = 600;
const SEEDS = [1, 2, 3, 4, 5];

const inbox = createSimulatedInbox({
  timeline: createTimeline(),
  random: seededRandom(1),
  maxInFlight: MAX_IN_FLIGHT,
});
inboxContract('simulated', () => ({ inbox, maxInFlight: MAX_IN_FLIGHT }));
inboxCommands('simulated', () => inbox, 150);

// In real time: the contract also has the asker wait for what the test does.
const net = createSimulatedNet({ timeline: realTimeline, random: seededRandom(1), maxServedAtOnce: MAX_SERVED });
const nodes = [net.node(), net.node()] as const;
nodeCallsContract('simulated', () => ({
  nodes,
  maxServedAtOnce: MAX_SERVED,
  tooLarge: 'x'.repeat(2 * 1024 * 1024),
}));

const test = suite('simulated cluster');

function faultyInbox(seed: number): Inbox {
  const faults = { refused: 0.1, ackLost: 0.2, doubled: 0.1, longestDelayMs: 20 };
  return createSimulatedInbox({ timeline: createTimeline(), random: seededRandom(seed), faults });
}

/** As the relay does: until it is stored for sure. */
async function putUntilStored(to: Inbox, id: string): Promise<void> {
  for (let stored = false; !stored; ) {
    stored = await to.put(7, envelope(id)).then(
      () => true,
      () => false,
    );
  }
}

async function arrivals(seed: number): Promise<readonly string[]> {
  const faulty = faultyInbox(seed);
  const ids = Array.from({ length: 100 }, (_, number) => `m#${number}`);
  await Promise.all(ids.map((id) => putUntilStored(faulty, id)));
  await putUntilStored(faulty, 'last');
  const reader = collect(faulty, 7);
  await eventually('the last message', () => reader.ids().includes('last'));
  reader.stop();
  assert.equal(new Set(reader.ids()), new Set([...ids, 'last']), `seed ${seed}`);
  return reader.ids();
}

test('inbox - under faults each message arrives, some more than once', async () => {
  for (const seed of SEEDS) assert.ok((await arrivals(seed)).length > 101, `seed ${seed} doubled nothing`);
});

test('inbox - the same seed gives the same run, another seed another one', async () => {
  for (const seed of SEEDS) {
    const run = await arrivals(seed);
    assert.equal(await arrivals(seed), run);
    assert.not.equal(await arrivals(seed + 100), run);
  }
});

test('calls - a node that is cut off neither hears nor answers, and does again once it has joined', async () => {
  const timeline = createTimeline();
  const world = createSimulatedNet({ timeline, random: seededRandom(3) });
  const [one, other]: readonly [SimulatedNode, SimulatedNode] = [world.node(), world.node()];
  let heard = 0;
  other.heard(() => {
    heard += 1;
  });
  other.serve(1, async () => 'here');
  assert.is(await one.ask(1, 'where?', 100), 'here');
  other.cut();
  const contact = other.lastContact;
  one.announce(heartbeatOf('one'));
  const outcome = await one.ask(1, 'where?', 100).catch((error: Error) => error.name);
  assert.is(outcome, 'NobodyServes');
  assert.is(heard, 0);
  assert.is(other.lastContact, contact);
  other.join();
  one.announce(heartbeatOf('one'));
  assert.is(await one.ask(1, 'where?', 100), 'here');
  await eventually('a heartbeat', () => heard === 1);
  assert.ok(other.lastContact > contact);
});

test('calls - heartbeats and calls are lost by the seed', async () => {
  async function run(seed: number): Promise<string> {
    const faults = { heartbeatsLost: 0.3, callsLost: 0.2, longestDelayMs: 10 };
    const world = createSimulatedNet({ timeline: createTimeline(), random: seededRandom(seed), faults });
    const [one, other] = [world.node(), world.node()] as const;
    const seen: string[] = [];
    other.heard(({ incarnation }) => seen.push(incarnation));
    other.serve(1, async (body) => body);
    for (let round = 0; round < 50; round += 1) {
      one.announce(heartbeatOf('one', { incarnation: String(round) }));
      seen.push(String(await one.ask(1, `answer ${round}`, 100).catch((error: Error) => error.name)));
    }
    return seen.join();
  }
  for (const seed of SEEDS) {
    const outcome = await run(seed);
    assert.is(await run(seed), outcome);
    assert.match(outcome, 'CallTimedOut');
    assert.match(outcome, 'answer');
  }
});

test.run();
