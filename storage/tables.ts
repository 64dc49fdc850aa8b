/**
 * What is derived from the log and can wait a moment: outbox, timers, snapshots, dead letters, the lists of orders. The
 * log is written first and alone; these tables follow it in batches of some 100 ms. What came and went within a batch (a
 * message sent and answered, a timer set and cleared) is never written, and an order's rows are written once instead of
 * with each of its commits. Nobody sees the difference: whoever looks something up through `reader` has the tables
 * brought up to date first. After a crash they go on where they were.
 */
import type { AddressKey } from '../actors/kernel/address.ts';
import type { FailPoint } from '../actors/kernel/ports.ts';
import { createApplyRecords } from './applyRecord.ts';
import { type Db, readMeta, writeMeta } from './database.ts';
import { createLogReader } from './logReader.ts';
import type { PlacedRecord } from './logWriter.ts';
import type { Projection } from './projection.ts';
import { readingAfter } from './reading.ts';

/** How long the tables may stay behind the log when nobody looks. */
const FOLLOW_AFTER_MS = 250;
/** Commits that one transaction applies before the event loop gets its turn, about 25 ms. */
const SLICE_COMMITS = 2_000;
/** Commits that may wait in memory. */
const MAX_WAITING = 10_000;
/** Records read at once from a log that the tables were left behind of. */
const REPLAY_PAGE = 200;
/** While the disk takes nothing, it is tried again after this long. */
const RETRY_MS = 1_000;

/** Keeps tables of its own beside these, which need to know the records that commits came in. */
export type RecordFollower = {
  /** Inside the transaction, after all other tables. */
  apply(records: readonly PlacedRecord[]): void;
  /** The transaction has been committed. */
  written(): void;
  /** It was rolled back: forget what `apply` gathered. */
  discard(): void;
};

export type TablesOptions = {
  readonly projections: readonly Projection[];
  readonly follower?: RecordFollower;
  readonly failPoint: FailPoint;
  /** A commit that a projection can't make sense of: what it shows of it is missing until it is filled anew. */
  readonly skipped: (key: string, error: unknown) => void;
  /** The tables can't be written now; the log goes on until too much waits. */
  readonly troubled: (error: unknown) => void;
};

/** What is said of them in the log. */
export function tableTroubles(logger: {
  error(fields: object, text: string): void;
}): Pick<TablesOptions, 'skipped' | 'troubled'> {
  return {
    skipped: (what, error) => logger.error({ err: error, what }, 'a list leaves out what it can make no sense of'),
    troubled: (error) => logger.error({ err: error }, 'the tables can not follow the log now; it is tried again'),
  };
}

export type Tables = {
  /** Takes over a record that is in the log. */
  follow(record: PlacedRecord): void;
  /** Writes whatever waits. */
  catchUp(): void;
  /** Commits of the aggregate may wait. */
  waitsFor(key: AddressKey): boolean;
  /** Snapshots of the aggregate that wait. */
  snapshotsWaiting(key: AddressKey): number;
  /** So much waits that the log should take nothing more. */
  readonly full: boolean;
  /** The same file for whoever looks something up: every query sees each record that was taken over. */
  readonly reader: Db;
};

/** How far the tables are: the newest record that is applied, and its last commit. */
export type TablesAt = { readonly place: number; readonly position: number };

const META = 'tables-at';

export function tablesAt(db: Db): TablesAt {
  const stored = readMeta(db, META);
  return stored === undefined ? { place: 0, position: 0 } : (JSON.parse(stored) as TablesAt);
}

/** A node that was killed leaves its tables where they were; its log goes on further. */
export function tablesAreBehind(db: Db): boolean {
  return createLogReader(db)(tablesAt(db).place, 1).length > 0;
}

/** Brings the tables up to where the log is, then keeps them there. */
export function createTables(db: Db, options: TablesOptions): Tables {
  const { projections, follower, failPoint, skipped, troubled } = options;
  const { apply, discard } = createApplyRecords(db, projections, skipped);
  let waiting: PlacedRecord[] = [];
  let commits = 0;
  /** Whose commits wait, and perhaps some whose don't any more. */
  const keys = new Set<AddressKey>();
  const snapshots = new Map<AddressKey, number>();
  let scheduled = false;
  let { position } = tablesAt(db);

  const write = db.transaction((records: readonly PlacedRecord[]) => {
    apply(records);
    follower?.apply(records);
    failPoint('after-append-before-apply');
    for (const { record, firstPosition } of records) {
      const { length } = record.commits;
      if (length > 0) position = firstPosition + length - 1;
    }
    const place = records.at(-1)?.place ?? 0;
    writeMeta(db, META, JSON.stringify({ place, position } satisfies TablesAt));
  });

  function applyAll(records: readonly PlacedRecord[]): void {
    const before = position;
    try {
      write(records);
    } catch (error) {
      position = before;
      discard();
      follower?.discard();
      throw error;
    }
    follower?.written();
  }

  function applyFirst(count: number): void {
    const batch = waiting.slice(0, count);
    applyAll(batch);
    waiting = waiting.slice(count);
    commits -= batch.reduce((sum, { record }) => sum + record.commits.length, 0);
    for (const placed of batch) countSnapshots(placed, -1);
    if (waiting.length === 0) keys.clear();
  }

  function countSnapshots({ snapshots: taken }: PlacedRecord, by: 1 | -1): void {
    for (const { key } of taken) {
      const count = (snapshots.get(key) ?? 0) + by;
      if (count === 0) snapshots.delete(key);
      else snapshots.set(key, count);
    }
  }

  function catchUp(): void {
    if (waiting.length > 0) applyFirst(waiting.length);
  }

  /** As many records as make a slice, at least one. */
  function slice(): number {
    let sum = 0;
    const end = waiting.findIndex(({ record }) => {
      sum += record.commits.length;
      return sum > SLICE_COMMITS;
    });
    return end === -1 ? waiting.length : Math.max(end, 1);
  }

  function step(): void {
    scheduled = false;
    // Whoever closes the file catches up first.
    if (waiting.length === 0 || !db.open) return;
    try {
      applyFirst(slice());
    } catch (error) {
      troubled(error);
      schedule(RETRY_MS);
      return;
    }
    if (waiting.length > 0) schedule(0);
  }

  function schedule(ms: number): void {
    if (scheduled) return;
    scheduled = true;
    if (ms === 0) setImmediate(step);
    else setTimeout(step, ms).unref();
  }

  const log = createLogReader(db);
  for (let page = log(tablesAt(db).place, REPLAY_PAGE); page.length > 0; page = log(tablesAt(db).place, REPLAY_PAGE)) {
    applyAll(page);
  }

  return {
    follow(placed) {
      waiting.push(placed);
      commits += placed.record.commits.length;
      for (const { key } of placed.record.commits) keys.add(key);
      countSnapshots(placed, 1);
      schedule(FOLLOW_AFTER_MS);
    },
    catchUp,
    waitsFor: (key) => keys.has(key),
    snapshotsWaiting: (key) => snapshots.get(key) ?? 0,
    get full() {
      return commits > MAX_WAITING;
    },
    reader: readingAfter(db, catchUp),
  };
}
