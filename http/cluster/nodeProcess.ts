/** One node of a launched cluster: a process as `npm start` makes it, in a group of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Environment } from './plan.ts';

/** Exit code or signal. */
export type Fate = number | NodeJS.Signals | null;

export type NodeProcess = {
  readonly pid: number;
  readonly outputs: readonly [stdout: Readable, stderr: Readable];
  /** Resolves when it has ended and its last line was read; with null when it could not be started. */
  readonly ended: Promise<Fate>;
  readonly running: boolean;
  signal(signal: NodeJS.Signals): void;
};

const live = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of live) child.kill('SIGKILL');
});

/** @param program Node's arguments: the file to run, and what must stand before it */
export function startNode(program: readonly string[], environment: Environment): NodeProcess {
  // Not in the launcher's group: Ctrl-C in a terminal would reach nodes and launcher at once.
  const child = spawn(process.execPath, [...program], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...environment },
    detached: true,
  });
  live.add(child);
  child.once('exit', () => live.delete(child));
  const ended = new Promise<Fate>((resolve) => {
    child.once('close', (code, signal) => resolve(signal ?? code));
    child.once('error', () => {
      live.delete(child);
      if (child.pid === undefined) resolve(null);
    });
  });
  return {
    pid: child.pid ?? 0,
    outputs: [child.stdout, child.stderr],
    ended,
    get running() {
      return live.has(child);
    },
    signal(signal) {
      child.kill(signal);
    },
  };
}

/** As people read it. */
export function fateText(fate: Fate): string {
  if (fate === null) return 'it could not be started';
  return typeof fate === 'number' ? `exit code ${fate}` : fate;
}
