/** The inbox of each shard as a stream of the broker: `<cluster>-in-<shard>`, filled by all nodes, read by the owner. */
import { setTimeout as pause } from 'node:timers/promises';
import { EnvelopeRefused, type Inbox, InboxUnavailable } from '../../actors/kernel/clusterPorts.ts';
import type { Envelope } from '../../actors/kernel/message.ts';
import { isConnected, untilConnected } from './connected.ts';
import type { BrokerConnection, BrokerLogger } from './connection.ts';
import { decodeEnvelope, encodeEnvelope } from './envelopes.ts';
import { BrokerUnreachable, brokerError, MessageTooLarge, StreamMissing, StreamUnavailable } from './errors.ts';
import { createInboxRoom } from './inboxRoom.ts';
import { readStream } from './streamReader.ts';
import { ensureStream, type StreamSettings } from './streams.ts';
import { checkClusterName } from './subjects.ts';

type InboxBroker = Pick<BrokerConnection, 'nats' | 'jetstream' | 'manager'>;

export type NatsInboxOptions = {
  readonly broker: InboxBroker;
  readonly cluster: string;
  /** How many brokers keep each inbox. */
  readonly replicas: number;
  readonly logger: BrokerLogger;
  /** Of one inbox. */
  readonly roomBytes?: number;
};

export type NatsInbox = Inbox & {
  /** Offset of the newest message, 0 for an empty inbox: how far the owner is behind. */
  end(shard: number): Promise<number>;
};

/** Puts under way at once, over all shards; more are refused. */
export const MAX_PUTS_IN_FLIGHT = 4_096;
/** And bytes of them, so that large ones don't fill the memory. */
const MAX_PUT_BYTES_IN_FLIGHT = 32 * 1024 * 1024;
/** Largest message; the stream refuses more too. */
const MAX_ENVELOPE_BYTES = 1024 * 1024;
/** A put whose outcome stays unknown is given up after this long: longer than the brokers need to elect a leader. */
const PUT_DEADLINE_MS = 10_000;
/** The broker's answer to one try. */
const ATTEMPT_MS = 2_000;
const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 500;
/** A purge costs the broker as much as many puts: only once so much can go, or after so long. */
const TRIM_MESSAGES = 1_000;
const TRIM_INTERVAL_MS = 30_000;

/** A shard that is so far behind takes no more: its senders keep what it can't take. */
const INBOX_ROOM_BYTES = 64 * 1024 * 1024;
/** The broker reserves as much; it is not to be reached (`inboxRoom.ts`). */
const MAX_INBOX_BYTES = 2 * INBOX_ROOM_BYTES;
/** The broker remembers ids for so long: longer than a put is tried. */
const DUPLICATE_WINDOW_MS = 120_000;
const ID_HEADER = 'Nats-Msg-Id';

/** It refuses rather than forgets when it is full. */
function inboxSettings(cluster: string, shard: number, replicas: number): StreamSettings {
  return {
    name: inboxStream(cluster, shard),
    subjects: [inboxSubject(cluster, shard)],
    description: `messages for the actors of shard ${shard}`,
    replicas,
    duplicateWindowMs: DUPLICATE_WINDOW_MS,
    denyDelete: true,
    maxMessageBytes: MAX_ENVELOPE_BYTES,
    maxBytes: MAX_INBOX_BYTES,
  };
}

export const inboxStream = (cluster: string, shard: number): string => `${cluster}-in-${shard}`;
export const inboxSubject = (cluster: string, shard: number): string => `${cluster}.in.${shard}`;

type Trimmed = { readonly upTo: number; readonly at: number };

