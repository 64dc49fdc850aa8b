/**
 * Turns the entries of a shard's log into what followers are handed. The log's own compare-and-append keeps records of an
 * older epoch out; should one be there all the same, it is left out here as well, and said.
 */
import {
  type Following,
  type FollowOptions,
  type LogEntry,
  type LogPosition,
  LogUnreadable,
} from '../../../actors/kernel/clusterPorts.ts';
import type { EncodedRecord } from '../../../actors/kernel/ports.ts';
import type { OwnClaim } from './claiming.ts';
import { decodeClaim, decodeRelease, parseEntryId } from './entry.ts';
import type { LogStream, StoredEntry } from './stream.ts';

/** The part of a pino logger that is used here. */
export type FollowingLog = Record<'warn' | 'error', (fields: object, text: string) => void>;

export type FollowSurroundings = {
  readonly stream: LogStream;
  /** @throws when the bytes aren't a record that this version reads */
  readonly decode: (payload: Uint8Array) => EncodedRecord;
  /** This process' own claims of the shard by epoch. */
  readonly claims: ReadonlyMap<number, OwnClaim>;
  readonly logger: FollowingLog;
};

export function followLog(
  surroundings: FollowSurroundings,
  after: LogPosition,
  on: (entry: LogEntry) => void | Promise<void>,
  { skipOwn = false, failed }: FollowOptions,
): Following {
  const { stream, claims, logger } = surroundings;
  const ownRecord = skipOwn ? ownRecords(claims) : undefined;
  let newestEpoch = 0;

  function hand(entry: StoredEntry): void | Promise<void> {
    const { position } = entry;
    const id = parseEntryId(entry.id);
    if (id?.kind !== 'record') {
      const decoded = decodeMark(entry);
      if (decoded.kind === 'claim') newestEpoch = position;
      return on(decoded);
    }
    if (id.epoch < newestEpoch) {
      const fields = { log: stream.name, position, epoch: id.epoch, newestEpoch };
      logger.error(fields, 'the log holds a record of an older epoch than its newest claim: left out; this is a bug');
      return;
    }
    newestEpoch = id.epoch;
    const own = ownRecord?.(entry, id.epoch);
    const handWhole = (): void | Promise<void> => on({ kind: 'record', position, record: decode(surroundings, entry) });
    if (own === undefined) return handWhole();
    const handOwn = (): void | Promise<void> => on({ kind: 'own', position, epoch: id.epoch, n: id.n });
    if (own === 'acknowledged') return handOwn();
    // After a failure nobody here has it, though it was in the log: the broker has lost it again.
    return own.then((outcome) => (outcome === 'acknowledged' ? handOwn() : handWhole()));
  }

  return stream.tail(after, {
    entry: hand,
    failed(error) {
      logger.error({ log: stream.name, err: error, reason: error.reason }, 'a log can no longer be followed');
      failed?.(error);
    },
  });
}

function decode(
  { stream, decode: decodeRecord }: FollowSurroundings,
  { position, payload }: StoredEntry,
): EncodedRecord {
  try {
    return decodeRecord(payload);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new LogUnreadable(`entry ${position} of the log ${stream.name}: ${reason}`, 'entry', { cause: error });
  }
}

function decodeMark({ id, position, payload }: StoredEntry): LogEntry {
  const parsed = parseEntryId(id);
  if (parsed?.kind === 'claim') return { kind: 'claim', position, node: decodeClaim(payload).node };
  if (parsed?.kind === 'release') return { kind: 'release', position, epoch: parsed.epoch, ...decodeRelease(payload) };
  throw new LogUnreadable(
    `entry ${position} has the id ${JSON.stringify(id)}, which this version doesn't know`,
    'entry',
  );
}

/**
 * Tells the records that this process appended since now. One whose append is still in flight is known once that has
 * ended: its owner is to hear of the success first, and may yet be told of a failure.
 */
function ownRecords(
  claims: ReadonlyMap<number, OwnClaim>,
): (entry: StoredEntry, epoch: number) => 'acknowledged' | Promise<'acknowledged' | 'failed'> | undefined {
  const before = new Map([...claims].map(([epoch, { acknowledged, inFlight }]) => [epoch, { acknowledged, inFlight }]));
  return ({ position, id }, epoch) => {
    const claim = claims.get(epoch);
    const then = before.get(epoch);
    if (!claim || position <= (then?.acknowledged ?? 0) || id === then?.inFlight?.id) return undefined;
    if (position <= claim.acknowledged) return 'acknowledged';
    if (claim.inFlight?.id !== id) return undefined;
    return claim.inFlight.settled.then(
      () => 'acknowledged',
      () => 'failed',
    );
  };
}
