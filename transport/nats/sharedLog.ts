/**
 * The shards' logs on JetStream: a stream and a subject for each shard, named after the cluster. A claim's position is the
 * fencing token; whatever is appended names what it comes after, and the broker compares.
 */
import { randomUUID } from 'node:crypto';
import { jetstreamManager } from '@nats-io/jetstream';
import type { LogPosition, SharedLog } from '../../actors/kernel/clusterPorts.ts';
import type { BrokerConnection } from './connection.ts';
import { brokerError, StreamMissing } from './errors.ts';
import { assembleSharedLog, type RecordWire } from './log/assemble.ts';
import type { FollowingLog } from './log/following.ts';
import { createNatsStream, QUESTION_MS } from './log/natsStream.ts';
import { ensureStream } from './streams.ts';

/** How long the broker knows the ids of entries: longer than an outage holds up the repetition of an append. */
const DUPLICATE_WINDOW_MS = 10 * 60_000;

export type SharedLogOptions = {
  readonly broker: Pick<BrokerConnection, 'nats' | 'manager'>;
  /** Usable in subjects and in names of streams: letters, digits, dashes. */
  readonly cluster: string;
  readonly shards: number;
  readonly replicas: number;
  /** How long the broker knows the ids of entries; the streams must have been made with the same. */
  readonly duplicateWindowMs?: number;
  readonly wire: RecordWire;
  /** Business time in ms since the epoch. */
  readonly now: () => number;
  readonly logger: FollowingLog;
};

const logStreamName = (cluster: string, shard: number): string => `${cluster}-log-${shard}`;
const subjectOf = (cluster: string, shard: number): string => `${cluster}.log.${shard}`;

/**
 * Makes the streams that are missing.
 * @throws what `ensureStream` throws
 */
export async function openSharedLog(options: SharedLogOptions): Promise<SharedLog> {
  const { broker, cluster, shards, replicas, wire, now, logger } = options;
  const { nats: connection, manager } = broker;
  const numbers = Array.from({ length: shards }, (_, shard) => shard);
  // One after the other: brokers that have to place many streams at once are slow at each.
  for (const shard of numbers) {
    await ensureStream(manager, {
      name: logStreamName(cluster, shard),
      subjects: [subjectOf(cluster, shard)],
      description: `what was decided in shard ${shard} of ${cluster}`,
      replicas,
      duplicateWindowMs: options.duplicateWindowMs ?? DUPLICATE_WINDOW_MS,
      // Entries go only by trimming from the front.
      denyDelete: true,
    });
  }
  const questions = await jetstreamManager(connection, { timeout: QUESTION_MS, checkAPI: false });
  const streams = numbers.map((shard) => {
    const names = { name: logStreamName(cluster, shard), subject: subjectOf(cluster, shard) };
    return createNatsStream({ connection, manager, questions, ...names, replicas, logger });
  });
  return assembleSharedLog({
    streams,
    wire,
    now,
    logger,
    nonce: randomUUID,
    times: { monotonic: () => performance.now(), delay: (ms, task) => void setTimeout(task, ms) },
  });
}

/**
 * By shard, the position of the oldest entry that is kept; 1 where there is no log yet.
 * @throws what `brokerError` makes of it
 */
export async function logBegins(
  manager: BrokerConnection['manager'],
  cluster: string,
  shards: number,
): Promise<readonly LogPosition[]> {
  const beginOf = async (_: unknown, shard: number): Promise<LogPosition> => {
    try {
      return (await manager.streams.info(logStreamName(cluster, shard))).state.first_seq || 1;
    } catch (error) {
      const named = brokerError(error, `look at the log of shard ${shard}`);
      if (named instanceof StreamMissing) return 1;
      throw named;
    }
  };
  return Promise.all(Array.from({ length: shards }, beginOf));
}

/** Nothing up to the position is needed any more. @throws what `brokerError` makes of it */
export async function trimLog(
  manager: BrokerConnection['manager'],
  cluster: string,
  shard: number,
  upTo: LogPosition,
): Promise<void> {
  // Asked for what lies before the first entry, the broker removes all there is.
  if (upTo < 1) return;
  await manager.streams.purge(logStreamName(cluster, shard), { seq: upTo + 1 }).catch((error: unknown) => {
    throw brokerError(error, `trim the log of shard ${shard}`);
  });
}
