/** A launcher of clusters as a process of its own: what it says, and which processes live because of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { eventually } from './eventually.ts';

const WAIT_MS = 60_000;

export type Launched = {
  readonly child: ChildProcess;
  readonly lines: readonly string[];
  readonly all: string;
  /** Exit code or signal. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
  /** The first match in what was said; waits for it. */
  said(pattern: RegExp): Promise<RegExpExecArray>;
};

const live = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of live) child.kill('SIGKILL');
});

/** @param file that runs the launcher */
export function launch(file: string, options: { args?: string[]; env: Record<string, string> }): Launched {
  const child = spawn(process.execPath, ['--import', 'tsx', file, ...(options.args ?? [])], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, FORCE_COLOR: '0', NO_COLOR: '1', PORT: '0', ...options.env },
  });
  live.add(child);
  const lines: string[] = [];
  for (const output of [child.stdout, child.stderr]) {
    createInterface({ input: output }).on('line', (line) => lines.push(line));
  }
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('close', (code, signal) => {
      live.delete(child);
      resolve(signal ?? code);
    });
  });
  return {
    child,
    lines,
    get all() {
      return lines.join('\n');
    },
    ended,
    async said(pattern) {
      const match = (): RegExpExecArray | null => pattern.exec(lines.join('\n'));
      const over = (): boolean => match() !== null || !live.has(child);
      const late = await eventually('', over, WAIT_MS)
        .then(() => false)
        .catch(() => true);
      const found = match();
      if (found !== null) return found;
      const how = late ? `in ${WAIT_MS} ms` : 'before it ended';
      throw new Error(`${pattern} was not said ${how}:\n${lines.join('\n')}`);
    },
  };
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Of the process that ends what a killed launcher leaves behind. */
export const keeperOf = (folder: string): number => Number(readFileSync(join(folder, 'launcher.pid'), 'utf8'));

export function listens(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
