/** Who owns which shard as nodes come, go, pause and lose sight of each other. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { wantedPlace } from '../../../supervisors/cluster/rendezvous.ts';
import { type Life, World, type WorldOptions } from '../../support/clusterWorld.ts';

const ownership = suite('ownership');

const SHARDS = 16;
const START_MS = 30_000;
const MINUTE = 60_000;

const wantedOf = (names: readonly string[], node: string): number =>
  Array.from({ length: SHARDS }, (_, shard) => wantedPlace(shard, names).owner).filter((owner) => owner === node)
    .length;

/** Each shard is open on the one node that should own it, by the newest claim, and that one may serve. */
function settled(world: World, nodes: readonly Life[]): boolean {
  const names = nodes.map(({ name }) => name);
  return world.broker.logs.every((_, shard) => {
    const owner = nodes.find(({ name }) => name === wantedPlace(shard, names).owner);
    const claim = world.broker.newestClaim(shard);
    return (
      owner !== undefined &&
      claim?.node === owner.name &&
      owner.opened.get(shard) === claim.position &&
      owner.ownership.mayServe(shard) &&
      nodes.every((node) => node === owner || !node.opened.has(shard))
    );
  });
}

async function startWorld(
  names: readonly string[],
  seed = 1,
  options: Partial<WorldOptions> = {},
): Promise<{ world: World; nodes: Life[] }> {
  const world = new World({ ...options, seed });
  const nodes = names.map((name) => world.start(name));
  assert.ok(await world.run(START_MS, () => settled(world, nodes)), 'every shard has found its owner');
  assert.ok(nodes.every((node) => node.ownership.ready));
  return { world, nodes };
}

/** Shards that are just being closed, on any node. */
const moving = (nodes: readonly Life[]): number =>
  nodes.flatMap((node) => node.ownership.view().shards).filter(({ phase }) => phase === 'releasing').length;

const claims = (world: World): number => world.broker.logs.flat().filter(({ entry }) => entry.kind === 'claim').length;

function fine(world: World): void {
  assert.equal(world.violations, []);
}

ownership('nodes that start together share the shards', async () => {
  const { world, nodes } = await startWorld(['a', 'b', 'c']);
  const [first] = nodes;
  assert.ok(first);
  const view = first.ownership.view();
  assert.equal(view.nodes.map(({ node, state }) => `${node} ${state}`).sort(), ['a active', 'b active', 'c active']);
  await world.run(1_000);
  for (const shard of first.ownership.view().shards) {
    const place = wantedPlace(shard.shard, ['a', 'b', 'c']);
    assert.is(shard.owner, place.owner);
    assert.is(shard.standby, place.standby);
    assert.ok((shard.lag ?? Number.POSITIVE_INFINITY) < 10);
  }
  fine(world);
});

ownership('a node that joins takes its share from the live owners, and no other shard moves', async () => {
  const { world, nodes } = await startWorld(['a', 'b'], 1, { closeMs: 1_000 });
  const before = claims(world);
  nodes.push(world.start('c'));
  let most = 0;
  const done = await world.run(START_MS, () => {
    most = Math.max(most, moving(nodes));
    return settled(world, nodes);
  });
  assert.ok(done);
  assert.is(most, 2, 'shards that move at a time');
  await world.run(MINUTE);
  assert.is(claims(world) - before, wantedOf(['a', 'b', 'c'], 'c'));
  assert.is(
    nodes.reduce((sum, node) => sum + node.ownership.view().counts.lost, 0),
    0,
  );
  fine(world);
});

ownership('the shards of a node that crashes are served by others soon after the time-out', async () => {
  const { world, nodes } = await startWorld(['a', 'b', 'c']);
  const before = claims(world);
  const [lost, ...rest] = nodes;
  lost?.crash();
  assert.ok(await world.run(4_000, () => settled(world, rest)));
  assert.is(claims(world) - before, wantedOf(['a', 'b', 'c'], 'a'));
  fine(world);
});

ownership('a node that crashes and starts again takes its shards back without a time-out', async () => {
  const { world, nodes } = await startWorld(['a']);
  nodes[0]?.crash();
  const again = world.start('a');
  assert.ok(await world.run(2_500, () => settled(world, [again])));
  fine(world);
});

ownership('a paused node answers nothing when it wakes up before it has heard who took over', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const { world, nodes } = await startWorld(['a', 'b', 'c'], seed);
    const [zombie, ...rest] = nodes;
    assert.ok(zombie);
    zombie.pause();
    assert.ok(await world.run(4_500, () => settled(world, rest)));
    await world.run(30_000 - world.random() * 20_000);
    zombie.resume();
    // The world looks at this very moment too.
    assert.ok(world.broker.logs.every((_, shard) => !zombie.ownership.mayServe(shard)));
    assert.ok(await world.run(START_MS, () => settled(world, nodes)), 'it gets its shards back');
    fine(world);
  }
});

