/** What an actor remembers: the newest decided state of its aggregate, rebuilt at any time from the store. */
import type { AddressKey } from '../actors/kernel/address.ts';
import type { Decider, Typed, Versioned } from '../actors/kernel/decider.ts';
import type { MessageId, Reply } from '../actors/kernel/message.ts';
import type { PendingTimer, Snapshot, StoredAggregate, StoredCommit } from '../actors/kernel/ports.ts';
import type { Policy } from '../actors/policy.ts';

/** Any aggregate's decider as the runtime sees it: it never looks into states, commands or events. */
export type AnyDecider = Decider<unknown, Typed, Versioned, Policy>;

export type Answered = { readonly reply?: Reply; readonly fingerprint?: string };

export type Memory = {
  state: unknown;
  version: number;
  seq: number;
  readonly timers: Map<string, PendingTimer>;
  /** Messages answered, for de-duplication; the store knows the others unless `seenAll`. */
  readonly seen: Map<MessageId, Answered>;
  seenAll: boolean;
  /** `seq` of the newest snapshot that the store has. */
  snapshotSeq: number;
};

/** Answers kept in memory beyond the ones that aren't durable yet; more than that are looked up in the store. */
const MAX_SEEN = 256;

export function restore(
  decider: AnyDecider,
  id: string,
  stored: StoredAggregate,
  undurable: readonly StoredCommit[],
): Memory {
  const { snapshot, commits } = stored;
  const memory: Memory = {
    state: snapshot ? snapshot.state : decider.initial(id),
    version: snapshot?.version ?? 0,
    seq: snapshot?.seq ?? 0,
    timers: new Map(snapshot?.timers.map((timer) => [timer.name, timer])),
    seen: new Map(),
    seenAll: snapshot === undefined,
    snapshotSeq: snapshot?.seq ?? 0,
  };
  for (const commit of commits) remember(memory, decider, commit);
  // Commits that are decided but not durable yet are newer than what the store has.
  for (const commit of undurable) if (commit.seq > memory.seq) remember(memory, decider, commit);
  return memory;
}

export function remember(memory: Memory, decider: AnyDecider, commit: StoredCommit): void {
  let state = memory.state;
  for (const event of commit.events) {
    state = decider.evolve(state, event.v === 1 || !decider.upcast ? event : decider.upcast(event));
  }
  memory.state = state;
  memory.seq = commit.seq;
  memory.version = commit.version;
  for (const timer of commit.timers) {
    if ('set' in timer) {
      const { set: name, at, message } = timer;
      memory.timers.set(name, { name, at, message, seq: commit.seq });
    } else {
      memory.timers.delete(timer.clear);
    }
  }
  memory.seen.set(commit.cause, {
    ...(commit.reply && { reply: commit.reply }),
    ...(commit.fingerprint !== undefined && { fingerprint: commit.fingerprint }),
  });
}

/** Forgets old answers; only to be called when everything decided is durable. */
export function trimSeen(memory: Memory): void {
  if (memory.seen.size <= MAX_SEEN) return;
  memory.seen.clear();
  memory.seenAll = false;
}

export function snapshotOf(key: AddressKey, memory: Memory): Snapshot {
  const { seq, version, state, timers } = memory;
  return { key, seq, version, state, timers: [...timers.values()] };
}
