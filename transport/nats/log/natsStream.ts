/** A shard's log as a JetStream stream: one subject, whole bytes, answers of the broker turned into outcomes. */
import { type ApiError, JetStreamApiError, type JetStreamManager, type PubAck } from '@nats-io/jetstream';
import { errors, type Msg, type MsgHdrs, type NatsConnection } from 'nats';
import { LogUnanswered } from '../../../actors/kernel/clusterPorts.ts';
import {
  BrokerForbids,
  BrokerUnreachable,
  brokerError,
  JetStreamOff,
  MessageTooLarge,
  StreamFull,
  StreamMissing,
  StreamUnavailable,
} from '../errors.ts';
import { type Link, linkOf } from '../link.ts';
import { entryIdOf, headersOf } from './entryHeaders.ts';
import type { Expectation, LogStream, Published, StoredEntry } from './stream.ts';
import { NOTHING_THERE, type TailLog, tailStream } from './tailing.ts';

/** An answer takes about 1 ms; a repetition costs the broker a look at its ids. */
const ANSWER_MS = 2_000;
/**
 * A question that comes while brokers have no leader is never answered, also not by the next one. So it is soon asked
 * again: elections take seconds, answers a millisecond.
 */
export const QUESTION_MS = 1_000;
const QUESTION_TRIES = 5;
/** Room in a message for the headers that the log sets. */
const HEADER_BYTES = 512;
/** JetStream's own codes (server/errors.json of nats-server). */
const WRONG_ID = 10_070;
const WRONG_POSITION = new Set([10_071, 10_164]);
const WRONG_STREAM = 10_060;

export type NatsStreamOptions = {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  /** For questions that can be asked again; gives them up after `QUESTION_MS`. */
  readonly questions: JetStreamManager;
  readonly name: string;
  readonly subject: string;
  readonly replicas: number;
  readonly logger: TailLog;
};

export function createNatsStream(options: NatsStreamOptions): LogStream {
  const { connection, manager, questions, name, subject, replicas, logger } = options;
  const link = linkOf(connection);
  // Each replica compares with an id that it forgets when it restarts after an idle time: one that refuses what the others
  // store falls behind for good, and loses acknowledged entries when it comes to lead (seen with 2.10.27). Sequences are
  // stored, so all replicas agree on them.
  const comparesIds = replicas === 1;

  async function publish(id: string, payload: Uint8Array, expected: Expectation): Promise<Published> {
    if (!link.up && !(await link.whenUp())) return { kind: 'closed' };
    const limit = connection.info?.max_payload ?? Number.POSITIVE_INFINITY;
    if (payload.length + HEADER_BYTES > limit) {
      const reason = `its ${payload.length} bytes are more than the broker takes (max_payload ${limit})`;
      return { kind: 'refused', fault: 'record', reason };
    }
    const published = await attempt(connection, link, subject, payload, headersOf(name, id, { expected, comparesIds }));
    return published.kind === 'absent' ? whyAbsent(published) : published;
  }

  /** A stream that doesn't exist has nobody to answer either. */
  async function whyAbsent(absent: Published): Promise<Published> {
    try {
      await questions.streams.info(name);
      return absent;
    } catch (error) {
      const named = brokerError(error, DOING);
      return named instanceof StreamMissing ? { kind: 'refused', fault: 'store', reason: named.message } : absent;
    }
  }

  return {
    name,
    get closed() {
      return connection.isClosed();
    },
    comparesIds,
    whenUp: async () => {
      if (!link.up) await link.whenUp();
    },
    publish,
    async read(position) {
      return asked(link, name, async () => {
        const stored = await questions.streams.getMessage(name, { seq: position }).catch((error: unknown) => {
          if (isNothingThere(error)) return null;
          throw error;
        });
        return stored ? { position, id: entryIdOf(stored.header), payload: stored.data } : undefined;
      });
    },
    async bounds() {
      return asked(link, name, async () => {
        const { state } = await questions.streams.info(name);
        return { first: Math.max(state.first_seq, 1), last: state.last_seq };
      });
    },
    tail(after, { entry, failed }) {
      return tailStream({
        connection,
        manager,
        questions,
        stream: name,
        after,
        on: (message) => entry(toEntry(message)),
        failed,
        logger,
      });
    },
  };
}

const toEntry = (message: { readonly position: number; readonly message: Msg }): StoredEntry => ({
  position: message.position,
  id: entryIdOf(message.message.headers),
  payload: message.message.data,
});

/** One request; a connection that is lost meanwhile ends it at once. */
function attempt(
  connection: NatsConnection,
  link: Link,
  subject: string,
  payload: Uint8Array,
  withHeaders: MsgHdrs,
): Promise<Published> {
  return new Promise((resolve) => {
    const forget = link.onceDown(() => resolve({ kind: 'unknown', reason: 'the connection to the broker was lost' }));
    connection
      .request(subject, payload, { headers: withHeaders, timeout: ANSWER_MS })
      .then(outcomeOfAck, outcomeOfError)
      .then((outcome) => {
        forget();
        resolve(outcome);
      });
  });
}

type AckOrError = PubAck & { readonly error?: ApiError };

function outcomeOfAck(answer: Msg): Published {
  const { seq, error } = answer.json<AckOrError>();
  if (!error) return { kind: 'stored', position: seq };
  const reason = `${error.description} (${error.err_code})`;
  if (error.err_code === WRONG_ID) return { kind: 'contradicted', about: 'id', reason };
  if (WRONG_POSITION.has(error.err_code)) return { kind: 'contradicted', about: 'position', reason };
  if (error.err_code === WRONG_STREAM) return { kind: 'refused', fault: 'store', reason };
  return outcomeOfError(new JetStreamApiError(error));
}

/** What this process does to the log, for the messages of errors. */
const DOING = 'store an entry';
const REFUSALS = [StreamFull, StreamMissing, JetStreamOff, BrokerForbids] as const;

function outcomeOfError(error: unknown): Published {
  const cause = error instanceof errors.RequestError ? error.cause : error;
  if (cause instanceof errors.ClosedConnectionError || cause instanceof errors.DrainingConnectionError) {
    return { kind: 'closed' };
  }
  const named = brokerError(error, DOING);
  const reason = named.message;
  if (named instanceof MessageTooLarge) return { kind: 'refused', fault: 'record', reason };
  if (REFUSALS.some((kind) => named instanceof kind)) return { kind: 'refused', fault: 'store', reason };
  if (named instanceof StreamUnavailable) return { kind: 'absent', reason };
  // What isn't known to be final may be about the moment: a conflict with an attempt in flight, a leader that is going.
  return { kind: 'unknown', reason };
}

/** No such entry, no such stream. */
const isNothingThere = (error: unknown): boolean =>
  (error instanceof JetStreamApiError && error.code === NOTHING_THERE) ||
  brokerError(error, '') instanceof StreamMissing;

/** A question to the stream's leader; without an answer it says so in one class, whatever the reason. */
async function asked<Answer>(link: Link, name: string, question: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    if (!link.up && !(await link.whenUp())) throw new LogUnanswered(`the connection to the log ${name} was closed`);
    try {
      return await question();
    } catch (error) {
      const named = brokerError(error, `read the log ${name}`);
      if (named instanceof BrokerUnreachable && tries < QUESTION_TRIES) continue;
      throw new LogUnanswered(named.message, { cause: error });
    }
  }
}
