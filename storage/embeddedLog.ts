/**
 * The shard logs of a node without a broker: a record is durable when the SQLite transaction that holds it and
 * everything derived from it has been synced. Records of several shards that arrive in one turn of the event loop
 * share a transaction, and so one sync.
 */
import { AppendRefused, type EncodedRecord, type FailPoint, type ShardLog } from '../actors/kernel/ports.ts';
import { createApplyRecord } from './applyRecord.ts';
import type { Db } from './database.ts';
import type { Projection } from './projection.ts';

type Waiting = {
  readonly record: EncodedRecord;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
};

export type AppendObserver = (commits: number, bytes: number, appendMs: number) => void;

export type EmbeddedLogOptions = {
  readonly projections: readonly Projection[];
  readonly failPoint: FailPoint;
  readonly monotonic: () => number;
  readonly observe: AppendObserver;
};

export function createEmbeddedLog(db: Db, options: EmbeddedLogOptions): ShardLog {
  const { projections, failPoint, monotonic, observe } = options;
  const applyRecord = createApplyRecord(db, projections, failPoint);
  let waiting: Waiting[] = [];

  const write = db.transaction((group: readonly Waiting[]) => {
    for (const { record } of group) applyRecord(record);
    for (const projection of projections) projection.flush();
  });

  function tryWrite(group: readonly Waiting[]): Error | undefined {
    try {
      write.immediate(group);
      return undefined;
    } catch (error) {
      for (const projection of projections) projection.discard();
      return new AppendRefused(`the store refused a record: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    }
  }

  function flush(): void {
    const group = waiting;
    waiting = [];
    failPoint('before-append');
    const start = monotonic();
    const failure = tryWrite(group);
    observe(
      group.reduce((sum, { record }) => sum + record.record.commits.length, 0),
      group.reduce((sum, { record }) => sum + record.bytes, 0),
      monotonic() - start,
    );
    failPoint('after-apply-before-reply');
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
        if (waiting.push({ record, resolve, reject }) === 1) setImmediate(flush);
      });
    },
  };
}
