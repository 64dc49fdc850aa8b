/**
 * A cluster node's own copy of the logs, which are at the broker. Every node follows all shards: what it reads is written
 * here some moments later, in the log's order per shard, and whoever looks something up has it written first. Nothing is
 * synced for its own sake: after a power failure the file is a little behind and goes on following where it is.
 */

import { type AddressKey, parseAddressKey } from '../actors/kernel/address.ts';
import { type LogEntry, type LogPosition, LogUnreadable } from '../actors/kernel/clusterPorts.ts';
import { type FollowedTables, type ShardTitle, titleAfter } from '../actors/kernel/followedTables.ts';
import type { EncodedRecord, ShardStore } from '../actors/kernel/ports.ts';
import type { Db } from './database.ts';
import { createHeldHashes } from './heldRecords.ts';
import { createLogWriter, type PlacedRecord } from './logWriter.ts';
import { forgiving, type Projection } from './projection.ts';
import { readingAfter } from './reading.ts';
import { GENESIS_HASH } from './recordCodec.ts';
import { createShardStore } from './shardStore.ts';
import type { Tables } from './tables.ts';

/** How long what was read may wait for others to be written with, when nobody looks. */
const WRITE_AFTER_MS = 20;
/** What could not be written is tried again after this long, also when nothing new comes. */
const WRITE_AGAIN_MS = 1_000;
/** Entries that may wait in memory; the rest stays at the broker until they are written. */
const MAX_WAITING = 512;

export type LocalCopy = FollowedTables & {
  /** A record that this node appended itself: what the log hands over later changes nothing. */
  own(shard: number, position: LogPosition, record: EncodedRecord): void;
  /** Before this node appends. @throws when so much waits for the file that nothing more may be taken */
  makeRoom(): void;
  readonly store: ShardStore;
  /** For whoever looks at logs, catalog or stock. */
  readonly current: Db;
  /** For whoever looks at anything. */
  readonly reader: Db;
  catchUp(): void;
  /**
   * The log is to be read from after this position on, as if nothing were known of it: its positions aren't what they were.
   * The records that the tables hold are passed over.
   */
  readAnew(shard: number, after: LogPosition): void;
  /**
   * Up to where the shard's inbox has been answered; 0 while nobody knows. What a record says of it counts only under the
   * claim under which it was made: a broker that lost the record had lost messages too, and has used their offsets again.
   */
  answered(shard: number): number;
  /** What was last to be written could be; so as long as nothing is to be written. */
  readonly isWritable: boolean;
  /** The tables hold just this record under its number; 0 is the one before the first. */
  holds(shard: number, record: { readonly n: number; readonly hash: string }): boolean;
};

export type LocalCopyOptions = {
  readonly projections: readonly Projection[];
  readonly tables: Tables;
  /** Aggregate types that are looked up without having what waits written first: rarely changed, and then written at once. */
  readonly eager: ReadonlySet<string>;
  /** A commit that a projection can't make sense of: every node has it in its log, and none may stand still for it. */
  readonly skipped: (what: string, error: unknown) => void;
  /** The file can't be written now; it is tried again with the next entry, when somebody looks, and now and then. */
  readonly troubled: (error: unknown) => void;
};

/**
 * `n`, `hash` and `isOfClaim`, that it stands under the claim under which it was made, are of the newest record; `met` is the
 * number of the newest one that the log had up to the position.
 */
type Standing = {
  position: LogPosition;
  title: ShardTitle | undefined;
  n: number;
  met: number;
  hash: string;
  isOfClaim: boolean;
};
type Row = { readonly shard: number; readonly position: number | null; readonly title: string | null };
type Head = { readonly n: number | null; readonly hash: string | null; readonly epoch: number | null };

const STANDINGS = `
  SELECT shard, position, title, n, hash, epoch FROM (SELECT shard FROM heads UNION SELECT shard FROM followed)
    LEFT JOIN heads USING (shard) LEFT JOIN followed USING (shard)`;

