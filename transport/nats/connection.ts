/**
 * The one connection of this process to its broker. It is made once, with a deadline and a look at what the broker is and
 * may do, and comes back for ever afterwards: what to do meanwhile is for its users to decide, by `lastContact`.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { type Authenticator, connect, credsAuthenticator, type NatsConnection, type Status } from 'nats';
import { BrokerForbids, BrokerTooOld, BrokerUnreachable, brokerError, JetStreamOff } from './errors.ts';
import {
  isAtLeast,
  OLDEST_BROKER,
  OLDEST_REPLICATED_BROKER,
  parseVersion,
  type Version,
  versionText,
} from './version.ts';

/** For all that is asked before the first use. */
const CONNECT_DEADLINE_MS = 30_000;
/** For one broker: a paused one accepts connections and says nothing. */
const DIAL_TIMEOUT_MS = 2_000;
const DIAL_PAUSE_MS = 250;
const RECONNECT_PAUSE_MS = 250;
/** Spreads what is added to the pause: not all nodes at once. */
const RECONNECT_JITTER_MS = 250;
/** A broker that answers no ping for three of these is left for another one. */
const PING_INTERVAL_MS = 1_000;
const MAX_PINGS_OUT = 2;
const PROBE_INTERVAL_MS = 500;
/** Round trips under way: while one is late, a few more may be sent. */
const MAX_PROBES = 8;
/** A question to JetStream, or a message for it to store. */
const REQUEST_TIMEOUT_MS = 5_000;
const DRAIN_PATIENCE_MS = 5_000;

export type BrokerCredentials =
  /** A file with a JWT and a seed, as `nsc` writes it. Read again at each connect, so that it can be renewed. */
  { readonly credsFile: string } | { readonly user: string; readonly password: string } | { readonly token: string };

export type BrokerLogger = {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
};

export type ConnectOptions = {
  /** `nats://host:port`, several of them with commas between. */
  readonly url: string;
  readonly credentials?: BrokerCredentials;
  /** Shown in the broker's list of connections. */
  readonly name: string;
  readonly logger: BrokerLogger;
  /** Of the streams that are to be kept: with more than one the broker must be newer. 1 by default. */
  readonly replicas?: number;
  readonly deadlineMs?: number;
};

export type BrokerConnection = {
  readonly nats: NatsConnection;
  readonly jetstream: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly version: Version;
  readonly connected: boolean;
  /**
   * When the newest round trip that came back was *sent*, in ms of `performance.now()`: at that moment at the earliest the
   * broker was last in reach. A round trip is made about every 500 ms.
   */
  readonly lastContact: number;
  /** Hands over what was received and sends what was published, if that takes no more than 5 s; then closes. */
  close(): Promise<void>;
};

/** @throws BrokerUnreachable, BrokerForbids, BrokerTooOld, JetStreamOff; StreamUnavailable when brokers elect no leader */
export async function connectBroker(options: ConnectOptions): Promise<BrokerConnection> {
  const { logger, name, replicas = 1 } = options;
  const deadline = performance.now() + (options.deadlineMs ?? CONNECT_DEADLINE_MS);
  const sentAt = performance.now();
  const nats = await dial(options, deadline);
  try {
    const version = checkVersion(nats, replicas, logger);
    const manager = await openJetStream(nats, deadline);
    const contact = watchContact(nats, sentAt);
    const link = { connected: true };
    void watchStatus(nats, { link, logger, replicas });
    logger.info({ broker: nats.getServer(), version: versionText(version), name }, 'connected to the broker');
    return {
      nats,
      jetstream: jetstream(nats, { timeout: REQUEST_TIMEOUT_MS }),
      manager,
      version,
      get connected() {
        return link.connected;
      },
      get lastContact() {
        return contact.last();
      },
      async close() {
        contact.stop();
        await closeConnection(nats);
      },
    };
  } catch (error) {
    await nats.close();
    throw error;
  }
}

async function dial(options: ConnectOptions, deadline: number): Promise<NatsConnection> {
  const { url, name } = options;
  const servers = url.split(',').map((each) => each.trim());
  const settings = {
    servers,
    name,
    ...credentialsOf(options.credentials),
    timeout: DIAL_TIMEOUT_MS,
    maxReconnectAttempts: -1,
    // Credentials that don't work at the moment may be mended while this node runs.
    ignoreAuthErrorAbort: true,
    reconnectDelayHandler: () => RECONNECT_PAUSE_MS + Math.random() * RECONNECT_JITTER_MS,
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: MAX_PINGS_OUT,
    // A stack trace for each request costs more than the request.
    noAsyncTraces: true,
  };
  for (;;) {
    try {
      return await connect(settings);
    } catch (error) {
      const named = brokerError(error, `connect to the broker at ${url}`);
      if (named instanceof BrokerForbids) throw named;
      if (performance.now() + DIAL_PAUSE_MS > deadline) {
        throw new BrokerUnreachable(
          `no broker answers at ${url} (${named.message}): start nats-server, or correct NATS_URL`,
          { cause: error },
        );
      }
      await pause(DIAL_PAUSE_MS);
    }
  }
}

