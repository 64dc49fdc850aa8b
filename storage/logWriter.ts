/** Writes records where they are the truth: `records` and `commits`, rows that are only ever added, and each shard's head. */
import { parseAddressKey } from '../actors/kernel/address.ts';
import type { EncodedRecord } from '../actors/kernel/ports.ts';
import type { Db } from './database.ts';
import { type Projection, projectionsByType } from './projection.ts';

/** What the tables need of a record that is in the log. */
export type PlacedRecord = Pick<EncodedRecord, 'record' | 'snapshots'> & {
  /** Its row. */
  readonly place: number;
  /** Of its first commit: the others follow that one. */
  readonly firstPosition: number;
};

/**
 * Must run inside a transaction of the caller's, who flushes the projections at its end: theirs are the tables that
 * change together with the log.
 */
export function createLogWriter(db: Db, projections: readonly Projection[]): (encoded: EncodedRecord) => PlacedRecord {
  const insertRecord = db.prepare('INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const moveHead = db.prepare(
    `INSERT INTO heads VALUES (@shard, @n, @epoch, @hash, @inboxOffset) ON CONFLICT (shard) DO UPDATE
     SET n = @n, epoch = @epoch, hash = @hash, inbox_offset = @inboxOffset WHERE n = @n - 1`,
  );
  const insertCommit = db.prepare('INSERT INTO commits VALUES (NULL, ?, ?, ?, ?, ?, ?)');
  const projectionsOf = projectionsByType(projections);

  return (encoded) => {
    const { record, bodies, hash, snapshots } = encoded;
    const { shard, commits, acked, n, epoch, at, inboxOffset, prevHash } = record;
    let firstPosition = 0;
    commits.forEach((commit, index) => {
      const { key, seq, version, cause, at: decidedAt } = commit;
      const { lastInsertRowid } = insertCommit.run(key, seq, version, cause, decidedAt, bodies[index]);
      if (index === 0) firstPosition = Number(lastInsertRowid);
      if (commit.events.length > 0) {
        for (const projection of projectionsOf.get(parseAddressKey(key).type) ?? []) projection.apply(commit);
      }
    });
    if (moveHead.run({ shard, n, epoch, hash, inboxOffset }).changes !== 1) {
      throw new Error(`record ${n} of shard ${shard} doesn't follow the newest one`);
    }
    const ids = JSON.stringify(acked);
    const { lastInsertRowid } = insertRecord.run(
      ...[shard, n, epoch, at, inboxOffset, prevHash, hash, firstPosition, commits.length, ids],
    );
    // Not the bodies: what waits for the tables should be small.
    return { record, snapshots, place: Number(lastInsertRowid), firstPosition };
  };
}
