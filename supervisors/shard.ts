/**
 * One shard at its owner: its actors, their group commit, its outbox and its timers.
 *
 * A message is decided on against memory at once; what it causes leaves the shard only when its commit is durable
 * (I1). Within the shard a message may be handled earlier: sender's and receiver's commits are in one log, in order,
 * so the receiver's can't survive without the sender's. If the log refuses a record, all that isn't durable is
 * forgotten and the shard starts again from the store.
 */

import { type Address, addressKey, parseAddressKey } from '../actors/kernel/address.ts';
import { type Commit, type Envelope, type MessageId, resultId, timerId } from '../actors/kernel/message.ts';
import type { Settled, Snapshot } from '../actors/kernel/ports.ts';
import { type Actor, type Actors, createActors, type Delivery, type StayBounds } from './actors.ts';
import { type Crashes, createCrashes } from './crashes.ts';
import {
  type DecideOptions,
  type DecisionOutcome,
  deadLetterCommit,
  decideCommit,
  isFromOutside,
  KEY_REUSED,
} from './decideCommit.ts';
import { createGroupCommit, type GroupCommit, type Ticket } from './groupCommit.ts';
import { type Answered, answerOf, forget, type Observed, recall, remember, snapshotsAt, versionIn } from './memory.ts';
import { createQuarantine, QUARANTINE_MS, type Quarantine } from './quarantine.ts';
import { createRecovery, type Recovery } from './recovery.ts';
import { createRefusals } from './refusals.ts';
import { createRelay, type Relay } from './relay.ts';
import { decideRepair, isRepair } from './repairs.ts';
import type { ShardOptions } from './shardOptions.ts';
import { createTimers, type Timers } from './timers.ts';
import { MOVED, type NotNow, unavailable } from './unavailable.ts';
import { createWatchers } from './watchers.ts';

export class Shard {
  readonly #options: ShardOptions;
  readonly #actors: Actors;
  readonly #crashes: Crashes;
  readonly quarantine: Quarantine;
  #commits!: GroupCommit;
  #relay!: Relay;
  #timers!: Timers;
  readonly #recovery: Recovery;
  /** Messages that crashed their actor and wait for their next try. */
  #backingOff = 0;
  #stopped = false;
  /** Counts how often the shard has forgotten what wasn't durable: what began in another life must not go on. */
  #life = 0;
  readonly #refusals = createRefusals();
  readonly #watchers = createWatchers();

