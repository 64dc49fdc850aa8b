/** What an actor remembers: the newest decided state of its aggregate, rebuilt at any time from the store. */
import { type Address, type AddressKey, addressKey } from '../actors/kernel/address.ts';
import type { Decider, Typed, Versioned } from '../actors/kernel/decider.ts';
import type { MessageId, Reply } from '../actors/kernel/message.ts';
import type { PendingTimer, ShardStore, Snapshot, StoredAggregate, StoredCommit } from '../actors/kernel/ports.ts';
import type { Policy } from '../actors/policy.ts';

/** Any aggregate's decider as the runtime sees it: it never looks into states, commands or events. */
export type AnyDecider = Decider<unknown, Typed, Versioned, Policy>;

export type Answered = { readonly seq: number; readonly reply?: Reply; readonly fingerprint?: string };

export type Memory = {
  state: unknown;
  version: number;
  seq: number;
  readonly timers: Map<string, PendingTimer>;
  /** Messages answered by the commits after `forgotten`, for de-duplication, in the order of the commits. */
  readonly seen: Map<MessageId, Answered>;
  /** `seq` up to which only the store knows the messages answered. */
  forgotten: number;
  /** `seq` of the newest snapshot taken. */
  snapshotSeq: number;
};

/** What the store and the commits that aren't durable yet make of an aggregate. */
export function recall(
  store: ShardStore,
  decider: AnyDecider,
  address: Address,
  undurable: (key: AddressKey) => readonly StoredCommit[],
): Memory {
  const key = addressKey(address);
  return restore(decider, address.id, store.load(key, stateVersionOf(decider)), undurable(key));
}

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
    forgotten: snapshot?.seq ?? 0,
    snapshotSeq: snapshot?.seq ?? 0,
  };
  for (const commit of commits) remember(memory, decider, commit);
  // Commits that are decided but not durable yet are newer than what the store has.
  for (const commit of undurable) if (commit.seq > memory.seq) remember(memory, decider, commit);
  return memory;
}

/** Events of any schema version, brought up to date first. */
export function evolveAll(decider: AnyDecider, state: unknown, events: readonly Versioned[]): unknown {
  return events.reduce((current, event) => decider.evolve(current, decider.upcast?.(event) ?? event), state);
}

export function remember(memory: Memory, decider: AnyDecider, commit: StoredCommit): void {
  memory.state = evolveAll(decider, memory.state, commit.events);
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
    seq: commit.seq,
    ...(commit.reply && { reply: commit.reply }),
    ...(commit.fingerprint !== undefined && { fingerprint: commit.fingerprint }),
  });
}

/** Forgets the answers that a durable snapshot hides: from here the store finds them. */
export function forget(memory: Memory, snapshotSeq: number): void {
  for (const [id, { seq }] of memory.seen) {
    if (seq > snapshotSeq) break;
    memory.seen.delete(id);
  }
  memory.forgotten = Math.max(memory.forgotten, snapshotSeq);
}

export function snapshotOf(key: AddressKey, decider: AnyDecider, memory: Memory): Snapshot {
  const { seq, version, state, timers } = memory;
  return { key, seq, version, stateVersion: stateVersionOf(decider), state, timers: [...timers.values()] };
}

const stateVersionOf = (decider: AnyDecider): number => decider.stateVersion ?? 1;
