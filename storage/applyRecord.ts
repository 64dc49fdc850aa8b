/** Applies records to the tables that follow the log: outbox, timers, snapshots, dead letters, read models. */
import { type AddressKey, parseAddressKey } from '../actors/kernel/address.ts';
import type { Commit, MessageId } from '../actors/kernel/message.ts';
import type { Snapshot } from '../actors/kernel/ports.ts';
import { type Db, isStoreTrouble } from './database.ts';
import { createLetterWriter } from './deadLetters.ts';
import type { PlacedRecord } from './logWriter.ts';
import { type Projection, projectionsByType } from './projection.ts';

/** A commit sends at most this many messages (an order of 100 SKUs sends 100). */
export const MAX_SENDS = 1024;

export type ApplyRecords = {
  /** Must run inside a transaction of the caller's. */
  apply(records: readonly PlacedRecord[]): void;
  /** The transaction was rolled back. */
  discard(): void;
};

/** @param skipped hears what a projection can't make sense of: a read model must not hold up the shop */
export function createApplyRecords(
  db: Db,
  projections: readonly Projection[],
  skipped: (what: string, error: unknown) => void,
): ApplyRecords {
  const insertAggregate = db.prepare('INSERT INTO aggregates VALUES (?, ?)');
  const insertPlace = db.prepare('INSERT INTO places SELECT number, ?, ? FROM aggregates WHERE key = ?');
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
    `INSERT INTO seen SELECT c.cause, c.position FROM aggregates a JOIN places p ON p.number = a.number
     JOIN commits c ON c.position = p.position WHERE a.key = ? AND p.seq > ? AND p.seq <= ?`,
  );
  const letters = createLetterWriter(db);
  const projectionsOf = projectionsByType(projections);

  function applyPlace(key: AddressKey, seq: number, position: number): void {
    if (seq === 1) insertAggregate.run(key, position);
    if (insertPlace.run(seq, position, key).changes === 0) throw new Error(`commit ${seq} comes before the first`);
  }

  /** Only what is still to be sent at the end: most messages are answered soon after. */
  function applyOutbox(records: readonly PlacedRecord[]): void {
    const sent = new Map<MessageId, () => void>();
    for (const { record, firstPosition } of records) {
      const { shard, commits, acked } = record;
      // A message that was answered within the same record needs no outbox: both are durable together.
      const answered = new Set(commits.map((commit) => commit.cause));
      commits.forEach(({ sends }, index) => {
        sends.forEach(({ id }, sendIndex) => {
          const position = (firstPosition + index) * MAX_SENDS + sendIndex;
          if (!answered.has(id)) sent.set(id, () => insertSend.run(id, shard, position));
        });
      });
      for (const id of acked) if (!sent.delete(id)) deleteSend.run(id);
    }
    for (const write of sent.values()) write();
  }

  /** Only the last word on each timer: most are set and cleared soon after. */
  function applyTimers(records: readonly PlacedRecord[]): void {
    const last = new Map<string, () => void>();
    for (const { record } of records) {
      const { shard, commits } = record;
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
    }
    for (const write of last.values()) write();
  }

  function applyCommit(commit: Commit, position: number): void {
    if (commit.deadLetter) letters.put(commit, commit.deadLetter);
    if (commit.repair) letters.repaired(commit, commit.repair, position);
    if (commit.events.length === 0) return;
    for (const projection of projectionsOf.get(parseAddressKey(commit.key).type) ?? []) {
      isolated(commit.key, () => projection.apply(commit));
    }
  }

  function isolated(what: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (isStoreTrouble(error)) throw error;
      skipped(what, error);
    }
  }

  function applySnapshot({ key, seq, version, stateVersion, state, timers }: Snapshot): void {
    insertSeen.run(key, snapshotSeq.get(key) ?? 0, seq);
    upsertSnapshot.run(key, seq, version, JSON.stringify({ stateVersion, state, timers }));
  }

  return {
    apply(records) {
      // First of all: a read model may look up what came before.
      for (const { record, firstPosition } of records) {
        record.commits.forEach(({ key, seq }, index) => {
          isolated(key, () => applyPlace(key, seq, firstPosition + index));
        });
      }
      for (const { record, snapshots, firstPosition } of records) {
        record.commits.forEach((commit, index) => {
          applyCommit(commit, firstPosition + index);
        });
        for (const snapshot of snapshots) applySnapshot(snapshot);
      }
      applyOutbox(records);
      applyTimers(records);
      for (const projection of projections) isolated(projection.types.join(), () => projection.flush());
    },
    discard() {
      for (const projection of projections) projection.discard();
    },
  };
}
