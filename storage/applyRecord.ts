/** Applies a record to the tables: log position, audit trail, outbox, timers, snapshots, dead letters, read models. */
import { parseAddressKey } from '../actors/kernel/address.ts';
import type { Commit } from '../actors/kernel/message.ts';
import type { EncodedRecord, FailPoint } from '../actors/kernel/ports.ts';
import type { Db } from './database.ts';
import { createLetterWriter } from './deadLetters.ts';
import type { Projection } from './projection.ts';

/** A commit sends at most this many messages (an order of 100 SKUs sends 100). */
export const MAX_SENDS = 1024;

export type ApplyRecord = (record: EncodedRecord) => void;

/** Must run inside a transaction of the caller's. */
export function createApplyRecord(db: Db, projections: readonly Projection[], failPoint: FailPoint): ApplyRecord {
  const insertRecord = db.prepare('INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const moveHead = db.prepare(
    `INSERT INTO heads VALUES (@shard, @n, @epoch, @hash, @inboxOffset) ON CONFLICT (shard) DO UPDATE
     SET n = @n, epoch = @epoch, hash = @hash, inbox_offset = @inboxOffset WHERE n = @n - 1`,
  );
  const insertCommit = db.prepare('INSERT INTO commits VALUES (NULL, ?, ?, ?, ?, ?, ?)');
  const insertSend = db.prepare('INSERT INTO outbox VALUES (?, ?, ?)');
  const deleteSend = db.prepare('DELETE FROM outbox WHERE id = ?');
  const upsertTimer = db.prepare(
    `INSERT INTO timers VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (key, name)
     DO UPDATE SET at = excluded.at, seq = excluded.seq, message = excluded.message`,
  );
  const deleteTimer = db.prepare('DELETE FROM timers WHERE key = ? AND name = ?');
  const upsertSnapshot = db.prepare(
    `INSERT INTO snapshots VALUES (?, ?, ?, ?) ON CONFLICT (key)
     DO UPDATE SET seq = excluded.seq, version = excluded.version, body = excluded.body`,
  );
  const snapshotSeq = db.prepare<[string], number>('SELECT seq FROM snapshots WHERE key = ?').pluck();
  const insertSeen = db.prepare(
    'INSERT INTO seen SELECT cause, position FROM commits WHERE key = ? AND seq > ? AND seq <= ?',
  );
  const letters = createLetterWriter(db);
  const projectionsOf = new Map<string, Projection[]>();
  for (const projection of projections) {
    for (const type of projection.types) projectionsOf.set(type, [...(projectionsOf.get(type) ?? []), projection]);
  }

  function applyTimers(shard: number, commits: readonly Commit[]): void {
    // Only the last word of a record on each timer is written: most timers are set and cleared soon after.
    const last = new Map<string, () => void>();
    for (const { key, seq, timers } of commits) {
      for (const timer of timers) {
        if ('set' in timer) {
          const message = JSON.stringify(timer.message);
          last.set(`${key} ${timer.set}`, () => upsertTimer.run(key, timer.set, shard, timer.at, seq, message));
        } else {
          last.set(`${key} ${timer.clear}`, () => deleteTimer.run(key, timer.clear));
        }
      }
    }
    for (const write of last.values()) write();
  }

  return ({ record, bodies, hash, snapshots }) => {
    const { shard, commits, acked } = record;
    let firstPosition = 0;
    // A message that was answered within the same record needs no outbox: both are durable together.
    const answered = new Set(commits.map((commit) => commit.cause));
    commits.forEach((commit, index) => {
      const { key, seq, version, cause, at, sends } = commit;
      const position = Number(insertCommit.run(key, seq, version, cause, at, bodies[index]).lastInsertRowid);
      if (index === 0) firstPosition = position;
      sends.forEach((send, sendIndex) => {
        if (!answered.has(send.id)) insertSend.run(send.id, shard, position * MAX_SENDS + sendIndex);
      });
      if (commit.deadLetter) letters.put(commit, commit.deadLetter);
      if (commit.repair) letters.repaired(commit, commit.repair, position);
      if (commit.events.length > 0) {
        for (const projection of projectionsOf.get(parseAddressKey(key).type) ?? []) projection.apply(commit);
      }
    });
    for (const id of acked) deleteSend.run(id);
    applyTimers(shard, commits);
    for (const { key, seq, version, stateVersion, state, timers } of snapshots) {
      insertSeen.run(key, snapshotSeq.get(key) ?? 0, seq);
      upsertSnapshot.run(key, seq, version, JSON.stringify({ stateVersion, state, timers }));
    }
    const { n, epoch, at, inboxOffset, prevHash } = record;
    const ids = JSON.stringify(acked);
    if (moveHead.run({ shard, n, epoch, hash, inboxOffset }).changes !== 1) {
      throw new Error(`record ${n} of shard ${shard} doesn't follow the newest one`);
    }
    insertRecord.run(shard, n, epoch, at, inboxOffset, prevHash, hash, firstPosition, commits.length, ids);
    failPoint('after-append-before-apply');
  };
}
