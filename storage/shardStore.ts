/** Reads of what is applied: how actors are loaded, what is still to be sent, which timers are due. */
import type { AddressKey } from '../actors/kernel/address.ts';
import type { MessageId } from '../actors/kernel/message.ts';
import type { OutboxEntry, PendingTimer, ShardStore, Snapshot, StoredCommit } from '../actors/kernel/ports.ts';
import { MAX_SENDS } from './applyRecord.ts';
import type { Db } from './database.ts';
import { type CommitColumns, decodeCommit } from './recordCodec.ts';
import type { Tables } from './tables.ts';

type TimerRow = { key: string; name: string; at: number; seq: number; message: string };

type FollowingTables = Pick<Tables, 'reader' | 'catchUp' | 'waitsFor' | 'snapshotsWaiting'> & {
  /** Sees the newest record, where the log itself is written some moments later too. */
  readonly current?: Db;
};

/** @param tables that follow the log; absent where nothing more comes */
export function createShardStore(db: Db, tables?: FollowingTables): ShardStore {
  const reader = tables?.reader ?? db;
  const head = (tables?.current ?? db).prepare<
    [number],
    { n: number; epoch: number; hash: string; inboxOffset: number }
  >('SELECT n, epoch, hash, inbox_offset AS inboxOffset FROM heads WHERE shard = ?');
  const known = db.prepare<[string], 1>('SELECT 1 FROM aggregates WHERE key = ?').pluck();
  const snapshot = db.prepare<[string], { seq: number; version: number; body: string }>(
    'SELECT seq, version, body FROM snapshots WHERE key = ?',
  );
  const commitsAfter = db.prepare<[string, number], CommitColumns>(
    'SELECT key, seq, version, cause, at, body FROM histories WHERE key = ? AND seq > ? ORDER BY seq',
  );
  const commitOf = db.prepare<[string, string], CommitColumns>(
    `SELECT key, seq, version, c.cause, at, body FROM seen s JOIN commits c ON c.position = s.position
     WHERE s.cause = ? AND c.key = ? ORDER BY s.position DESC`,
  );
  const commitAt = db.prepare<[number], CommitColumns>(
    'SELECT key, seq, version, cause, at, body FROM commits WHERE position = ?',
  );
  const outboxAfter = reader.prepare<[number, number, number], { position: number }>(
    'SELECT position FROM outbox WHERE shard = ? AND position > ? ORDER BY position LIMIT ?',
  );
  const timersDue = reader.prepare<[number, number, number], TimerRow>(
    'SELECT key, name, at, seq, message FROM timers WHERE shard = ? AND at <= ? ORDER BY at LIMIT ?',
  );
  const nextTimer = reader.prepare<[number], { at: number | null }>('SELECT min(at) AS at FROM timers WHERE shard = ?');

  function readSnapshot(key: AddressKey): Snapshot | undefined {
    const row = snapshot.get(key);
    if (!row) return undefined;
    const body = JSON.parse(row.body) as Pick<Snapshot, 'stateVersion' | 'state' | 'timers'>;
    return { key, seq: row.seq, version: row.version, ...body };
  }

  return {
    head: (shard) => head.get(shard),
    load(key, stateVersion) {
      if (tables?.waitsFor(key)) tables.catchUp();
      // Most of what is loaded has just begun.
      if (known.get(key) === undefined) return { commits: [] };
      const newest = readSnapshot(key);
      const found = newest?.stateVersion === stateVersion ? newest : undefined;
      const commits = commitsAfter.all(key, found?.seq ?? 0).map(decodeCommit);
      return found ? { snapshot: found, commits } : { commits };
    },
    answered(key: AddressKey, cause: MessageId) {
      // Whoever asks remembers what only the newest snapshot hides.
      if (tables && tables.snapshotsWaiting(key) > 1) tables.catchUp();
      const row = commitOf.get(cause, key);
      return row && decodeCommit(row);
    },
    outbox(shard, afterPosition, limit) {
      return outboxAfter.all(shard, afterPosition, limit).map(({ position }): OutboxEntry => {
        const row = commitAt.get(Math.floor(position / MAX_SENDS));
        const envelope = row && decodeCommit(row).sends[position % MAX_SENDS];
        if (!envelope) throw new Error(`outbox entry ${position} of shard ${shard} has no commit`);
        return { position, envelope };
      });
    },
    timersDue(shard, until, limit) {
      return timersDue
        .all(shard, until, limit)
        .map(({ message, ...row }) => ({ ...row, message: JSON.parse(message) as PendingTimer['message'] }));
    },
    nextTimer: (shard) => nextTimer.get(shard)?.at ?? undefined,
    *history(key) {
      if (tables?.waitsFor(key)) tables.catchUp();
      for (const row of commitsAfter.iterate(key, 0)) yield decodeCommit(row) satisfies StoredCommit;
    },
  };
}
