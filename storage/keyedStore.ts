/**
 * The simulated payment vendor's own books, in a file of their own: they stand for an outside system, so they must
 * survive the node's death as a real vendor's would. Without fsync: a killed process loses nothing, and a power cut takes
 * down the vendor with the shop only in a simulation.
 */
import Database from 'better-sqlite3';

/** Any JSON value with a key. */
export type KeyedEntry = { readonly key: string };

export type KeyedStore<Entry extends KeyedEntry> = {
  get(key: string): Entry | undefined;
  /** All of them or none. */
  put(...entries: readonly Entry[]): void;
  remove(key: string): void;
  all(): Iterable<Entry>;
  /** By key, after the given one; at most `limit`. */
  after(key: string, limit: number): readonly Entry[];
  /** Copies it while it is in use. */
  backup: Database.Database['backup'];
  close(): void;
};

/** `readonly`: only to look at; the file must exist, and `put` fails. */
export function openKeyedStore<Entry extends KeyedEntry>(
  path: string,
  { readonly = false }: { readonly readonly?: boolean } = {},
): KeyedStore<Entry> {
  const db = new Database(path, { readonly });
  if (!readonly) {
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = OFF');
    db.exec('CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, entry TEXT NOT NULL) WITHOUT ROWID');
  }
  const get = db.prepare<[string], string>('SELECT entry FROM entries WHERE key = ?').pluck();
  const put = db.prepare('INSERT OR REPLACE INTO entries VALUES (?, ?)');
  // One statement is one transaction without the calls around it.
  const putTwo = db.prepare('INSERT OR REPLACE INTO entries VALUES (?, ?), (?, ?)');
  const remove = db.prepare('DELETE FROM entries WHERE key = ?');
  const putAll = db.transaction((entries: readonly Entry[]) => {
    for (const entry of entries) put.run(entry.key, JSON.stringify(entry));
  });
  const all = db.prepare<[], string>('SELECT entry FROM entries').pluck();
  const after = db
    .prepare<[string, number], string>('SELECT entry FROM entries WHERE key > ? ORDER BY key LIMIT ?')
    .pluck();
  return {
    get(key) {
      const text = get.get(key) as string | undefined;
      return text === undefined ? undefined : (JSON.parse(text) as Entry);
    },
    put(...entries) {
      const [first, second] = entries;
      if (entries.length > 2) putAll(entries);
      else if (first && second) putTwo.run(first.key, JSON.stringify(first), second.key, JSON.stringify(second));
      else if (first) put.run(first.key, JSON.stringify(first));
    },
    remove(key) {
      remove.run(key);
    },
    *all() {
      for (const text of all.iterate()) yield JSON.parse(text as string) as Entry;
    },
    after: (key, limit) => after.all(key, limit).map((text) => JSON.parse(text as string) as Entry),
    backup: (path, options) => db.backup(path, options),
    close: () => db.close(),
  };
}
