/**
 * What several nodes need of the broker between them. Safety rests on the shared log alone: whoever claimed a shard last
 * is the only one whose appends it takes. Everything else here only decides how fast things happen.
 */
import type { Envelope } from './message.ts';
import type { EncodedRecord } from './ports.ts';

/** Place of an entry in a shard's log, from 1. Grows with each entry, claims and releases included. */
export type LogPosition = number;

export type LogEntry =
  /** Without snapshots: those never leave the node that took them. */
  | { readonly kind: 'record'; readonly position: LogPosition; readonly record: EncodedRecord }
  /** Instead of a record, with `skipOwn`: a claim of this process appended it, and its append has resolved. */
  | { readonly kind: 'own'; readonly position: LogPosition; readonly epoch: number; readonly n: number }
  /** From here on only records of this epoch count. The epoch is the position of the claim: the fencing token. */
  | { readonly kind: 'claim'; readonly position: LogPosition; readonly node: string }
  /** The owner's last word: it has stopped, whoever is named may claim at once. */
  | { readonly kind: 'release'; readonly position: LogPosition; readonly epoch: number; readonly to?: string };

/**
 * This claim can't append any more, and nothing of the append happened.
 * - `superseded`: somebody else claimed the shard.
 * - `stale-id`: nobody did, but the broker no longer knows the id of the newest entry (it restarted after the log was idle
 *   for longer than its window): a new claim goes on where this one ended.
 * - `rewound`: the log ends before what it had acknowledged: the broker lost its tail.
 * - `released`: this claim gave the shard up itself.
 */
export class Fenced extends Error {
  override readonly name = 'Fenced';
  readonly reason: 'superseded' | 'stale-id' | 'rewound' | 'released';

  constructor(message: string, reason: Fenced['reason']) {
    super(message);
    this.reason = reason;
  }
}

/** The broker gave no answer in time, or this process ended the connection: whether it happened isn't known. */
export class LogUnanswered extends Error {
  override readonly name = 'LogUnanswered';
  readonly retryable = true;
}

/** Following can't go on by itself. */
export class LogUnreadable extends Error {
  override readonly name = 'LogUnreadable';
  /**
   * - `trimmed`: what comes after the position isn't kept any more: a checkpoint is needed.
   * - `rewound`: the log ends before the position.
   * - `entry`: an entry isn't what this version can read, or isn't what was written.
   * - `parted`: the log goes on with other records than those that the reader holds.
   */
  readonly reason: 'trimmed' | 'rewound' | 'entry' | 'parted';

