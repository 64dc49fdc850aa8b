/** A real cluster: brokers and nodes as processes of their own, with folders that go with them, to be hurt at will. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Broker } from '../../transport/nats/server/broker.ts';
import { startBroker } from '../../transport/nats/server/broker.ts';
import { startBrokers } from '../../transport/nats/server/brokers.ts';
import { freePorts } from '../../transport/nats/server/ports.ts';
import { startProxy, type Proxy as Way } from './proxy.ts';
import { type Server, startServer } from './server.ts';

/** Several nodes start at once on a machine that may have other things to do. */
const READY_DEADLINE_MS = 90_000;
/** A process that was just killed may still be writing. */
const REMOVE_TRIES = 5;
const TAKEN_OVER = '"shard taken over"';

export type ClusterOptions = {
  readonly nodes: number;
  /** One or three. */
  readonly brokers?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Each node has a way of its own to the broker, which can be cut. With one broker only: several tell of each other. */
  readonly severable?: boolean;
};

/** One node; started again it has the same name, port and folder. */
export type ClusterNode = {
  readonly name: string;
  readonly url: string;
  readonly isUp: boolean;
  /** The number of shards it has taken over so far, in all its lives. */
  readonly takeovers: number;
  /** Resolves once it says that it is ready. Nothing happens when it runs. */
  start(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code or signal. */
  term(): Promise<number | NodeJS.Signals | null>;
  /** SIGSTOP: its connections stay open and nothing answers. */
  pause(): void;
  resume(): void;
  /** What it and the broker send to each other goes nowhere, without a word. In a cluster that is severable. */
  cut(): void;
  /** Connections can be made again. */
  heal(): void;
  /** The newest lines of its log. */
  lastLines(count: number): readonly string[];
};

export type Cluster = {
  readonly nodes: readonly ClusterNode[];
  readonly brokers: readonly Broker[];
  /** Of the brokers. */
  readonly url: string;
  /** Another node, not started yet. */
  add(): Promise<ClusterNode>;
  /** Ends all processes and removes their folders. */
  close(): Promise<void>;
};

/** @throws when a process isn't ready in time; nothing is left running then */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { nodes: count, brokers: width = 1, env = {}, severable = false } = options;
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-cluster-'));
  // Nodes and brokers end with this process, also when it is interrupted; their folders should too.
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: REMOVE_TRIES });
  process.on('exit', remove);
  const group = await openBrokers(join(folder, 'brokers'), width);
  const nodes: ClusterNode[] = [];
  const ways: Way[] = [];
  const cluster: Cluster = {
    nodes,
    brokers: group.all,
    url: group.url,
    async add() {
      const name = `node-${nodes.length + 1}`;
      const [port = 0] = await freePorts(1);
      const proxy = severable ? await startProxy(group.all[0]?.port ?? 0) : undefined;
      if (proxy) ways.push(proxy);
      const NATS_URL = proxy?.url ?? group.url;
      const shared = { NATS_URL, REPLICAS: String(width), NODE_NAME: name, LOG_LEVEL: 'info' };
      const node = createNode({ name, port, folder: join(folder, name), env: { ...shared, ...env } }, proxy);
      nodes.push(node);
      return node;
    },
    async close() {
      await Promise.all(nodes.map((node) => node.kill()));
      for (const proxy of ways) proxy.close();
      await Promise.all(group.all.map((broker) => broker.kill()));
      process.off('exit', remove);
      remove();
    },
  };
  try {
    for (let index = 0; index < count; index += 1) await cluster.add();
    await Promise.all(nodes.map((node) => node.start()));
  } catch (error) {
    await cluster.close();
    throw error;
  }
  return cluster;
}

async function openBrokers(folder: string, width: number): Promise<{ all: readonly Broker[]; url: string }> {
  if (width > 1) return startBrokers(width, { folder });
  const broker = await startBroker({ folder });
  return { all: [broker], url: broker.url };
}

type NodeSettings = {
  readonly name: string;
  readonly port: number;
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
};

function createNode({ name, port, folder, env }: NodeSettings, proxy: Way | undefined): ClusterNode {
  let server: Server | undefined;
  let earlier = 0;
  const takeoversNow = (): number => server?.log.filter((line) => line.includes(TAKEN_OVER)).length ?? 0;
  const end = async (signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null> => {
    const ending = server;
    if (!ending) return null;
    await ending.kill(signal);
    if (server === ending) {
      earlier += takeoversNow();
      server = undefined;
    }
    return ending.ended;
  };
  const signal = (what: NodeJS.Signals): void => {
    if (server) process.kill(server.pid, what);
  };
  return {
    name,
    url: `http://127.0.0.1:${port}`,
    get isUp() {
      return server !== undefined;
    },
    get takeovers() {
      return earlier + takeoversNow();
    },
    async start() {
      server ??= await startServer({ folder, port, env, deadlineMs: READY_DEADLINE_MS });
    },
    async kill() {
      await end('SIGKILL');
    },
    term: () => end('SIGTERM'),
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    cut: () => proxy?.swallow(),
    heal: () => proxy?.drop(),
    lastLines: (count) => server?.log.slice(-count) ?? [],
  };
}
