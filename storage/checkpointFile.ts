/** A copy of a node's file for other nodes, and such a copy in the place of a node's own file. */
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { LogPosition } from '../actors/kernel/clusterPorts.ts';
import { damageOf, PAGES_PER_TURN } from './backup.ts';
import type { Db } from './database.ts';
import { STORE_FILE } from './dataFolder.ts';

type Row = { readonly shard: number; readonly position: number };

/** By shard, how far the tables hold the logs; 0 for those that they don't know. */
export function followedPositions(db: Db, shards: number): readonly LogPosition[] {
  const rows = db.prepare<[], Row>('SELECT shard, position FROM followed').all();
  return Array.from({ length: shards }, (_, shard) => rows.find((row) => row.shard === shard)?.position ?? 0);
}

/** Copies page by page while the node goes on. Returns what the copy holds. */
export async function writeCopy(db: Db, path: string, shards: number): Promise<readonly LogPosition[]> {
  rmSync(path, { force: true });
  await db.backup(path, { progress: () => PAGES_PER_TURN });
  const copy = new Database(path);
  try {
    // In one file: its log file would have to travel with it.
    copy.pragma('journal_mode = DELETE');
    return followedPositions(copy, shards);
  } finally {
    copy.close();
  }
}

/**
 * Looks the copy through and puts it in the place of the folder's store, which nobody may have open. Cut short, the folder
 * has the old one or none.
 * @throws Error when the copy is damaged
 */
export function adoptCopy(path: string, dataFolder: string): void {
  const [damage] = damageOf(path);
  if (damage) throw new Error(`a copy of the store is damaged: ${damage.problem}`);
  const store = join(dataFolder, STORE_FILE);
  for (const file of ['-wal', '-shm', '']) rmSync(`${store}${file}`, { force: true });
  renameSync(path, store);
}
