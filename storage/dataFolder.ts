/** The node's folder: its SQLite file, the identity of the shop in it, and the secrets of development beside it. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Db, openDatabase, readMeta, writeMeta } from './database.ts';

export const STORE_FILE = 'holdfast.sqlite';
/** The simulated payment vendor's books. */
export const LEDGER_FILE = 'payment-simulator.sqlite';
export const AUTH_SECRET_FILE = 'auth.secret';

export type DataFolder = {
  readonly db: Db;
  /** No start has finished preparing this store yet. */
  readonly isNew: boolean;
  /** The store holds what a first start makes. Until then a start that was cut short is a first start again. */
  prepared(): void;
  /** For ids derived from requests: made once, the same for the life of the store. */
  readonly idSecret: string;
};

/** The store belongs to another set-up and must not be used with this one. */
export class StoreMismatch extends Error {
  override readonly name = 'StoreMismatch';
}

/**
 * @throws StoreMismatch when the store was created with another number of shards
 */
export function openDataFolder(folder: string, shards: number): DataFolder {
  mkdirSync(folder, { recursive: true });
  const db = openDatabase(join(folder, STORE_FILE));
  const stored = readMeta(db, 'shards');
  if (stored !== undefined && Number(stored) !== shards) {
    db.close();
    throw new StoreMismatch(
      `SHARDS is ${shards}, but the store in ${folder} was created with ${stored}; it is fixed for life`,
    );
  }
  if (stored === undefined) {
    db.transaction(() => {
      writeMeta(db, 'shards', String(shards));
      writeMeta(db, 'id-secret', randomBytes(32).toString('base64url'));
    })();
  }
  return {
    db,
    isNew: readMeta(db, 'prepared') === undefined,
    prepared: () => writeMeta(db, 'prepared', 'yes'),
    idSecret: readMeta(db, 'id-secret') ?? '',
  };
}

/** The secret that signs sessions in development: made at the first start, readable by its owner only. */
export function developmentSecret(folder: string): string {
  const path = join(folder, AUTH_SECRET_FILE);
  if (!existsSync(path)) writeFileSync(path, randomBytes(32).toString('base64url'), { mode: 0o600 });
  return readFileSync(path, 'utf8').trim();
}