export function createNatsInbox(options: NatsInboxOptions): NatsInbox {
  const { broker, logger } = options;
  const cluster = checkClusterName(options.cluster);
  const streams = createStreams(options);
  const trims = createTrims(options);
  const room = createInboxRoom({
    storedBytes: async (shard) => (await broker.manager.streams.info(inboxStream(cluster, shard))).state.bytes,
    roomBytes: options.roomBytes ?? INBOX_ROOM_BYTES,
    logger,
  });
  let inFlight = 0;
  let bytesInFlight = 0;

  return {
    async put(shard, envelope) {
      const data = encodeEnvelope(envelope);
      if (data.length > MAX_ENVELOPE_BYTES - HEADER_ROOM_BYTES) {
        throw new EnvelopeRefused(`${envelope.id} has ${data.length} bytes, ${MAX_ENVELOPE_BYTES} are taken`);
      }
      if (inFlight >= MAX_PUTS_IN_FLIGHT || bytesInFlight + data.length > MAX_PUT_BYTES_IN_FLIGHT) {
        throw new InboxUnavailable(`${inFlight} messages with ${bytesInFlight} bytes are on their way already`);
      }
      room.take(shard, data.length);
      inFlight += 1;
      bytesInFlight += data.length;
      try {
        await putUntilKnown({ broker, streams, cluster }, { shard, id: envelope.id, data });
      } finally {
        inFlight -= 1;
        bytesInFlight -= data.length;
      }
    },

    read(shard, after, on) {
      const stream = inboxStream(cluster, shard);
      return readStream({
        broker,
        stream,
        after,
        prepare: () => streams.ensure(shard),
        failed: (error) => {
          if (isGone(brokerError(error, `read ${stream}`))) streams.forget(shard);
        },
        on({ sequence, data }) {
          const envelope = parsed(data, { stream, offset: sequence }, logger);
          if (envelope === undefined) return;
          trims.read(shard, { offset: sequence, id: envelope.id });
          return on(sequence, envelope);
        },
        logger,
      });
    },

    trim: trims.trim,

    async end(shard) {
      await streams.ensure(shard);
      return (await broker.manager.streams.info(inboxStream(cluster, shard))).state.last_seq;
    },
  };
}

type Trims = {
  /** The newest message that was handed to a reader in this process. */
  read(shard: number, message: Handed): void;
  trim(shard: number, upTo: number): Promise<void>;
};

type Handed = { readonly offset: number; readonly id: string };

function createTrims({ broker, cluster, logger }: NatsInboxOptions): Trims {
  const trimmed = new Map<number, Trimmed>();
  const handed = new Map<number, Handed>();
  const { streams } = broker.manager;

  async function purge(shard: number, upTo: number): Promise<void> {
    const stream = inboxStream(cluster, shard);
    const { first_seq: begin, last_seq: end } = (await streams.info(stream)).state;
    const newest = handed.get(shard);
    if (upTo < begin) return;
    // It would take what is put from now on.
    if (upTo > end) logger.warn({ shard, upTo, end }, 'an inbox ends before what was read of it: not trimmed');
    // It would take what nobody has read: the broker lost what was, and has used its offsets again.
    else if (newest && newest.offset >= upTo && !(await stands(stream, newest)))
      logger.warn(
        { shard, upTo, read: newest.offset },
        'an inbox holds something else than was read of it: not trimmed',
      );
    else await streams.purge(stream, { seq: upTo + 1 });
  }

  async function stands(stream: string, { offset, id }: Handed): Promise<boolean> {
    const stored = await streams.getMessage(stream, { seq: offset });
    return stored?.header.get(ID_HEADER) === headerSafe(id);
  }

  return {
    read: (shard, message) => void handed.set(shard, message),
    async trim(shard, upTo) {
      // Asked for what lies before the first entry, the broker removes all there is.
      if (upTo < 1) return;
      const last = trimmed.get(shard);
      const now = performance.now();
      // What is left over costs nothing but room: nobody reads it again.
      if (last !== undefined && upTo - last.upTo < TRIM_MESSAGES && now - last.at < TRIM_INTERVAL_MS) return;
      trimmed.set(shard, { upTo, at: now });
      try {
        await purge(shard, upTo);
      } catch (error) {
        logger.warn({ shard, upTo, err: error }, 'an inbox could not be trimmed; the next trim makes up for it');
      }
    },
  };
}

