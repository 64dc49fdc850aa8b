/**
 * The node's SQLite file. WAL with `synchronous = FULL`: a transaction is on the disk when it returns, which is what
 * the embedded log's promise rests on. One connection, used from one thread; every statement is prepared once.
 */
import Database from 'better-sqlite3';

export type Db = Database.Database;

const SCHEMA_VERSION = 5;
/** A process that is just ending may hold the file for a moment. */
const LOCK_TIMEOUT_MS = 2_000;
const PAGE_CACHE_KIB = 32 * 1024;
/** The log file is folded into the main file every so many pages: the same hot pages are then written once, not often. */
const CHECKPOINT_PAGES = 8_192;

const SCHEMA = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

  -- The shard logs: one row a record, and one row a commit of it, in log order. Rows are only ever added at the end:
  -- an index over shard and number would cost every transaction a page per shard.
  CREATE TABLE records (
    shard INTEGER NOT NULL, n INTEGER NOT NULL, epoch INTEGER NOT NULL, at INTEGER NOT NULL,
    inbox_offset INTEGER NOT NULL, prev_hash TEXT NOT NULL, hash TEXT NOT NULL,
    first_position INTEGER NOT NULL, commits INTEGER NOT NULL, acked TEXT NOT NULL
  );
  CREATE TABLE commits (
    position INTEGER PRIMARY KEY, key TEXT NOT NULL, seq INTEGER NOT NULL, version INTEGER NOT NULL,
    cause TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL
  );

  -- What follows is derived from the logs.
  -- Where the commits of each aggregate are. No index of the log itself: it would cost each record a page per aggregate.
  -- An aggregate's number is the position of its first commit. Keys lie all over their index, in which each of them has one
  -- row; numbers grow, so what happens now is together.
  CREATE TABLE aggregates (key TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE places (
    number INTEGER NOT NULL, seq INTEGER NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (number, seq)
  ) WITHOUT ROWID;
  CREATE VIEW histories AS
    SELECT a.key, p.seq, c.version, c.cause, c.at, c.body
    FROM aggregates a JOIN places p ON p.number = a.number JOIN commits c ON c.position = p.position;
  CREATE TABLE heads (
    shard INTEGER PRIMARY KEY, n INTEGER NOT NULL, epoch INTEGER NOT NULL, hash TEXT NOT NULL,
    inbox_offset INTEGER NOT NULL
  );
  -- In a cluster: how far this node follows each shard's log at the broker, and who holds the shard by it.
  CREATE TABLE followed (shard INTEGER PRIMARY KEY, position INTEGER NOT NULL, title TEXT);
  CREATE TABLE snapshots (key TEXT PRIMARY KEY, seq INTEGER NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL);
  -- Messages answered by commits that a snapshot hides: loading an actor shows the others.
  CREATE TABLE seen (cause TEXT NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (cause, position)) WITHOUT ROWID;
  CREATE TABLE outbox (id TEXT PRIMARY KEY, shard INTEGER NOT NULL, position INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE timers (
    key TEXT NOT NULL, name TEXT NOT NULL, shard INTEGER NOT NULL, at INTEGER NOT NULL, seq INTEGER NOT NULL,
    message TEXT NOT NULL, PRIMARY KEY (key, name)
  ) WITHOUT ROWID;
  CREATE INDEX timers_due ON timers (shard, at);
  CREATE TABLE dead_letters (
    id TEXT PRIMARY KEY, key TEXT NOT NULL, at INTEGER NOT NULL, attempts INTEGER NOT NULL, type TEXT NOT NULL,
    reason TEXT NOT NULL, envelope TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX dead_letters_by_time ON dead_letters (at, id);
  -- What operators did about dead letters and actors in quarantine, by the positions of their commits.
  CREATE TABLE repairs (
    position INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, by TEXT, why TEXT,
    letter TEXT, message TEXT, type TEXT, reason TEXT, attempts INTEGER
  );
  CREATE INDEX repairs_by_letter ON repairs (letter) WHERE letter IS NOT NULL;

  -- Read models.
  CREATE TABLE products (
    sku TEXT PRIMARY KEY, status TEXT NOT NULL, category TEXT NOT NULL, amount INTEGER, currency TEXT,
    in_stock INTEGER NOT NULL, sort_name TEXT NOT NULL, on_sale_at INTEGER, version INTEGER NOT NULL,
    name TEXT NOT NULL, tags TEXT NOT NULL, description TEXT NOT NULL
  );
  -- One for counting facets, one for each order in which the whole catalog is leafed through.
  CREATE INDEX products_by_facet ON products (category, amount, in_stock) WHERE status = 'active';
  CREATE INDEX products_by_name ON products (sort_name, sku) WHERE status = 'active';
  CREATE INDEX products_by_price ON products (amount, sort_name, sku) WHERE status = 'active';
  CREATE INDEX products_by_price_down ON products (-amount, sort_name, sku) WHERE status = 'active';
  CREATE INDEX products_by_age ON products (-on_sale_at, sort_name, sku) WHERE status = 'active';
  CREATE VIRTUAL TABLE products_text USING fts5 (
    name, sku, category, tags, description, content='', contentless_delete=1, tokenize='porter unicode61',
    prefix='2 3'
  );
  -- Every word of at least three letters that was ever on sale, to find what a mistyped one means.
  CREATE TABLE products_words (word TEXT PRIMARY KEY) WITHOUT ROWID;
  CREATE TABLE stock_levels (
    sku TEXT NOT NULL, warehouse TEXT NOT NULL, available INTEGER NOT NULL, reserved INTEGER NOT NULL,
    committed INTEGER NOT NULL, picked INTEGER NOT NULL, received INTEGER NOT NULL, shipped INTEGER NOT NULL,
    adjusted INTEGER NOT NULL, quarantined INTEGER NOT NULL, transferred_in INTEGER NOT NULL,
    transferred_out INTEGER NOT NULL, in_transit INTEGER NOT NULL, backordered INTEGER NOT NULL, expected_quantity INTEGER, expected_at INTEGER,
    PRIMARY KEY (sku, warehouse)
  ) WITHOUT ROWID;
  CREATE TABLE customer_orders (
    customer TEXT NOT NULL, placed_at INTEGER NOT NULL, order_id TEXT NOT NULL, seq INTEGER NOT NULL,
    status TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL,
    PRIMARY KEY (customer, placed_at, order_id)
  ) WITHOUT ROWID;
  CREATE TABLE staff (number INTEGER PRIMARY KEY, customer TEXT NOT NULL UNIQUE);
`;

/** Another process has the file open. */
export class StoreInUse extends Error {
  override readonly name = 'StoreInUse';
}

/**
 * Opens the file, creating it when it is missing, for this process alone: two nodes on one store would each answer from
 * their own memory.
 * @throws StoreInUse; Error when the file was made by another version of Holdfast, or can't be opened
 */
export function openDatabase(path: string): Db {
  const db = new Database(path, { timeout: LOCK_TIMEOUT_MS });
  // From the first read or write on the file stays locked; the system lets go of it when the process dies.
  db.pragma('locking_mode = EXCLUSIVE');
  try {
    db.pragma('journal_mode = WAL');
    db.exec('BEGIN IMMEDIATE; COMMIT');
  } catch (error) {
    db.close();
    throw isBusy(error) ? new StoreInUse(`${path} is in use by another process`, { cause: error }) : error;
  }
  db.pragma('synchronous = FULL');
  db.pragma(`cache_size = -${PAGE_CACHE_KIB}`);
  db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  db.pragma('temp_store = MEMORY');
  const version = db.pragma('user_version', { simple: true });
  if (version === 0) {
    db.transaction(() => {
      db.exec(SCHEMA);
      db.pragma(`user_version = ${SCHEMA_VERSION}`);
    })();
  } else if (version !== SCHEMA_VERSION) {
    db.close();
    throw new Error(`${path} has schema version ${version}; this Holdfast reads version ${SCHEMA_VERSION}`);
  }
  return db;
}

/**
 * Opens a file that no node is running on, to look at it. Nothing is written to it.
 * @throws StoreInUse; Error when there is no such file, or it is of another version
 */
export function openForReading(path: string): Db {
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: LOCK_TIMEOUT_MS });
  try {
    const version = db.pragma('user_version', { simple: true });
    // The first read of a table is what a lock refuses.
    db.prepare('SELECT count(*) FROM meta').get();
    if (version === SCHEMA_VERSION) return db;
    throw new Error(`${path} has schema version ${version}; this Holdfast reads version ${SCHEMA_VERSION}`);
  } catch (error) {
    db.close();
    throw isBusy(error) ? new StoreInUse(`${path} is in use by another process`, { cause: error }) : error;
  }
}

const STORE_TROUBLE = /^SQLITE_(FULL|IOERR|BUSY|READONLY|CANTOPEN|NOMEM|CORRUPT|NOTADB|PROTOCOL|LOCKED)/;

/** What the disk or the file can't do now; anything else (a constraint, a value that doesn't bind) is in what is written. */
export function isStoreTrouble(error: unknown): boolean {
  return STORE_TROUBLE.test(error instanceof Error && 'code' in error ? String(error.code) : '');
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY';
}

export function readMeta(db: Db, name: string): string | undefined {
  return db.prepare<[string], { value: string }>('SELECT value FROM meta WHERE name = ?').get(name)?.value;
}

/** Kept: it is written with each batch of the tables. */
const metaWriters = new WeakMap<Db, Database.Statement<[string, string]>>();

export function writeMeta(db: Db, name: string, value: string): void {
  const known =
    metaWriters.get(db) ??
    db.prepare<[string, string]>(
      'INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
    );
  metaWriters.set(db, known);
  known.run(name, value);
}
