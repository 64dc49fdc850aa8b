/**
 * Questions, answers and heartbeats over the broker's core messages: nothing is stored, what can't be said now isn't said.
 * A shard's calls have no queue group: while a paused or cut-off node still listens for a shard, half of them would go to
 * it alone. So both get them, the living one answers, and the log refuses what the other decides when it wakes up.
 */
import { errors, type Msg, type NatsConnection, RequestError } from 'nats';
import {
  type Answering,
  CallFailed,
  CallTimedOut,
  type Following,
  NobodyServes,
  type NodeCalls,
} from '../../actors/kernel/clusterPorts.ts';
import { type AnswerCall, parseAnswer, parseCall } from './callMessages.ts';
import { isConnected } from './connected.ts';
import type { BrokerConnection, BrokerLogger } from './connection.ts';
import { parseHeartbeat } from './heartbeats.ts';
import { askSubject, checkClusterName, heartbeatSubject, nodeSubject } from './subjects.ts';

export type NatsCallsOptions = {
  readonly broker: BrokerConnection;
  readonly cluster: string;
  readonly logger: BrokerLogger;
};

/** What was served on one subject since the start, for the service discovery. */
export type ServedFigures = {
  readonly name: string;
  readonly subject: string;
  readonly requests: number;
  readonly errors: number;
  readonly lastError: string;
  readonly processingMs: number;
};

/** Since the start of the process. Answers of other nodes that say no are not failures of the call. */
export type CallTotals = {
  readonly asked: number;
  readonly askFailures: number;
  readonly served: number;
  readonly serveFailures: number;
};

export type NatsCalls = NodeCalls & {
  totals(): CallTotals;
  /** Of what is served now. */
  served(): readonly ServedFigures[];
};

/** Calls of this node under way at once. */
const MAX_ASKS_IN_FLIGHT = 4_096;
/** Calls of others that this node works on at once; more are refused, to be tried again. */
export const MAX_SERVED_AT_ONCE = 1_024;

export function createNatsCalls(options: NatsCallsOptions): NatsCalls {
  const { broker, logger } = options;
  const nc = broker.nats;
  const cluster = checkClusterName(options.cluster);
  const serving = createServing(nc, logger);
  let asking = 0;
  let calls = 0;
  let askFailures = 0;

  async function call(subject: string, body: unknown, timeoutMs: number): Promise<unknown> {
    try {
      return await tryCall(subject, body, timeoutMs);
    } catch (error) {
      askFailures += 1;
      throw error;
    }
  }

  async function tryCall(subject: string, body: unknown, timeoutMs: number): Promise<unknown> {
    calls += 1;
    if (asking >= MAX_ASKS_IN_FLIGHT)
      throw new CallFailed(`${asking} calls are under way already`, { retryable: true });
    // It would be sent when nobody waits for it any more, or never.
    if (!isConnected(nc)) throw new CallFailed('no connection to the broker', { retryable: true });
    if (timeoutMs < 1) throw new CallTimedOut('no time left to ask');
    const number = calls;
    const text = JSON.stringify({ call: number, within: Math.floor(timeoutMs), body });
    refuseTooLarge(nc, text);
    asking += 1;
    try {
      const answer = parseAnswer(await request(nc, subject, text, timeoutMs));
      // The client draws the numbers of its requests at random and doesn't look whether one is in use.
      if (answer.call !== number) throw new CallFailed('the answer belongs to another call', { retryable: true });
      if ('error' in answer) throw new CallFailed(answer.error.message, answer.error);
      return answer.body;
    } finally {
      asking -= 1;
    }
  }

  return {
    announce(heartbeat) {
      // An old one, sent when the connection is back, would say what isn't true any more.
      ifOpen(nc, () => nc.publish(heartbeatSubject(cluster), JSON.stringify(heartbeat)));
    },
    heard(on) {
      return follow(nc, heartbeatSubject(cluster), logger, (message) => {
        const heartbeat = parseHeartbeat(message.string());
        if (heartbeat) on(heartbeat);
        else
          logger.warn(
            { subject: message.subject, bytes: message.data.length },
            'a heartbeat that is none: passed over',
          );
      });
    },
    serve: (shard, answer) => serving.serve(`ask-${shard}`, askSubject(cluster, shard), answer),
    ask: (shard, body, timeoutMs) => call(askSubject(cluster, shard), body, timeoutMs),
    serveNode: (node, answer) => serving.serve('node', nodeSubject(cluster, node), answer),
    askNode: async (node, body, timeoutMs) => call(nodeSubject(cluster, node), body, timeoutMs),
    get lastContact() {
      return broker.lastContact;
    },
    served: serving.figures,
    totals: () => ({ asked: calls, askFailures, ...serving.totals() }),
  };
}

function refuseTooLarge(nc: NatsConnection, text: string): void {
  const bytes = Buffer.byteLength(text);
  const limit = nc.info?.max_payload;
  if (limit !== undefined && bytes > limit) throw new CallFailed(`a call of ${bytes} bytes, the broker takes ${limit}`);
}

