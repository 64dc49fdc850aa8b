/** A real Holdfast process on a free port with a folder of its own, to be talked to over HTTP and killed at will. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';

export const OPERATOR = { email: 'operator@example.com', password: 'correct horse battery' };

/** As `npm start` does it, without the shell in between, which would not pass signals on. */
const START: readonly string[] = JSON.parse(readFileSync('package.json', 'utf8')).scripts.start.split(' ').slice(2);

export type ServerOptions = {
  readonly folder?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A free port. Without it the server picks one and tells it in its log, so the log level must be info or lower. */
  readonly port?: number;
  /** For Node itself, such as --cpu-prof. */
  readonly nodeArguments?: readonly string[];
  /** How long to wait for it to be ready. */
  readonly deadlineMs?: number;
  /** Told each line of its log, of which `log` keeps only the newest. */
  readonly onLine?: (line: string) => void;
};

export type Server = {
  readonly url: string;
  readonly folder: string;
  readonly pid: number;
  /** From the start of the process to ready, in ms. */
  readonly readyMs: number;
  /** Resolves with the exit code or signal. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
  /** Log lines so far. */
  readonly log: readonly string[];
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Ends it gracefully; removes the folder too. */
  close(): Promise<void>;
};

const READY_POLL_MS = 10;

const live = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of live) child.kill('SIGKILL');
});

export async function startServer(options: ServerOptions = {}): Promise<Server> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'holdfast-server-'));
  const started = performance.now();
  const child = spawn(process.execPath, [...(options.nodeArguments ?? []), ...START], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NODE_ENV: 'test',
      HOST: '127.0.0.1',
      PORT: String(options.port ?? 0),
      DATA_DIR: folder,
      OPERATOR_EMAIL: OPERATOR.email,
      OPERATOR_PASSWORD: OPERATOR.password,
      ...options.env,
    },
  });
  live.add(child);
  const log: string[] = [];
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.on('exit', (code, signal) => {
      live.delete(child);
      resolve(signal ?? code);
    });
  });
  createInterface({ input: child.stderr }).on('line', (line) => log.push(line));
  let deadline: NodeJS.Timeout | undefined;
  const url = await new Promise<string>((resolve, refuse) => {
    deadline = setTimeout(() => {
      child.kill('SIGKILL');
      refuse(new Error(`the server wasn't ready in time:\n${log.slice(-20).join('\n')}`));
    }, options.deadlineMs ?? 30_000);
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (log.push(line) > 10_000) log.splice(0, 5_000);
      options.onLine?.(line);
      if (line.includes('"Holdfast is ready"')) resolve((JSON.parse(line) as { url: string }).url);
    });
    if (options.port !== undefined) void answering(`http://127.0.0.1:${options.port}`, child).then(resolve);
    void ended.then((how) => {
      refuse(new Error(`the server ended (${how}) before it was ready:\n${log.slice(-20).join('\n')}`));
    });
  }).finally(() => clearTimeout(deadline));
  const readyMs = performance.now() - started;
  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    child.kill(signal);
    await ended;
  };
  return {
    url,
    folder,
    pid: child.pid ?? 0,
    readyMs,
    ended,
    log,
    kill,
    async close() {
      await kill('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The address, once the server says there that it is ready. */
async function answering(url: string, child: ChildProcess): Promise<string> {
  while (child.exitCode === null && child.signalCode === null) {
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.ok) break;
    await pause(READY_POLL_MS);
  }
  return url;
}
