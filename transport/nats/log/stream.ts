/** What the shard log needs of the stream that holds it: NATS JetStream, or a simulation with faults of its own. */
import type { Following, LogPosition, LogUnreadable } from '../../../actors/kernel/clusterPorts.ts';

export type StoredEntry = {
  readonly position: LogPosition;
  /** What it was published with: different entries have different ids. */
  readonly id: string;
  readonly payload: Uint8Array;
};

/** An entry that was acknowledged. Its id differs when a broker lost the end of the log and others refilled it. */
export type KnownEntry = { readonly position: LogPosition; readonly id: string };

/** Where the log must end for an entry to be taken, and with what, if that matters. */
export type Expectation = { readonly position: LogPosition; readonly id?: string };

/** How one attempt to publish ended. */
export type Published =
  /** Stored at this position, by this attempt or, where the broker remembers ids, by an earlier one. */
  | { readonly kind: 'stored'; readonly position: LogPosition }
  /** The log doesn't end where, or with what, it was expected to. This attempt stored nothing. */
  | { readonly kind: 'contradicted'; readonly about: 'position' | 'id'; readonly reason: string }
  /** This attempt stored nothing, nor will another one until somebody changes something. */
  | { readonly kind: 'refused'; readonly fault: 'store' | 'record'; readonly reason: string }
  /** Nobody serves the log just now: this attempt stored nothing. */
  | { readonly kind: 'absent'; readonly reason: string }
  /** No answer: it may have been stored, and may still be. */
  | { readonly kind: 'unknown'; readonly reason: string }
  /** The connection was closed by this process: there will be no answer. */
  | { readonly kind: 'closed' };

export type TailHandlers = {
  /** In order, without gaps; the next one comes after what it returns has resolved. */
  readonly entry: (entry: StoredEntry) => void | Promise<void>;
  readonly failed: (error: LogUnreadable) => void;
};

export interface LogStream {
  /** For messages to operators. */
  readonly name: string;
  /** This process has closed the connection: nothing will be answered any more. */
  readonly closed: boolean;
  /** Compares the expected id as well, at one with storing; otherwise only the position. */
  readonly comparesIds: boolean;
  /** Resolves once there is a connection, or none will ever be again. */
  whenUp(): Promise<void>;
  /** One attempt. Never rejects. */
  publish(id: string, payload: Uint8Array, expected: Expectation): Promise<Published>;
  /**
   * As its leader knows it, never a stale copy.
   * @throws LogUnanswered
   */
  read(position: LogPosition): Promise<StoredEntry | undefined>;
  /**
   * `last` is 0 for an empty log, `first` is where the next entry comes then.
   * @throws LogUnanswered
   */
  bounds(): Promise<{ readonly first: LogPosition; readonly last: LogPosition }>;
  tail(after: LogPosition, handlers: TailHandlers): Following;
}
