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
  /** From here on only records of this epoch count. The epoch is the position of the claim: the fencing token. */
  | { readonly kind: 'claim'; readonly position: LogPosition; readonly node: string }
  /** The owner's last word: it has stopped, whoever is named may claim at once. */
  | { readonly kind: 'release'; readonly position: LogPosition; readonly epoch: number; readonly to?: string };

/** Somebody else claimed the shard: this node must not write to it any more, and nothing of the append happened. */
export class Fenced extends Error {
  override readonly name = 'Fenced';
}

/** The right to write to a shard's log, until somebody else claims it. */
export type Claim = {
  readonly epoch: number;
  /**
   * Resolves with the record's position once the broker has stored it. An outcome that isn't known is found out first, by
   * sending the same bytes again: until then it is pending. One append at a time.
   * @throws Fenced; AppendRefused when it surely did not happen (the stream is full, the record too large)
   */
  append(record: EncodedRecord): Promise<LogPosition>;
  /** Gives the shard up. Nothing can be appended under this claim afterwards. */
  release(to?: string): Promise<void>;
};

export type Following = { stop(): void };

export interface SharedLog {
  /** Takes the shard over from whoever has it. */
  claim(shard: number, node: string): Promise<Claim>;
  /**
   * Hands over every entry after the position, in order and without gaps, for as long as it isn't stopped; a lost
   * connection is taken up again. Fewer entries wait unhandled than a named limit: `on` may answer later.
   */
  follow(shard: number, after: LogPosition, on: (entry: LogEntry) => void | Promise<void>): Following;
  /** Position of the newest entry, 0 for an empty log. */
  end(shard: number): Promise<LogPosition>;
  /** Position of the oldest entry that is kept, 1 until the log is trimmed. */
  begin(shard: number): Promise<LogPosition>;
}

/** Messages from the actors of other shards, kept by the broker until this shard's own records say that it has them. */
export interface Inbox {
  /** Resolves once the message is stored for the shard; the same id is stored once within the broker's window. */
  put(shard: number, envelope: Envelope): Promise<void>;
  /** Hands over what was put after the offset, in order; what waits unhandled is bounded. */
  read(shard: number, after: number, on: (offset: number, envelope: Envelope) => void | Promise<void>): Following;
  /** Nothing up to the offset is needed any more. */
  trim(shard: number, upTo: number): Promise<void>;
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

/** Questions and answers between nodes: at most once, in time or not at all. */
export interface NodeCalls {
  announce(heartbeat: Heartbeat): void;
  heard(on: (heartbeat: Heartbeat) => void): Following;
  /** Answers what is asked of the shard's owner while this node is it. Bodies are JSON. */
  serve(shard: number, answer: (body: unknown) => Promise<unknown>): Following;
  /**
   * Asks whoever serves the shard.
   * @throws NobodyServes at once when no node does; CallTimedOut
   */
  ask(shard: number, body: unknown, timeoutMs: number): Promise<unknown>;
  /** Answers what is asked of this node by name, and what is asked of all. */
  serveNode(node: string, answer: (body: unknown) => Promise<unknown>): Following;
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