  constructor(message: string, reason: LogUnreadable['reason'], options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/**
 * Undefined when nothing speaks against an append just now; else resolves when it is worth asking again.
 * @throws what ends the append, e.g. Fenced
 */
export type MayAppend = () => Promise<void> | undefined;

/** The right to write to a shard's log, until somebody else claims it. */
export type Claim = {
  readonly epoch: number;
  /**
   * Resolves with the record's position once the broker has stored it. An outcome that isn't known is found out first, by
   * sending the same bytes again: until then it is pending. One append at a time. `may` is asked before each attempt.
   * @throws Fenced; AppendRefused when it surely did not happen (the stream is full, the record too large); LogUnanswered
   * only once the connection was closed for good
   */
  append(record: EncodedRecord, may?: MayAppend): Promise<LogPosition>;
  /**
   * Appends a record just as it was made under another claim: one that a broker has lost, or of a log that was elsewhere
   * before. It counts as this claim's.
   * @throws as `append`
   */
  bring(record: EncodedRecord): Promise<LogPosition>;
  /**
   * Gives the shard up, after the append in flight. Nothing can be appended under this claim afterwards. Resolves too when
   * the claim had lost the shard already.
   * @throws AppendRefused, LogUnanswered: others have to find out by the heartbeats
   */
  release(to?: string): Promise<void>;
};

export type Following = { stop(): void };

export type FollowOptions = {
  /**
   * Hands over `own` instead of records that this process appends while it follows: whoever appended them has them, and
   * fetching and decoding them again costs time. Records appended before the following began are handed over whole.
   */
  readonly skipOwn?: boolean;
  /** Called once, when following has ended for a reason that it can't get over. */
  readonly failed?: (error: LogUnreadable) => void;
};

export interface SharedLog {
  /**
   * Takes the shard over from whoever has it.
   * @throws AppendRefused when it surely did not happen; LogUnanswered after a while without an answer: the claim may be in
   * the log, under an epoch that nobody uses
   */
  claim(shard: number, node: string): Promise<Claim>;
  /**
   * Hands over every entry after the position, in order and without gaps, for as long as it isn't stopped; a lost
   * connection is taken up again. Fewer entries wait unhandled than a named limit: `on` may answer later. The record of
   * an older epoch than the newest claim, should the log hold one, is left out: its position is skipped.
   */
  follow(
    shard: number,
    after: LogPosition,
    on: (entry: LogEntry) => void | Promise<void>,
    options?: FollowOptions,
  ): Following;
  /** Position of the newest entry, 0 for an empty log. */
  end(shard: number): Promise<LogPosition>;
  /** Position of the oldest entry that is kept, 1 until the log is trimmed. */
  begin(shard: number): Promise<LogPosition>;
}

/** Messages from the actors of other shards, kept by the broker until this shard's own records say that it has them. */
export interface Inbox {
  /**
   * Resolves once the message is stored for the shard. The same id is stored once within the broker's window; after an
   * unknown outcome it may be there twice, receivers know what they have answered. Many may be under way at once.
   * @throws InboxUnavailable when it may or may not be stored, or there are too many under way; EnvelopeRefused
   */
  put(shard: number, envelope: Envelope): Promise<void>;
  /**
   * Hands over what was put after the offset, in order; what waits unhandled is bounded. When `on` fails, the same
   * message is handed over again. Offsets go back where the broker lost what it had stored: the lower one counts then.
   */
  read(shard: number, after: number, on: (offset: number, envelope: Envelope) => void | Promise<void>): Following;
  /** Nothing up to the offset is needed any more. One beyond the end is not followed: the broker lost its tail. */
  trim(shard: number, upTo: number): Promise<void>;
}

/** The same message may be put again, now or later: it is effective once. */
export class InboxUnavailable extends Error {
  override readonly name = 'InboxUnavailable';
  readonly retryable = true;
}

/** The broker will never take this message: too large. */
export class EnvelopeRefused extends Error {
  override readonly name = 'EnvelopeRefused';
  readonly retryable = false;
}

/** What a node tells the others about itself, again and again. */
export type Heartbeat = {
  readonly node: string;
  /** Another one each time the process starts. */
  readonly incarnation: string;
  readonly version: string;
  readonly state: 'joining' | 'active' | 'draining';
  /** Where the edge of this node listens, for people. */
  readonly address: string;
  readonly shards: readonly ShardStanding[];
};

export type ShardStanding = {
  readonly shard: number;
  /** Set while the node owns it. */
  readonly epoch?: number;
  /** How far its own tables follow the log. */
  readonly position: LogPosition;
};

/**
 * Answers one call; bodies are JSON. After `withinMs` from now nobody waits for the answer any more: a deadline is on one
 * node's own clock and doesn't travel. What it throws reaches the asker as `CallFailed`.
 */
export type Answering = (body: unknown, withinMs: number) => Promise<unknown>;

/** Questions and answers between nodes: at most once, in time or not at all. */
export interface NodeCalls {
  announce(heartbeat: Heartbeat): void;
  heard(on: (heartbeat: Heartbeat) => void): Following;
  /** Answers what is asked of the shard's owner while this node is it. */
  serve(shard: number, answer: Answering): Following;
  /**
   * Asks whoever serves the shard. While two nodes think that they do, both get it and the first answer counts.
   * @throws NobodyServes at once when no node does, though just after one stopped it may be CallTimedOut; CallFailed
   */
  ask(shard: number, body: unknown, timeoutMs: number): Promise<unknown>;
  /** Answers what is asked of this node by name. */
  serveNode(node: string, answer: Answering): Following;
  /** @throws as `ask` */
  askNode(node: string, body: unknown, timeoutMs: number): Promise<unknown>;
  /** The connection to the broker is up. When it was last known to be: monotonic ms. */
  readonly lastContact: number;
}

export class NobodyServes extends Error {
  override readonly name = 'NobodyServes';
}

export class CallTimedOut extends Error {
  override readonly name = 'CallTimedOut';
}

/** The other side could not answer, or the call could not be made; `retryable` as whoever failed said. */
export class CallFailed extends Error {
  override readonly name = 'CallFailed';
  readonly retryable: boolean;

  constructor(message: string, options: ErrorOptions & { readonly retryable?: boolean } = {}) {
    super(message, options);
    this.retryable = options.retryable ?? false;
  }
}