async function request(nc: NatsConnection, subject: string, text: string, timeoutMs: number): Promise<string> {
  try {
    return (await nc.request(subject, text, { timeout: timeoutMs })).string();
  } catch (error) {
    if (error instanceof RequestError && error.isNoResponders()) throw new NobodyServes(`nobody serves ${subject}`);
    if (error instanceof errors.TimeoutError) throw new CallTimedOut(`no answer from ${subject} in ${timeoutMs} ms`);
    const retryable = !(error instanceof RequestError && error.cause instanceof errors.PermissionViolationError);
    throw new CallFailed(`${subject}: ${error instanceof Error ? error.message : error}`, { cause: error, retryable });
  }
}

/** What can't be sent now isn't sent; a connection that is closing takes nothing more. */
function ifOpen(nc: NatsConnection, send: () => void): void {
  if (!isConnected(nc)) return;
  try {
    send();
  } catch (error) {
    if (!nc.isDraining() && !nc.isClosed()) throw error;
  }
}

type Listening = Following & {
  /** Takes what is on its way already, then nothing more. */
  finish(): void;
};

function follow(nc: NatsConnection, subject: string, logger: BrokerLogger, on: (message: Msg) => void): Listening {
  const subscription = nc.subscribe(subject, {
    callback(error, message) {
      if (error) {
        logger.error({ subject, err: error }, 'the broker ended a subscription');
        return;
      }
      try {
        on(message);
      } catch (thrown) {
        // The client would take it for an error of the connection.
        logger.error({ subject, err: thrown }, 'what was heard could not be handled');
      }
    },
  });
  return {
    stop() {
      if (!nc.isClosed()) subscription.unsubscribe();
    },
    finish() {
      if (nc.isClosed() || subscription.isClosed()) return;
      if (!isConnected(nc)) subscription.unsubscribe();
      // It ends with the connection at the latest, whatever becomes of the broker's last word.
      else subscription.drain().catch(() => undefined);
    },
  };
}

type Serving = {
  serve(name: string, subject: string, answer: Answering): Following;
  figures(): readonly ServedFigures[];
  totals(): Pick<CallTotals, 'served' | 'serveFailures'>;
};

type Counts = { -readonly [Member in keyof ServedFigures]: ServedFigures[Member] };

/** What this node answers, with one limit over all of it. */
function createServing(nc: NatsConnection, logger: BrokerLogger): Serving {
  const endpoints = new Set<Counts>();
  const totals = { served: 0, serveFailures: 0 };
  let underWay = 0;

  /** Never rejects. */
  async function answered(counts: Counts, text: string, answer: Answering): Promise<AnswerCall> {
    const asked = parseCall(text);
    if (asked === undefined) return { call: 0, error: { message: 'not a call', retryable: false } };
    const { call } = asked;
    if (underWay >= MAX_SERVED_AT_ONCE) {
      return { call, error: { message: `busy: ${underWay} calls are being answered`, retryable: true } };
    }
    underWay += 1;
    const started = performance.now();
    try {
      return { call, body: await inTime(answer(asked.body, asked.within), asked.within) };
    } catch (error) {
      return { call, error: failureOf(error) };
    } finally {
      underWay -= 1;
      counts.processingMs += performance.now() - started;
    }
  }

  return {
    serve(name, subject, answer) {
      const counts: Counts = { name, subject, requests: 0, errors: 0, lastError: '', processingMs: 0 };
      endpoints.add(counts);
      const following = follow(nc, subject, logger, async (message) => {
        const result = await answered(counts, message.string(), answer);
        const { text, error } = encoded(result, nc.info?.max_payload);
        counts.requests += 1;
        totals.served += 1;
        if (error) {
          counts.errors += 1;
          totals.serveFailures += 1;
          counts.lastError = error.message;
        }
        ifOpen(nc, () => message.respond(text));
      });
      return {
        stop() {
          endpoints.delete(counts);
          // Whoever asks just now would else wait for a word from here until the question is given up.
          following.finish();
        },
      };
    },
    totals: () => ({ ...totals }),
    figures: () => [...endpoints].map((counts) => ({ ...counts })),
  };
}

/**
 * An answer that never comes must not count among those under way for ever. An asker that is too busy to have noticed how
 * late it is gets this in its place: nothing is wrong with what it asked for.
 */
function inTime(answering: Promise<unknown>, withinMs: number): Promise<unknown> {
  const tooLate = () => new CallFailed('nobody waits for the answer any more', { retryable: true });
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(tooLate()), withinMs).unref();
    answering.then(resolve, reject).finally(() => clearTimeout(late));
  });
}

function failureOf(error: unknown): { readonly message: string; readonly retryable: boolean } {
  if (!(error instanceof Error)) return { message: String(error), retryable: false };
  return { message: `${error.name}: ${error.message}`, retryable: 'retryable' in error && error.retryable === true };
}

/** The answer as text, or an error in its place that says why it can't be sent. */
function encoded(result: AnswerCall, maxBytes = Number.POSITIVE_INFINITY): EncodedAnswer {
  const failed = (message: string): EncodedAnswer => {
    const error = { message, retryable: false };
    return { text: JSON.stringify({ call: result.call, error }), error };
  };
  let text: string;
  try {
    text = JSON.stringify(result);
  } catch (error) {
    return failed(`the answer is not JSON: ${error instanceof Error ? error.message : error}`);
  }
  const bytes = Buffer.byteLength(text);
  if (bytes > maxBytes) return failed(`the answer has ${bytes} bytes, the broker takes ${maxBytes}`);
  return 'error' in result ? { text, error: result.error } : { text };
}

type EncodedAnswer = { readonly text: string; readonly error?: { readonly message: string } };
