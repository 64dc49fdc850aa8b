/**
 * Backups of a node's data folder. SQLite's own online backup copies the store page by page while the shop goes on; pages
 * that change meanwhile are copied again, so the copy is the store as it was when the backup ended. The books of the
 * simulated vendor are copied after it: they may have seen more than the store, as a real vendor's would, never less.
 * `backup.json` is written last: a folder without it is no backup.
 */
import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Db } from './database.ts';
import { AUTH_SECRET_FILE, LEDGER_FILE, STORE_FILE } from './dataFolder.ts';
import { type LogFinding, verifyLog } from './verifyLog.ts';

/** 1.6 MB between turns of the event loop: a few milliseconds. */
export const PAGES_PER_TURN = 400;
const MANIFEST = 'backup.json';
const FORMAT = 1;

export type Backup = {
  readonly name: string;
  /** When it ended, in ms since the epoch: what was durable before is in it. */
  readonly at: number;
  readonly bytes: number;
};

/** There is something under this name already. */
export class BackupExists extends Error {
  override readonly name = 'BackupExists';
}

/** The folder holds no whole backup, or one that doesn't fit. */
export class NotABackup extends Error {
  override readonly name = 'NotABackup';
}

/** What a backup copies: open files, because the node that owns them is at work. */
export type Sources = { readonly store: Db; readonly ledger: Pick<Db, 'backup'>; readonly dataFolder: string };

/**
 * @param now in ms since the epoch
 * @throws BackupExists; Error when the disk can't take it: what was written of it is removed
 */
export async function writeBackup(sources: Sources, folder: string, name: string, now: () => number): Promise<Backup> {
  const target = join(folder, name);
  mkdirSync(folder, { recursive: true });
  try {
    mkdirSync(target, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw new BackupExists(`${target} exists`);
    throw error;
  }
  try {
    const progress = (): number => PAGES_PER_TURN;
    await sources.store.backup(join(target, STORE_FILE), { progress });
    const at = now();
    await sources.ledger.backup(join(target, LEDGER_FILE), { progress });
    const secret = join(sources.dataFolder, AUTH_SECRET_FILE);
    if (existsSync(secret)) copyFileSync(secret, join(target, AUTH_SECRET_FILE));
    const bytes = readdirSync(target).reduce((sum, file) => sum + statSync(join(target, file)).size, 0);
    const backup = { name, at, bytes };
    writeDurably(join(target, MANIFEST), JSON.stringify({ format: FORMAT, ...backup }));
    return backup;
  } catch (error) {
    rmSync(target, { recursive: true, force: true });
    throw error;
  }
}

/** The whole backups of a folder, newest first. */
export function listBackups(folder: string): readonly Backup[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((name) => {
      const backup = manifestOf(join(folder, name));
      return backup === undefined ? [] : [{ ...backup, name }];
    })
    .sort((a, b) => b.at - a.at);
}

function manifestOf(backup: string): Backup | undefined {
  const path = join(backup, MANIFEST);
  if (!existsSync(path)) return undefined;
  const { format, name, at, bytes } = JSON.parse(readFileSync(path, 'utf8'));
  if (format !== FORMAT) throw new NotABackup(`${backup} has format ${format}; this Holdfast reads ${FORMAT}`);
  return { name, at, bytes };
}

/** Whole or not at all, also when the power goes. */
function writeDurably(path: string, text: string): void {
  const file = openSync(`${path}.new`, 'w', 0o600);
  writeSync(file, text);
  fsyncSync(file);
  closeSync(file);
  renameSync(`${path}.new`, path);
}

/** SQLite would play a log file that lies beside the store, whatever store it was of, into the restored one. */
const LEFT_BY_A_SHOP = [STORE_FILE, `${STORE_FILE}-wal`, `${LEDGER_FILE}-wal`];

function copyDurably(from: string, to: string): void {
  copyFileSync(from, to);
  const file = openSync(to, 'r+');
  fsyncSync(file);
  closeSync(file);
}

/**
 * Makes a data folder of a backup. The store is looked through before it gets its name: a folder in which this was cut
 * short holds no shop.
 * @throws NotABackup when it isn't whole, or when the folder holds a shop already
 */
export function restoreBackup(backup: string, dataFolder: string): Backup {
  const manifest = manifestOf(backup);
  if (!manifest) throw new NotABackup(`${backup} is no backup: it has no ${MANIFEST}`);
  const store = join(dataFolder, STORE_FILE);
  const left = LEFT_BY_A_SHOP.find((file) => existsSync(join(dataFolder, file)));
  if (left !== undefined) {
    throw new NotABackup(`${dataFolder} holds a shop already, or ${left} of one; restore into an empty folder`);
  }
  mkdirSync(dataFolder, { recursive: true });
  for (const file of [AUTH_SECRET_FILE, LEDGER_FILE]) {
    if (existsSync(join(backup, file))) copyDurably(join(backup, file), join(dataFolder, file));
  }
  const copy = `${store}.restoring`;
  // Of a restore that was cut short while it looked through its copy.
  for (const suffix of ['-wal', '-shm']) rmSync(`${copy}${suffix}`, { force: true });
  copyDurably(join(backup, STORE_FILE), copy);
  const [damage] = damageOf(copy);
  if (damage) {
    rmSync(copy);
    throw new NotABackup(`${backup} is damaged: ${damage.problem}`);
  }
  renameSync(copy, store);
  return manifest;
}

/** The file's own structure, then the chain of hashes over every record. */
export function damageOf(path: string): readonly LogFinding[] {
  const db = new Database(path);
  try {
    // Its log file would have to be renamed with it.
    db.pragma('journal_mode = DELETE');
    const structure = db.pragma('quick_check(1)', { simple: true });
    if (structure !== 'ok') return [{ problem: String(structure) }];
    return verifyLog(db).findings;
  } catch (error) {
    return [{ problem: error instanceof Error ? error.message : String(error) }];
  } finally {
    db.close();
  }
}
