/** Which record a shard's log ends with, found from its end: claims and releases may stand behind it. */
import {
  type Following,
  type LogEntry,
  type LogPosition,
  LogUnanswered,
  LogUnreadable,
  type SharedLog,
} from '../../actors/kernel/clusterPorts.ts';
import type { Clock } from '../../actors/kernel/ports.ts';
import { GENESIS_HASH } from '../../storage/recordCodec.ts';

/** Entries that are looked through at first; eight times as many with each further look. */
const FIRST_LOOK = 64;
const LOOK_FACTOR = 8;
/** What the log ended with may be lost before it is read: then nothing comes, and nothing tells. */
const SILENT_MS = 5_000;

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
 * @throws LogUnreadable; LogUnanswered when it can't be read to its end; what the log throws when it can't be asked
 */
export async function newestRecord(
  log: Omit<SharedLog, 'claim'>,
  shard: number,
  clock: Pick<Clock, 'delay'>,
): Promise<NewestRecord> {
  const [end, begin] = await Promise.all([log.end(shard), log.begin(shard)]);
  for (let look = FIRST_LOOK; ; look *= LOOK_FACTOR) {
    const after = Math.max(begin - 1, end - look);
    const found = await lastBetween({ log, clock }, shard, after, end);
    if (found) return { ...found, end, begin };
    if (after > begin - 1) continue;
    if (begin > 1) throw new LogUnreadable(`the log of shard ${shard} holds no record any more`, 'trimmed');
    return { n: 0, hash: GENESIS_HASH, at: 0, end, begin };
  }
}

type Found = Pick<NewestRecord, 'n' | 'hash' | 'at'> | undefined;

async function lastBetween(
  { log, clock }: { readonly log: Pick<SharedLog, 'follow'>; readonly clock: Pick<Clock, 'delay'> },
  shard: number,
  after: LogPosition,
  end: LogPosition,
): Promise<Found> {
  if (after >= end) return undefined;
  let following: Following | undefined;
  let cancel: () => void = () => undefined;
  return new Promise<Found>((resolve, reject) => {
    let found: Found;
    const wait = (): void => {
      cancel();
      cancel = clock.delay(SILENT_MS, () => {
        reject(new LogUnanswered(`the log of shard ${shard} can't be read up to ${end}, where it ended`));
      });
    };
    const on = (entry: LogEntry): void => {
      wait();
      if (entry.kind === 'record' && entry.position <= end) {
        const { record, hash } = entry.record;
        found = { n: record.n, hash, at: record.at };
      }
      if (entry.position >= end) resolve(found);
    };
    wait();
    following = log.follow(shard, after, on, { failed: reject });
  }).finally(() => {
    cancel();
    following?.stop();
  });
}
