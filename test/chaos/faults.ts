/** What can happen to a cluster. Each ends when all that was hurt was started again; `allWell` waits for the rest. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Broker } from '../../transport/nats/server/broker.ts';
import type { Cluster, ClusterNode } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { canLimitFiles } from '../support/fileLimit.ts';
import { tryOnce } from './requests.ts';
import { mended, rewind } from './rewind.ts';

export const faultNames = [
  'term',
  'kill',
  'pause',
  'cut',
  'slow-network',
  'full-disk',
  'clock',
  'actor-kill',
  'rolling',
  'join',
  'kill-all',
  'broker-restart',
  'broker-outage',
  'broker-pause',
  'broker-kill',
  'broker-rewind',
] as const;
export type FaultName = (typeof faultNames)[number];

export type Pains = {
  /** How long what was killed stays away. Nodes miss one that is away for more than 3 s. */
  readonly awayMs: number;
  /** How long a node stands still, is cut off, has a slow network, a full disk or a wrong clock. */
  readonly pauseMs: number;
  readonly outageMs: number;
};

export type FaultWorld = {
  readonly cluster: Cluster;
  readonly random: () => number;
  /** Kills one live actor of the shop. */
  readonly killActor: () => Promise<void>;
};

type Scene = FaultWorld & { readonly pains: Pains; readonly node: ClusterNode; readonly broker: Broker };

type Fault = {
  /** Two that hurt different things can happen at once; what hurts all goes alone. */
  readonly hurts: 'node' | 'broker' | 'all';
  readonly run: (scene: Scene) => Promise<void>;
};

const READY_DEADLINE_MS = 60_000;
const PROBE_PATIENCE_MS = 1_000;
/** Slower than any network that brokers should be used over. */
const SLOW_MS = [20, 100, 400] as const;
const CLOCK_MS = [-3_600_000, -60_000, -5_000, 5_000, 60_000, 600_000] as const;
const ACTOR_KILL_PAUSE_MS = 50;

const faults: Readonly<Record<FaultName, Fault>> = {
  term: { hurts: 'node', run: ({ node }) => restarted(node) },
  kill: {
    hurts: 'node',
    async run({ node, pains }) {
      await node.kill();
      await pause(pains.awayMs);
      await node.start();
    },
  },
  pause: { hurts: 'node', run: ({ node, pains }) => meanwhile(node.pause, pains.pauseMs, node.resume) },
  cut: { hurts: 'node', run: ({ node, pains }) => meanwhile(node.cut, pains.pauseMs, node.heal) },
  'slow-network': {
    hurts: 'node',
    run: ({ node, pains, random }) =>
      meanwhile(
        () => node.slow(oneOf(SLOW_MS, random)),
        pains.pauseMs,
        () => node.slow(0),
      ),
  },
  'full-disk': {
    hurts: 'node',
    async run({ node, pains }) {
      await meanwhile(node.fillDisk, pains.pauseMs, node.freeDisk);
      // It may have given up meanwhile, as its keeper would see.
      if (!node.isUp) await node.start();
    },
  },
  clock: {
    hurts: 'node',
    run: ({ node, pains, random }) =>
      meanwhile(
        () => node.setClock(oneOf(CLOCK_MS, random)),
        pains.pauseMs,
        () => node.setClock(0),
      ),
  },
  'actor-kill': {
    hurts: 'node',
    async run({ killActor, pains }) {
      const until = performance.now() + pains.pauseMs;
      while (performance.now() < until) {
        await killActor();
        await pause(ACTOR_KILL_PAUSE_MS);
      }
    },
  },
  rolling: {
    hurts: 'all',
    async run({ cluster }) {
      for (const each of upIn(cluster)) await restarted(each);
    },
  },
  join: { hurts: 'node', run: ({ cluster }) => joinAndLeave(cluster) },
  'kill-all': {
    hurts: 'all',
    async run({ cluster }) {
      const up = upIn(cluster);
      await Promise.all([...up, ...cluster.brokers].map((each) => each.kill()));
      await Promise.all(cluster.brokers.map((each) => each.restart()));
      await Promise.all(up.map((each) => each.start()));
    },
  },
  'broker-restart': { hurts: 'broker', run: ({ broker }) => broker.restart() },
  'broker-outage': {
    hurts: 'broker',
    async run({ cluster: { brokers }, pains }) {
      await Promise.all(brokers.map((each) => each.kill()));
      await pause(pains.outageMs);
      await Promise.all(brokers.map((each) => each.restart()));
    },
  },
  'broker-pause': {
    hurts: 'broker',
    async run({ cluster: { brokers }, pains }) {
      for (const each of brokers) each.pause();
      await pause(pains.outageMs);
      for (const each of brokers) each.resume();
    },
  },
  'broker-kill': {
    hurts: 'broker',
    async run({ broker, pains }) {
      await broker.kill();
      await pause(pains.awayMs);
      await broker.restart();
    },
  },
  'broker-rewind': {
    hurts: 'all',
    async run({ cluster, broker, pains }) {
      await rewind(broker, pains.awayMs);
      await mended(upIn(cluster));
    },
  },
};

