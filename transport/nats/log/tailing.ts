/**
 * Reads a stream from a position on: every message once, in order, for as long as it isn't stopped. The broker's consumer
 * is only a means: it is made anew from the newest position after anything odd (a lost connection, a silent broker, a
 * number too many), so nothing depends on what the broker remembers of it. Unlike the client's own ordered consumer this
 * one also notices when the *newest* message got lost on its way: each heartbeat says how many were sent.
 */
import { AckPolicy, DeliverPolicy, JetStreamApiError, type JetStreamManager } from '@nats-io/jetstream';
import { createInbox, type Msg, type NatsConnection, nanos, type Subscription } from 'nats';
import { type Following, LogUnreadable } from '../../../actors/kernel/clusterPorts.ts';
import { linkOf } from '../link.ts';
import { entryIdOf } from './entryHeaders.ts';

/** Messages that wait unhandled, in number and in bytes; a message larger than that still comes, alone. */
const MAX_WAITING = 64;
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** How often an idle broker says that it is there; after so many intervals without a sign it is asked anew. */
const HEARTBEAT_MS = 2_000;
const SILENT_INTERVALS = 2.5;
const REQUEST_EXPIRES_MS = 30_000;
/** The broker forgets a consumer that nobody asks. */
const CONSUMER_IDLE_MS = 60_000;
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 2_000;
/** Failed attempts to open after which it is said, and then each time this number is reached again. */
const SAY_AFTER_ATTEMPTS = 5;
const HEARTBEAT = 100;
/** JetStream's own code (server/errors.json of nats-server). */
export const NOTHING_THERE = 10_037;

/** The part of a pino logger that is used here. */
export type TailLog = Record<'warn' | 'error', (fields: object, text: string) => void>;

export type StreamMessage = { readonly position: number; readonly message: Msg };

export type TailOptions = {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  /** Gives up soon what can be asked again. */
  readonly questions: JetStreamManager;
  readonly stream: string;
  readonly after: number;
  /** The next message comes after what it returns has resolved. A throw ends the reading as `entry`. */
  readonly on: (message: StreamMessage) => void | Promise<void>;
  readonly failed: (error: LogUnreadable) => void;
  readonly logger: TailLog;
};

/** One consumer of the broker: made, used until something is odd, thrown away. */
type Session = {
  readonly consumer: string;
  readonly inbox: string;
  readonly subscription: Subscription;
  delivered: number;
  /** Messages that the broker may still send on the newest request. */
  granted: number;
  /** Something came since the last look. */
  quietIntervals: number;
};

