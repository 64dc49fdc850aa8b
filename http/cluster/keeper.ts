/**
 * Ends what a launcher started when the launcher itself was killed and could not: a shell that reads from a pipe which
 * only the launcher holds. When the pipe breaks it does what the launcher would have done: nodes first, then the brokers.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { ConfigError } from '../../supervisors/config.ts';

/** From SIGTERM to SIGKILL, in seconds. */
export const NODE_PATIENCE_S = 60;
const BROKER_PATIENCE_S = 10;

/** Reads lines: `node <pid>`, `broker <pid>`, `gone <pid>` once it has ended (the number may be another's then), `done`. */
const SCRIPT = `
nodes='' brokers=''
without() { for each in $1; do [ "$each" = "$2" ] || printf ' %s' "$each"; done; }
living() { for each in $1; do kill -0 "$each" 2>/dev/null && return 0; done; return 1; }
finish() {
  [ -n "$1" ] || return 0
  kill -TERM $1 2>/dev/null; kill -CONT $1 2>/dev/null
  left=$2
  while living "$1" && [ "$left" -gt 0 ]; do sleep 1; left=$((left - 1)); done
  kill -KILL $1 2>/dev/null
}
while read -r what pid; do
  case $what in
    node) nodes="$nodes $pid" ;;
    broker) brokers="$brokers $pid" ;;
    gone) nodes=$(without "$nodes" "$pid"); brokers=$(without "$brokers" "$pid") ;;
    done) exit 0 ;;
  esac
done
finish "$nodes" ${NODE_PATIENCE_S}
finish "$brokers" ${BROKER_PATIENCE_S}
`;

export type Keeper = {
  watch(kind: 'node' | 'broker', pid: number): void;
  forget(pid: number): void;
  /** Nothing is left to be ended; resolves when the keeper itself is gone, and with it its hold on the folder. */
  done(): Promise<void>;
};

/**
 * One per folder: two launchers would put two brokers on the same files. The file has the keeper's process id, and the
 * keeper lives as long as anything that may write into the folder.
 * @throws ConfigError when another one lives
 */
export async function startKeeper(file: string): Promise<Keeper> {
  const other = await livingKeeper(file);
  if (other !== undefined) {
    throw new ConfigError(
      `another npm run cluster works here, or is just being stopped (process ${other}): wait, or set another DATA_DIR.\n` +
        `If that process is something else, delete ${file}.`,
    );
  }
  // A session of its own, so that neither Ctrl-C nor the end of the terminal reaches it.
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'holdfast-keeper'], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  const ended = new Promise<void>((resolve) => void child.once('exit', () => resolve()));
  await spawned(child);
  child.stdin.on('error', () => {});
  writeFileSync(file, String(child.pid));
  child.unref();
  const tell = (line: string): void => void child.stdin.write(`${line}\n`);
  return {
    watch: (kind, pid) => tell(`${kind} ${pid}`),
    forget: (pid) => tell(`gone ${pid}`),
    async done() {
      child.ref();
      tell('done');
      child.stdin.end();
      await ended;
    },
  };
}

function spawned(child: ChildProcess): Promise<void> {
  return new Promise((resolve, refuse) => {
    child.once('spawn', resolve);
    child.once('error', refuse);
  });
}

async function livingKeeper(file: string): Promise<number | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const pid = /^\d+$/.test(text) ? Number(text) : 0;
  return pid > 0 && isAlive(pid) ? pid : undefined;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Somebody else's process is alive, too.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
