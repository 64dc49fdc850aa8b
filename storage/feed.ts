/**
 * What changed of each customer's carts and orders, in the order in which this node heard of it: kept for at least five
 * minutes, so that whoever was cut off can go on. A place in it is told by shards and the numbers of their records, which
 * are the same on all nodes; positions in the tables are not.
 */
import { type AddressKey, parseAddressKey } from '../actors/kernel/address.ts';
import type { Versioned } from '../actors/kernel/decider.ts';
import type { Commit } from '../actors/kernel/message.ts';
import { type Db, readMeta, writeMeta } from './database.ts';
import type { PlacedRecord } from './logWriter.ts';
import { recentlyUsed } from './recentlyUsed.ts';
import { type CommitColumns, decodeCommit } from './recordCodec.ts';
import { type RecordFollower, tablesAt } from './tables.ts';

/** Rows are dropped by whole generations: what is kept is between one and two of these old, by the records' own times. */
const GENERATION_MS = 300_000;
/** Aggregates whose owner is remembered; of others it is looked up. */
const KNOWN_OWNERS = 20_000;
/** Raised when these tables change: they then begin anew. */
const REVISION = 1;
const META = 'feed';
const AT = 'feed-at';

/** What customers hear of; the first event of each says whose it is. */
const TYPES: ReadonlySet<string> = new Set(['cart', 'order']);

/** By shard: the number of a record, and so all before it; 0, or nothing there, is none. */
export type RecordNumbers = readonly number[];

export type FeedRow = {
  readonly shard: number;
  /** Of the record, and of the commit within it, from 0. */
  readonly n: number;
  readonly index: number;
  /** In this node's tables: rows come in this order. */
  readonly position: number;
  readonly commit: Commit;
};

export type Feed = {
  readonly follower: RecordFollower;
  /** What the tables hold. */
  readonly heads: RecordNumbers;
  /** Up to here rows may have been dropped. */
  readonly floors: RecordNumbers;
  /** Of the newest commit that the tables hold. */
  readonly position: number;
  /** An owner's rows after a position. */
  after(owner: string, position: number, limit: number): readonly FeedRow[];
  /** `wake` is called when there are new rows of this owner. Answers how to end that. */
  watch(owner: string, wake: () => void): () => void;
};

type Generations = {
  readonly current: 0 | 1;
  /** Time of the record with which the current one began, in ms since the epoch; 0 before the first. */
  readonly since: number;
  readonly begun: RecordNumbers;
  readonly floors: RecordNumbers;
};
type State = Generations & { readonly heads: RecordNumbers; readonly position: number };
type Row = CommitColumns & Omit<FeedRow, 'commit'>;

/** Before the tables are brought up to where the log is. `skipped` hears of commits that nobody can be told of. */
export function openFeed(db: Db, skipped: (what: string, error: unknown) => void): Feed {
  createFeedTables(db);
  const writeRows = createRowWriter(db, skipped);
  const watchers = new Map<string, Set<() => void>>();
  const rows = db.prepare<{ owner: string; position: number; limit: number }, Row>(
    `SELECT f.shard, f.n, f.part AS "index", f.position, c.key, c.seq, c.version, c.cause, c.at, c.body FROM (
       SELECT * FROM feed_0 WHERE owner = @owner AND position > @position
       UNION ALL SELECT * FROM feed_1 WHERE owner = @owner AND position > @position
     ) f JOIN commits c ON c.position = f.position ORDER BY f.position LIMIT @limit`,
  );
  let state = openState(db);
  let draft: { readonly state: State; readonly owners: ReadonlySet<string> } | undefined;

  const follower: RecordFollower = {
    apply(records) {
      const next = advanced(db, state, records);
      draft = { state: next, owners: writeRows(records, next.current) };
      writeMeta(db, AT, String(records.at(-1)?.place ?? 0));
    },
    written() {
      if (!draft) return;
      const { owners } = draft;
      state = draft.state;
      draft = undefined;
      for (const owner of owners) for (const wake of watchers.get(owner) ?? []) wake();
    },
    discard() {
      draft = undefined;
    },
  };

  return {
    follower,
    get heads() {
      return state.heads;
    },
    get floors() {
      return state.floors;
    },
    get position() {
      return state.position;
    },
    after: (owner, position, limit) =>
      rows.all({ owner, position, limit }).map(({ shard, n, index, position: at, ...columns }) => ({
        shard,
        n,
        index,
        position: at,
        commit: decodeCommit(columns),
      })),
    watch(owner, wake) {
      const known = watchers.get(owner) ?? new Set();
      watchers.set(owner, known.add(wake));
      return () => {
        known.delete(wake);
        if (known.size === 0 && watchers.get(owner) === known) watchers.delete(owner);
      };
    },
  };
}