/** An entry that doesn't parse must not block the ones behind it. */
function parsed(data: Uint8Array, place: object, logger: BrokerLogger): Envelope | undefined {
  try {
    return decodeEnvelope(data);
  } catch (error) {
    logger.error({ ...place, bytes: data.length, err: error }, 'an entry of the inbox is not a message: passed over');
    return undefined;
  }
}

type Streams = {
  isOpen(shard: number): boolean;
  ensure(shard: number): Promise<void>;
  forget(shard: number): void;
};

/** Each stream is looked at once, and again after it was found missing. */
function createStreams({ broker, cluster, replicas, logger }: NatsInboxOptions): Streams {
  const known = new Map<number, Promise<void>>();
  const open = new Set<number>();
  return {
    isOpen: (shard) => open.has(shard),
    async ensure(shard) {
      let ensuring = known.get(shard);
      if (ensuring === undefined) {
        ensuring = ensureStream(broker.manager, inboxSettings(cluster, shard, replicas));
        known.set(shard, ensuring);
        ensuring.then(
          () => open.add(shard),
          () => known.delete(shard),
        );
      }
      await ensuring;
    },
    forget(shard) {
      // Not while it is being looked for: that finds out by itself.
      if (open.delete(shard)) {
        known.delete(shard);
        logger.warn(
          { stream: inboxStream(cluster, shard) },
          'the stream of an inbox does not answer: looking for it again',
        );
      }
    },
  };
}

type Parcel = { readonly shard: number; readonly id: string; readonly data: Uint8Array };
type PutContext = { readonly broker: InboxBroker; readonly streams: Streams; readonly cluster: string };

/** The same id on every try: within the broker's window the message is stored once. */
async function putUntilKnown(context: PutContext, { shard, id, data }: Parcel): Promise<void> {
  const { broker, streams, cluster } = context;
  const msgID = headerSafe(id);
  const until = performance.now() + PUT_DEADLINE_MS;
  for (let attempt = 0; ; attempt += 1) {
    try {
      if (!streams.isOpen(shard)) await before(until, streams.ensure(shard));
      const { seq } = await broker.jetstream.publish(inboxSubject(cluster, shard), data, {
        msgID,
        timeout: ATTEMPT_MS,
      });
      if (seq > 0) return;
      // A leader calls a message a duplicate that it has taken but not stored, and never may (nats-server 2.10.27).
      throw new BrokerUnreachable(`an earlier try to store ${id} for shard ${shard} is under way`);
    } catch (error) {
      const named = brokerError(error, `store ${id} for shard ${shard}`);
      if (named instanceof MessageTooLarge) throw new EnvelopeRefused(named.message, { cause: error });
      if (isGone(named)) streams.forget(shard);
      const left = until - performance.now();
      const mayPass = isGone(named) || named instanceof BrokerUnreachable;
      if (!mayPass || left <= 0 || broker.nats.isClosed()) throw new InboxUnavailable(named.message, { cause: error });
      const longest = Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS, left);
      await pause(longest * (0.5 + Math.random() / 2));
      if (!isConnected(broker.nats)) await untilConnected(broker.nats, until);
    }
  }
}

/** Of the message's id and what the client adds: the broker counts headers too. */
const HEADER_ROOM_BYTES = 2_048;

/** The stream is missing, or its brokers elect a leader: the answer to a message is the same. */
function isGone(error: Error): boolean {
  return error instanceof StreamMissing || error instanceof StreamUnavailable;
}

/** @throws BrokerUnreachable when it takes longer */
async function before(until: number, work: Promise<void>): Promise<void> {
  const done = new AbortController();
  const late = pause(Math.max(until - performance.now(), 0), undefined, { signal: done.signal }).then(() => {
    throw new BrokerUnreachable('its stream could not be opened in time');
  });
  try {
    await Promise.race([work, late]);
  } finally {
    late.catch(() => undefined);
    done.abort();
  }
}

/** Ids as they are where a header can carry them; what stands for another id never equals one that stands for itself. */
function headerSafe(id: string): string {
  return /^[\x21-\x24\x26-\x7e]{1,512}$/.test(id) ? id : encodeURIComponent(id);
}
