/**
 * When a shard's log at the broker doesn't go on where this node's copy of it ends, because the broker lost the end of what
 * it had acknowledged or was set back to older data. The chain of hashes tells whether the two belong together. If so, every
 * node appends the records that it holds and the log lacks, just as they were made: the log takes one of several that try,
 * and whoever holds more goes on from there. If not, nothing is written, and it is said what can be done.
 */
import type { Logger } from 'pino';
import type { Address } from '../../actors/kernel/address.ts';
import type { Claim, Inbox, LogUnreadable, SharedLog } from '../../actors/kernel/clusterPorts.ts';
import type { Envelope } from '../../actors/kernel/message.ts';
import type { Clock } from '../../actors/kernel/ports.ts';
import type { Db } from '../../storage/database.ts';
import { heldEpochs, heldRecords } from '../../storage/heldRecords.ts';
import type { LocalCopy } from '../../storage/localCopy.ts';
import { bringRecords, logParted } from './bringRecords.ts';
import { type NewestRecord, newestRecord } from './newestRecord.ts';

/** Whoever didn't hold the shard waits at most so long before it claims, lest all get in each other's way. */
const STAGGER_MS = 3_000;
/** For those that hold more than is in the log now; they try again every 5 s. */
const SETTLE_MS = 6_000;
/** A broker that loses the end of a shard's log loses the end of inboxes too: it syncs every two minutes. */
const RESEND_MS = 5 * 60_000;
const RESEND_PARALLEL = 64;

export type MendingOptions = {
  readonly me: string;
  readonly db: Db;
  readonly log: SharedLog;
  readonly inbox: Pick<Inbox, 'put'>;
  readonly copy: LocalCopy;
  readonly isOpen: (shard: number) => boolean;
  readonly placementOf: (address: Address) => number | undefined;
  readonly clock: Pick<Clock, 'delay'>;
  /** In [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
};

/**
 * Resolves once the copy can follow the log again.
 * @throws LogParted, or why the log can't be followed, where nothing can be done; else it is worth another try
 */
export type MendShard = (shard: number, why: LogUnreadable) => Promise<void>;

export function createMending(options: MendingOptions): MendShard {
  const { me, db, log, copy, isOpen, clock, random, logger } = options;
  /** Shards whose logs were read anew because of records that don't follow. */
  const readAnew = new Set<number>();
  const pause = (ms: number): Promise<void> => new Promise((resolve) => void clock.delay(ms, resolve));

  /**
   * The position of a claim that was lost is used again: under one there what it had made would look as if it had been made
   * now, and the inbox answered as far as it was then.
   */
  async function claimApart(shard: number): Promise<Claim> {
    const lost = heldEpochs(db, shard, (await newestRecord(log, shard, clock)).n);
    for (;;) {
      const claim = await log.claim(shard, me);
      if (!lost.has(claim.epoch)) return claim;
    }
  }

  async function bringBack(shard: number, held: number): Promise<void> {
    const claim = await claimApart(shard);
    const newest = await newestRecord(log, shard, clock);
    const { records } = await bringRecords(db, shard, claim, newest);
    await claim.release();
    const messages = await sendAgain(options, shard, newest);
    logger.warn(
      { shard, held, found: newest.n, records, messages },
      'the broker had lost the end of a log: brought back from the copy of this node',
    );
  }

  return async (shard, why) => {
    if (why.reason !== 'rewound' && why.reason !== 'parted') throw why;
    if (isOpen(shard)) throw new Error(`shard ${shard} is still being closed`);
    copy.catchUp();
    const held = copy.store.head(shard)?.n ?? 0;
    let newest = await newestRecord(log, shard, clock);
    if (newest.n < held && copy.title(shard)?.node !== me) {
      await pause(random() * STAGGER_MS);
      newest = await newestRecord(log, shard, clock);
    }
    if (newest.n <= held && !copy.holds(shard, newest)) throw logParted(shard, newest.n);
    if (newest.n < held) await bringBack(shard, held);
    if (why.reason === 'rewound') await pause(SETTLE_MS);
    else if (readAnew.has(shard)) throw logParted(shard, newest.n);
    else readAnew.add(shard);
    copy.readAnew(shard, newest.begin - 1);
  };
}

/**
 * The senders took what was in the inboxes for delivered. Whoever got a message before knows it.
 * @returns how many
 */
async function sendAgain(
  { db, inbox, placementOf }: MendingOptions,
  shard: number,
  newest: NewestRecord,
): Promise<number> {
  let messages = 0;
  let waiting: Promise<void>[] = [];
  const put = (to: number, envelope: Envelope): void => {
    messages += 1;
    waiting.push(inbox.put(to, envelope));
  };
  for await (const { record } of heldRecords(db, shard)) {
    if (record.at < newest.at - RESEND_MS) continue;
    for (const envelope of record.commits.flatMap(({ sends }) => sends)) {
      const to = envelope.to.type === 'gateway' ? undefined : placementOf(envelope.to);
      if (to !== undefined && to !== shard) put(to, envelope);
    }
    if (waiting.length < RESEND_PARALLEL) continue;
    await Promise.all(waiting);
    waiting = [];
  }
  await Promise.all(waiting);
  return messages;
}
