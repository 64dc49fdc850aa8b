/**
 * What a cluster costs: the closed loop of express orders on a node without a broker, on one with, and on three; what a node
 * uses that has nothing to do; how long messages between shards take. The broker syncs every write, as it must.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Broker, startBroker } from '../../transport/nats/server/broker.ts';
import type { Server } from '../support/server.ts';
import { type Buyers, createBuyers } from './buyers.ts';
import { fillShop } from './catalog.ts';
import { type CrossShard, crossShardLatency } from './crossShard.ts';
import { expressClosed, expressOpen } from './express.ts';
import { createHttp, type Http, inTurn } from './http.ts';
import type { LoadFigures, Window } from './load.ts';
import { type ProfileSummary, summarizeProfile } from './profile.ts';
import { startBenchServer, stopServer } from './server.ts';
import { cpuMsOf, createProbe, type Probe, togetherOf } from './usage.ts';

const NODES = 3;
/** What a load leaves to be done (tables, acknowledgements, trimming) is done by then. */
const SETTLE_MS = 6_000;
const IDLE_MS = 10_000;
/** Shards that are on their way to nodes that have just come are there by then. */
const MOVED_MS = 4_000;
const MAX_CONNECTIONS = 1_024;
/** Whose CPU profiles are taken when they are wanted. */
export const PROFILED = ['alone', 'cluster'] as const;

export type ClusterLoad = {
  readonly name: string;
  readonly load: LoadFigures;
  /** All that were placed, warm-up included; what the broker used is shared by them. */
  readonly orders: number;
  readonly brokerCpuMs?: number;
};
/** Shares of one core; absent where the system doesn't tell. */
export type Idle = { readonly node: number | undefined; readonly broker?: number | undefined };
export type ClusterRun = {
  readonly loads: readonly ClusterLoad[];
  /** Orders per second of one node over one broker, as a share of those of a node alone. */
  readonly ratio: number;
  readonly idleSeconds: number;
  readonly idleAlone: Idle;
  readonly idle: Idle;
  readonly halfRate: number;
  readonly crossShard: CrossShard;
  readonly profiles: readonly { readonly name: string; readonly profile: ProfileSummary }[];
};

export type ClusterOptions = {
  /** Empty, for the broker and the nodes. */
  readonly folder: string;
  /** The folder of the node alone, with the products. */
  readonly alone: string;
  readonly skus: readonly string[];
  readonly inFlight: number;
  readonly window: Window;
  /** Where to put a run's CPU profile, if there is to be one. */
  readonly profileFolder: (name: string) => string | undefined;
  readonly progress: (text: string) => void;
};

export async function measureCluster(options: ClusterOptions): Promise<ClusterRun> {
  const before = await aloneRun(options, 'a node alone');
  const broker = await startBroker({ folder: join(options.folder, 'broker') });
  try {
    const { loads, ...rest } = await measureOver(broker, options);
    const [one, again, ...others] = loads;
    const alone = (before.load.load.perSecond + again.load.perSecond) / 2;
    return {
      ...rest,
      loads: [before.load, one, again, ...others],
      ratio: one.load.perSecond / alone,
      idleSeconds: IDLE_MS / 1_000,
      idleAlone: before.idle,
      profiles: PROFILED.flatMap((name) => {
        const folder = options.profileFolder(name);
        return folder === undefined ? [] : [{ name, profile: summarizeProfile(folder) }];
      }),
    };
  } finally {
    await broker.stop();
  }
}

async function aloneRun(options: ClusterOptions, where: string): Promise<{ load: ClusterLoad; idle: Idle }> {
  const server = await startBenchServer(options.alone, options.profileFolder('alone'));
  const load = await closed(options, where, { servers: [server], skus: options.skus });
  const used = await idle(server);
  await stopServer(server);
  return { load, idle: used };
}

