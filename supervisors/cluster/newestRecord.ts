/** Which record a shard's log ends with, found from its end: claims and releases may stand behind it. */
import { type LogEntry, type LogPosition, LogUnreadable, type SharedLog } from '../../actors/kernel/clusterPorts.ts';
import { GENESIS_HASH } from '../../storage/recordCodec.ts';

/** Entries that are looked through at first; eight times as many with each further look. */
const FIRST_LOOK = 64;
const LOOK_FACTOR = 8;

export type NewestRecord = {
  readonly n: number;
  readonly hash: string;
  /** In ms since the epoch. */
  readonly at: number;
  /** Of the newest entry of any kind. */
  readonly end: LogPosition;
  /** Of the oldest entry that is kept. */
  readonly begin: LogPosition;
};

/**
 * `n` is 0 for a log that holds no record and was never trimmed.
 * @throws LogUnreadable; what the log throws when it can't be asked
 */
export async function newestRecord(log: Omit<SharedLog, 'claim'>, shard: number): Promise<NewestRecord> {
  const [end, begin] = await Promise.all([log.end(shard), log.begin(shard)]);
  for (let look = FIRST_LOOK; ; look *= LOOK_FACTOR) {
    const after = Math.max(begin - 1, end - look);
    const found = await lastBetween(log, shard, after, end);
    if (found) return { ...found, end, begin };
    if (after > begin - 1) continue;
    if (begin > 1) throw new LogUnreadable(`the log of shard ${shard} holds no record any more`, 'trimmed');
    return { n: 0, hash: GENESIS_HASH, at: 0, end, begin };
  }
}

type Found = Pick<NewestRecord, 'n' | 'hash' | 'at'> | undefined;

async function lastBetween(
  log: Pick<SharedLog, 'follow'>,
  shard: number,
  after: LogPosition,
  end: LogPosition,
): Promise<Found> {
  if (after >= end) return undefined;
  return new Promise((resolve, reject) => {
    let found: Found;
    const on = (entry: LogEntry): void => {
      if (entry.kind === 'record' && entry.position <= end) {
        const { record, hash } = entry.record;
        found = { n: record.n, hash, at: record.at };
      }
      if (entry.position < end) return;
      following.stop();
      resolve(found);
    };
    const following = log.follow(shard, after, on, { failed: reject });
  });
}
