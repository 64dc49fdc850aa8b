/**
 * How full each inbox is, as far as this node knows. The broker's own limit stands behind it, but is not to be reached: what
 * replicas refuse while they store, one that restarts counts anew, and may store a message twice that the others have once;
 * from then on their offsets differ (nats-server 2.10.27).
 */
import { InboxUnavailable } from '../../actors/kernel/clusterPorts.ts';
import type { BrokerLogger } from './connection.ts';

/** The broker is asked after so much of this node's own: what several nodes put meanwhile has to fit behind the room. */
const LOOK_BYTES = 4 * 1024 * 1024;
/** A full inbox is looked at again after so long. */
const LOOK_PAUSE_MS = 250;

export type InboxRoom = {
  /** @throws InboxUnavailable when the inbox is full */
  take(shard: number, bytes: number): void;
};

type Seen = { stored: number; since: number; looking: boolean; lookedAt: number };

export type InboxRoomOptions = {
  /** Asks the broker. */
  readonly storedBytes: (shard: number) => Promise<number>;
  readonly roomBytes: number;
  readonly logger: BrokerLogger;
};

export function createInboxRoom({ storedBytes, roomBytes, logger }: InboxRoomOptions): InboxRoom {
  const lookBytes = Math.min(LOOK_BYTES, roomBytes / 2);
  const rooms = new Map<number, Seen>();

  async function look(shard: number, seen: Seen): Promise<void> {
    seen.looking = true;
    seen.lookedAt = performance.now();
    const before = seen.since;
    try {
      seen.stored = await storedBytes(shard);
      seen.since -= before;
    } catch (error) {
      // Whoever puts something finds out what is wrong; here only the figure is missing, until the next look.
      logger.info({ shard, err: error }, 'how full an inbox is could not be asked');
    } finally {
      seen.looking = false;
    }
  }

  return {
    take(shard, bytes) {
      const seen = rooms.get(shard) ?? { stored: 0, since: lookBytes, looking: false, lookedAt: -LOOK_PAUSE_MS };
      rooms.set(shard, seen);
      const isFull = seen.stored + seen.since + bytes > roomBytes;
      const isDue = isFull || seen.since >= lookBytes;
      if (isDue && !seen.looking && performance.now() - seen.lookedAt >= LOOK_PAUSE_MS) void look(shard, seen);
      if (isFull) {
        const holds = `${Math.round((seen.stored + seen.since) / 1024)} of ${roomBytes / 1024} KiB`;
        throw new InboxUnavailable(`the inbox of shard ${shard} is full (${holds}): its owner is behind`);
      }
      seen.since += bytes;
    },
  };
}
