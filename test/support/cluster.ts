/** A real cluster: brokers and nodes as processes of their own, with folders that go with them, to be hurt at will. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Broker } from '../../transport/nats/server/broker.ts';
import { startBroker } from '../../transport/nats/server/broker.ts';
import { startBrokers } from '../../transport/nats/server/brokers.ts';
import { freePorts } from '../../transport/nats/server/ports.ts';
import { limitFiles } from './fileLimit.ts';
import { startProxy, type Proxy as Way } from './proxy.ts';
import { type Server, startServer } from './server.ts';

/** Several nodes start at once on a machine that may have other things to do. */
const READY_DEADLINE_MS = 90_000;
/** A process that was just killed may still be writing. */
const REMOVE_TRIES = 5;
const LAST_WORDS = 5;
const TAKEN_OVER = '"shard taken over"';
const SHIFTED_CLOCK = new URL('shiftedClock.ts', import.meta.url).href;

export type ClusterOptions = {
  readonly nodes: number;
  /** One or three. */
  readonly brokers?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Each node has ways of its own to the brokers, which can be cut and made slow. */
  readonly severable?: boolean;
  /** Each node's clock can be set. */
  readonly settable?: boolean;
};

/** One node; started again it has the same name, port and folder. */
export type ClusterNode = {
  readonly name: string;
  readonly url: string;
  readonly isUp: boolean;
  /** Where its data is. */
  readonly folder: string;
  /** Of its process; 0 while it has none. */
  readonly pid: number;
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
  /** What it and the brokers send to each other goes nowhere, without a word. In a cluster that is severable. */
  cut(): void;
  /** Connections can be made again. */
  heal(): void;
  /** So much later, in ms each way, arrives what it and the brokers send to each other. In a cluster that is severable. */
  slow(ms: number): void;
  /** None of its files may grow any more, as on a full disk. Where there is prlimit. */
  fillDisk(): void;
  freeDisk(): void;
  /** Its wall clock is so much ahead of the machine's from now on, also after a start. In a cluster that is settable. */
  setClock(aheadMs: number): void;
  /** How it ended, and its last words, each time when nobody had asked for it. */
  readonly ownEnds: readonly string[];
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
  const { nodes: count, brokers: width = 1, env = {}, severable = false, settable = false } = options;
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-cluster-'));
  // Nodes and brokers end with this process, also when it is interrupted; their folders should too.
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: REMOVE_TRIES });
  process.on('exit', remove);
  const group = await openBrokers(join(folder, 'brokers'), width, !severable);
  const nodes: ClusterNode[] = [];
  const ways: Way[] = [];
  const cluster: Cluster = {
    nodes,
    brokers: group.all,
    url: group.url,
    async add() {
      const name = `node-${nodes.length + 1}`;
      const [port = 0] = await freePorts(1);
      const own = severable ? await Promise.all(group.all.map((broker) => startProxy(broker.port))) : [];
      ways.push(...own);
      const NATS_URL = severable ? own.map(({ url }) => url).join(',') : group.url;
      const shared = { NATS_URL, REPLICAS: String(width), NODE_NAME: name, LOG_LEVEL: 'info' };
      const node = createNode({
        name,
        port,
        folder: join(folder, name),
        env: { ...shared, ...env },
        ways: own,
        settable,
      });
      nodes.push(node);
      return node;
    },
    async close() {
      await Promise.all(nodes.map((node) => node.kill()));
      for (const way of ways) way.close();
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

/** @param advertised brokers tell nodes of each other, past any way that could be cut */
async function openBrokers(
  folder: string,
  width: number,
  advertised: boolean,
): Promise<{ all: readonly Broker[]; url: string }> {
  if (width > 1) return startBrokers(width, { folder, advertised });
  const broker = await startBroker({ folder });
  return { all: [broker], url: broker.url };
}

type NodeSettings = {
  readonly name: string;
  readonly port: number;
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly ways: readonly Way[];
  readonly settable: boolean;
};

function createNode({ name, port, folder, env, ways, settable }: NodeSettings): ClusterNode {
  let server: Server | undefined;
  let takeovers = 0;
  const ownEnds: string[] = [];
  const clockFile = `${folder}.clock`;
  const setClock = (aheadMs: number): void => writeFileSync(clockFile, String(aheadMs));
  if (settable) setClock(0);
  const end = async (signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null> => {
    const ending = server;
    if (!ending) return null;
    server = undefined;
    await ending.kill(signal);
    return ending.ended;
  };
  const watch = async (started: Server): Promise<void> => {
    const how = await started.ended;
    if (server !== started) return;
    server = undefined;
    ownEnds.push(`${name} ended with ${how}: ${started.log.slice(-LAST_WORDS).join('\n')}`);
  };
  const signal = (what: NodeJS.Signals): void => {
    if (server) process.kill(server.pid, what);
  };
  return {
    name,
    url: `http://127.0.0.1:${port}`,
    folder,
    get pid() {
      return server?.pid ?? 0;
    },
    get isUp() {
      return server !== undefined;
    },
    get takeovers() {
      return takeovers;
    },
    async start() {
      if (server) return;
      const started = await startServer({
        folder,
        port,
        env: { ...env, ...(settable && { CLOCK_SHIFT_FILE: clockFile }) },
        ...(settable && { nodeArguments: ['--import', SHIFTED_CLOCK] }),
        deadlineMs: READY_DEADLINE_MS,
        onLine: (line) => {
          if (line.includes(TAKEN_OVER)) takeovers += 1;
        },
      });
      server = started;
      void watch(started);
    },
    async kill() {
      await end('SIGKILL');
    },
    term: () => end('SIGTERM'),
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    cut() {
      for (const way of ways) way.swallow();
    },
    heal() {
      for (const way of ways) way.drop();
    },
    slow(ms) {
      for (const way of ways) way.slow(ms);
    },
    fillDisk() {
      if (server) limitFiles(server.pid, statSync(join(folder, 'holdfast.sqlite-wal')).size);
    },
    freeDisk() {
      if (server) limitFiles(server.pid, 'unlimited');
    },
    setClock(aheadMs) {
      setClock(aheadMs);
      signal('SIGUSR2');
    },
    ownEnds,
    lastLines: (count) => server?.log.slice(-count) ?? [],
  };
}
