/** The node's folder: its SQLite file, the identity of the shop in it, and the secrets of development beside it. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
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

/** The cluster that a store works in, and what its stores have in common. */
export type Membership = { readonly id: string; readonly name: string; readonly idSecret: string };

/** What a store is already, before it is known what it is to be. */
export type StoreIdentity = { readonly shards: number; readonly idSecret: string; readonly memberOf?: string } & {
  /** There are records in it that were never in the log of a cluster. */
  readonly hasOwnLog: boolean;
};

/** A folder that is this process's from now on, and no more than looked at. */
export type HeldFolder = {
  /** Undefined for a folder without a shop. */
  readonly identity?: StoreIdentity;
  /**
   * Makes the store, if there is none, with the cluster's secret if it is a member of one; closes it when it doesn't fit.
   * @throws StoreMismatch when it is of another cluster, or of one and alone
   */
  open(membership?: Membership): DataFolder;
  close(): void;
};

/** @throws StoreInUse; StoreMismatch when the store was created with another number of shards */
export function holdDataFolder(folder: string, shards: number): HeldFolder {
  mkdirSync(folder, { recursive: true });
  return holdStore(openDatabase(join(folder, STORE_FILE)), folder, shards);
}

/**
 * As `holdDataFolder`, for a store that is open.
 * @param folder what it is called in messages
 * @throws StoreMismatch
 */
export function holdStore(db: Db, folder: string, shards: number): HeldFolder {
  const identity = identityOf(db);
  if (identity !== undefined && identity.shards !== shards) {
    db.close();
    throw new StoreMismatch(
      `SHARDS is ${shards}, but the store in ${folder} was created with ${identity.shards}; it is fixed for life`,
    );
  }
  return {
    ...(identity && { identity }),
    open(membership) {
      const mismatch = identity && mismatchOf(folder, identity, readMeta(db, 'cluster-name'), membership);
      if (mismatch !== undefined) {
        db.close();
        throw new StoreMismatch(mismatch);
      }
      db.transaction(() => {
        if (identity === undefined) {
          writeMeta(db, 'shards', String(shards));
          writeMeta(db, 'id-secret', membership?.idSecret ?? randomBytes(32).toString('base64url'));
        }
        if (membership !== undefined && identity?.memberOf === undefined) {
          writeMeta(db, 'cluster', membership.id);
          writeMeta(db, 'cluster-name', membership.name);
        }
      })();
      return {
        db,
        isNew: readMeta(db, 'prepared') === undefined,
        prepared: () => writeMeta(db, 'prepared', 'yes'),
        idSecret: readMeta(db, 'id-secret') ?? '',
      };
    },
    close: () => db.close(),
  };
}

/**
 * Opens the folder of a node that is alone.
 * @throws StoreInUse; StoreMismatch when the store was created with another number of shards, or works in a cluster
 */
export function openDataFolder(folder: string, shards: number): DataFolder {
  return holdDataFolder(folder, shards).open();
}

function identityOf(db: Db): StoreIdentity | undefined {
  const shards = readMeta(db, 'shards');
  if (shards === undefined) return undefined;
  const memberOf = readMeta(db, 'cluster');
  return {
    shards: Number(shards),
    idSecret: readMeta(db, 'id-secret') ?? '',
    hasOwnLog: hasOwnLog(db),
    ...(memberOf !== undefined && { memberOf }),
  };
}

/** A copy of a cluster's logs says with each record how far it follows them. */
export function hasOwnLog(db: Db): boolean {
  const [records, followed] = ['heads', 'followed'].map((table) => db.prepare(`SELECT 1 FROM ${table} LIMIT 1`).get());
  return records !== undefined && followed === undefined;
}

function mismatchOf(
  folder: string,
  identity: StoreIdentity,
  cluster: string | undefined,
  membership: Membership | undefined,
): string | undefined {
  const { memberOf } = identity;
  if (memberOf !== undefined && membership === undefined) {
    return (
      `the store in ${folder} is a copy of what cluster "${cluster}" (${memberOf}) has, and alone it would part from it: ` +
      `set NATS_URL and CLUSTER=${cluster}, or another DATA_DIR`
    );
  }
  if (memberOf !== undefined && memberOf !== membership?.id) {
    return (
      `the store in ${folder} belongs to cluster "${cluster}" (${memberOf}), not to "${membership?.name}" ` +
      `(${membership?.id}): correct CLUSTER or NATS_URL, or set another DATA_DIR`
    );
  }
  if (membership !== undefined && identity.idSecret !== membership.idSecret) {
    return `the store in ${folder} holds a shop of its own, not that of cluster "${membership.name}": set another DATA_DIR`;
  }
  return undefined;
}

/** The secret that signs sessions in development: made at the first start, readable by its owner only. */
export function developmentSecret(folder: string): string {
  const path = join(folder, AUTH_SECRET_FILE);
  if (!existsSync(path)) writeFileSync(path, randomBytes(32).toString('base64url'), { mode: 0o600 });
  return readFileSync(path, 'utf8').trim();
}

/** The development secret that was made here, if there is one. */
export function ownDevelopmentSecret(folder: string): string | undefined {
  return existsSync(join(folder, AUTH_SECRET_FILE)) ? developmentSecret(folder) : undefined;
}

/** Keeps the secret that all nodes of a cluster sign with in place of a secret of this node's own. */
export function adoptDevelopmentSecret(folder: string, secret: string): void {
  if (ownDevelopmentSecret(folder) === secret) return;
  const path = join(folder, AUTH_SECRET_FILE);
  writeFileSync(`${path}.new`, secret, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