type Login = {
  readonly authenticator?: Authenticator;
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
};

/** @throws BrokerForbids */
function credentialsOf(credentials: BrokerCredentials | undefined): Login {
  if (credentials === undefined) return {};
  if ('token' in credentials) return { token: credentials.token };
  if ('user' in credentials) return { user: credentials.user, pass: credentials.password };
  const { credsFile } = credentials;
  const authenticator = credsAuthenticator(() => readFileSync(credsFile));
  try {
    // Whether the file is there and can be read as what it should be; later it is a matter of trying again.
    authenticator('nonce');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BrokerForbids(`can't use the credentials in ${credsFile}: ${reason}`, { cause: error });
  }
  return { authenticator };
}

/** @throws BrokerTooOld */
function checkVersion(nats: NatsConnection, replicas: number, logger: BrokerLogger): Version {
  const said = nats.info?.version ?? '';
  const version = parseVersion(said);
  const broker = nats.getServer();
  const oldest = replicas > 1 ? OLDEST_REPLICATED_BROKER : OLDEST_BROKER;
  if (version === undefined || !isAtLeast(version, oldest)) {
    const use = replicas > 1 ? `${replicas} replicas` : 'streams';
    throw new BrokerTooOld(
      `the broker at ${broker} is nats-server ${said || 'of an unknown version'}; ${use} need ${versionText(oldest)} or newer`,
    );
  }
  if (!isAtLeast(version, OLDEST_REPLICATED_BROKER)) {
    const advice = `update nats-server to ${versionText(OLDEST_REPLICATED_BROKER)} or newer: this one syncs its disk every two minutes only`;
    logger.warn({ broker, version: said }, advice);
  }
  return version;
}

/** Waits for brokers that elect a leader. @throws JetStreamOff, BrokerForbids, StreamUnavailable, BrokerUnreachable */
async function openJetStream(nats: NatsConnection, deadline: number): Promise<JetStreamManager> {
  for (;;) {
    try {
      return await jetstreamManager(nats, { timeout: REQUEST_TIMEOUT_MS });
    } catch (error) {
      const named = brokerError(error, `use JetStream of the broker at ${nats.getServer()}`);
      // Nobody takes the question: without JetStream that is for good.
      if (nats.info !== undefined && nats.info.jetstream !== true) {
        throw new JetStreamOff(
          `the broker at ${nats.getServer()} has no JetStream: enable it in the configuration of nats-server`,
          { cause: error },
        );
      }
      const passing = 'retryable' in named && named.retryable === true;
      if (!passing || performance.now() + DIAL_PAUSE_MS > deadline) throw named;
      await pause(DIAL_PAUSE_MS);
    }
  }
}

type Contact = { last(): number; stop(): void };

function watchContact(nats: NatsConnection, firstAt: number): Contact {
  let last = firstAt;
  let underWay = 0;
  const probe = (): void => {
    // The client has no facts about the broker while it has no connection, and would only queue the question.
    if (nats.info === undefined || underWay >= MAX_PROBES) return;
    underWay += 1;
    const sentAt = performance.now();
    nats
      .flush()
      .then(() => {
        last = Math.max(last, sentAt);
      })
      .catch(() => {})
      .finally(() => {
        underWay -= 1;
      });
  };
  probe();
  const timer = setInterval(probe, PROBE_INTERVAL_MS);
  timer.unref();
  return { last: () => last, stop: () => clearInterval(timer) };
}

type Watching = {
  readonly link: { connected: boolean };
  readonly logger: BrokerLogger;
  readonly replicas: number;
};

async function watchStatus(nats: NatsConnection, watching: Watching): Promise<void> {
  for await (const status of nats.status()) onStatus(nats, status, watching);
  watching.link.connected = false;
  const reason = await nats.closed();
  if (reason instanceof Error)
    watching.logger.error({ err: reason }, 'the connection to the broker has ended for good');
}

function onStatus(nats: NatsConnection, status: Status, { link, logger, replicas }: Watching): void {
  switch (status.type) {
    case 'disconnect':
      if (link.connected) logger.warn({ broker: status.server }, 'lost the connection to the broker; trying again');
      link.connected = false;
      return;
    case 'reconnect':
      link.connected = true;
      logger.info({ broker: status.server }, 'connected to the broker again');
      try {
        checkVersion(nats, replicas, logger);
      } catch (error) {
        logger.error({ err: error, broker: status.server }, 'this broker is too old');
      }
      return;
    case 'staleConnection':
      logger.warn({ broker: nats.getServer() }, "the broker doesn't answer");
      return;
    case 'ldm':
      logger.info({ broker: status.server }, 'the broker is about to stop');
      return;
    case 'slowConsumer':
      logger.warn({ subject: status.sub.getSubject() }, 'messages wait longer than they should');
      return;
    case 'error':
      logger.error({ err: status.error }, 'the broker refuses something');
      return;
    default:
      return;
  }
}

async function closeConnection(nats: NatsConnection): Promise<void> {
  if (nats.isClosed()) return;
  const drained = nats.drain().catch(() => {});
  await Promise.race([drained, pause(DRAIN_PATIENCE_MS, undefined, { ref: false })]);
  await nats.close();
}
