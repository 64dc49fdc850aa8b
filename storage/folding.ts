/**
 * The state of an aggregate before and after a commit, for read models that show more than the events themselves say.
 * Kept for the aggregates that are at work; one that was forgotten is made anew from its commits in the store.
 */
import { type AddressKey, parseAddressKey } from '../actors/kernel/address.ts';
import type { Versioned } from '../actors/kernel/decider.ts';
import type { Commit } from '../actors/kernel/message.ts';
import type { Db } from './database.ts';
import { recentlyUsed } from './recentlyUsed.ts';
import { type CommitColumns, decodeCommit } from './recordCodec.ts';

/** What folding needs of a decider. */
export type Folded<State, Event extends Versioned> = {
  initial(id: string): State;
  evolve(state: State, event: Event): State;
  upcast?(event: Versioned): Event;
};

export type FoldedCommit<State> = {
  readonly before: State;
  readonly after: State;
  /** Time of the aggregate's first commit, in ms since the epoch. */
  readonly firstAt: number;
};

export type Folding<State> = {
  /** Must see a commit after it is in the store, and inside the same transaction. */
  fold(commit: Commit): FoldedCommit<State>;
  /** The transaction was rolled back: what was kept may never have happened. */
  discard(): void;
};

type Kept<State> = { readonly version: number; readonly state: State; readonly firstAt: number };

/** An order is at work for about a second; what is older changes rarely. */
const KEPT_STATES = 2_000;

export function createFolding<State extends object, Event extends Versioned>(
  db: Db,
  { initial, evolve, upcast }: Folded<State, Event>,
): Folding<State> {
  const earlier = db.prepare<[AddressKey, number], CommitColumns>(
    'SELECT key, seq, version, cause, at, body FROM histories WHERE key = ? AND seq < ? ORDER BY seq',
  );
  const kept = recentlyUsed<AddressKey, Kept<State>>(KEPT_STATES);

  // The events of an aggregate of this type are this decider's.
  const evolveAll = (state: State, events: readonly Versioned[]): State =>
    events.reduce((current, event) => evolve(current, upcast?.(event) ?? (event as Event)), state);

  function stateBefore({ key, seq, version, at }: Commit): Kept<State> {
    const known = kept.get(key);
    if (known?.version === version - 1) return known;
    let state = initial(parseAddressKey(key).id);
    let firstAt: number | undefined;
    if (version > 1) {
      for (const commit of earlier.iterate(key, seq)) {
        firstAt ??= commit.at;
        state = evolveAll(state, decodeCommit(commit).events);
      }
    }
    return { version: version - 1, state, firstAt: firstAt ?? at };
  }

  return {
    fold(commit) {
      const { state: before, firstAt } = stateBefore(commit);
      const after = evolveAll(before, commit.events);
      kept.set(commit.key, { version: commit.version, state: after, firstAt });
      return { before, after, firstAt };
    },
    discard: () => kept.clear(),
  };
}