export function createLocalCopy(db: Db, { tables, eager, troubled, skipped, ...options }: LocalCopyOptions): LocalCopy {
  const projections = options.projections.map((projection) => forgiving(projection, skipped));
  // The truth is at the broker. A power failure takes the newest transactions, all that they wrote at once; what they
  // held is followed again.
  db.pragma('synchronous = NORMAL');
  const writeRecord = createLogWriter(db, projections);
  const putFollowed = createFollowedWriter(db);
  const held = createHeldHashes(db);
  const standings = new Map<number, Standing>(
    db
      .prepare<[], Row & Head>(STANDINGS)
      .all()
      .map((row) => [row.shard, standingIn(row)]),
  );
  let waiting: EncodedRecord[] = [];
  const keys = new Set<AddressKey>();
  const snapshots = new Map<AddressKey, number>();
  const touched = new Set<number>();
  /** By shard: told when this node brings the record that the log says is its own. */
  const awaited = new Map<number, () => void>();
  let scheduled = false;
  let isWritable = true;

  const writeAll = db.transaction((): PlacedRecord[] => {
    const placed = waiting.map(writeRecord);
    for (const projection of projections) projection.flush();
    for (const shard of touched) {
      putFollowed({ shard, ...standingOf(shard) });
    }
    return placed;
  });

  function write(): void {
    if (touched.size === 0) return;
    let placed: readonly PlacedRecord[];
    try {
      placed = writeAll();
    } catch (error) {
      for (const projection of projections) projection.discard();
      isWritable = false;
      schedule(WRITE_AGAIN_MS);
      throw error;
    }
    isWritable = true;
    waiting = [];
    keys.clear();
    snapshots.clear();
    touched.clear();
    for (const record of placed) tables.follow(record);
  }

  function standingOf(shard: number): Standing {
    const known = standings.get(shard) ?? {
      position: 0,
      title: undefined,
      n: 0,
      met: 0,
      hash: GENESIS_HASH,
      isOfClaim: false,
    };
    standings.set(shard, known);
    return known;
  }

  function schedule(afterMs = WRITE_AFTER_MS): void {
    if (scheduled) return;
    scheduled = true;
    setTimeout(() => {
      scheduled = false;
      if (db.open) tryWrite();
    }, afterMs).unref();
  }

  function tryWrite(): void {
    try {
      write();
    } catch (error) {
      troubled(error);
    }
  }

  function take(shard: number, position: LogPosition, record: EncodedRecord): void {
    waiting.push(record);
    for (const { key } of record.record.commits) keys.add(key);
    for (const { key } of record.snapshots) snapshots.set(key, (snapshots.get(key) ?? 0) + 1);
    const standing = standingOf(shard);
    standing.position = position;
    standing.n = record.record.n;
    standing.met = standing.n;
    standing.hash = record.hash;
    standing.isOfClaim = record.record.epoch === standing.title?.epoch;
    touched.add(shard);
    schedule();
  }

  /** True when it is the next record, false when these tables hold it. @throws LogUnreadable */
  function isNew(shard: number, { record, hash }: EncodedRecord): boolean {
    const standing = standingOf(shard);
    const { n, prevHash } = record;
    if (n === standing.n + 1 && prevHash === standing.hash) return true;
    // Only after the log was read anew; what waits is looked for too.
    if (n <= standing.n) write();
    if (n <= standing.n && held(shard, n) === hash) {
      standing.met = n;
      return false;
    }
    throw new LogUnreadable(
      `record ${n} in the log of shard ${shard} is not the one that this node holds or waits for (it has ${standing.n} ` +
        'records): the log and its copy have parted',
      'parted',
    );
  }

  const catchUp = (): void => {
    write();
    tables.catchUp();
  };
  const makeRoom = (): void => {
    if (waiting.length >= MAX_WAITING) write();
    if (tables.full) tables.catchUp();
  };
  const current = readingAfter(db, write);
  const reader = readingAfter(db, catchUp);
  const snapshotsWaiting = (key: AddressKey): number => (snapshots.get(key) ?? 0) + tables.snapshotsWaiting(key);
  const waitsFor = (key: AddressKey): boolean => keys.has(key) || tables.waitsFor(key);
  const store = createShardStore(db, { reader, current, waitsFor, catchUp, snapshotsWaiting });
  return {
    position: (shard) => standings.get(shard)?.position ?? 0,
    records: (shard) => standings.get(shard)?.n ?? 0,
    isWhole(shard) {
      const standing = standings.get(shard);
      return standing === undefined || standing.met === standing.n;
    },
    title: (shard) => standings.get(shard)?.title,
    apply(shard, entry: LogEntry): void | Promise<void> {
      const standing = standingOf(shard);
      if (entry.position <= standing.position) return;
      // Whoever appended it brings it; it is known to be stored.
      if (entry.kind === 'own') return new Promise((brought) => awaited.set(shard, brought));
      // One that can't be written is tried again before anything new is taken.
      makeRoom();
      const isTaken = entry.kind === 'record' && isNew(shard, entry.record);
      standing.title = titleAfter(standing.title, entry);
      if (isTaken) take(shard, entry.position, entry.record);
      standing.position = entry.position;
      touched.add(shard);
      schedule();
    },
    own: (shard, position, record) => {
      if (position > standingOf(shard).position) take(shard, position, record);
      // Whoever made the change is answered next.
      if (record.record.commits.some(({ key }) => eager.has(parseAddressKey(key).type))) tryWrite();
      awaited.get(shard)?.();
      awaited.delete(shard);
    },
    makeRoom,
    // Only what waits is written before it is looked for: with each order new aggregates are loaded of which nothing does.
    store,
    current,
    reader,
    catchUp,
    readAnew(shard, after) {
      const standing = standingOf(shard);
      standing.position = after;
      standing.title = undefined;
      standing.met = 0;
      standing.isOfClaim = false;
      touched.add(shard);
      catchUp();
    },
    answered: (shard) => (standings.get(shard)?.isOfClaim ? (store.head(shard)?.inboxOffset ?? 0) : 0),
    get isWritable() {
      return isWritable;
    },
    holds: (shard, { n, hash }) => n === 0 || held(shard, n) === hash,
  };
}

/** After a start a newer claim without a record counts as none: reading an inbox once more does no harm. */
function standingIn({ position, title, n, hash, epoch }: Row & Head): Standing {
  const known: ShardTitle | undefined = title === null ? undefined : JSON.parse(title);
  const isOfClaim = epoch !== null && epoch === known?.epoch;
  return { position: position ?? 0, title: known, n: n ?? 0, met: n ?? 0, hash: hash ?? GENESIS_HASH, isOfClaim };
}

type Followed = { readonly shard: number; readonly position: LogPosition; readonly title: ShardTitle | undefined };

function createFollowedWriter(db: Db): (followed: Followed) => void {
  const put = db.prepare('INSERT OR REPLACE INTO followed VALUES (?, ?, ?)');
  return ({ shard, position, title }) => void put.run(shard, position, title ? JSON.stringify(title) : null);
}

/** Says, before anybody follows, that the tables hold the shards' logs up to these positions. */
export function writeFollowed(db: Db, standings: readonly Followed[]): void {
  db.transaction(() => standings.forEach(createFollowedWriter(db)))();
}
