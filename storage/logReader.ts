/** Reads records back as they were written: for whoever follows the log. */
import type { LogRecord, MessageId } from '../actors/kernel/message.ts';
import type { Db } from './database.ts';
import type { PlacedRecord } from './logWriter.ts';
import { type CommitColumns, decodeCommit } from './recordCodec.ts';

type RecordRow = Omit<LogRecord, 'schema' | 'commits' | 'acked'> & {
  readonly place: number;
  readonly firstPosition: number;
  readonly commits: number;
  readonly acked: string;
};

/** Records after a place, in the order in which they were written; without snapshots, which are not part of the log. */
export type LogReader = (afterPlace: number, limit: number) => readonly PlacedRecord[];

export function createLogReader(db: Db): LogReader {
  const rows = db.prepare<[number, number], RecordRow>(
    `SELECT rowid AS place, shard, n, epoch, at, inbox_offset AS inboxOffset, prev_hash AS prevHash,
       first_position AS firstPosition, commits, acked FROM records WHERE rowid > ? ORDER BY rowid LIMIT ?`,
  );
  const commitsOf = db.prepare<[number, number], CommitColumns>(
    'SELECT key, seq, version, cause, at, body FROM commits WHERE position >= ? ORDER BY position LIMIT ?',
  );
  return (afterPlace, limit) =>
    rows.all(afterPlace, limit).map(({ place, firstPosition, commits, acked, ...header }) => {
      const columns = commits === 0 ? [] : commitsOf.all(firstPosition, commits);
      const ids = JSON.parse(acked) as MessageId[];
      const record: LogRecord = { schema: 1, ...header, commits: columns.map(decodeCommit), acked: ids };
      return { place, firstPosition, record, snapshots: [] };
    });
}
