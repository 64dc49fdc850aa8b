/** The server under test: a real process, quiet, on the real clock, with fsync; its folder survives it. */
import { readdirSync, rmSync, statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Server, startServer } from '../support/server.ts';

/** A store of a million orders may take its time. */
const READY_DEADLINE_MS = 120_000;
const DATABASE = 'holdfast.sqlite';

/** @param env beside what every measured server has, such as its broker */
export async function startBenchServer(
  folder: string,
  profileFolder?: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Server> {
  return startServer({
    folder,
    port: await freePort(),
    env: { LOG_LEVEL: 'warn', SEED: 'none', CLOCK: 'real', ...env },
    deadlineMs: READY_DEADLINE_MS,
    ...(profileFolder !== undefined && { nodeArguments: ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`] }),
  });
}

/** Ends it as an operator would, so that everything is in the database file. */
export async function stopServer(server: Server): Promise<void> {
  await server.kill('SIGTERM');
  const how = await server.ended;
  if (how !== 0) throw new Error(`the server ended with ${how}:\n${server.log.slice(-20).join('\n')}`);
}

export function databaseBytes(folder: string): number {
  return readdirSync(folder)
    .filter((name) => name.startsWith(DATABASE))
    .reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

export function writeAheadBytes(folder: string): number {
  return statSync(join(folder, `${DATABASE}-wal`), { throwIfNoEntry: false })?.size ?? 0;
}

export const databasePath = (folder: string): string => join(folder, DATABASE);

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