function createFeedTables(db: Db): void {
  for (const table of ['feed_0', 'feed_1']) {
    db.exec(`CREATE TABLE IF NOT EXISTS ${table} (
      owner TEXT NOT NULL, position INTEGER NOT NULL, shard INTEGER NOT NULL, n INTEGER NOT NULL,
      part INTEGER NOT NULL, PRIMARY KEY (owner, position)) WITHOUT ROWID`);
  }
}

/** As it was left; begun anew where the tables went on without it. */
function openState(db: Db): State {
  const { place, position } = tablesAt(db);
  const heads = headsAt(db, place);
  const stored = readMeta(db, META);
  const known = stored === undefined ? undefined : (JSON.parse(stored) as Generations & { revision: number });
  if (known?.revision === REVISION && readMeta(db, AT) === String(place)) return { ...known, heads, position };
  const fresh: Generations = { current: 0, since: 0, begun: heads, floors: heads };
  db.transaction(() => {
    db.exec('DELETE FROM feed_0; DELETE FROM feed_1');
    writeGenerations(db, fresh);
    writeMeta(db, AT, String(place));
  })();
  return { ...fresh, heads, position };
}

function writeGenerations(db: Db, { current, since, begun, floors }: Generations): void {
  writeMeta(db, META, JSON.stringify({ revision: REVISION, current, since, begun, floors }));
}

/** The log's heads, less what the tables don't hold yet. */
function headsAt(db: Db, place: number): RecordNumbers {
  const heads: number[] = [];
  const all = db.prepare<[], { shard: number; n: number }>('SELECT shard, n FROM heads').all();
  for (const { shard, n } of all) heads[shard] = n;
  const later = db
    .prepare<[number], { shard: number; n: number }>(
      'SELECT shard, min(n) AS n FROM records WHERE rowid > ? GROUP BY shard',
    )
    .all(place);
  for (const { shard, n } of later) heads[shard] = n - 1;
  return Array.from(heads, (n) => n ?? 0);
}

/** The state that holds these records too; a generation that is old enough makes room for a new one. */
function advanced(db: Db, state: State, records: readonly PlacedRecord[]): State {
  const heads = [...state.heads];
  let { position } = state;
  let at = state.since;
  for (const { record, firstPosition } of records) {
    heads[record.shard] = record.n;
    if (record.commits.length > 0) position = firstPosition + record.commits.length - 1;
    at = Math.max(at, record.at);
  }
  const next = { ...state, heads: Array.from(heads, (n) => n ?? 0), position };
  if (at - state.since < GENERATION_MS) return next;
  const current = state.current === 0 ? 1 : 0;
  db.exec(`DELETE FROM feed_${current}`);
  const generations: Generations = { current, since: at, begun: state.heads, floors: state.begun };
  writeGenerations(db, generations);
  return { ...next, ...generations };
}

type RowWriter = (records: readonly PlacedRecord[], generation: 0 | 1) => ReadonlySet<string>;

/** Answers whose rows it has written. */
function createRowWriter(db: Db, skipped: (what: string, error: unknown) => void): RowWriter {
  const inserts = [0, 1].map((generation) => db.prepare(`INSERT INTO feed_${generation} VALUES (?, ?, ?, ?, ?)`));
  const begin = db
    .prepare<[AddressKey], string>('SELECT body FROM histories WHERE key = ? AND version = 1 ORDER BY seq LIMIT 1')
    .pluck();
  const known = recentlyUsed<AddressKey, string>(KNOWN_OWNERS);

  function ownerOf({ key, version, events }: Commit): string | undefined {
    const remembered = known.get(key);
    if (remembered !== undefined) return remembered;
    const first = version === 1 ? events : (JSON.parse(begin.get(key) ?? '{}') as { events?: Versioned[] }).events;
    const event = first?.[0];
    const owner = event && 'customerId' in event ? String(event.customerId) : undefined;
    if (owner !== undefined) known.set(key, owner);
    return owner;
  }

  return (records, generation) => {
    const owners = new Set<string>();
    for (const { record, firstPosition } of records) {
      record.commits.forEach((commit, index) => {
        if (commit.events.length === 0 || !TYPES.has(parseAddressKey(commit.key).type)) return;
        const owner = ownerOf(commit);
        if (owner === undefined) {
          skipped(commit.key, new Error('nobody knows whose it is'));
          return;
        }
        inserts[generation]?.run(owner, firstPosition + index, record.shard, record.n, index);
        owners.add(owner);
      });
    }
    return owners;
  };
}