ownership('a live owner is asked only by a node whose tables are warm', async () => {
  const { world, nodes } = await startWorld(['a', 'b']);
  const [cold] = nodes;
  assert.ok(cold);
  cold.applyMs = 100;
  cold.pause();
  await world.run(20_000);
  cold.resume();
  const lags: number[] = [];
  const released = world.broker.logs.map((log) => log.length);
  const done = await world.run(MINUTE, () => {
    for (const [shard, log] of world.broker.logs.entries()) {
      const fresh = log.slice(released[shard]).find(({ entry }) => entry.kind === 'release' && entry.to === cold.name);
      if (!fresh) continue;
      released[shard] = log.length;
      lags.push(fresh.entry.position - (cold.ownership.view().shards[shard]?.position ?? 0));
    }
    return settled(world, nodes);
  });
  assert.ok(done);
  assert.ok(lags.length > 0);
  assert.ok(Math.max(...lags) < 10, `it was ${Math.max(...lags)} entries behind`);
  fine(world);
});

ownership('a short pause moves nothing, and reads are answered again once the log was asked', async () => {
  const { world, nodes } = await startWorld(['a', 'b', 'c']);
  const before = claims(world);
  const [paused] = nodes;
  assert.ok(paused);
  paused.pause();
  await world.run(2_300);
  paused.resume();
  assert.not(world.broker.logs.some((_, shard) => paused.ownership.mayServe(shard)));
  assert.ok(await world.run(1_000, () => settled(world, nodes)));
  await world.run(MINUTE);
  assert.is(claims(world), before);
  fine(world);
});

ownership('a broker that is away for a minute moves no shard; meanwhile nobody answers reads', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const { world, nodes } = await startWorld(['a', 'b', 'c', 'd'], seed);
    const before = claims(world);
    world.breakBroker();
    await world.run(3_000);
    assert.not(nodes.some((node) => world.broker.logs.some((_, shard) => node.ownership.mayServe(shard))));
    assert.not(nodes.some((node) => node.ownership.ready));
    await world.run(MINUTE - 3_000);
    world.mendBroker();
    assert.ok(await world.run(3_000, () => settled(world, nodes)));
    await world.run(MINUTE);
    assert.is(claims(world), before);
    fine(world);
  }
});

ownership('a node that is cut off loses its shards, and gets them back when it returns', async () => {
  const { world, nodes } = await startWorld(['a', 'b', 'c']);
  const [cut, ...rest] = nodes;
  cut?.cut();
  assert.ok(await world.run(4_000, () => settled(world, rest)));
  await world.run(20_000);
  cut?.mend();
  assert.ok(await world.run(START_MS, () => settled(world, nodes)));
  fine(world);
});

ownership('a node that nobody hears gives in, and does not fight for its shards', async () => {
  const { world, nodes } = await startWorld(['a', 'b', 'c']);
  const [muted, ...rest] = nodes;
  assert.ok(muted);
  muted.muted = true;
  assert.ok(await world.run(10_000, () => settled(world, rest)));
  const before = claims(world);
  await world.run(5 * MINUTE);
  assert.is(claims(world), before);
  muted.muted = false;
  assert.ok(await world.run(START_MS, () => settled(world, nodes)));
  fine(world);
});

ownership('nodes that do not hear each other claim ever less often', async () => {
  const { world, nodes } = await startWorld(['a', 'b', 'c']);
  for (const node of nodes) node.muted = true;
  await world.run(MINUTE);
  const before = claims(world);
  await world.run(5 * MINUTE);
  assert.ok((claims(world) - before) / (5 * SHARDS) <= 3 * nodes.length, 'claims of a shard in a minute');
  for (const node of nodes) node.muted = false;
  assert.ok(await world.run(MINUTE, () => settled(world, nodes)));
  fine(world);
});

ownership('a drained node hands everything over, few shards at a time, and loses none', async () => {
  const { world, nodes } = await startWorld(['a', 'b', 'c', 'd'], 1, { closeMs: 1_000 });
  const [leaving, ...rest] = nodes;
  assert.ok(leaving);
  let left: number | undefined;
  let most = 0;
  void leaving.ownership.drain(20_000).then((count) => {
    left = count;
  });
  let unready = false;
  await world.run(20_000, () => {
    most = Math.max(most, moving(nodes));
    unready ||= rest.some(({ ownership: { ready } }) => !ready);
    return left !== undefined;
  });
  assert.is(left, 0);
  assert.is(most, 2, 'shards that move at a time, though three nodes ask');
  assert.not(unready, 'who takes shards over goes on being asked');
  assert.ok(await world.run(1_000, () => settled(world, rest)));
  assert.is(leaving.ownership.view().counts.lost, 0);
  assert.not(leaving.ownership.ready);
  await leaving.ownership.stop();
  leaving.crash();
  await world.run(MINUTE);
  assert.ok(settled(world, rest));
  fine(world);
});

ownership('the last node does not wait for anybody when it is drained', async () => {
  const { world, nodes } = await startWorld(['a']);
  let left: number | undefined;
  void nodes[0]?.ownership.drain(MINUTE).then((count) => {
    left = count;
  });
  assert.ok(await world.run(1_000, () => left === 0));
  assert.ok(world.broker.logs.every((log) => log.at(-1)?.entry.kind === 'release'));
  fine(world);
});