export function tailStream(options: TailOptions): Following {
  const { connection, manager, questions, stream, on, failed, logger } = options;
  const link = linkOf(connection);
  const apiPrefix = `${manager.getOptions().apiPrefix ?? '$JS.API'}`;
  let stopped = false;
  let session: Session | undefined;
  let opening = false;
  /** Position of the newest message that was taken in, handled or waiting. */
  let taken = options.after;
  /** Its id, once one was taken in: a broker that loses the end of a stream uses the positions again. */
  let takenId: string | undefined;
  let waiting: StreamMessage[] = [];
  let handling = false;

  function end(error?: LogUnreadable): void {
    if (stopped) return;
    stopped = true;
    close();
    clearInterval(watchdog);
    waiting = [];
    if (error) failed(error);
  }

  function close(): void {
    const closed = session;
    session = undefined;
    if (!closed || connection.isClosed()) return;
    closed.subscription.unsubscribe();
    manager.consumers.delete(stream, closed.consumer).catch(() => {
      // It ends by itself.
    });
  }

  async function open(): Promise<void> {
    if (opening || stopped) return;
    opening = true;
    for (let attempt = 0; !stopped && !session; attempt++) {
      if (!(await link.whenUp())) break;
      if (stopped) break;
      try {
        await tryOpen();
      } catch (error) {
        if (attempt % SAY_AFTER_ATTEMPTS === SAY_AFTER_ATTEMPTS - 1) {
          logger.warn({ stream, after: taken, err: error }, 'a stream cannot be read just now; it is tried again');
        }
        await new Promise((resolve) => setTimeout(resolve, Math.min(FIRST_PAUSE_MS * 2 ** attempt, MAX_PAUSE_MS)));
      }
    }
    opening = false;
  }

  async function tryOpen(): Promise<void> {
    const { state } = await questions.streams.info(stream);
    if (stopped) return;
    if (state.last_seq < taken) {
      end(new LogUnreadable(`the stream ${stream} ends at ${state.last_seq}, before position ${taken}`, 'rewound'));
      return;
    }
    if (state.last_seq > taken && state.first_seq > taken + 1) {
      end(
        new LogUnreadable(
          `the stream ${stream} begins at ${state.first_seq}: what came after ${taken} is gone`,
          'trimmed',
        ),
      );
      return;
    }
    if (takenId !== undefined && state.first_seq <= taken && !(await standsAt(taken, takenId))) {
      end(new LogUnreadable(`the stream ${stream} holds another message at position ${taken} than before`, 'rewound'));
      return;
    }
    const { name } = await manager.consumers.add(stream, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: taken + 1,
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: nanos(CONSUMER_IDLE_MS),
    });
    if (stopped || !link.up) return;
    const inbox = createInbox();
    const opened: Session = {
      consumer: name,
      inbox,
      delivered: 0,
      granted: 0,
      quietIntervals: 0,
      subscription: connection.subscribe(inbox, {
        callback(error, message) {
          if (session !== opened) return;
          if (error) reopen();
          else receive(opened, message);
        },
      }),
    };
    session = opened;
    link.onceDown(() => {
      if (session === opened) reopen();
    });
    request(opened);
  }

  /** The same message as before; so too when it was trimmed meanwhile. */
  async function standsAt(position: number, id: string): Promise<boolean> {
    const stored = await questions.streams.getMessage(stream, { seq: position }).catch((error: unknown) => {
      if (error instanceof JetStreamApiError && error.code === NOTHING_THERE) return null;
      throw error;
    });
    return stored === null || entryIdOf(stored.header) === id;
  }

  function reopen(): void {
    close();
    void open();
  }

  /** Asks for as many messages as there is room for, once the last request has ended. */
  function request(opened: Session): void {
    if (opened.granted > 0 || waiting.length > MAX_WAITING / 2) return;
    opened.granted = MAX_WAITING - waiting.length;
    const body = {
      batch: opened.granted,
      max_bytes: Math.max(MAX_WAITING_BYTES, connection.info?.max_payload ?? 0),
      expires: nanos(REQUEST_EXPIRES_MS),
      idle_heartbeat: nanos(HEARTBEAT_MS),
    };
    connection.publish(`${apiPrefix}.CONSUMER.MSG.NEXT.${stream}.${opened.consumer}`, JSON.stringify(body), {
      reply: opened.inbox,
    });
  }

  function receive(opened: Session, message: Msg): void {
    opened.quietIntervals = 0;
    if (!message.reply) {
      receiveStatus(opened, message);
      return;
    }
    const { position, delivered } = numbersOf(message.reply);
    if (delivered !== opened.delivered + 1 || position !== taken + 1) {
      reopen();
      return;
    }
    opened.delivered = delivered;
    opened.granted -= 1;
    taken = position;
    takenId = entryIdOf(message.headers);
    waiting.push({ position, message });
    if (!handling) void handle();
    else request(opened);
  }

  function receiveStatus(opened: Session, message: Msg): void {
    const code = message.headers?.code ?? 0;
    if (code === HEARTBEAT) {
      const sent = message.headers?.get('Nats-Last-Consumer');
      if (sent && Number(sent) !== opened.delivered) reopen();
    } else if (message.headers?.has('Nats-Pending-Messages')) {
      // The request has ended before it was used up: by time or by bytes.
      opened.granted = 0;
      request(opened);
    } else {
      // The consumer is gone, its leader changes, the broker goes down. What tells more is asked when opening.
      close();
      setTimeout(() => void open(), FIRST_PAUSE_MS);
    }
  }

  async function handle(): Promise<void> {
    handling = true;
    try {
      for (let next = waiting.shift(); next && !stopped; next = waiting.shift()) {
        const handled = on(next);
        if (handled) await handled;
        if (session) request(session);
      }
    } catch (error) {
      end(error instanceof LogUnreadable ? error : handlerFailed(stream, error));
    }
    handling = false;
  }

  const watchdog = setInterval(() => {
    if (!session) return;
    session.quietIntervals += 1;
    if (session.quietIntervals > SILENT_INTERVALS) reopen();
  }, HEARTBEAT_MS);

  void open();
  return { stop: () => end() };
}

function handlerFailed(stream: string, error: unknown): LogUnreadable {
  const reason = error instanceof Error ? error.message : String(error);
  return new LogUnreadable(`a message of the stream ${stream} was not taken: ${reason}`, 'entry', { cause: error });
}

/** `$JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<redelivered>.<position>.<delivered>.<time>.<pending>[.<token>]` */
function numbersOf(reply: string): { readonly position: number; readonly delivered: number } {
  const parts = reply.split('.');
  const offset = parts.length === 9 ? 5 : 7;
  return { position: Number(parts[offset]), delivered: Number(parts[offset + 1]) };
}
