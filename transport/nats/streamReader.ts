/**
 * Reads a stream in order from a sequence on, for as long as it isn't stopped. The client's own ordered consumer is not
 * used: while a handler is slow it pulls again and again, so what waits isn't bounded, and after a lost connection it may
 * pause for a whole pull (30 s). Here one pull is under way at a time, for what there is room for; the broker sends a
 * heartbeat while it has nothing; on silence, a lost message or any error the consumer is thrown away and another one made
 * after the last message that was handled. So nothing rests on what the broker knows about its readers.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { AckPolicy, DeliverPolicy } from '@nats-io/jetstream';
import { createInbox, type Msg, type NatsConnection, nanos } from 'nats';
import type { Following } from '../../actors/kernel/clusterPorts.ts';
import { isConnected, untilConnected } from './connected.ts';
import type { BrokerConnection, BrokerLogger } from './connection.ts';

export type StreamMessage = { readonly sequence: number; readonly data: Uint8Array };

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

/** Messages asked for or waiting for their handler, at most. */
export const READ_AHEAD = 256;
/** Bytes of one pull; the largest message must fit. At most twice as much waits. */
const READ_AHEAD_BYTES = 8 * 1024 * 1024;
/** The broker ends a pull after this long, and is asked again. */
const PULL_EXPIRES_MS = 30_000;
const HEARTBEAT_MS = 1_000;
/** Without a sign of the broker for so long, the consumer is taken for lost. */
const SILENCE_MS = 2_500;
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
  let after = reading.after;
  let failures = 0;
  while (!signal.aborted && !nc.isClosed()) {
    let why: string;
    try {
      await untilConnected(nc, Number.POSITIVE_INFINITY, signal);
      await reading.prepare();
      after = await placeInStream(reading, after);
      const session = await startSession(reading, after);
      if (failures > 0) logger.info({ stream, after, failures }, 'reading a stream again');
      failures = 0;
      why = await session.run(signal, (sequence) => {
        after = sequence;
      });
    } catch (error) {
      reading.failed(error);
      why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    }
    if (signal.aborted || nc.isClosed()) return;
    // Once for each outage: the tries in between say nothing new.
    if (failures === 0) logger.warn({ stream, after, why }, 'reading a stream was interrupted');
    failures += 1;
    const longest = Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS);
    await pause(longest * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
  }
}

/**
 * After which sequence to read. A stream that ends before what was read from it lost its tail or was made anew: its
 * numbers are used again, so that all of it is read; what was read already does no harm, receivers know it.
 */
async function placeInStream({ broker, stream, logger }: StreamReading, after: number): Promise<number> {
  const { state } = await broker.manager.streams.info(stream);
  if (state.last_seq < after) {
    logger.error(
      { stream, readUpTo: after, first: state.first_seq, last: state.last_seq },
      'a stream ends before what was already read from it: it lost its tail or was made anew; reading all of it',
    );
    return Math.max(0, state.first_seq - 1);
  }
  return after;
}

type Session = {
  /** Resolves with the reason for which it ended. */
  run(signal: AbortSignal, handled: (sequence: number) => void): Promise<string>;
};

