/** Everything at once, by seed: crashes, zombies, cuts, lost heartbeats, broker outages, nodes that come and go. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { wantedPlace } from '../../../supervisors/cluster/rendezvous.ts';
import { type Life, World } from '../../support/clusterWorld.ts';

const schedules = suite('cluster schedules');

const SHARDS = 8;
const SEEDS = 60;
const FAULTS = 12;
const HEAL_MS = 90_000;
const MINUTE = 60_000;
/** By all nodes together. A node that loses a shard again and again claims it about nine times in the first minute. */
const MAX_CLAIMS_A_MINUTE = 30;
const MAX_NODES = 4;

/** Exactly one node has each shard open, by the newest claim; it is the one that should, and it may serve. */
function healed(world: World): boolean {
  const nodes = world.lives;
  const names = nodes.map(({ name }) => name);
  return world.broker.logs.every((_, shard) => {
    const holders = nodes.filter((node) => node.opened.has(shard));
    const [holder] = holders;
    return (
      holders.length === 1 &&
      holder !== undefined &&
      holder.name === wantedPlace(shard, names).owner &&
      holder.opened.get(shard) === world.broker.newestClaim(shard)?.position &&
      holder.ownership.mayServe(shard)
    );
  });
}

async function leave(world: World, life: Life): Promise<void> {
  await life.ownership.drain(5_000);
  await life.ownership.stop();
  if (world.lives.includes(life)) life.crash();
}

/** One thing that goes wrong, and when it is over. */
function disturb(world: World): void {
  const pick = <Value>(values: readonly Value[]): Value | undefined =>
    values[Math.floor(world.random() * values.length)];
  const life = pick(world.lives.filter(({ process }) => process.running));
  const kind = pick(['crash', 'restart', 'pause', 'cut', 'mute', 'broker', 'join', 'drain']);
  const long = world.random() * 20_000;
  const unused = ['a', 'b', 'c', 'd'].filter((name) => !world.lives.some((each) => each.name === name));
  if (kind === 'join' || world.lives.length < 2) {
    const name = unused[0];
    if (name !== undefined && world.lives.length < MAX_NODES) world.start(name);
  } else if (kind === 'broker') {
    world.breakBroker();
    world.time.after(long, () => world.mendBroker());
  } else if (!life) {
    return;
  } else if (kind === 'crash') {
    life.crash();
  } else if (kind === 'restart') {
    life.crash();
    world.time.after(world.random() * 5_000, () => {
      if (!world.lives.some(({ name }) => name === life.name)) world.start(life.name);
    });
  } else if (kind === 'pause') {
    life.pause();
    world.time.after(long, () => life.resume());
  } else if (kind === 'cut') {
    life.cut();
    world.time.after(long, () => life.mend());
  } else if (kind === 'mute') {
    life.muted = true;
    world.time.after(long, () => {
      life.muted = false;
    });
  } else {
    void leave(world, life);
  }
}

function claimsOverLimit(world: World): string[] {
  return world.broker.logs.flatMap((log, shard) => {
    const times = log.flatMap(({ entry, at }) => (entry.kind === 'claim' ? [at] : []));
    return times.flatMap((time, index) => {
      const count = times.slice(index).filter((each) => each < time + MINUTE).length;
      return count > MAX_CLAIMS_A_MINUTE ? [`${count} claims of shard ${shard} from ${time} on`] : [];
    });
  });
}

/** Records that were stored under another claim than the newest one before them. */
function unfenced(world: World): string[] {
  return world.broker.logs.flatMap((log, shard) => {
    let epoch = 0;
    return log.flatMap(({ entry, under }) => {
      if (entry.kind === 'claim') epoch = entry.position;
      return entry.kind === 'record' && under !== epoch
        ? [`shard ${shard}, ${entry.position}: ${under}, ${epoch}`]
        : [];
    });
  });
}

for (let part = 0; part < 4; part++) {
  schedules(`every shard finds one owner after any faults, part ${part + 1} of 4`, async () => {
    for (let seed = 1 + part; seed <= SEEDS; seed += 4) {
      const world = new World({
        seed,
        shards: SHARDS,
        heartbeatLoss: seed % 3 === 0 ? 0.2 : 0,
        claimAcksLost: seed % 5 === 0 ? 0.1 : 0,
      });
      for (const name of ['a', 'b', 'c'].slice(0, 1 + (seed % 3))) world.start(name);
      for (let fault = 0; fault < FAULTS; fault++) {
        await world.run(world.random() * 15_000);
        disturb(world);
      }
      // The last fault is over after this.
      await world.run(30_000);
      if (world.lives.length === 0) world.start('a');
      assert.ok(await world.run(HEAL_MS, () => healed(world)), `seed ${seed}: ${picture(world)}`);
      assert.equal(world.violations, [], `seed ${seed}`);
      assert.equal(unfenced(world), [], `seed ${seed}`);
      assert.equal(claimsOverLimit(world), [], `seed ${seed}`);
    }
  });
}

const picture = (world: World): string =>
  JSON.stringify(
    world.lives.map(({ name, ownership, opened }) => ({
      name,
      opened: [...opened],
      view: ownership.view(),
    })),
  );

schedules.run();