ownership('what nobody came for within the patience is released to anybody', async () => {
  const { world, nodes } = await startWorld(['a', 'b']);
  const [leaving, deaf] = nodes;
  // It says that it lives, and takes nothing: all it hears is older than the drain.
  deaf?.pause();
  let left: number | undefined;
  void leaving?.ownership.drain(2_000).then((count) => {
    left = count;
  });
  assert.ok(await world.run(4_000, () => left === 0));
  deaf?.resume();
  assert.ok(deaf && (await world.run(5_000, () => settled(world, [deaf]))));
  fine(world);
});

ownership('the second node of a name stops and says why; the first one goes on undisturbed', async () => {
  const { world, nodes } = await startWorld(['a', 'b']);
  const before = claims(world);
  const double = world.start('a', 'another');
  assert.ok(await world.run(5_000, () => double.nameTaken !== undefined));
  assert.match(double.nameTaken?.message ?? '', /another node is named "a" too, at a:1/);
  await world.run(MINUTE);
  assert.is(claims(world), before);
  assert.ok(settled(world, nodes));
  assert.is(nodes[0]?.nameTaken, undefined);
  fine(world);
});

ownership('a claim whose acknowledgement was lost is made again', async () => {
  const world = new World({ seed: 5, claimAcksLost: 0.3 });
  const nodes = ['a', 'b', 'c'].map((name) => world.start(name));
  assert.ok(await world.run(MINUTE, () => settled(world, nodes)));
  fine(world);
});

ownership('a host that is fenced off without another claim claims again', async () => {
  const { world, nodes } = await startWorld(['a', 'b']);
  const [first] = nodes;
  const [shard, epoch] = [...(first?.opened ?? [])][0] ?? [];
  assert.ok(first && shard !== undefined && epoch !== undefined);
  first.ownership.lost(shard, epoch - 1);
  assert.ok(first.ownership.mayServe(shard), 'a loss of an older claim says nothing');
  first.ownership.lost(shard, epoch);
  assert.not(first.ownership.mayServe(shard));
  assert.ok(await world.run(2_000, () => settled(world, nodes)));
  assert.ok((first.opened.get(shard) ?? 0) > epoch);
  fine(world);
});

ownership('an owner that is fenced off before it has seen by whom looks before it claims', async () => {
  const { world, nodes } = await startWorld(['a', 'b']);
  const [fenced, other] = nodes;
  assert.ok(fenced && other);
  fenced.stall(8_000);
  fenced.muted = true;
  const lasts = await world.run(5_000, () => fenced.opened.size === 0);
  assert.ok(lasts, 'each of its appends was refused');
  const before = claims(world);
  await world.run(2_500);
  assert.is(claims(world), before);
  assert.ok(settled(world, [other]));
  fine(world);
});

ownership(
  'a node that can write nothing gives its shards to others, and takes them back when it can again',
  async () => {
    const { world, nodes } = await startWorld(['a', 'b', 'c']);
    const [sick, ...rest] = nodes;
    assert.ok(sick);
    sick.well = false;
    assert.ok(await world.run(START_MS, () => settled(world, rest) && sick.opened.size === 0));
    assert.not(sick.ownership.ready);
    assert.is(sick.ownership.view().counts.lost, 0, 'handed over, not taken');
    const before = claims(world);
    await world.run(MINUTE);
    assert.is(claims(world), before, 'it claims nothing meanwhile');
    sick.well = true;
    assert.ok(await world.run(START_MS, () => settled(world, nodes)));
    fine(world);
  },
);

ownership('a moment of trouble moves nothing', async () => {
  const { world, nodes } = await startWorld(['a', 'b']);
  const before = claims(world);
  for (let times = 0; times < 5; times++) {
    for (const node of nodes) node.well = false;
    await world.run(1_500);
    for (const node of nodes) node.well = true;
    await world.run(1_000);
  }
  await world.run(MINUTE);
  assert.is(claims(world), before);
  assert.ok(settled(world, nodes));
  fine(world);
});

ownership('nodes that can write nothing all at once keep what they have, and go on when they can', async () => {
  const { world, nodes } = await startWorld(['a', 'b', 'c']);
  for (const node of nodes) node.well = false;
  await world.run(MINUTE);
  const open = nodes.flatMap((node) => [...node.opened.keys()]);
  assert.equal(
    open.sort((a, b) => a - b),
    Array.from({ length: SHARDS }, (_, shard) => shard),
  );
  for (const node of nodes) node.well = true;
  const isReady = (): boolean => nodes.every((node) => node.ownership.ready);
  assert.ok(await world.run(START_MS, () => settled(world, nodes) && isReady()));
  fine(world);
});

ownership('the last node that is there keeps its shards, whatever it can write', async () => {
  const { world, nodes } = await startWorld(['a']);
  const [only] = nodes;
  assert.ok(only);
  only.well = false;
  await world.run(MINUTE);
  assert.ok(settled(world, nodes));
  fine(world);
});

ownership.run();
