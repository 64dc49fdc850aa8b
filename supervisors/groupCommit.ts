/**
 * Turns the commits of one shard into records of its log: one append in flight, everything decided meanwhile goes into
 * the next record. Whoever waits for a commit is told in the order of the log once it is durable (I1).
 */
import type { AddressKey } from '../actors/kernel/address.ts';
import type { Commit, MessageId } from '../actors/kernel/message.ts';
import type { Clock, Settled, ShardHead, ShardLog, Snapshot } from '../actors/kernel/ports.ts';
import { encodeBody, encodeRecord, GENESIS_HASH } from '../storage/recordCodec.ts';

/** Position of a commit in the order of decisions; grows by one with each. */
export type Ticket = number;

type Pending = {
  readonly ticket: Ticket;
  readonly commit: Commit;
  readonly body: string;
  readonly settle: (result: Settled) => void;
};

/** Bytes of commit bodies in one record; JetStream's message limit leaves room for four times as much. */
const MAX_RECORD_BYTES = 256 * 1024;
/** Turns of the event loop that a record waits for the shard's actors to finish what they are at. */
const MAX_LINGER_TURNS = 16;
/** Acknowledgements without commits to ride along with are stored after this long. */
const ACK_DELAY_MS = 500;

export type GroupCommitOptions = {
  readonly shard: number;
  readonly log: ShardLog;
  readonly head: ShardHead | undefined;
  /** Of the records to come; the head's unless given. */
  readonly epoch?: number;
  readonly inboxOffset?: () => number;
  readonly clock: Clock;
  /** Whether actors of the shard have messages to handle right now: then a record may grow for some turns. */
  readonly busy: () => boolean;
  /** Snapshots to store with these commits. */
  readonly snapshotsAt: (commits: readonly Commit[]) => readonly Snapshot[];
  readonly onDurable: (commits: readonly Commit[], snapshots: readonly Snapshot[]) => void;
  /** Commits that may share a record now: one while it is searched which one the store can't take. */
  readonly maxCommits: () => number;
  /** The log refused a record with these commits: everything not durable is lost and must be forgotten. */
  readonly onRefused: (error: Error, commits: readonly Commit[]) => void;
};

export type GroupCommit = {
  /**
   * Queues a commit; `settle` is told once it is durable, with the commit's reply. Its record is not kept waiting for more
   * when it is awaited: when somebody outside waits for that reply.
   */
  add(commit: Commit, settle: (result: Settled) => void, isAwaited?: boolean): Ticket;
  /** Tells `settle` the result once the commit with this ticket is durable: at once when it already is. */
  afterDurable(ticket: Ticket, settle: (result: Settled) => void, result: Settled): void;
  isDurable(ticket: Ticket): boolean;
  /** Commits of an aggregate that are decided but not durable. */
  undurable(key: AddressKey): readonly Commit[];
  /** A message of this shard's outbox has been made durable by its receiver. */
  acknowledge(id: MessageId): void;
  /** A message was handed to an actor of this same shard: its answer in the same record needs no acknowledgement. */
  trackLocal(id: MessageId): void;
  /** It could not be handed over after all: from here the relay acknowledges it. */
  untrackLocal(id: MessageId): void;
  idle(): boolean;
  /** Resolves once all that was added is durable, or forgotten. */
  drained(): Promise<void>;
  /** Forgets everything pending; whoever waits for it is told `result`. */
  close(result: Settled): void;
};