  constructor(options: ShardOptions) {
    this.#options = options;
    const { store, clock } = options;
    this.quarantine = createQuarantine(clock);
    this.#crashes = createCrashes({ ...options, quarantine: this.quarantine });
    this.#actors = createActors({
      parent: options.parent,
      deciderOf: options.deciderOf,
      load: (decider, address) => recall(store, decider, address, (key) => this.#commits.undurable(key)),
      handle: (actor, delivery) => this.#handle(actor, delivery),
      crashed: (actor, delivery, error) => this.#crashed(actor, delivery, error),
      monotonic: () => clock.monotonic(),
      turns: options.turns,
    });
    this.#recovery = createRecovery({
      ...options,
      start: () => {
        this.#open();
        this.start();
      },
      failed: () => this.#close(unavailable('the store can not be read')),
    });
    this.#open();
  }

  /** Takes up what an earlier life left: messages to send and timers to fire. */
  start(): void {
    this.#relay.recover();
    this.#timers.start();
  }

  #open(): void {
    const { shard, store, send, failPoint } = this.#options;
    this.#commits = createGroupCommit({
      ...this.#options,
      head: store.head(shard),
      busy: () => this.#actors.backlog > 0,
      snapshotsAt: (commits) => snapshotsAt(commits, (key) => this.#actors.find(key)),
      onDurable: (commits, snapshots) => this.#durable(commits, snapshots),
      maxCommits: this.#refusals.maxCommits,
      onRefused: (error, commits) => this.#refused(error, commits),
    });
    this.#relay = createRelay({
      ...this.#options,
      send: (envelope, settle) => {
        failPoint('before-send');
        const earlier = this.#resultOf(envelope);
        if (earlier) settle(earlier);
        else if (this.#options.isLocal(envelope.to)) this.deliver(envelope.carries ?? envelope, settle);
        else send(envelope, settle);
        failPoint('after-send');
      },
      outbox: (after, limit) => store.outbox(shard, after, limit),
      acknowledge: (id) => this.#commits.acknowledge(id),
    });
    this.#timers = createTimers({
      ...this.#options,
      due: (until, limit) => store.timersDue(shard, until, limit),
      next: () => store.nextTimer(shard),
      fire: ({ key, name, seq, message }, settle) => {
        const envelope: Envelope = { id: timerId(key, seq, name), to: parseAddressKey(key), message };
        this.deliver(envelope, (result) => settle(result.kind === 'done'), { name, seq });
      },
    });
  }

  /** Hands a message to its actor; `settle` runs when its answer is durable, or when nothing happened. */
  deliver(envelope: Envelope, settle: (result: Settled) => void, timer?: Delivery['timer']): void {
    const actor = this.#unavailable() ?? this.#obtain(envelope.to);
    if (actor instanceof Error || 'kind' in actor) {
      settle(actor instanceof Error ? { kind: 'failed', error: actor } : actor);
      return;
    }
    const now = this.#options.clock.monotonic();
    if (this.quarantine.holds(actor.key) && !isRepair(envelope)) {
      settle(unavailable(`${actor.key} is in quarantine`, QUARANTINE_MS / 10));
      return;
    }
    const delivery: Delivery = { envelope, settle, arrivedAt: now, crashes: 0, handed: false, ...(timer && { timer }) };
    if (!this.#actors.dispatch(actor, delivery)) {
      settle(unavailable(`the mailbox of ${actor.key} is full`));
    }
  }

  /**
   * The newest state of an aggregate, once it is durable: `observed` is absent without history. Or the state at a
   * version: then it is absent also when only the store may know it.
   */
  read(address: Address, answer: (result: Settled, observed?: Observed) => void, wanted?: number): void {
    const actor = this.#unavailable() ?? this.#obtain(address);
    if (actor instanceof Error || 'kind' in actor) {
      answer(actor instanceof Error ? { kind: 'failed', error: actor } : actor);
      return;
    }
    const version = wanted ?? actor.memory.version;
    const observed = version === 0 ? undefined : versionIn(actor.memory, version);
    const tell = (result: Settled) => answer(result, result.kind === 'done' ? observed : undefined);
    this.#settleDurable(actor, tell, { kind: 'done' });
  }

  /** Calls `notify` when a version of the aggregate later than `after` is durable; returns how to give up. */
  watch(address: Address, after: number, notify: () => void): () => void {
    const key = addressKey(address);
    const giveUp = this.#watchers.watch(key, after, notify);
    const actor = this.#actors.find(key);
    if (actor && actor.memory.version > after) {
      // Decided, and perhaps stored, before anybody watched. Not told at once: the caller can't give up yet.
      this.#settleDurable(actor, () => queueMicrotask(notify), { kind: 'done' });
    }
    return giveUp;
  }

  /** Stops and restarts one actor as a crash of its own would. False when it isn't live. */
  kill(address: Address): boolean {
    const actor = this.#actors.find(addressKey(address));
    if (actor) this.#actors.restart(actor);
    return actor !== undefined;
  }

  /** Messages waiting for an actor; undefined when it isn't live. */
  mailbox(address: Address): number | undefined {
    return this.#actors.find(addressKey(address))?.waiting.length;
  }

  /** Lets go of idle actors. */
  passivate(bounds: StayBounds): number {
    return this.#actors.passivate(bounds, (actor) => this.#commits.isDurable(actor.lastTicket));
  }

  get liveActors(): number {
    return this.#actors.size;
  }

  get backlog(): number {
    return this.#actors.backlog;
  }

  /** Messages under way from or to this shard. */
  get load(): number {
    return this.#actors.backlog + this.#relay.pending();
  }

  get ready(): boolean {
    return this.#unavailable() === undefined;
  }

  /** Messages at another shard or a gateway whose answer is outstanding. */
  get inFlight(): number {
    return this.#relay.inFlight();
  }

  /** Nothing to handle, to store, to hand over or to fire at this moment. */
  get idle(): boolean {
    const quiet = this.#commits.idle() && this.#relay.idle() && this.#timers.idle();
    return quiet && this.#actors.backlog === 0 && this.#backingOff === 0 && !this.#recovery.underWay;
  }

  /** Takes nothing more; resolves once what was decided is durable, or the log has refused it. */
  async drain(): Promise<void> {
    this.#stopped = true;
    this.#relay.close();
    this.#timers.close();
    for (const { settle } of this.#actors.stopAll()) settle(MOVED);
    await this.#commits.drained();
  }

  /** Ends the shard's work here; what isn't durable is forgotten, whoever waits is told to come again. */
  stop(): void {
    this.#stopped = true;
    this.#recovery.cancel();
    this.#close(MOVED);
    this.#watchers.wakeAll();
  }

  /** One aggregate whose stored state can't be read must not stop whoever sends to it. */
  #obtain(address: Address): Actor | Error {
    try {
      return this.#actors.obtain(address) ?? new Error(`no aggregate of type ${address.type}`);
    } catch (fault) {
      const error = fault instanceof Error ? fault : new Error(String(fault));
      this.#options.logger.error({ err: error, actor: addressKey(address) }, 'an actor could not be loaded');
      return error;
    }
  }

  #unavailable(): NotNow | undefined {
    if (this.#stopped) return MOVED;
    return this.#recovery.underWay ? unavailable('the shard is recovering') : undefined;
  }

  #handle(actor: Actor, delivery: Delivery): void {
    const { clock, telemetry } = this.#options;
    const started = clock.monotonic();
    this.#process(actor, delivery, started);
    actor.strikes = 0;
    telemetry.messageHandled(delivery.envelope.message.type, started - delivery.arrivedAt, clock.monotonic() - started);
  }

  #process(actor: Actor, delivery: Delivery, started: number): void {
    const { envelope, settle, timer } = delivery;
    const { memory } = actor;
    const seen = this.#answered(actor, envelope.id);
    if (seen && seen.requeued === undefined) {
      const reused = envelope.fingerprint !== undefined && seen.fingerprint !== envelope.fingerprint;
      const reply = reused
        ? ({ ok: false, version: memory.version, rejection: KEY_REUSED } as const)
        : seen.reply && { ...seen.reply, replayed: true };
      this.#settleDurable(actor, settle, { kind: 'done', ...(reply && { reply }) });
      return;
    }
    if (envelope.deadline !== undefined && envelope.deadline <= started) {
      settle(unavailable('the deadline passed in the mailbox'));
      return;
    }
    if (timer && memory.timers.get(timer.name)?.seq !== timer.seq) {
      // Cleared or set anew meanwhile: a stale timer is a no-op.
      this.#settleDurable(actor, settle, { kind: 'done' });
      return;
    }
    const unstorable = this.#refusals.takeReason(envelope.id);
    if (unstorable !== undefined) {
      this.#giveUp(actor, delivery, new Error(unstorable));
      return;
    }
    const outcome = this.#decide(actor, envelope, timer);
    if ('commit' in outcome) this.#commit(actor, outcome.commit, settle, isFromOutside(envelope, timer));
    else this.#settleDurable(actor, settle, { kind: 'done', reply: outcome.reply });
  }

  #answered({ key, memory }: Actor, id: MessageId): Answered | undefined {
    const known = memory.seen.get(id);
    if (known || memory.forgotten === 0) return known;
    const stored = this.#options.store.answered(key, id);
    return stored && answerOf(stored, id);
  }

  #decide(actor: Actor, envelope: Envelope, timer: Delivery['timer']): DecisionOutcome {
    const options = this.#decideOptions(timer);
    if (!isRepair(envelope)) return decideCommit(actor, envelope, options);
    const outcome = decideRepair(actor, envelope, options, {
      letterOf: (id) => this.#answered(actor, id)?.letter,
      quarantined: this.quarantine.holds(actor.key),
    });
    // Whoever has something delivered again believes that the cause is gone.
    const done = 'commit' in outcome ? outcome.commit.repair?.kind : undefined;
    if (done === 'requeue' || done === 'lift-quarantine') this.quarantine.lift(actor.key);
    return outcome;
  }

  /**
   * A call whose result the asker has, but whose acknowledgement a crash took: made again it could do what it didn't do
   * the first time, and nobody would hear of it. Nor is it made while the asker can't be loaded to say so.
   */
  #resultOf({ id, to, from }: Envelope): Settled | undefined {
    if (to.type !== 'gateway' || !from) return undefined;
    const asker = this.#obtain(from);
    if (asker instanceof Error) return { kind: 'failed', error: asker };
    return this.#answered(asker, resultId(id)) && { kind: 'done' };
  }

  #decideOptions(timer: Delivery['timer']): DecideOptions {
    const { clock, policy } = this.#options;
    return { now: clock.now(), policy, ...(timer && { firedTimer: timer.name }) };
  }

  #settleDurable(actor: Actor, settle: (result: Settled) => void, result: Settled): void {
    this.#commits.afterDurable(actor.lastTicket, settle, result);
  }

  #commit(actor: Actor, commit: Commit, settle: (result: Settled) => void, isAwaited = false): void {
    remember(actor.memory, actor.decider, commit);
    actor.lastTicket = this.#commits.add(commit, settle, isAwaited);
    const ticket = actor.lastTicket;
    for (const send of commit.sends) {
      if (this.#leavesAtOnce(send)) this.#deliverWithin(send, ticket);
    }
  }

  /** Within the shard. A requeued letter isn't answered under its carrier's id, so it needs the relay's acknowledgement. */
  #leavesAtOnce({ to, carries }: Envelope): boolean {
    return this.#options.isLocal(to) && carries === undefined;
  }

  /** To an actor of this shard, before the record: see the header. */
  #deliverWithin(send: Envelope, ticket: Ticket): void {
    const life = this.#life;
    this.#commits.trackLocal(send.id);
    this.deliver(send, (result) => {
      // In another life of the shard the sender's commit may never have happened; if it did, the outbox has it.
      if (result.kind === 'done' || life !== this.#life) return;
      this.#commits.untrackLocal(send.id);
      this.#commits.afterDurable(ticket, ({ kind }) => kind === 'done' && this.#relay.enqueue([send]), {
        kind: 'done',
      });
    });
  }

  #durable(commits: readonly Commit[], snapshots: readonly Snapshot[]): void {
    this.#refusals.stored(commits.length);
    for (const { key, seq } of snapshots) {
      const actor = this.#actors.find(key);
      if (actor) forget(actor.memory, seq);
    }
    const later: Envelope[] = [];
    for (const { sends } of commits) for (const send of sends) if (!this.#leavesAtOnce(send)) later.push(send);
    this.#relay.enqueue(later);
    for (const { key, version, timers } of commits) {
      for (const timer of timers) if ('set' in timer) this.#timers.expect(timer.at);
      this.#watchers.durable(key, version);
    }
  }

  #crashed(actor: Actor, delivery: Delivery, error: Error): void {
    const { clock } = this.#options;
    const retryMs = this.#crashes(actor, delivery, error);
    if (retryMs !== undefined) {
      const life = this.#life;
      this.#backingOff += 1;
      clock.delay(retryMs, () => {
        this.#backingOff -= 1;
        this.#again(actor.address, delivery, life);
      });
      return;
    }
    this.#giveUp(actor, delivery, error);
  }

  #giveUp(actor: Actor, delivery: Delivery, error: Error): void {
    const { envelope, timer, settle, crashes } = delivery;
    if (isFromOutside(envelope, timer)) {
      // The edge is told and its client may repeat: nobody would ever requeue it.
      settle({ kind: 'failed', error });
      return;
    }
    this.#options.telemetry.deadLettered(envelope.message.type);
    const attempts = (this.#answered(actor, envelope.id)?.requeued ?? 0) + Math.max(crashes, 1);
    const deadLetter = { envelope, reason: `${error.name}: ${error.message}`, attempts };
    this.#commit(actor, deadLetterCommit(actor, envelope, this.#decideOptions(timer), deadLetter), settle);
  }

  #again(address: Address, delivery: Delivery, life: number): void {
    const actor = life === this.#life && !this.#unavailable() ? this.#obtain(address) : undefined;
    if (actor && !(actor instanceof Error) && this.#actors.dispatch(actor, delivery)) return;
    delivery.settle(this.#unavailable() ?? unavailable('the retry found no room'));
  }

  #refused(error: Error, commits: readonly Commit[]): void {
    const { logger, shard } = this.#options;
    const pauseMs = this.#refusals.note(error, commits);
    logger.error(
      { err: error, shard, pauseMs },
      'the log refused a record: nothing of it was acknowledged; the shard recovers',
    );
    if (!this.#stopped) this.#recovery.begin(pauseMs);
    this.#close(this.#stopped ? MOVED : unavailable('the store refused the change'));
  }

  #close(result: Settled): void {
    this.#life += 1;
    this.#relay.close();
    this.#timers.close();
    const waiting = this.#actors.stopAll();
    this.#commits.close(result);
    for (const { settle } of waiting) settle(result);
  }
}
