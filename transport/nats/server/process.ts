/** A running nats-server: how it is started, signalled and ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const STOP_PATIENCE_MS = 10_000;

export type Ended = number | NodeJS.Signals | null;

export type BrokerProcess = {
  readonly pid: number;
  /** Resolves with the exit code or signal; with null when it could not be started. */
  readonly ended: Promise<Ended>;
  /** How it ended, in words; undefined while it runs. */
  readonly fate: string | undefined;
  signal(signal: NodeJS.Signals): void;
  /** Resolves once it has ended: by SIGTERM, and by SIGKILL if that takes too long. */
  stop(): Promise<void>;
  kill(): Promise<void>;
};

export type ProcessOptions = {
  readonly program: string;
  readonly configuration: string;
  /** All that it says is added there. */
  readonly log: string;
  readonly ownGroup: boolean;
  /** From SIGTERM to SIGKILL; 10 s without it. */
  readonly patienceMs?: number;
};

const live = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of live) child.kill('SIGKILL');
});

export function spawnBroker(options: ProcessOptions): BrokerProcess {
  const { program, configuration, log, ownGroup, patienceMs = STOP_PATIENCE_MS } = options;
  // Not nats-server's own log file: what it says before it has read its configuration belongs there too.
  const file = openSync(log, 'a');
  const child = spawn(program, ['--config', configuration], { stdio: ['ignore', file, file], detached: ownGroup });
  closeSync(file);
  live.add(child);
  let fate: string | undefined;
  const ended = new Promise<Ended>((resolve) => {
    const end = (how: Ended, words: string): void => {
      live.delete(child);
      fate = words;
      resolve(how);
    };
    child.once('exit', (code, signal) => end(signal ?? code, String(signal ?? code)));
    child.once('error', (error) => {
      if (child.pid === undefined) end(null, error.message);
    });
  });
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  return {
    pid: child.pid ?? 0,
    ended,
    get fate() {
      return fate;
    },
    signal: (signal) => void child.kill(signal),
    kill,
    async stop() {
      child.kill('SIGTERM');
      // A paused process takes note of SIGTERM only when it goes on.
      child.kill('SIGCONT');
      const patience = new AbortController();
      const late = pause(patienceMs, true, { signal: patience.signal }).catch(() => false);
      if (await Promise.race([late, ended.then(() => false)])) await kill();
      patience.abort();
    },
  };
}
