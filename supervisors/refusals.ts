/**
 * What a shard learns from records that its log refused. If the store is in trouble, it pauses longer each time. If the
 * record is at fault, it would be refused for ever, and with it all that shares records with it: then commits are stored
 * one by one until the one is found, and its message is given up.
 */
import type { Commit, MessageId } from '../actors/kernel/message.ts';
import { AppendRefused } from '../actors/kernel/ports.ts';

/** Pause before the shard takes messages again; doubles with each refusal in a row. */
const FIRST_PAUSE_MS = 200;
const MAX_PAUSE_MS = 5_000;
/** After a record that could never be stored, so many commits get a record of their own. */
const COMMITS_ALONE = 256;

export type Refusals = {
  /** Takes note of a refused record; returns the pause in ms. */
  note(error: Error, commits: readonly Commit[]): number;
  /** Commits were stored. */
  stored(count: number): void;
  /** Commits that may share a record now. */
  maxCommits(): number;
  /** Why the commit that answers this message can't be stored; asked once, then forgotten. */
  takeReason(id: MessageId): string | undefined;
};

export function createRefusals(): Refusals {
  let inARow = 0;
  let alone = 0;
  const unstorable = new Map<MessageId, string>();
  return {
    note(error, commits) {
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** inARow, MAX_PAUSE_MS);
      inARow += 1;
      if (error instanceof AppendRefused && error.fault === 'record') {
        const [only, ...more] = commits;
        if (only && more.length === 0) unstorable.set(only.cause, error.message);
        alone = COMMITS_ALONE;
      }
      return pauseMs;
    },
    stored(count) {
      inARow = 0;
      alone = Math.max(0, alone - count);
    },
    maxCommits: () => (alone > 0 ? 1 : Number.MAX_SAFE_INTEGER),
    takeReason(id) {
      const reason = unstorable.get(id);
      unstorable.delete(id);
      return reason;
    },
  };
}