async function startSession(reading: StreamReading, after: number): Promise<Session> {
  const { stream, logger } = reading;
  const { nats: nc, manager: jsm } = reading.broker;
  const { name } = await jsm.consumers.add(stream, {
    ack_policy: AckPolicy.None,
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: after + 1,
    inactive_threshold: nanos(CONSUMER_IDLE_MS),
    mem_storage: true,
    num_replicas: 1,
  });
  return {
    async run(signal, handled) {
      const pulls = openPulls(nc, `$JS.API.CONSUMER.MSG.NEXT.${stream}.${name}`, signal);
      let last = after;
      try {
        for (;;) {
          const message = await pulls.next();
          if (message === undefined) return pulls.ended() ?? 'stopped';
          if (message.sequence > last + 1) {
            const fields = { stream, from: last + 1, to: message.sequence - 1 };
            logger.warn(fields, 'messages of a stream are gone: it was trimmed beyond what was read here');
          }
          await handle(reading, message, signal);
          // Stopped before it could be handled: it doesn't count as read.
          if (signal.aborted) return 'stopped';
          last = message.sequence;
          handled(last);
        }
      } finally {
        pulls.close();
        if (!nc.isClosed()) jsm.consumers.delete(stream, name).catch(() => undefined);
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

type Pulls = {
  /** Undefined once it has ended. */
  next(): Promise<StreamMessage | undefined>;
  ended(): string | undefined;
  close(): void;
};

/** What the broker answers to one pull after the other; never more under way and waiting than `READ_AHEAD`. */
function openPulls(nc: NatsConnection, subject: string, signal: AbortSignal): Pulls {
  const inbox = createInbox();
  const waiting: StreamMessage[] = [];
  let asked = 0;
  let delivered = 0;
  let heardAt = performance.now();
  let ended: string | undefined;
  let wake = (): void => undefined;

  function end(why: string): void {
    ended ??= why;
    wake();
  }

  function pull(): void {
    if (asked > 0 || waiting.length > READ_AHEAD / 2 || ended !== undefined) return;
    asked = READ_AHEAD - waiting.length;
    heardAt = performance.now();
    const request = {
      expires: nanos(PULL_EXPIRES_MS),
      idle_heartbeat: nanos(HEARTBEAT_MS),
      max_bytes: READ_AHEAD_BYTES,
    };
    nc.publish(subject, JSON.stringify({ batch: asked, ...request }), { reply: inbox });
  }

  function receive(message: Msg): void {
    heardAt = performance.now();
    const place = placeOf(message.reply);
    if (place === undefined) {
      onStatus(message.headers?.code ?? 0, message.headers?.description ?? '');
      return;
    }
    // A number is missing: the broker dropped something on the way here. What came before it is still handled.
    if (place.delivery !== delivered + 1) {
      end('a message was lost on its way');
      return;
    }
    delivered = place.delivery;
    asked -= 1;
    waiting.push({ sequence: place.sequence, data: message.data });
    wake();
    pull();
  }

  function onStatus(code: number, description: string): void {
    if (code === HEARTBEAT) return;
    if (!PULL_ENDS.includes(code) || /consumer deleted/i.test(description)) {
      end(`the broker answered ${code} ${description}`);
      return;
    }
    asked = 0;
    pull();
  }

  const subscription = nc.subscribe(inbox, {
    callback(error, message) {
      if (error) end(error.message);
      else if (ended === undefined) receive(message);
    },
  });
  const watch = setInterval(() => {
    if (!isConnected(nc)) end('the connection was lost');
    else if (asked > 0 && performance.now() - heardAt > SILENCE_MS) end('nothing heard from the broker');
  }, HEARTBEAT_MS / 2);
  const onAbort = (): void => end('stopped');
  signal.addEventListener('abort', onAbort, { once: true });
  pull();

  function take(): StreamMessage | undefined {
    if (signal.aborted) return undefined;
    const message = waiting.shift();
    pull();
    return message;
  }

  return {
    async next() {
      while (waiting.length === 0 && ended === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return take();
    },
    ended: () => ended,
    close() {
      clearInterval(watch);
      signal.removeEventListener('abort', onAbort);
      if (!nc.isClosed()) subscription.unsubscribe();
    },
  };
}

const HEARTBEAT = 100;
/** No messages, time is up, and limits of this pull reached: ask again. */
const PULL_ENDS: readonly number[] = [404, 408, 409];

/** `$JS.ACK.[domain.account.]stream.consumer.tries.sequence.delivery.time.pending[.token]`, as messages of a consumer carry it. */
function placeOf(reply: string | undefined): { readonly sequence: number; readonly delivery: number } | undefined {
  if (!reply?.startsWith('$JS.ACK.')) return undefined;
  const parts = reply.split('.');
  const skipped = parts.length >= 11 ? 2 : 0;
  return { sequence: Number(parts[5 + skipped]), delivery: Number(parts[6 + skipped]) };
}
