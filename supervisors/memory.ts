/** What an actor remembers: the newest decided state of its aggregate, rebuilt at any time from the store. */
import { type Address, type AddressKey, addressKey } from '../actors/kernel/address.ts';
import type { Decider, Typed, Versioned } from '../actors/kernel/decider.ts';
import type { Commit, DeadLetter, MessageId, Reply } from '../actors/kernel/message.ts';
import type { PendingTimer, ShardStore, Snapshot, StoredAggregate, StoredCommit } from '../actors/kernel/ports.ts';
import type { Policy } from '../actors/policy.ts';

/** Versions that an actor remembers beside the newest: what answers show is mostly no older. */
const RECENT_VERSIONS = 8;
/** Commits of an aggregate between two snapshots: the most that loading it has to replay. */
const SNAPSHOT_EVERY = 64;

/** Any aggregate's decider as the runtime sees it: it never looks into states, commands or events. */
export type AnyDecider = Decider<unknown, Typed, Versioned, Policy>;

/** What became of a message that an aggregate has had in hand. */
export type Answered = {
  readonly seq: number;
  readonly reply?: Reply;
  readonly fingerprint?: string;
  /** It was given up, and nobody has done anything about it. */
  readonly letter?: DeadLetter;
  /** It had been given up after so many attempts and is to be handled once more: not an answer. */
  readonly requeued?: number;
};

/** The state of an aggregate at a version. */
export type Observed = { readonly state: unknown; readonly version: number };

export type Memory = {
  state: unknown;
  version: number;
  /** The versions before it, oldest first: a few. */
  readonly recent: Observed[];
  seq: number;
  readonly timers: Map<string, PendingTimer>;
  /** Messages answered by the commits after `forgotten`, for de-duplication, in the order of the commits. */
  readonly seen: Map<MessageId, Answered>;
  /** `seq` up to which only the store knows the messages answered. */
  forgotten: number;
  /** `seq` of the newest snapshot taken. */
  snapshotSeq: number;
  /** `seq` of the newest one in the log. */
  durableSnapshotSeq: number;
};

/** What the store and the commits that aren't durable yet make of an aggregate. */
export function recall(
  store: Pick<ShardStore, 'load'>,
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
    recent: [],
    seq: snapshot?.seq ?? 0,
    timers: new Map(snapshot?.timers.map((timer) => [timer.name, timer])),
    seen: new Map(),
    forgotten: snapshot?.seq ?? 0,
    snapshotSeq: snapshot?.seq ?? 0,
    durableSnapshotSeq: snapshot?.seq ?? 0,
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
  if (commit.version > memory.version && memory.version > 0) {
    memory.recent.push({ state: memory.state, version: memory.version });
    if (memory.recent.length > RECENT_VERSIONS) memory.recent.shift();
  }
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
  note(memory, commit.cause, commit);
  if (commit.repair && 'letter' in commit.repair) note(memory, commit.repair.letter.envelope.id, commit);
}

/** The aggregate at a version, if it is still remembered. */
export function versionIn({ state, version, recent }: Memory, wanted: number): Observed | undefined {
  return wanted === version ? { state, version } : recent.find((each) => each.version === wanted);
}

function note(memory: Memory, id: MessageId, commit: StoredCommit): void {
  // A requeued message is answered a second time: its place is that of its newest commit.
  memory.seen.delete(id);
  memory.seen.set(id, answerOf(commit, id));
}

/** What the newest commit about a message says of it: the one that answered it, or a repair of the letter it became. */
export function answerOf(
  { seq, cause, reply, fingerprint, deadLetter, repair }: StoredCommit,
  id: MessageId,
): Answered {
  if (cause !== id) return { seq, ...(repair?.kind === 'requeue' && { requeued: repair.letter.attempts }) };
  return {
    seq,
    ...(reply && { reply }),
    ...(fingerprint !== undefined && { fingerprint }),
    ...(deadLetter && { letter: deadLetter }),
  };
}

/**
 * A snapshot is in the log: forgets the answers that the one before it hides. From here the store finds those; the newest
 * one may not have reached its tables yet.
 */
export function forget(memory: Memory, snapshotSeq: number): void {
  const hidden = memory.durableSnapshotSeq;
  for (const [id, { seq }] of memory.seen) {
    if (seq > hidden) break;
    memory.seen.delete(id);
  }
  memory.forgotten = Math.max(memory.forgotten, hidden);
  memory.durableSnapshotSeq = snapshotSeq;
}

/** Snapshots to store with these commits, of the aggregates that have had enough of them since their last one. */
export function snapshotsAt(
  commits: readonly Commit[],
  find: (key: AddressKey) => { readonly decider: AnyDecider; readonly memory: Memory } | undefined,
): Snapshot[] {
  const snapshots: Snapshot[] = [];
  for (const [key, seq] of new Map(commits.map((commit) => [commit.key, commit.seq]))) {
    const found = find(key);
    // Only of a state that this record completes: one with later commits would be ahead of the log.
    if (!found || found.memory.seq !== seq || seq - found.memory.snapshotSeq < SNAPSHOT_EVERY) continue;
    snapshots.push(snapshotOf(key, found.decider, found.memory));
    found.memory.snapshotSeq = seq;
  }
  return snapshots;
}

export function snapshotOf(key: AddressKey, decider: AnyDecider, memory: Memory): Snapshot {
  const { seq, version, state, timers } = memory;
  return { key, seq, version, stateVersion: stateVersionOf(decider), state, timers: [...timers.values()] };
}

const stateVersionOf = (decider: AnyDecider): number => decider.stateVersion ?? 1;