export function createGroupCommit(options: GroupCommitOptions): GroupCommit {
  const { shard, log, clock } = options;
  let n = options.head?.n ?? 0;
  let hash = options.head?.hash ?? GENESIS_HASH;
  const epoch = options.epoch ?? options.head?.epoch ?? 1;
  const inboxOffset = options.inboxOffset ?? (() => options.head?.inboxOffset ?? 0);
  let pending: Pending[] = [];
  let inFlight: Pending[] = [];
  let acks: MessageId[] = [];
  let waiters: { ticket: Ticket; settle: (result: Settled) => void; result: Settled }[] = [];
  /** Messages within this shard that aren't answered yet: the number of the record they are in, 0 while undecided. */
  const local = new Map<MessageId, number>();
  let appending = false;
  let lastTicket = 0;
  let durableTicket = 0;
  let scheduled = false;
  let lingered = 0;
  /** Somebody outside waits for one of the pending commits. */
  let awaited = false;
  let cancelAckTimer: (() => void) | undefined;
  let closed = false;

  function schedule(): void {
    if (scheduled || closed || appending) return;
    scheduled = true;
    setImmediate(flush);
  }

  function takeBatch(): Pending[] {
    let bytes = 0;
    const most = options.maxCommits();
    const end = pending.findIndex(({ body }, index) => {
      bytes += body.length;
      return bytes > MAX_RECORD_BYTES || index >= most;
    });
    // A single commit larger than the limit still makes a record of its own.
    return pending.splice(0, end === -1 ? pending.length : Math.max(end, 1));
  }

  function flush(): void {
    scheduled = false;
    if (closed || appending || (pending.length === 0 && acks.length === 0)) return;
    if (mayLinger()) {
      lingered += 1;
      schedule();
      return;
    }
    lingered = 0;
    cancelAckTimer?.();
    cancelAckTimer = undefined;
    const batch = takeBatch();
    // What did not fit may be what is awaited.
    awaited &&= pending.length > 0;
    const number = n + 1;
    const acked = [...acks, ...answeredHere(batch, number)];
    acks = [];
    inFlight = batch;
    appending = true;
    const commits = batch.map(({ commit }) => commit);
    const encoded = encodeRecord(
      {
        schema: 1,
        shard,
        epoch,
        n: number,
        prevHash: hash,
        at: clock.now(),
        inboxOffset: inboxOffset(),
        commits,
        acked,
      },
      batch.map(({ body }) => body),
      options.snapshotsAt(commits),
    );
    log.append(encoded).then(
      () => {
        if (closed) return;
        n = number;
        hash = encoded.hash;
        durable(batch, commits, encoded.snapshots);
      },
      (error: Error) => {
        if (!closed) options.onRefused(error, commits);
      },
    );
  }

  function mayLinger(): boolean {
    const isAwaited = awaited || waiters.length > 0;
    return !isAwaited && lingered < MAX_LINGER_TURNS && pending.length > 0 && options.busy();
  }

  /** Messages within the shard that this batch answers and that went into an earlier record. */
  function answeredHere(batch: readonly Pending[], number: number): MessageId[] {
    const earlier: MessageId[] = [];
    for (const { commit } of batch) {
      for (const send of commit.sends) if (local.has(send.id)) local.set(send.id, number);
    }
    for (const { commit } of batch) {
      const sentIn = local.get(commit.cause);
      if (sentIn === undefined) continue;
      local.delete(commit.cause);
      if (sentIn !== number) earlier.push(commit.cause);
    }
    return earlier;
  }

  function durable(batch: readonly Pending[], commits: readonly Commit[], snapshots: readonly Snapshot[]): void {
    inFlight = [];
    appending = false;
    durableTicket = batch.at(-1)?.ticket ?? durableTicket;
    for (const { commit, settle } of batch) settle({ kind: 'done', ...(commit.reply && { reply: commit.reply }) });
    if (waiters.length > 0) {
      const ready = waiters.filter(({ ticket }) => ticket <= durableTicket);
      waiters = waiters.filter(({ ticket }) => ticket > durableTicket);
      for (const { settle, result } of ready) settle(result);
    }
    options.onDurable(commits, snapshots);
    if (pending.length > 0) schedule();
    else if (acks.length > 0) scheduleAcks();
  }

  function scheduleAcks(): void {
    cancelAckTimer ??= clock.delay(ACK_DELAY_MS, () => {
      cancelAckTimer = undefined;
      schedule();
    });
  }

  return {
    add(commit, settle, isAwaited = false) {
      awaited ||= isAwaited;
      lastTicket += 1;
      pending.push({ ticket: lastTicket, commit, body: encodeBody(commit), settle });
      schedule();
      return lastTicket;
    },
    afterDurable(ticket, settle, result) {
      if (ticket <= durableTicket) settle(result);
      else waiters.push({ ticket, settle, result });
    },
    isDurable: (ticket) => ticket <= durableTicket,
    undurable(key) {
      const found: Commit[] = [];
      for (const { commit } of inFlight) if (commit.key === key) found.push(commit);
      for (const { commit } of pending) if (commit.key === key) found.push(commit);
      return found;
    },
    acknowledge(id) {
      local.delete(id);
      acks.push(id);
      if (pending.length === 0) scheduleAcks();
    },
    trackLocal(id) {
      local.set(id, 0);
    },
    untrackLocal(id) {
      local.delete(id);
    },
    idle: () => pending.length === 0 && !appending,
    drained() {
      return new Promise((resolve) => {
        if (closed || lastTicket <= durableTicket) resolve();
        else waiters.push({ ticket: lastTicket, settle: () => resolve(), result: { kind: 'done' } });
      });
    },
    close(result) {
      closed = true;
      cancelAckTimer?.();
      const told = [...inFlight, ...pending, ...waiters];
      pending = [];
      inFlight = [];
      waiters = [];
      for (const { settle } of told) settle(result);
    },
  };
}