type OverBroker = Pick<ClusterRun, 'idle' | 'halfRate' | 'crossShard'> & {
  /** One node, then again the node alone: what else the machine does changes while this goes on. Then several nodes. */
  readonly loads: readonly [ClusterLoad, ClusterLoad, ...ClusterLoad[]];
};

async function measureOver(broker: Broker, options: ClusterOptions): Promise<OverBroker> {
  const { folder, window } = options;
  const start = (number: number): Promise<Server> => {
    const own = join(folder, `node-${number}`);
    mkdirSync(own, { recursive: true });
    const env = { NATS_URL: broker.url, NODE_NAME: `node-${number}` };
    return startBenchServer(own, number === 1 ? options.profileFolder('cluster') : undefined, env);
  };
  const observed = await start(1);
  const { skus } = await fillShop(observed.url);
  const one = await closed(options, 'one node, one broker', { servers: [observed], skus, broker });
  const idleOne = await idle(observed, broker);
  const again = await aloneRun(options, 'a node alone, again');
  const servers = [observed];
  while (servers.length < NODES) servers.push(await start(servers.length + 1));
  await pause(MOVED_MS);
  const target = { servers, skus, broker };
  const all = await closed(options, `${NODES} nodes, one broker`, target);
  const halfRate = Math.max(1, Math.round(all.load.perSecond / 2));
  const from = Date.now() + window.warmUpMs;
  const half = await open(options, `${NODES} nodes, one broker`, target, halfRate);
  await pause(SETTLE_MS);
  // Each has a copy of all logs. Killed, this one gives no shard away: its copy says who had which.
  const last = servers.pop() ?? observed;
  await last.kill();
  const crossShard = crossShardLatency(last.folder, from);
  for (const server of servers) await stopServer(server);
  return { loads: [one, again.load, all, half], idle: idleOne, halfRate, crossShard };
}

type Target = { readonly servers: readonly Server[]; readonly skus: readonly string[]; readonly broker?: Broker };
type Run = (http: Http, buyers: Buyers, probe: Probe) => ReturnType<typeof expressClosed>;

function closed({ inFlight, window, progress }: ClusterOptions, where: string, target: Target): Promise<ClusterLoad> {
  const name = `express, ${inFlight} in flight, until captured: ${where}`;
  progress(`${name} …`);
  return loaded(name, target, (http, buyers, probe) => expressClosed(http, buyers, inFlight, window, probe));
}

function open(options: ClusterOptions, where: string, target: Target, rate: number): Promise<ClusterLoad> {
  const name = `express, ${rate}/s, until 202: ${where}`;
  options.progress(`${name} …`);
  return loaded(name, target, (_http, buyers, probe) => expressOpen(buyers, rate, options.window, probe));
}

async function loaded(name: string, { servers, skus, broker }: Target, run: Run): Promise<ClusterLoad> {
  const https = servers.map(({ url }) => createHttp(url, MAX_CONNECTIONS));
  const http = inTurn(https);
  const probe = togetherOf(https.map((each, index) => createProbe(each, servers[index]?.pid ?? 0)));
  const buyers = await createBuyers(http, skus);
  const before = broker && cpuMsOf(broker.pid);
  const { load, placed } = await run(http, buyers, probe);
  const after = broker && cpuMsOf(broker.pid);
  http.close();
  const brokerCpuMs = before === undefined || after === undefined ? undefined : after - before;
  return { name, load, orders: placed.length, ...(brokerCpuMs !== undefined && { brokerCpuMs }) };
}

async function idle(server: Server, broker?: Broker): Promise<Idle> {
  await pause(SETTLE_MS);
  const used = (): readonly (number | undefined)[] => [cpuMsOf(server.pid), broker && cpuMsOf(broker.pid)];
  const before = used();
  await pause(IDLE_MS);
  const [node, ofBroker] = used().map((ms, index) => {
    const earlier = before[index];
    return ms === undefined || earlier === undefined ? undefined : (ms - earlier) / IDLE_MS;
  });
  return { node, ...(broker && { broker: ofBroker }) };
}
