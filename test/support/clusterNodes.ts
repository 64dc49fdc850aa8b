/**
 * Nodes of one cluster in this process: a real broker, real folders, real HTTP, each node with a connection of its own. What
 * a killed process leaves can't be seen with them: `server.ts` has processes.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { startClusterNode } from '../../supervisors/cluster/start.ts';
import { readConfig } from '../../supervisors/config.ts';
import type { Holdfast } from '../../supervisors/holdfast.ts';
import { type Broker, startBroker } from '../../transport/nats/server/broker.ts';
import { freePorts } from '../../transport/nats/server/ports.ts';
import { until } from './broker.ts';
import { AUTH_SECRET, serveShop, type TestShop } from './shop.ts';

/** Fewer than usual: each shard has streams of its own at the broker. */
const SHARDS = '4';

export type ClusterNode = TestShop & {
  readonly name: string;
  /** Why it must not go on, once it says so. */
  readonly ended: () => Error | undefined;
  /** Lines of its log so far, as objects. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
};

export type NodeOptions = {
  readonly name: string;
  readonly folder?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The demo catalog; what the cluster has already is left as it is. */
  readonly seed?: boolean;
};

export type TestCluster = {
  readonly broker: Broker;
  /** Starts a node; resolves once it answers over HTTP. */
  start(options: NodeOptions): Promise<ClusterNode>;
  /** Those that were started and not closed. */
  readonly nodes: readonly ClusterNode[];
  /** Waits until each shard is served by the node that it belongs to, with all of them there. */
  settled(): Promise<void>;
  /** Ends the nodes, then the broker, and removes what they had. */
  close(): Promise<void>;
};

/** @param common settings of every node */
export async function startCluster(
  names: readonly string[] = ['node-1', 'node-2'],
  common: Readonly<Record<string, string>> = {},
): Promise<TestCluster> {
  const home = mkdtempSync(join(tmpdir(), 'holdfast-cluster-'));
  const broker = await startBroker({ folder: join(home, 'broker'), syncAlways: false });
  const nodes = new Set<ClusterNode>();

  async function start({ name, folder = join(home, name), env = {}, seed = false }: NodeOptions): Promise<ClusterNode> {
    const [port] = await freePorts(1);
    const config = readConfig({
      NODE_ENV: 'test',
      DATA_DIR: folder,
      NATS_URL: broker.url,
      NODE_NAME: name,
      PORT: String(port),
      SHARDS,
      AUTH_SECRET,
      ...common,
      ...env,
    });
    const log: Readonly<Record<string, unknown>>[] = [];
    let reason: Error | undefined;
    const shop = await startClusterNode(config, remembering(log, name), (error) => {
      reason = error;
    });
    const served = await serveShop(shop, config, remembering(log, name), { seed, folders: [] });
    const node: ClusterNode = {
      ...served,
      name,
      ended: () => reason,
      log,
      async close() {
        nodes.delete(node);
        await served.close();
      },
    };
    nodes.add(node);
    return node;
  }

  async function settled(): Promise<void> {
    const all = [...nodes];
    await until('every shard is where it belongs', () => all.every(({ shop }) => isSettled(shop, all.length)));
  }

  const cluster: TestCluster = {
    broker,
    start,
    get nodes() {
      return [...nodes];
    },
    settled,
    async close() {
      // One after the other: each hands its shards to those that are left.
      for (const node of [...nodes]) await node.close();
      await broker.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
  try {
    const [first, ...others] = names;
    if (first !== undefined) await start({ name: first, seed: true });
    await Promise.all(others.map((name) => start({ name })));
    await settled();
    return cluster;
  } catch (error) {
    await cluster.close();
    throw error;
  }
}

function isSettled(shop: Holdfast, count: number): boolean {
  const view = shop.status();
  if (!view.ready || view.nodes.filter(({ state }) => state === 'active').length !== count) return false;
  return view.shards.every(({ owner, wanted }) => owner !== undefined && owner === wanted);
}

function remembering(log: Readonly<Record<string, unknown>>[], name: string): Logger {
  const level = 'info';
  return pino({ level, base: { node: name } }, { write: (line: string) => void log.push(JSON.parse(line)) });
}
