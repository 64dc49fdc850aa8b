/**
 * One nats-server on this machine, reachable from here only: for development, for tests and for `npm run cluster`. All that
 * it has is in its folder: configuration, log, streams. Started again on the same folder and port, it is the same broker.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Version } from '../version.ts';
import { type FoundBroker, findBroker } from './find.ts';
import { freePorts } from './ports.ts';
import { isHealthy, takesConnections } from './probes.ts';
import { type BrokerProcess, type Ended, spawnBroker } from './process.ts';
import { type BrokerPorts, brokerConfiguration, type ClusterPart } from './settings.ts';

const LOG = 'nats-server.log';
const CONFIGURATION = 'nats-server.conf';
const START_DEADLINE_MS = 30_000;
const HEALTHY_DEADLINE_MS = 60_000;
const POLL_MS = 20;
/** Slower: the broker logs each answer that isn't good. */
const HEALTH_POLL_MS = 100;
const SHOWN_LOG_LINES = 15;

export type BrokerOptions = {
  /** Made if it isn't there. */
  readonly folder: string;
  readonly name?: string;
  /** A free one without it. */
  readonly port?: number;
  /**
   * Every write reaches the disk before it is acknowledged, as it must be wherever acknowledged orders count. Without it
   * the broker syncs every two minutes. True by default.
   */
  readonly syncAlways?: boolean;
  /** True by default. */
  readonly jetstream?: boolean;
  readonly cluster?: ClusterPart;
  /** Further lines of nats-server's configuration, such as users and their permissions. */
  readonly settings?: string;
  /** In a process group of its own, so that Ctrl-C in a terminal reaches whoever started it and not the broker. */
  readonly ownGroup?: boolean;
  /** Told the process id at each start, before the broker takes connections: whoever must know of it in any case. */
  readonly onProcess?: (pid: number) => void;
  /** Found as `findBroker` does it without. */
  readonly program?: FoundBroker;
};

export type Broker = {
  readonly name: string;
  readonly folder: string;
  readonly url: string;
  readonly port: number;
  /** Of the HTTP interface that nats-server has for monitoring, on 127.0.0.1. */
  readonly monitorPort: number;
  readonly version: Version;
  /** Of the process that runs, or of the last one. */
  readonly pid: number;
  /** Resolves with the exit code or signal of the process that runs now. */
  readonly ended: Promise<Ended>;
  /** The newest lines of its log. */
  lastLines(): readonly string[];
  /** Resolves once JetStream is up and, in a group, knows its leader. @throws BrokerNotStarted after a deadline */
  healthy(): Promise<void>;
  /** SIGTERM, and SIGKILL if that isn't enough. Nothing happens when it has ended already. */
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGSTOP: its connections stay open and nothing answers. */
  pause(): void;
  resume(): void;
  /**
   * Ends it if it still runs, and starts it on the same folder and ports. Resolves once it takes connections; alone it is
   * healthy then, in a group it may still wait for the others.
   */
  restart(): Promise<void>;
};

/** nats-server ended, or didn't answer in time. The message has the last lines of its log. */
export class BrokerNotStarted extends Error {
  override readonly name = 'BrokerNotStarted';
  readonly retryable = false;
}

/** @throws NoBrokerProgram; BrokerNotStarted */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { program, version } = options.program ?? (await findBroker());
  const { folder, cluster, name = 'broker' } = options;
  const ports = await portsOf(options);
  const configuration = writeConfiguration(options, name, ports);
  const log = join(folder, LOG);
  const spawnAgain = (): BrokerProcess => {
    const started = spawnBroker({ program, configuration, log, ownGroup: options.ownGroup ?? false });
    if (started.pid > 0) options.onProcess?.(started.pid);
    return started;
  };
  let running = spawnAgain();
  const healthy = (): Promise<void> => reached(running, log, { ...HEALTHY, isTrue: () => isHealthy(ports.monitor) });
  const started = async (): Promise<void> => {
    await reached(running, log, { ...LISTENING, isTrue: () => takesConnections(ports.client, name) });
    if (cluster === undefined) await healthy();
  };
  try {
    await started();
  } catch (error) {
    await running.kill();
    throw error;
  }
  return {
    name,
    folder,
    url: `nats://127.0.0.1:${ports.client}`,
    port: ports.client,
    monitorPort: ports.monitor,
    version,
    get pid() {
      return running.pid;
    },
    get ended() {
      return running.ended;
    },
    lastLines: () => lastLines(log),
    healthy,
    stop: () => running.stop(),
    kill: () => running.kill(),
    pause: () => running.signal('SIGSTOP'),
    resume: () => running.signal('SIGCONT'),
    async restart() {
      await running.stop();
      running = spawnAgain();
      await started();
    },
  };
}

async function portsOf({ port }: BrokerOptions): Promise<BrokerPorts> {
  const [monitor = 0, spare = 0] = await freePorts(2);
  return { client: port ?? spare, monitor };
}

/** The path of the file. */
function writeConfiguration(options: BrokerOptions, name: string, ports: BrokerPorts): string {
  const { folder, cluster, settings } = options;
  mkdirSync(folder, { recursive: true });
  const text = brokerConfiguration({
    name,
    folder: resolve(folder),
    ports,
    syncAlways: options.syncAlways ?? true,
    jetstream: options.jetstream ?? true,
    ...(cluster && { cluster }),
    ...(settings !== undefined && { extra: settings }),
  });
  const file = join(folder, CONFIGURATION);
  writeFileSync(file, text);
  return file;
}

type Condition = {
  readonly what: string;
  readonly isTrue: () => Promise<boolean>;
  readonly deadlineMs: number;
  readonly pollMs: number;
};
const LISTENING = { what: 'take connections', deadlineMs: START_DEADLINE_MS, pollMs: POLL_MS };
const HEALTHY = { what: 'be healthy', deadlineMs: HEALTHY_DEADLINE_MS, pollMs: HEALTH_POLL_MS };

/** @throws BrokerNotStarted */
async function reached(running: BrokerProcess, log: string, condition: Condition): Promise<void> {
  const { what, isTrue, deadlineMs, pollMs } = condition;
  const deadline = performance.now() + deadlineMs;
  while (!(await isTrue())) {
    if (running.fate !== undefined || performance.now() > deadline) {
      const how = running.fate === undefined ? `not in ${deadlineMs / 1_000} s` : `it ended (${running.fate})`;
      throw new BrokerNotStarted(`nats-server should ${what}: ${how}\n${lastLines(log).join('\n')}`);
    }
    await pause(pollMs);
  }
}

function lastLines(log: string): readonly string[] {
  return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-SHOWN_LOG_LINES);
}
