/**
 * The shard logs of a node without a broker: a record is durable when the SQLite transaction that holds it has been
 * synced; the tables follow. Records of all shards share transactions, and so pages and syncs: after a big transaction
 * the next one waits a little, longer the longer that one took. A lone order never waits; under load the groups grow
 * until appending takes a fixed share of the time.
 */
import { AppendRefused, type EncodedRecord, type FailPoint, type ShardLog } from '../actors/kernel/ports.ts';
import { type Db, isStoreTrouble } from './database.ts';
import { createLogWriter, type PlacedRecord } from './logWriter.ts';
import type { Projection } from './projection.ts';
import type { Tables } from './tables.ts';

type Waiting = {
  readonly record: EncodedRecord;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
};

/** `syncMs` is the part of `appendMs` in which SQLite writes the pages to its log file and syncs it. */
export type AppendObserver = (commits: number, bytes: number, appendMs: number, syncMs: number) => void;

/** The pause after a transaction, as a multiple of its duration, and its limit. */
const PAUSE_FACTOR = 3;
const MAX_PAUSE_MS = 10;
/** Commits in a transaction from which on the next one pauses. */
const BUSY_COMMITS = 16;

export type EmbeddedLogOptions = {
  /** What must be seen to change with the log, whatever it costs. */
  readonly projections: readonly Projection[];
  /** What follows. */
  readonly tables: Pick<Tables, 'follow' | 'full'>;
  readonly failPoint: FailPoint;
  readonly monotonic: () => number;
  readonly observe: AppendObserver;
};

export function createEmbeddedLog(db: Db, options: EmbeddedLogOptions): ShardLog {
  const { projections, tables, failPoint, monotonic, observe } = options;
  const writeRecord = createLogWriter(db, projections);
  let waiting: Waiting[] = [];
  /** On the monotonic clock. */
  let notBefore = 0;

  const begin = db.prepare('BEGIN IMMEDIATE');
  const commit = db.prepare('COMMIT');
  const rollback = db.prepare('ROLLBACK');
  let syncMs = 0;

  function write(group: readonly Waiting[]): PlacedRecord[] {
    begin.run();
    const placed = group.map(({ record }) => writeRecord(record));
    for (const projection of projections) projection.flush();
    const start = monotonic();
    commit.run();
    syncMs = monotonic() - start;
    return placed;
  }

  function tryWrite(group: readonly Waiting[]): Error | undefined {
    if (tables.full) return new AppendRefused('the tables are too far behind the log');
    try {
      for (const placed of write(group)) tables.follow(placed);
      return undefined;
    } catch (error) {
      // A full disk may have rolled back by itself.
      if (db.inTransaction) rollback.run();
      for (const projection of projections) projection.discard();
      const reason = error instanceof Error ? error.message : String(error);
      return new AppendRefused(`the store refused a record: ${reason}`, {
        cause: error,
        fault: isStoreTrouble(error) ? 'store' : 'record',
      });
    }
  }

  function flush(): void {
    const group = waiting;
    waiting = [];
    failPoint('before-append');
    const start = monotonic();
    const failure = tryWrite(group);
    const end = monotonic();
    const commits = group.reduce((sum, { record }) => sum + record.record.commits.length, 0);
    if (commits >= BUSY_COMMITS) notBefore = end + Math.min(PAUSE_FACTOR * (end - start), MAX_PAUSE_MS);
    observe(
      commits,
      group.reduce((sum, { record }) => sum + record.bytes, 0),
      end - start,
      syncMs,
    );
    failPoint('after-append-before-reply');
    for (const entry of group) {
      // One shard's bad record must not stop another shard: what failed together is tried apart.
      const error = failure && group.length > 1 ? tryWrite([entry]) : failure;
      if (error) entry.reject(error);
      else entry.resolve();
    }
  }

  return {
    append(record) {
      return new Promise((resolve, reject) => {
        if (waiting.push({ record, resolve, reject }) > 1) return;
        const pause = notBefore - monotonic();
        if (pause > 1) setTimeout(flush, pause);
        else setImmediate(flush);
      });
    },
  };
}
