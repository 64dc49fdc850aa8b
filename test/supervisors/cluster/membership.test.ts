/** Who is there, from what is heard, on a clock that is moved by hand. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Heartbeat } from '../../../actors/kernel/clusterPorts.ts';
import { createMembership, type NameTaken } from '../../../supervisors/cluster/membership.ts';
import { SimulatedTime } from '../../support/clusterProcess.ts';

const members = suite('membership');

const of = (node: string, changes: Partial<Heartbeat> = {}): Heartbeat => ({
  node,
  incarnation: `${node}1`,
  version: '1',
  state: 'active',
  address: 'x:1',
  shards: [],
  ...changes,
});

/** The node "me", which looks around every 250 ms. */
function start(incarnation = 'me5') {
  const time = new SimulatedTime();
  const state = { connected: true, paused: false, lastContact: 0, changes: 0 };
  const said: Heartbeat[] = [];
  const taken: NameTaken[] = [];
  let on: (heartbeat: Heartbeat) => void = () => undefined;
  const membership = createMembership({
    clock: { monotonic: () => time.now, delay: (ms, task) => time.after(ms, task) },
    calls: {
      announce: (heartbeat) => void said.push(heartbeat),
      heard(hearer) {
        on = hearer;
        return { stop: () => undefined };
      },
      get lastContact() {
        if (state.connected) state.lastContact = time.now;
        return state.lastContact;
      },
    },
    self: { node: 'me', incarnation, version: '1', address: 'me:1' },
    standings: () => [],
    onChange: () => {
      state.changes++;
    },
    onNameTaken: (error) => void taken.push(error),
  });
  const look = (): void => {
    time.after(250, look);
    if (!state.paused) membership.look();
  };
  look();
  const run = (ms: number) =>
    time.run(
      ms,
      () => false,
      () => undefined,
    );
  /** Hears these every 500 ms for so long. */
  async function hearing(ms: number, ...heartbeats: Heartbeat[]): Promise<void> {
    for (let passed = 0; passed < ms; passed += 500) {
      if (state.connected) for (const heartbeat of heartbeats) on(heartbeat);
      await run(500);
    }
  }
  return { membership, state, said, taken, run, hearing, hear: (heartbeat: Heartbeat) => on(heartbeat) };
}

members('a node says about itself what it is, at once when that changes', async () => {
  const { membership, said, run } = start();
  await run(1_100);
  assert.equal(
    said.map(({ state }) => state),
    ['joining', 'joining', 'joining'],
  );
  membership.setState('active');
  assert.is(said.at(-1)?.state, 'active');
  assert.equal(membership.active(), ['me']);
});

members('only active nodes that live may own shards', async () => {
  const { membership, hearing } = start();
  await hearing(500, of('a'), of('b', { state: 'joining' }), of('c', { state: 'draining' }));
  assert.equal(membership.active(), ['a']);
  assert.equal(membership.others(), ['a', 'b']);
});

members('a node that is silent for the time-out is dead, and not a moment before', async () => {
  const { membership, state, hearing, hear } = start();
  await hearing(2_000, of('b'));
  hear(of('a'));
  await hearing(3_000, of('b'));
  assert.ok(membership.alive('a'));
  const before = state.changes;
  await hearing(500, of('b'));
  assert.not(membership.alive('a'));
  assert.equal(membership.active(), ['b']);
  assert.is(state.changes, before + 1);
  assert.equal(
    membership.members().map(({ node, state: shown }) => `${node} ${shown}`),
    ['b active', 'a dead'],
  );
});

members('a node never heard of counts as alive until it would have been heard', async () => {
  const { membership, run } = start();
  await run(2_900);
  assert.ok(membership.alive('unknown'));
  await run(500);
  assert.not(membership.alive('unknown'));
});

members('nobody dies while the connection is down, and everybody has the whole time-out afterwards', async () => {
  const { membership, state, hearing, run } = start();
  await hearing(2_000, of('a'));
  state.connected = false;
  await run(60_000);
  assert.ok(membership.alive('a'));
  state.connected = true;
  await run(2_900);
  assert.ok(membership.alive('a'));
  await run(1_000);
  assert.not(membership.alive('a'));
});

members('who is asked about first after a break is not blamed for it either', async () => {
  const { membership, state, hearing, run } = start();
  await hearing(2_000, of('a'));
  state.connected = false;
  await run(10_100);
  state.connected = true;
  // Before the next look around.
  assert.ok(membership.alive('a'));
});

members('a process that was paused blames nobody for its own absence', async () => {
  const { membership, state, hearing, run } = start();
  await hearing(2_000, of('a'));
  state.paused = true;
  await run(30_000);
  state.paused = false;
  await run(2_900);
  assert.ok(membership.alive('a'));
  await run(1_000);
  assert.not(membership.alive('a'));
});

members('a new incarnation replaces one that has fallen silent, not one that is still heard', async () => {
  const { membership, hearing } = start();
  await hearing(1_000, of('a'), of('a', { incarnation: 'a2', address: 'y:1' }));
  assert.is(membership.heard('a')?.incarnation, 'a1');
  await hearing(2_000, of('a', { incarnation: 'a2', address: 'y:1' }));
  assert.is(membership.heard('a')?.incarnation, 'a2');
});

members('a node that starts under a name in use stops, once it is sure', async () => {
  const { membership, taken, said, hearing, hear } = start();
  hear(of('me', { incarnation: 'me1' }));
  assert.is(taken.length, 0, 'it may be the last word of a former life');
  assert.not(membership.settled);
  await hearing(1_500, of('me', { incarnation: 'me1', address: 'there:8080' }));
  assert.is(taken.length, 1);
  assert.match(taken[0]?.message ?? '', /another node is named "me" too, at there:8080/);
  const before = said.length;
  await hearing(2_000);
  assert.is(said.length, before, 'it says nothing any more');
});

members('a node in service stays when another starts under its name', async () => {
  const { membership, taken, hearing } = start('me0');
  membership.setState('active');
  await hearing(5_000, of('me', { incarnation: 'me1', state: 'joining' }));
  assert.is(taken.length, 0);
});

members('of two nodes of one name that are both in service the later one stops', async () => {
  for (const [other, stops] of [
    ['me1', 1],
    ['me9', 0],
  ] as const) {
    const { membership, taken, hearing } = start();
    membership.setState('active');
    await hearing(3_000, of('me', { incarnation: other }));
    assert.is(taken.length, stops);
  }
});

members('a node waits for a predecessor of its name that drains', async () => {
  const { membership, taken, hearing, run } = start();
  await hearing(5_000, of('me', { incarnation: 'me1', state: 'draining' }));
  assert.is(taken.length, 0);
  assert.not(membership.settled);
  await run(1_500);
  assert.ok(membership.settled);
});

members.run();
