/**
 * What a broker refuses, as errors that say what an operator can do and what a caller may conclude. The client's own
 * errors mislead in places: a publish to a stream that was deleted fails as "jetstream is not enabled".
 */
import { JetStreamApiError } from '@nats-io/jetstream';
import { errors } from 'nats';

/** No answer: the broker can't be reached, or not in time. Whether the request was carried out is not known. */
export class BrokerUnreachable extends Error {
  override readonly name = 'BrokerUnreachable';
  readonly retryable = true;
}

/** Wrong credentials, or too few permissions. Nothing happened. */
export class BrokerForbids extends Error {
  override readonly name = 'BrokerForbids';
  readonly retryable = false;
}

/** This broker, or this account on it, has no JetStream. */
export class JetStreamOff extends Error {
  override readonly name = 'JetStreamOff';
  readonly retryable = false;
}

/** The broker can't be trusted with what it is to do. */
export class BrokerTooOld extends Error {
  override readonly name = 'BrokerTooOld';
  readonly retryable = false;
}

/** Nothing happened: brokers elect a leader, or too few of them are up. A publish fails so for a missing stream as well. */
export class StreamUnavailable extends Error {
  override readonly name = 'StreamUnavailable';
  readonly retryable = true;
}

/** One broker alone can't keep more than one copy. Nothing happened. */
class TooFewBrokers extends Error {
  override readonly name = 'TooFewBrokers';
  readonly retryable = false;
}

/** There is no such stream: somebody deleted it, or this is another cluster's broker. Nothing happened. */
export class StreamMissing extends Error {
  override readonly name = 'StreamMissing';
  readonly retryable = false;
}

/** The stream, or the broker's disk, is full; or the broker could not write for another reason. Nothing happened. */
export class StreamFull extends Error {
  override readonly name = 'StreamFull';
  readonly retryable = true;
}

/** The message is larger than the stream or the broker takes. Nothing happened, and never will. */
export class MessageTooLarge extends Error {
  override readonly name = 'MessageTooLarge';
  readonly retryable = false;
}

/** A stream isn't as it must be. */
export class StreamMismatch extends Error {
  override readonly name = 'StreamMismatch';
  readonly retryable = false;
  /** One a setting: `retention is "interest", not "limits"`. */
  readonly differences: readonly string[];

  constructor(message: string, differences: readonly string[]) {
    super(message);
    this.differences = differences;
  }
}

type ErrorClass = new (message: string, options: ErrorOptions) => Error;

/** By JetStream's own codes (server/errors.json of nats-server). */
const BY_CODE: ReadonlyMap<number, readonly [ErrorClass, advice: string]> = new Map([
  [
    10005,
    [
      StreamUnavailable,
      'too few brokers of the group are up, or have room, for that many replicas; restart one that the others leave out',
    ],
  ],
  [10008, [StreamUnavailable, 'the brokers have no leader at the moment']],
  [10009, [StreamUnavailable, 'the brokers have no leader at the moment']],
  [10074, [TooFewBrokers, 'ask for one replica, or make the broker one of a group of three']],
  [10118, [StreamUnavailable, "the stream's brokers have no leader at the moment"]],
  [10023, [StreamFull, 'give the broker more room']],
  [10028, [StreamFull, "give the broker's account more room"]],
  [10047, [StreamFull, 'give the broker more room']],
  [10077, [StreamFull, "raise the stream's limits, or give the broker's disk more room"]],
  [10039, [JetStreamOff, "enable JetStream for the broker's account"]],
  [10076, [JetStreamOff, 'enable JetStream in the configuration of nats-server']],
  [10054, [MessageTooLarge, "raise the stream's max_msg_size"]],
  [10059, [StreamMissing, 'it was deleted, or this is the broker of another cluster']],
]);

/**
 * The error as one of the classes above, with `doing` ("store a record in orders-log-3") in its message; any other error
 * comes back as it is.
 */
export function brokerError(error: unknown, doing: string): Error {
  const said = rootOf(error);
  const as = (made: ErrorClass, advice: string): Error =>
    new made(`can't ${doing}: ${said.message} (${advice})`, { cause: error });
  if (said instanceof JetStreamApiError) {
    const known = BY_CODE.get(said.code);
    return known === undefined ? said : as(...known);
  }
  if (said instanceof errors.PermissionViolationError) return as(BrokerForbids, "check the user's permissions");
  if (said instanceof errors.AuthorizationError || said instanceof errors.UserAuthenticationExpiredError) {
    return as(BrokerForbids, 'check the credentials');
  }
  if (said instanceof errors.NoRespondersError) {
    return as(StreamUnavailable, 'the stream is missing, or its brokers have no leader at the moment');
  }
  if (said instanceof errors.InvalidArgumentError && said.message.includes('max_payload')) {
    return as(MessageTooLarge, 'raise max_payload in the configuration of nats-server');
  }
  if (UNREACHABLE.some((kind) => said instanceof kind)) return as(BrokerUnreachable, 'is the broker up?');
  return said;
}

const UNREACHABLE = [
  errors.TimeoutError,
  errors.ConnectionError,
  errors.ClosedConnectionError,
  errors.DrainingConnectionError,
  errors.RequestError,
] as const;

/** The client wraps what the broker said into errors of its own. */
function rootOf(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  // The second isn't exported.
  const wrapper = error instanceof errors.RequestError || error.name === 'JetStreamNotEnabled';
  return wrapper && error.cause instanceof Error ? rootOf(error.cause) : error;
}
