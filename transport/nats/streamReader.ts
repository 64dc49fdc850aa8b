/**
 * Reads a stream in order from a sequence on, for as long as it isn't stopped. The client's own ordered consumer is not
 * used: while a handler is slow it pulls again and again, so what waits isn't bounded, and after a lost connection it may
 * pause for a whole pull (30 s). Here one pull is under way at a time, for what there is room for; the broker sends a
 * heartbeat while it has nothing; on silence, a lost message or any error the consumer is thrown away and another one made
 * after the last message that was handled. So nothing rests on what the broker knows about its readers.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { AckPolicy, DeliverPolicy } from '@nats-io/jetstream';
import { nanos } from 'nats';
import type { Following } from '../../actors/kernel/clusterPorts.ts';
import { untilConnected } from './connected.ts';
import type { BrokerConnection, BrokerLogger } from './connection.ts';
import { Pulls, type StreamMessage } from './pulls.ts';

/** The last message that was handled; without its stamp when nobody here has seen it. */
type Place = { readonly sequence: number; readonly stamp?: string };

export type StreamReading = {
  readonly broker: Pick<BrokerConnection, 'nats' | 'manager'>;
  readonly stream: string;
  /** Sequence of the last message that isn't wanted any more; 0 for all. */
  readonly after: number;
  /** Called before each (re)start; may create the stream. */
  readonly prepare: () => Promise<void>;
  /** Told why reading was interrupted, before it starts again. */
  readonly failed: (error: unknown) => void;
  /** One call at a time; a message whose handling fails is handled again after a pause. */
  readonly on: (message: StreamMessage) => void | Promise<void>;
  readonly logger: BrokerLogger;
};

/** The broker forgets a consumer that nobody pulls from. */
const CONSUMER_IDLE_MS = 60_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;
/** Between two tries of one message whose handler failed. */
const HANDLER_PAUSE_MS = 1_000;

export function readStream(reading: StreamReading): Following {
  const stopping = new AbortController();
  void readUntilStopped(reading, stopping.signal);
  return { stop: () => stopping.abort() };
}

async function readUntilStopped(reading: StreamReading, signal: AbortSignal): Promise<void> {
  const { stream, logger } = reading;
  const nc = reading.broker.nats;
  let place: Place = { sequence: reading.after };
  let failures = 0;
  while (!signal.aborted && !nc.isClosed()) {
    let why: string;
    try {
      await untilConnected(nc, Number.POSITIVE_INFINITY, signal);
      await reading.prepare();
      place = await placeInStream(reading, place);
      const session = await startSession(reading, place);
      if (failures > 0) logger.info({ stream, after: place.sequence, failures }, 'reading a stream again');
      failures = 0;
      why = await session.run(signal, (handled) => {
        place = handled;
      });
    } catch (error) {
      if (error instanceof StreamRewound) place = allOf(reading, place, error.message);
      reading.failed(error);
      why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    }
    if (signal.aborted || nc.isClosed()) return;
    // Once for each outage: the tries in between say nothing new.
    if (failures === 0) logger.warn({ stream, after: place.sequence, why }, 'reading a stream was interrupted');
    failures += 1;
    const longest = Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS);
    await pause(longest * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
  }
}

/** Another message than the one that was read has its number now. */
class StreamRewound extends Error {
  override readonly name = 'StreamRewound';
}

/** @throws what the client throws */
async function placeInStream(reading: StreamReading, place: Place): Promise<Place> {
  const { state } = await reading.broker.manager.streams.info(reading.stream);
  return state.last_seq < place.sequence ? allOf(reading, place, `it ends at ${state.last_seq}`) : place;
}

/**
 * A stream that lost its tail or was made anew uses its numbers again, so that all of it is read. What was read already
 * does no harm, receivers know it; what has one of the old numbers now would be lost.
 */
function allOf({ stream, logger }: StreamReading, { sequence }: Place, why: string): Place {
  const text = 'a stream is not the one that was read: it lost its tail or was made anew; reading all of it';
  logger.error({ stream, readUpTo: sequence, why }, text);
  return { sequence: 0 };
}

type Session = {
  /** Resolves with the reason for which it ended. @throws StreamRewound */
  run(signal: AbortSignal, handled: (place: Place) => void): Promise<string>;
};

async function startSession(reading: StreamReading, place: Place): Promise<Session> {
  const { stream, logger } = reading;
  const { nats: nc, manager } = reading.broker;
  const { name } = await manager.consumers.add(stream, {
    ack_policy: AckPolicy.None,
    deliver_policy: DeliverPolicy.StartSequence,
    // The last one again, where it is known, to see that it is still the same.
    opt_start_seq: place.stamp === undefined ? place.sequence + 1 : place.sequence,
    inactive_threshold: nanos(CONSUMER_IDLE_MS),
    mem_storage: true,
    num_replicas: 1,
  });
  return {
    async run(signal, handled) {
      const pulls = new Pulls(nc, `$JS.API.CONSUMER.MSG.NEXT.${stream}.${name}`, signal);
      let last = place.sequence;
      try {
        for (;;) {
          const message = await pulls.next();
          if (message === undefined) return pulls.ended ?? 'stopped';
          const { sequence, stamp } = message;
          if (sequence === place.sequence) {
            if (stamp !== place.stamp) throw new StreamRewound(`another message has number ${sequence}`);
            continue;
          }
          if (sequence > last + 1) {
            const fields = { stream, from: last + 1, to: sequence - 1 };
            logger.warn(fields, 'messages of a stream are gone: it was trimmed beyond what was read here');
          }
          await handle(reading, message, signal);
          // Stopped before it could be handled: it doesn't count as read.
          if (signal.aborted) return 'stopped';
          last = sequence;
          handled({ sequence, stamp });
        }
      } finally {
        pulls.close();
        if (!nc.isClosed()) manager.consumers.delete(stream, name).catch(() => undefined);
      }
    },
  };
}

async function handle(
  { on, stream, logger }: StreamReading,
  message: StreamMessage,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await on(message);
      return;
    } catch (error) {
      // To go on without it would lose it: the reader's place would pass it.
      logger.error(
        { stream, sequence: message.sequence, err: error },
        'a message of a stream could not be taken; trying again',
      );
      await pause(HANDLER_PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
