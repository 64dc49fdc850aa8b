/** Records as this node's own copy holds them. */
import type { LogRecord, MessageId } from '../actors/kernel/message.ts';
import type { EncodedRecord } from '../actors/kernel/ports.ts';
import type { Db } from './database.ts';
import { type CommitColumns, decodeCommit } from './recordCodec.ts';

/** Hash of the record that a copy holds under a shard's number, undefined when it holds none. */
export type HeldHashes = (shard: number, n: number) => string | undefined;

/** Cheap for numbers that are asked for in their order: there is no index, each search goes on where the last one ended. */
export function createHeldHashes(db: Db): HeldHashes {
  const after = db.prepare<[number, number, number], { readonly place: number; readonly hash: string }>(
    'SELECT rowid AS place, hash FROM records WHERE rowid > ? AND shard = ? AND n = ? LIMIT 1',
  );
  const places = new Map<number, number>();
  return (shard, n) => {
    const found = after.get(places.get(shard) ?? 0, shard, n) ?? after.get(0, shard, n);
    if (found) places.set(shard, found.place);
    return found?.hash;
  };
}

/** Claims under which the records that a copy holds behind this one were made. */
export function heldEpochs(db: Db, shard: number, after: number): ReadonlySet<number> {
  const epochs = db.prepare<[number, number], number>('SELECT DISTINCT epoch FROM records WHERE shard = ? AND n > ?');
  return new Set(epochs.pluck().all(shard, after));
}

type RecordRow = Omit<LogRecord, 'schema' | 'commits' | 'acked'> & {
  readonly place: number;
  readonly hash: string;
  readonly firstPosition: number;
  readonly commits: number;
  readonly acked: string;
};

/** Rows that are in memory at a time. */
const PAGE = 64;

/** A shard's records, oldest first, as they were encoded. Between pages others get their turn. */
export async function* heldRecords(db: Db, shard: number): AsyncGenerator<EncodedRecord> {
  const rows = db.prepare<[number, number], RecordRow>(
    `SELECT rowid AS place, shard, n, epoch, at, inbox_offset AS inboxOffset, prev_hash AS prevHash, hash,
       first_position AS firstPosition, commits, acked FROM records WHERE rowid > ? AND shard = ? ORDER BY rowid LIMIT ${PAGE}`,
  );
  const commitsOf = db.prepare<[number, number], CommitColumns>(
    'SELECT key, seq, version, cause, at, body FROM commits WHERE position >= ? ORDER BY position LIMIT ?',
  );
  for (let after = 0; ; ) {
    const page = rows.all(after, shard);
    for (const { place, hash, firstPosition, commits, acked, ...header } of page) {
      const columns = commits === 0 ? [] : commitsOf.all(firstPosition, commits);
      const bodies = columns.map(({ body }) => body);
      const ids = JSON.parse(acked) as MessageId[];
      const record: LogRecord = { schema: 1, ...header, commits: columns.map(decodeCommit), acked: ids };
      const bytes = bodies.reduce((total, body) => total + body.length, 0);
      yield { record, bodies, hash, bytes, snapshots: [] };
      after = place;
    }
    if (page.length < PAGE) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
