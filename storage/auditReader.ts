/**
 * What the consistency checker reads beside the port of the shards. Every call is short and leaves no statement open, so
 * that a busy node does its own work in between.
 */
import type { AddressKey } from '../actors/kernel/address.ts';
import type { Commit, Envelope, MessageId } from '../actors/kernel/message.ts';
import { MAX_SENDS } from './applyRecord.ts';
import type { Db } from './database.ts';
import { createHistory, type History } from './history.ts';
import { type CommitColumns, decodeCommit } from './recordCodec.ts';

export type PlacedCommit = { readonly position: number; readonly commit: Commit };
export type TimerRow = { readonly key: AddressKey; readonly name: string; readonly at: number; readonly seq: number };
/** `sent` is absent if no commit has sent it, which can't be. */
export type WaitingMessage = {
  readonly id: MessageId;
  readonly sent?: { readonly envelope: Envelope; readonly at: number };
};

export interface AuditReader {
  /** The aggregates in the order of their keys. */
  nextKey(after: AddressKey): AddressKey | undefined;
  /** `seq` of an aggregate's newest commit; 0 without one. */
  newestSeq(key: AddressKey): number;
  readonly history: History;
  /** Messages of the outbox by the aggregates whose keys begin so. */
  waitingFrom(keyPrefix: string): readonly WaitingMessage[];
  /** Of the outbox in the order of their ids. */
  waiting(after: MessageId, limit: number): readonly WaitingMessage[];
  isWaiting(id: MessageId): boolean;
  timers(key: AddressKey): readonly TimerRow[];
  /** Timers that were due before the given time, at most `limit`. */
  overdue(before: number, limit: number): readonly TimerRow[];
  commits(afterPosition: number, limit: number): readonly PlacedCommit[];
  lastPosition(): number;
  lastRecord(): number;
  /** Time of the newest commit, in ms since the epoch; 0 without one. */
  latestTime(): number;
}

type CommitRow = CommitColumns & { readonly position: number };

export function createAuditReader(db: Db): AuditReader {
  const columns = 'key, seq, version, cause, at, body';
  const number = <Bound extends unknown[]>(sql: string) => {
    const statement = db.prepare<Bound, number | null>(sql).pluck();
    return (...bound: Bound): number => statement.get(...bound) ?? 0;
  };
  const nextKey = db.prepare<[string], string | null>('SELECT min(key) FROM aggregates WHERE key > ?').pluck();
  const commits = db.prepare<[number, number], CommitRow>(
    `SELECT position, ${columns} FROM commits WHERE position > ? ORDER BY position LIMIT ?`,
  );
  const commitAt = db.prepare<[number], CommitColumns>(`SELECT ${columns} FROM commits WHERE position = ?`);
  type Place = { readonly id: MessageId; readonly position: number };
  const between = db.prepare<[string, string], Place>('SELECT id, position FROM outbox WHERE id >= ? AND id < ?');
  const after = db.prepare<[string, number], Place>('SELECT id, position FROM outbox WHERE id > ? ORDER BY id LIMIT ?');
  const isWaiting = db.prepare<[string], 1>('SELECT 1 FROM outbox WHERE id = ?').pluck();
  const timers = db.prepare<[string], TimerRow>('SELECT key, name, at, seq FROM timers WHERE key = ? ORDER BY name');
  // By the index of each shard, which SQLite does in this order only: the table may hold a million that are far from due.
  const overdue = db.prepare<[number, number], TimerRow>(
    `SELECT t.key, t.name, t.at, t.seq FROM heads h CROSS JOIN timers t ON t.shard = h.shard AND t.at < ? LIMIT ?`,
  );

  function placed({ id, position }: Place): WaitingMessage {
    const row = commitAt.get(Math.floor(position / MAX_SENDS));
    const commit = row && decodeCommit(row);
    const envelope = commit?.sends[position % MAX_SENDS];
    return commit && envelope ? { id, sent: { envelope, at: commit.at } } : { id };
  }

  return {
    nextKey: (key) => nextKey.get(key) ?? undefined,
    newestSeq: number<[string]>(
      'SELECT max(p.seq) FROM aggregates a JOIN places p ON p.number = a.number WHERE a.key = ?',
    ),
    history: createHistory(db),
    waitingFrom: (prefix) => between.all(prefix, `${prefix}\uffff`).map(placed),
    waiting: (id, limit) => after.all(id, limit).map(placed),
    isWaiting: (id) => isWaiting.get(id) !== undefined,
    timers: (key) => timers.all(key),
    overdue: (before, limit) => overdue.all(before, limit),
    commits: (position, limit) =>
      commits
        .all(position, limit)
        .map(({ position: place, ...row }) => ({ position: place, commit: decodeCommit(row) })),
    lastPosition: number<[]>('SELECT max(position) FROM commits'),
    lastRecord: number<[]>('SELECT max(rowid) FROM records'),
    latestTime: number<[]>('SELECT at FROM commits WHERE position = (SELECT max(position) FROM commits)'),
  };
}
