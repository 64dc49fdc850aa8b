/** Appends records that this node holds to the log of a shard that ends before them: the same ones, in their order. */
import type { Claim, LogPosition } from '../../actors/kernel/clusterPorts.ts';
import type { Db } from '../../storage/database.ts';
import { heldRecords } from '../../storage/heldRecords.ts';
import type { NewestRecord } from './newestRecord.ts';

/** What the log and this node's copy of it hold can't both be true. */
class LogParted extends Error {
  override readonly name = 'LogParted';
  readonly retryable = false;
}

/** Position of the newest entry of a shard's log, and the records that were appended to get there. */
export type Brought = { readonly end: LogPosition; readonly records: number };

/**
 * @param newest what the log ends with before the claim: it must be a record that this node holds, or none
 * @throws LogParted when it is another one; what `Claim.bring` throws
 */
export async function bringRecords(
  db: Db,
  shard: number,
  claim: Pick<Claim, 'epoch' | 'bring'>,
  newest: Pick<NewestRecord, 'n' | 'hash'>,
): Promise<Brought> {
  let end = claim.epoch;
  let records = 0;
  let agrees = newest.n === 0;
  for await (const encoded of heldRecords(db, shard)) {
    const { n } = encoded.record;
    if (n === newest.n) {
      if (encoded.hash !== newest.hash) throw logParted(shard, newest.n);
      agrees = true;
    }
    if (n <= newest.n) continue;
    if (!agrees) throw logParted(shard, newest.n);
    end = await claim.bring(encoded);
    records += 1;
  }
  if (!agrees) throw logParted(shard, newest.n);
  return { end, records };
}

export const logParted = (shard: number, n: number): LogParted =>
  new LogParted(
    `the log of shard ${shard} at the broker ends with a record ${n} that this node's copy doesn't hold, or holds another one: the ` +
      'two have parted, and nothing was overwritten. If the broker is right, start this node with an empty DATA_DIR; if this node ' +
      'is right, restore the newer data of the broker, or found another cluster with CLUSTER and a copy of this DATA_DIR',
  );
