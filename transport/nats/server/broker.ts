/**
 * One nats-server on this machine, reachable from here only: for development, for tests and for `npm run cluster`. All that
 * it has is in its folder: configuration, log, streams. Started again on the same folder and port, it is the same broker.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Version } from '../version.ts';
import { type FoundBroker, findBroker } from './find.ts';
import { freePorts } from './ports.ts';
import { brokerConfiguration, type ClusterPart } from './settings.ts';

const LOG = 'nats-server.log';
const CONFIGURATION = 'nats-server.conf';
const START_DEADLINE_MS = 30_000;
const HEALTHY_DEADLINE_MS = 60_000;
/** From SIGTERM to SIGKILL. */
const STOP_PATIENCE_MS = 10_000;
const POLL_MS = 20;
/** Slower: the broker logs each answer that isn't good. */
const HEALTH_POLL_MS = 100;
/** One question to a broker that may be paused. */
const ASK_TIMEOUT_MS = 1_000;
const SHOWN_LOG_LINES = 15;
const INFO_MAX_CHARACTERS = 64 * 1024;

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
  readonly ended: Promise<number | NodeJS.Signals | null>;
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

const live = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of live) child.kill('SIGKILL');
});

/** @throws NoBrokerProgram; BrokerNotStarted */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { program, version } = options.program ?? (await findBroker());
  const [spare = 0, monitor = 0] = await freePorts(2);
  const ports = { client: options.port ?? spare, monitor };
  const name = options.name ?? 'broker';
  const { folder, cluster } = options;
  mkdirSync(folder, { recursive: true });
  const configuration = brokerConfiguration({
    name,
    folder,
    ports,
    syncAlways: options.syncAlways ?? true,
    jetstream: options.jetstream ?? true,
    ...(cluster && { cluster }),
    ...(options.settings !== undefined && { extra: options.settings }),
  });
  writeFileSync(join(folder, CONFIGURATION), configuration);

  let running = spawnBroker(program, folder, options.ownGroup ?? false);
  const lastLines = (): readonly string[] => linesOf(join(folder, LOG)).slice(-SHOWN_LOG_LINES);
  const reached = async ({ what, isTrue, deadlineMs, pollMs }: Condition): Promise<void> => {
    const deadline = performance.now() + deadlineMs;
    const process = running;
    while (!(await isTrue())) {
      if (process.ended !== undefined || performance.now() > deadline) {
        const how = process.ended === undefined ? `not in ${deadlineMs / 1_000} s` : `it ended (${process.ended})`;
        throw new BrokerNotStarted(`${program} should ${what}: ${how}\n${lastLines().join('\n')}`);
      }
      await pause(pollMs);
    }
  };
  const healthy = (): Promise<void> => reached({ ...HEALTHY, isTrue: () => isHealthy(ports.monitor) });
  const started = async (): Promise<void> => {
    await reached({ ...LISTENING, isTrue: () => answers(ports.client, name) });
    if (cluster === undefined) await healthy();
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    // A paused process takes note of SIGTERM only when it goes on.
    running.child.kill('SIGCONT');
    running.child.kill(signal);
    const gone = await Promise.race([running.end.then(() => true), pause(STOP_PATIENCE_MS, false, { ref: false })]);
    if (!gone) running.child.kill('SIGKILL');
    await running.end;
  };
  try {
    await started();
  } catch (error) {
    await end('SIGKILL');
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
      return running.child.pid ?? 0;
    },
    get ended() {
      return running.end;
    },
    lastLines,
    healthy,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    pause: () => void running.child.kill('SIGSTOP'),
    resume: () => void running.child.kill('SIGCONT'),
    async restart() {
      await end('SIGTERM');
      running = spawnBroker(program, folder, options.ownGroup ?? false);
      await started();
    },
  };
}

type Condition = {
  readonly what: string;
  readonly isTrue: () => Promise<boolean>;
  readonly deadlineMs: number;
  readonly pollMs: number;
};
const LISTENING = { what: 'take connections', deadlineMs: START_DEADLINE_MS, pollMs: POLL_MS };
const HEALTHY = { what: 'be healthy', deadlineMs: HEALTHY_DEADLINE_MS, pollMs: HEALTH_POLL_MS };

type Running = {
  readonly child: ChildProcess;
  readonly end: Promise<number | NodeJS.Signals | null>;
  /** How it ended, once it has. */
  ended?: string;
};

function spawnBroker(program: string, folder: string, ownGroup: boolean): Running {
  // Not nats-server's own log file: what it says before it has read its configuration belongs there too.
  const log = openSync(join(folder, LOG), 'a');
  const child = spawn(program, ['--config', join(folder, CONFIGURATION)], {
    stdio: ['ignore', log, log],
    detached: ownGroup,
  });
  closeSync(log);
  live.add(child);
  let settle: (how: number | NodeJS.Signals | null) => void = () => {};
  const running: Running = {
    child,
    end: new Promise((resolve) => {
      settle = resolve;
    }),
  };
  const onEnd = (how: number | NodeJS.Signals | null, text: string): void => {
    live.delete(child);
    running.ended = text;
    settle(how);
  };
  child.once('exit', (code, signal) => onEnd(signal ?? code, String(signal ?? code)));
  child.once('error', (error) => onEnd(null, error.message));
  return running;
}

function linesOf(file: string): readonly string[] {
  return readFileSync(file, 'utf8').trimEnd().split('\n');
}

/** It takes connections there, and it is this broker, not another one that was faster on the port. */
function answers(port: number, name: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    const done = (result: boolean): void => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(ASK_TIMEOUT_MS, () => done(false));
    socket.once('error', () => done(false));
    socket.once('close', () => done(false));
    socket.on('data', (chunk) => {
      text += chunk.toString();
      const line = /^INFO (.*)\r\n/.exec(text);
      if (line !== null) done(text.includes(`"server_name":${JSON.stringify(name)}`));
      else if (text.length > INFO_MAX_CHARACTERS) done(false);
    });
  });
}

async function isHealthy(monitorPort: number): Promise<boolean> {
  const url = `http://127.0.0.1:${monitorPort}/healthz`;
  const response = await fetch(url, { signal: AbortSignal.timeout(ASK_TIMEOUT_MS) }).catch(() => undefined);
  await response?.body?.cancel();
  return response?.ok === true;
}
