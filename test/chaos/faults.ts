/** What can happen to a cluster. Each resolves when all that was hurt runs again and says that it is ready. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Cluster, ClusterNode } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { tryOnce } from './requests.ts';

export const faultNames = [
  'term',
  'kill',
  'pause',
  'cut',
  'rolling',
  'kill-all',
  'broker-restart',
  'broker-outage',
  'broker-pause',
  'broker-kill',
  'join',
] as const;
export type FaultName = (typeof faultNames)[number];

export type Pains = {
  /** How long a node that was killed stays away: longer than the others need to miss it. */
  readonly awayMs: number;
  readonly pauseMs: number;
  readonly outageMs: number;
};

export type FaultWorld = { readonly cluster: Cluster; readonly pains: Pains; readonly random: () => number };

const READY_DEADLINE_MS = 60_000;
const PROBE_PATIENCE_MS = 1_000;

export async function inflict(name: FaultName, world: FaultWorld): Promise<void> {
  const { cluster, pains, random } = world;
  const up = cluster.nodes.filter(({ isUp }) => isUp);
  const node = up[Math.floor(random() * up.length)];
  const broker = cluster.brokers[Math.floor(random() * cluster.brokers.length)];
  if (!node || !broker) throw new Error('nothing is left to be hurt');
  switch (name) {
    case 'term':
      await restarted(node);
      break;
    case 'kill':
      await node.kill();
      await pause(pains.awayMs);
      await node.start();
      break;
    case 'pause':
      node.pause();
      await pause(pains.pauseMs);
      node.resume();
      break;
    case 'cut':
      node.cut();
      await pause(pains.pauseMs);
      node.heal();
      break;
    case 'rolling':
      for (const each of up) await restarted(each);
      break;
    case 'kill-all':
      await Promise.all([...up, ...cluster.brokers].map((each) => each.kill()));
      await Promise.all(cluster.brokers.map((each) => each.restart()));
      await Promise.all(up.map((each) => each.start()));
      break;
    case 'broker-restart':
      await broker.restart();
      break;
    case 'broker-outage':
      await Promise.all(cluster.brokers.map((each) => each.kill()));
      await pause(pains.outageMs);
      await Promise.all(cluster.brokers.map((each) => each.restart()));
      break;
    case 'broker-pause':
      for (const each of cluster.brokers) each.pause();
      await pause(pains.outageMs);
      for (const each of cluster.brokers) each.resume();
      break;
    case 'broker-kill':
      await broker.kill();
      await pause(pains.awayMs);
      await broker.restart();
      break;
    case 'join':
      await joinAndLeave(cluster);
      break;
  }
  await Promise.all(cluster.brokers.map((each) => each.healthy()));
  await allReady(cluster);
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

export async function allReady({ nodes }: Cluster): Promise<void> {
  const up = nodes.filter(({ isUp }) => isUp);
  await Promise.all(up.map((node) => eventually(`${node.name} is ready`, () => isReady(node), READY_DEADLINE_MS)));
}

async function isReady({ url }: ClusterNode): Promise<boolean> {
  return (await tryOnce(url, { method: 'GET', path: '/readyz' }, PROBE_PATIENCE_MS)).status === 200;
}
