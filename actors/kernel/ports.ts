/** What the runtime needs from the layers below it; each port has one contract suite that every implementation passes. */
import type { AddressKey } from './address.ts';
import type { TimerChange, Versioned } from './decider.ts';
import type { Commit, Envelope, LogRecord, MessageId, Reply } from './message.ts';

export interface Clock {
  /** Business time in ms since the epoch (UTC); virtual in tests and in development with `CLOCK=virtual`. */
  now(): number;
  /** Real elapsed ms from an arbitrary start, never virtual, never set back: for deadlines and measurements. */
  monotonic(): number;
  /** Runs `task` once business time has reached `at`; returns a function that cancels it. */
  schedule(at: number, task: () => void): () => void;
  /** Resolves after `ms` of business time; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Runs `task` after `ms` of real time, also where business time is virtual: for the runtime's own back-offs and sweeps. */
  delay(ms: number, task: () => void): () => void;
}

/** Identifiers and randomness, injected so that a seed gives the same run. */
export interface Ids {
  /** A prefixed, sortable, unguessable id: `cart_01J…`. */
  next(prefix: string): string;
  /** A number in [0, 1), for jitter. Never for secrets. */
  random(): number;
}

/**
 * The append was refused for good and nothing became durable. At fault is the store (somebody else owns the shard, the disk
 * is full), or the record itself: then the same record would be refused for ever.
 */
export class AppendRefused extends Error {
  override readonly name = 'AppendRefused';
  readonly retryable = true;
  readonly fault: 'store' | 'record';

  constructor(message: string, options: ErrorOptions & { readonly fault?: 'store' | 'record' } = {}) {
    super(message, options);
    this.fault = options.fault ?? 'store';
  }
}

/** A record ready to be stored: serialised once, hashed once. */
export type EncodedRecord = {
  readonly record: LogRecord;
  /** The JSON of each commit without the members that are columns of their own (key, seq, version, cause, at). */
  readonly bodies: readonly string[];
  /** SHA-256 over `prevHash`, the header and the commits: links the records of a shard. */
  readonly hash: string;
  readonly bytes: number;
  /** Snapshots as of this record's commits; a cache that rides along, not part of the log. */
  readonly snapshots: readonly Snapshot[];
};

/** The truth: one totally ordered sequence of records per shard. */
export interface ShardLog {
  /**
   * Makes the record durable and applies it to the local store; resolves when both are done. One append may be in
   * flight per shard. Rejects with `AppendRefused` when it surely did not happen.
   */
  append(record: EncodedRecord): Promise<void>;
}

/** How a delivery ended: `done` once the receiver has made it durable. */
export type Settled =
  | { readonly kind: 'done'; readonly reply?: Reply }
  /** Nothing happened; safe to send again after a pause. `moved`: at another node, and at once. */
  | {
      readonly kind: 'unavailable';
      readonly reason: string;
      readonly retryAfterMs: number;
      readonly moved?: true;
    }
  /** A bug of ours, named in the log. */
  | { readonly kind: 'failed'; readonly error: Error };

/** Carries an envelope to the shard that owns its target. At least once: the sender repeats until `done`. */
export interface Transport {
  send(shard: number, envelope: Envelope, settle: (result: Settled) => void): void;
}

/** Remembers what is costly to find, for a limited number and time. */
export interface Cache<Value extends object> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
  forget(key: string): void;
  clear(): void;
}

/** Where a shard stands in its log. */
export type ShardHead = {
  readonly epoch: number;
  readonly n: number;
  readonly hash: string;
  readonly inboxOffset: number;
};

/** An aggregate as the store knows it: the newest snapshot and the commits after it. */
export type StoredAggregate = {
  readonly snapshot?: Snapshot;
  readonly commits: readonly StoredCommit[];
};

export type StoredCommit = Pick<
  Commit,
  'seq' | 'version' | 'cause' | 'at' | 'by' | 'events' | 'timers' | 'reply' | 'fingerprint' | 'deadLetter' | 'repair'
>;

export type PendingTimer = {
  readonly name: string;
  readonly at: number;
  readonly seq: number;
  readonly message: TimerMessage;
};
type TimerMessage = Extract<TimerChange, { set: string }>['message'];

export type Snapshot = {
  readonly key: AddressKey;
  readonly seq: number;
  readonly version: number;
  /** Of the decider that made the state. */
  readonly stateVersion: number;
  readonly state: unknown;
  readonly timers: readonly PendingTimer[];
};

export type DueTimer = PendingTimer & { readonly key: AddressKey };

/** A message not yet acknowledged, with its place in the shard's outbox. */
export type OutboxEntry = { readonly position: number; readonly envelope: Envelope };

/** What is applied of one node's shards. Every read shows a state between two records, never half of one. */
export interface ShardStore {
  head(shard: number): ShardHead | undefined;
  /** Without the snapshot, and with every commit, when it is of another state version. */
  load(key: AddressKey, stateVersion: number): StoredAggregate;
  /**
   * The newest commit of this aggregate that answered the message, or that repaired it as a dead letter, if a snapshot
   * hides it: the ones that `load` returns are looked through by whoever loaded them. What only the newest snapshot hides
   * the asker still remembers, so it need not be found before the next one or a `load`.
   */
  answered(key: AddressKey, cause: MessageId): StoredCommit | undefined;
  /** Messages sent but not acknowledged, oldest first, after the given position. */
  outbox(
    shard: number,
    afterPosition: number,
    limit: number,
  ): readonly { readonly position: number; readonly envelope: Envelope }[];
  /** Pending timers due up to `until`, earliest first. */
  timersDue(shard: number, until: number, limit: number): readonly DueTimer[];
  /** When the shard's earliest timer is due, in ms since the epoch. */
  nextTimer(shard: number): number | undefined;
  /** Every commit of one aggregate, oldest first: the audit trail. */
  history(key: AddressKey): Iterable<StoredCommit>;
}

/** An outside system as the runtime calls it. `call` never rejects: an outcome is always a message. */
export interface Gateway {
  readonly name: string;
  /** Performs the request (retries, time-out and breaker inside) and returns the message for the asker. */
  call(envelope: Envelope, signal: AbortSignal): Promise<{ readonly type: string }>;
}

/** The places where a test may end the process with SIGKILL, to prove that nothing acknowledged is lost. */
export type FailPointName =
  | 'before-append'
  | 'after-append-before-apply'
  | 'after-append-before-reply'
  | 'before-send'
  | 'after-send'
  | 'before-gateway-call'
  | 'after-gateway-call';
export type FailPoint = (name: FailPointName) => void;

/** Tells the outside what happens inside; every member is optional work, none may throw. */
export interface Telemetry {
  messageHandled(kind: string, queueMs: number, processMs: number): void;
  /** Without `syncMs` where the sync is somebody else's: a broker's. */
  recordAppended(commits: number, bytes: number, appendMs: number, syncMs?: number): void;
  deadLettered(kind: string): void;
  actorCrashed(type: string): void;
  breakerChanged(gateway: string, state: 'closed' | 'open' | 'half-open'): void;
}

export type { Versioned };
