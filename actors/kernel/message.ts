/** What travels between aggregates and what a decision becomes once it is durable. Plain JSON throughout. */
import type { Address, AddressKey } from './address.ts';
import type { Rejection, TimerChange, Typed, Versioned } from './decider.ts';

export type MessageId = string;

/** One message. Delivered at least once; the id makes it effectively once. */
export type Envelope = {
  /** Derived from the sender's commit (`id/type#seq.index`), from a timer, or from an edge request: the same on every repeat. */
  readonly id: MessageId;
  readonly to: Address;
  /** The sending aggregate; absent when the edge asks. */
  readonly from?: Address;
  readonly message: Typed;
  /** W3C traceparent of the request that started the chain. */
  readonly trace?: string;
  /** Principal on whose behalf the edge asks (`sub` of the token). */
  readonly by?: string;
  /** Hash of the request body under an idempotency key: the same key with another body is refused. */
  readonly fingerprint?: string;
  /** `If-Match`: refuse unless the aggregate is at this version. */
  readonly expectedVersion?: number;
  /** For edge requests, on the node's monotonic clock in ms: after it nobody waits for the answer any more. */
  readonly deadline?: number;
  /** Instead of its own message it brings this one, under the id that one always had. */
  readonly carries?: Envelope;
};

/** The answer to an edge request. `version` is the aggregate's version that the answer shows. */
export type Reply =
  | { readonly ok: true; readonly version: number; readonly value?: unknown; readonly replayed?: boolean }
  | { readonly ok: false; readonly version: number; readonly rejection: Rejection; readonly replayed?: boolean };

/** A message that could not be handled, kept for the operator. */
export type DeadLetter = { readonly envelope: Envelope; readonly reason: string; readonly attempts: number };

/** What an operator did about a dead letter or an actor in quarantine; who is in the commit's `by`. */
export type Repair =
  | { readonly kind: 'requeue' | 'discard'; readonly letter: DeadLetter; readonly why?: string }
  | { readonly kind: 'lift-quarantine'; readonly why?: string };

/** The durable form of one decision: all of it or nothing. */
export type Commit = {
  readonly key: AddressKey;
  /** Number of this commit of the aggregate, from 1, without gaps. */
  readonly seq: number;
  /** Version of the aggregate after it: counts the commits that have events. */
  readonly version: number;
  /** Id of the message that it answers. */
  readonly cause: MessageId;
  readonly at: number;
  readonly by?: string;
  readonly events: readonly Versioned[];
  readonly sends: readonly Envelope[];
  readonly timers: readonly TimerChange[];
  /** Kept for requests of the edge, so that a repeat gets the same answer. */
  readonly reply?: Reply;
  readonly fingerprint?: string;
  readonly deadLetter?: DeadLetter;
  readonly repair?: Repair;
};

/** One entry of a shard's log: a group of commits made durable together. */
export type LogRecord = {
  readonly schema: 1;
  readonly shard: number;
  readonly epoch: number;
  /** Number of this record in its shard's log, from 1, without gaps. */
  readonly n: number;
  readonly prevHash: string;
  readonly at: number;
  /** How far the shard has read its inbox stream (cluster); 0 when embedded. */
  readonly inboxOffset: number;
  readonly commits: readonly Commit[];
  /** Messages of this shard's outbox that their receivers have made durable. */
  readonly acked: readonly MessageId[];
};

export function sentId(key: AddressKey, seq: number, index: number): MessageId {
  return `${key}#${seq}.${index}`;
}

/**
 * What a commit that requeues a dead letter sends: a carrier with an id of its own, so that acknowledging it isn't taken
 * for the acknowledgement of the first delivery.
 */
export function redelivery(key: AddressKey, seq: number, { envelope }: DeadLetter): Envelope {
  const { to, message } = envelope;
  // A timer's message has no sender; without one it would pass for a request of the edge.
  const carries = { ...envelope, from: envelope.from ?? to };
  return { id: sentId(key, seq, 0), to, from: to, message, carries };
}

/** The message that brings a gateway's result: the same however often the call is made. */
export function resultId(request: MessageId): MessageId {
  return `${request}/result`;
}

export function timerId(key: AddressKey, seq: number, name: string): MessageId {
  return `${key}#${seq}~${name}`;
}
