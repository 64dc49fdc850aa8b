/** Operators' questions go to the node that can answer them; whoever says nothing is named. */
import { pino } from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NobodyServes, type NodeCalls } from '../../../actors/kernel/clusterPorts.ts';
import { createClusterOperations } from '../../../supervisors/cluster/clusterOperations.ts';
import type { ClusterView } from '../../../supervisors/cluster/clusterView.ts';
import { Unavailable } from '../../../supervisors/shop.ts';
import { rejection } from '../../support/eventually.ts';

const test = suite('operations in a cluster');
const address = { type: 'cart', id: 'car_1' };
const held = (id: string) => ({ key: `cart/${id}` as never, since: 1, until: 2, reason: 'it crashed' });

type Scene = { readonly owner?: string; readonly states?: object; readonly chaos?: boolean };

function build(askNode: NodeCalls['askNode'], { owner, states = {}, chaos = false }: Scene = {}) {
  const all = { me: 'active', other: 'active', ...states };
  const nodes = Object.entries(all).map(([node, state]) => ({ node, state }));
  const shards = [{ shard: 0, ...(owner !== undefined && { owner }) }];
  let drained = 0;
  const killed: string[] = [];
  const operations = createClusterOperations({
    local: {
      inside: async () => ({ live: true, mailbox: 7, quarantined: false }),
      kill: async ({ id }) => void killed.push(id),
      quarantined: async () => ({ held: [held('mine')], silent: [] }),
    },
    shardOf: () => 0,
    view: () => ({ me: 'me', nodes, shards }) as unknown as ClusterView,
    calls: { askNode },
    drain: async () => void drained++,
    chaos,
    logger: pino({ level: 'silent' }),
  });
  return { operations, killed, drained: () => drained };
}

const nobody: NodeCalls['askNode'] = async () => {
  throw new NobodyServes('nobody serves it');
};

test('an actor of a shard that is here is looked at here', async () => {
  const { operations } = build(nobody, { owner: 'me' });
  assert.is((await operations.inside(address)).mailbox, 7);
});

test('an actor of another node is looked at there, and only there', async () => {
  const asked: unknown[] = [];
  const { operations } = build(
    async (node, body) => {
      asked.push([node, body]);
      return { live: false, mailbox: 0, quarantined: true };
    },
    { owner: 'other' },
  );
  assert.equal(await operations.inside(address), { live: false, mailbox: 0, quarantined: true });
  assert.equal(asked, [['other', { kind: 'inside', address }]]);
});

test('a shard that nobody has, and an owner who says nothing, are temporary', async () => {
  for (const options of [{}, { owner: 'other' }]) {
    const { operations } = build(nobody, options);
    assert.instance(await rejection(operations.inside(address)), Unavailable);
    assert.instance(await rejection(operations.kill(address)), Unavailable);
  }
});

test('the quarantine list names the nodes that did not say what they hold, and asks no dead ones', async () => {
  const states = { silent: 'active', gone: 'dead', odd: 'draining' };
  const { operations } = build(
    async (node) => {
      if (node === 'other') return { held: [held('theirs')] };
      return node === 'odd' ? { held: ['nonsense'] } : nobody(node, undefined, 1);
    },
    { states },
  );
  const { held: list, silent } = await operations.quarantined();
  assert.equal(list, [held('mine'), held('theirs')]);
  assert.equal(silent, ['silent', 'odd']);
});

test('a drain begins at the node that it names', async () => {
  const { operations, drained } = build(async () => ({ kind: 'draining', shards: [0], heirs: ['me'] }));
  assert.equal(await operations.drainNode('other'), { kind: 'draining', shards: [0], heirs: ['me'] });
  assert.is(drained(), 0);
  assert.equal(await operations.drainNode('me'), { kind: 'draining', shards: [], heirs: ['other'] });
  assert.is(drained(), 1);
  assert.equal(await operations.drainNode('nobody'), { kind: 'unknown' });
});

test('neither a dead node is drained nor the last one that could have the shards', async () => {
  const { operations, drained } = build(nobody, { states: { other: 'dead' } });
  for (const name of ['other', 'me']) assert.is((await operations.drainNode(name)).kind, 'refused');
  assert.is(drained(), 0);
});

test('other nodes get an answer to what they ask, and nothing to what is no question', async () => {
  const { operations } = build(nobody, { owner: 'me' });
  assert.equal(await operations.answer({ kind: 'quarantined' }), { held: [held('mine')] });
  assert.equal(await operations.answer({ kind: 'inside', address }), { live: true, mailbox: 7, quarantined: false });
  for (const body of [undefined, 'drain', { kind: 'hand-over' }, { kind: 'kill' }, { kind: 'inside', address: 1 }]) {
    assert.is(operations.answer(body), undefined, JSON.stringify(body));
  }
});

test('an actor is killed for another node only where chaos is allowed', async () => {
  const calm = build(nobody, { owner: 'me' });
  assert.is(calm.operations.answer({ kind: 'kill', address }), undefined);
  const wild = build(nobody, { owner: 'me', chaos: true });
  await wild.operations.answer({ kind: 'kill', address });
  assert.equal([calm.killed, wild.killed], [[], [address.id]]);
});

test.run();
