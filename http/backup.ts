/**
 * `npm run backup [-- <name>]`: copies the store of DATA_DIR into a folder of BACKUP_DIR. While a node runs on it, the
 * node does it and goes on working; otherwise the file is opened. Ends with 1 when there is no whole backup.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { BackupExists, writeBackup } from '../storage/backup.ts';
import { StoreInUse } from '../storage/database.ts';
import { LEDGER_FILE, openDataFolder, STORE_FILE, StoreMismatch } from '../storage/dataFolder.ts';
import { openKeyedStore } from '../storage/keyedStore.ts';
import { type Config, ConfigError, readConfig } from '../supervisors/config.ts';
import { createNodeClient, type NodeClient, NodeRefused } from './nodeClient.ts';

const POLL_MS = 200;

async function main(name: string): Promise<void> {
  const config = readConfig(process.env);
  const written = join(config.BACKUP_DIR, name);
  try {
    await copyStopped(config, name);
  } catch (error) {
    if (!(error instanceof StoreInUse)) throw error;
    await askNode(createNodeClient(config, 'npm-run-backup'), name);
  }
  process.stdout.write(
    `Backup written: ${written}\nRestore it with: DATA_DIR=<empty folder> npm run restore -- ${written}\n`,
  );
}

async function copyStopped(config: Config, name: string): Promise<void> {
  if (!existsSync(join(config.DATA_DIR, STORE_FILE))) {
    throw new ConfigError(`There is no store in ${config.DATA_DIR}: set DATA_DIR.`);
  }
  const { db } = openDataFolder(config.DATA_DIR, config.SHARDS);
  const ledger = openKeyedStore(join(config.DATA_DIR, LEDGER_FILE));
  try {
    await writeBackup({ store: db, ledger, dataFolder: config.DATA_DIR }, config.BACKUP_DIR, name, Date.now);
  } finally {
    ledger.close();
    db.close();
  }
}

type Listed = {
  readonly running: string | null;
  readonly failure: { readonly name: string; readonly reason: string } | null;
};

async function askNode(node: NodeClient, name: string): Promise<void> {
  await node.call('POST', '/v1/admin/backups', { name });
  for (;;) {
    const { running, failure } = await node.call<Listed>('GET', '/v1/admin/backups');
    if (failure?.name === name) throw new NodeRefused(`The backup failed: ${failure.reason}`);
    if (running !== name) return;
    await pause(POLL_MS);
  }
}

/** Sorts by time. */
const nameOfNow = (): string => new Date().toISOString().replace(/[:.]/g, '-').toLowerCase();

try {
  await main(process.argv[2] ?? nameOfNow());
} catch (error) {
  const expected = [ConfigError, NodeRefused, BackupExists, StoreMismatch].some((type) => error instanceof type);
  process.stderr.write(`${expected ? (error as Error).message : error instanceof Error ? error.stack : error}\n`);
  process.exitCode = 1;
}
