/**
 * The right to write to a shard's log. A claim is an entry like any other, and its position is the epoch: everything that
 * is appended under it must come right after what was acknowledged before, so once somebody else has claimed, nothing of
 * this claim is stored any more. That holds only because one append is in flight: whoever predicts positions can hit them
 * again after a foreign claim.
 */
import { type Claim, Fenced, type LogPosition, type MayAppend } from '../../../actors/kernel/clusterPorts.ts';
import { AppendRefused, type EncodedRecord } from '../../../actors/kernel/ports.ts';
import { claimId, encodeClaim, encodeRelease, recordId, releaseId } from './entry.ts';
import { type PublishingTimes, publishAfter, publishAtEnd } from './publishing.ts';
import type { KnownEntry, LogStream } from './stream.ts';

/** How long a claim is tried: whoever wants the shard by then finds out anew whether it should. */
const CLAIM_PATIENCE_MS = 10_000;

export type ClaimSurroundings = {
  readonly stream: LogStream;
  readonly times: PublishingTimes;
  readonly encode: (record: EncodedRecord) => Uint8Array;
};

/** What this process knows of its claim beyond the port: which entries it needn't read. */
export type OwnClaim = Claim & {
  /** Position of the newest entry that was acknowledged. */
  readonly acknowledged: LogPosition;
  /** Set while an append is in flight; settles with it. */
  readonly inFlight: { readonly id: string; readonly settled: Promise<unknown> } | undefined;
};

/** @throws AppendRefused, LogUnanswered */
export async function claimLog(
  surroundings: ClaimSurroundings,
  claimant: { readonly node: string; readonly nonce: string; readonly at: number },
): Promise<OwnClaim> {
  const { stream, times } = surroundings;
  const entry = { id: claimId(claimant.nonce), payload: encodeClaim(claimant) };
  const epoch = await publishAtEnd(stream, times, entry, CLAIM_PATIENCE_MS);
  return openClaim(surroundings, { position: epoch, id: entry.id });
}

function openClaim({ stream, times, encode }: ClaimSurroundings, claimEntry: KnownEntry): OwnClaim {
  const epoch = claimEntry.position;
  let newest = { ...claimEntry, answeredAt: times.monotonic() };
  let ended: Fenced | undefined;
  let inFlight: OwnClaim['inFlight'];

  async function publish(id: string, payload: Uint8Array, may?: MayAppend): Promise<LogPosition> {
    try {
      const position = await publishAfter(stream, times, { id, payload }, { ...newest, may });
      newest = { position, id, answeredAt: times.monotonic() };
      return position;
    } catch (error) {
      // Even if the log should later look as expected again: whoever lost it once stays out.
      if (!(error instanceof AppendRefused)) {
        ended = error instanceof Fenced ? error : new Fenced(`the claim ${epoch} has an unknown end`, 'superseded');
      }
      throw error;
    } finally {
      inFlight = undefined;
    }
  }

  function start(id: string, payload: Uint8Array, may?: MayAppend): Promise<LogPosition> {
    const settled = publish(id, payload, may);
    inFlight = { id, settled };
    return settled;
  }

  function appendAs(record: EncodedRecord, may?: MayAppend): Promise<LogPosition> {
    if (ended) throw ended;
    if (inFlight) throw new Error(`the log ${stream.name} takes one append at a time`);
    return start(recordId(epoch, record), encode(record), may);
  }

  return {
    epoch,
    get acknowledged() {
      return newest.position;
    },
    get inFlight() {
      return inFlight;
    },
    async append(record, may) {
      if (record.record.epoch !== epoch && !ended)
        throw new Error(`a record of epoch ${record.record.epoch} under claim ${epoch}`);
      return appendAs(record, may);
    },
    bring: async (record) => appendAs(record),
    async release(to) {
      if (ended) return;
      const before = inFlight?.settled;
      const lost = ended;
      ended = new Fenced(`the claim ${epoch} of the log ${stream.name} was released`, 'released');
      await before?.catch(() => {});
      if (lost) return;
      await start(releaseId(epoch), encodeRelease(to)).catch((error: unknown) => {
        if (!(error instanceof Fenced)) throw error;
      });
    },
  };
}