export const hurts = (name: FaultName): Fault['hurts'] => faults[name].hurts;

/** Why it can't be done here; undefined when it can. */
export function impossible(name: FaultName, brokers: number): string | undefined {
  if (name === 'broker-kill' && brokers < 3) return 'broker-kill needs --brokers 3';
  if (name === 'broker-rewind' && brokers > 1) return 'broker-rewind needs --brokers 1';
  if (name === 'full-disk' && !canLimitFiles()) return 'full-disk needs prlimit (util-linux)';
  return undefined;
}

export type Aimed = {
  readonly name: FaultName;
  /** What is hurt, in words. */
  readonly target: string;
  /** Resolves when it is over; the rest may still be on its way back. */
  run(): Promise<void>;
};

export function aim(name: FaultName, world: FaultWorld, pains: Pains): Aimed {
  const { cluster, random } = world;
  const node = oneOf(upIn(cluster), random);
  const broker = oneOf(cluster.brokers, random);
  return {
    name,
    target: targetOf(name, node, broker),
    run: () => faults[name].run({ ...world, pains, node, broker }),
  };
}

/** Resolves when everything runs again, after all that happened at once. @throws when it doesn't */
export async function allWell(cluster: Cluster): Promise<void> {
  await Promise.all(cluster.brokers.map((each) => each.healthy()));
  await allReady(cluster);
}

function targetOf(name: FaultName, node: ClusterNode, broker: Broker): string {
  if (name === 'actor-kill') return 'actors';
  if (name === 'join') return 'a new node';
  if (name === 'broker-outage' || name === 'broker-pause') return 'all brokers';
  if (hurts(name) === 'node') return node.name;
  if (name === 'rolling') return 'all nodes';
  return name === 'kill-all' ? 'everything' : broker.name;
}

async function meanwhile(begin: () => void, ms: number, end: () => void): Promise<void> {
  begin();
  await pause(ms);
  end();
}

const upIn = ({ nodes }: Cluster): readonly ClusterNode[] => nodes.filter(({ isUp }) => isUp);

function oneOf<Item>(items: readonly Item[], random: () => number): Item {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('nothing is left to be hurt');
  return item;
}

async function restarted(node: ClusterNode): Promise<void> {
  const how = await node.term();
  if (how !== 0) throw new Error(`${node.name} ended with ${how} after SIGTERM`);
  await node.start();
}

/** A node with an empty disk comes, gets its share and goes again. */
async function joinAndLeave(cluster: Cluster): Promise<void> {
  const node = await cluster.add();
  await node.start();
  await eventually(`${node.name} gets a shard`, () => node.takeovers > 0, READY_DEADLINE_MS);
  await node.term();
}

export async function allReady(cluster: Cluster): Promise<void> {
  await Promise.all(
    upIn(cluster).map((node) => eventually(`${node.name} is ready`, () => isReady(node), READY_DEADLINE_MS)),
  );
}

async function isReady({ url }: ClusterNode): Promise<boolean> {
  return (await tryOnce(url, { method: 'GET', path: '/readyz' }, PROBE_PATIENCE_MS)).status === 200;
}
