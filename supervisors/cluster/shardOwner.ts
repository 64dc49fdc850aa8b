/** One shard on one node: carries out what `shardPhase.ts` says, against the log, the other nodes and the host. */
import type { Logger } from 'pino';
import { type Claim, Fenced, type NodeCalls, type SharedLog } from '../../actors/kernel/clusterPorts.ts';
import type { FollowedTables } from '../../actors/kernel/followedTables.ts';
import type { Clock } from '../../actors/kernel/ports.ts';
import type { Contact } from './contact.ts';
import { createFollower, type Follower, type FollowerOptions } from './follower.ts';
import { asHandOverAnswer, type HandOverAnswer, type HandOverRequest } from './handOver.ts';
import { type ComparedHoldings, compareHoldings } from './holdings.ts';
import { type BackOff, createBackOff, type Slots, within } from './pacing.ts';
import type { ShardHost } from './shardHost.ts';
import { holdsClaim, nextStep, type Phase } from './shardPhase.ts';

/** A claim that was lost or couldn't be made is made again after a growing pause. */
const CLAIM_BACK_OFF = { firstMs: 250, maxMs: 30_000, forgetMs: 60_000 };
/** A hand-over that was refused or went wrong. */
const ASK_BACK_OFF = { firstMs: 250, maxMs: 5_000, forgetMs: 10_000 };
/** Another node didn't say what it holds, or holds more than the log: it is asked again. */
const SOUND_BACK_OFF = { firstMs: 250, maxMs: 2_000, forgetMs: 10_000 };
/** Until our tables have reached the log's end, before a live owner is asked to stop. */
const CATCH_UP_MS = 10_000;
/** Until a live owner has written what it decided and its release. */
const HAND_OVER_MS = 5_000;
/** Whoever a release names has so long to claim before the others do. */
const NAMED_MS = 1_000;
const RELEASE_TRIES = 3;
const RELEASE_RETRY_MS = 200;

/** What all shards of a node share. */
export type NodeParts = {
  readonly me: string;
  readonly log: SharedLog;
  readonly calls: Pick<NodeCalls, 'askNode'>;
  readonly tables: FollowedTables;
  readonly host: ShardHost;
  readonly clock: Pick<Clock, 'monotonic' | 'delay'>;
  /** In [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
  readonly restore: FollowerOptions['restore'];
  readonly contact: Contact;
  /** Hand-overs that this node asked for. */
  readonly moves: Slots;
  readonly wanted: (shard: number) => string | undefined;
  readonly leaving: () => boolean;
  readonly alive: (node: string) => boolean;
  /** Names of the other nodes that live. */
  readonly others: () => readonly string[];
  readonly counts: OwnershipCounts;
};

/** Since the start of the process. */
export type OwnershipCounts = { claims: number; lost: number; released: number; received: number };

export class ShardOwner {
  readonly #parts: NodeParts;
  readonly #shard: number;
  readonly #follower: Follower;
  readonly #holdings: ComparedHoldings;
  readonly #claims: BackOff;
  readonly #asks: BackOff;
  readonly #soundings: BackOff;
  #phase: Phase = { kind: 'following' };
  #asking = false;
  /** The others are being asked what they hold. */
  #sounding = false;
  /** Of the hand-over under way. */
  #endMove: (() => void) | undefined;
  #disownedEpoch: number | undefined;
  #titleSeenAt: number;
  /** Grows with each reason to believe that the log holds claims which we haven't seen, apart from breaks of contact. */
  #surprises = 0;
  /** The doubt that was settled last by reading the log to its end, and the one that is being settled. */
  #settled = -1;
  #settling = -1;
  #stopped = false;

  constructor(shard: number, parts: NodeParts) {
    this.#shard = shard;
    this.#parts = parts;
    const { log, tables, clock, random, logger, restore } = parts;
    this.#claims = createBackOff({ clock, random, ...CLAIM_BACK_OFF });
    this.#asks = createBackOff({ clock, random, ...ASK_BACK_OFF });
    this.#soundings = createBackOff({ clock, random, ...SOUND_BACK_OFF });
    this.#titleSeenAt = clock.monotonic();
    const onTitle = (): void => {
      this.#titleSeenAt = clock.monotonic();
      this.consider();
    };
    const onApplied = (): void => {
      if (this.#phase.kind === 'claiming') this.consider();
    };
    this.#follower = createFollower({ shard, log, tables, clock, logger, restore, onTitle, onApplied });
    const warn = (error: unknown, what: string): void => this.#warn(error, what);
    this.#holdings = compareHoldings({ ...parts, shard, follower: this.#follower, warn });
  }

  get shard(): number {
    return this.#shard;
  }

  get phase(): Phase['kind'] {
    return this.#phase.kind;
  }

  get position(): number {
    return this.#follower.position;
  }

  get title(): Follower['title'] {
    return this.#follower.title;
  }

  /** Set while this node owns the shard. */
  get epoch(): number | undefined {
    return this.#phase.kind === 'owning' ? this.#phase.claim.epoch : undefined;
  }

  /** The tables have once held everything that was in the log after the start. */
  get caughtUp(): boolean {
    return this.#settled >= 0;
  }

  get mayServe(): boolean {
    const { contact } = this.#parts;
    contact.look();
    return this.#phase.kind === 'owning' && contact.up && this.#knowsTitle;
  }

  /** Resolves once our tables hold everything that the log holds now. */
  followed(): Promise<void> {
    return this.#follower.caughtUp();
  }

  start(): void {
    this.#follower.start();
    this.consider();
  }

  /** Does what is to be done now. Called when anything has changed that it depends on, and by a timer. */
  consider(): void {
    if (this.#stopped) return;
    this.#settleDoubt();
    const step = nextStep(this.#phase, this.#facts());
    switch (step.do) {
      case 'wait':
        return;
      case 'claim':
        void this.#claimIfWhole();
        return;
      case 'ask':
        void this.#ask(step.holder, step.epoch);
        return;
      case 'open':
        this.#open(step.claim);
        return;
      case 'drop':
        void this.#drop(step.claim);
        return;
      case 'release':
        void this.#release(step.claim, undefined);
        return;
      default:
        step satisfies never;
    }
  }

  /** The host found out by an append that the shard is another's, or that a new claim is needed. */
  lost(epoch: number): void {
    if (this.#phase.kind === 'owning' && this.#phase.claim.epoch === epoch) void this.#drop(this.#phase.claim);
  }

  /**
   * Undefined for at once; else it is asked whether the log has lost who had the shard meanwhile, and what he wrote.
   * @throws Fenced
   */
  mayAppend(epoch: number): Promise<void> | undefined {
    return this.#holdings.beforeWriting(() => holdsClaim(this.#phase, epoch));
  }

  /** Gives the shard up, to somebody or to anybody. */
  async handOver(epoch: number, to: string | undefined): Promise<HandOverAnswer> {
    const phase = this.#phase;
    switch (phase.kind) {
      case 'following':
        return { kind: 'not-owner' };
      case 'owning':
        if (phase.claim.epoch !== epoch) return { kind: 'refused', reason: 'busy' };
        return { kind: (await this.#release(phase.claim, to)) ? 'released' : 'not-owner' };
      case 'claiming':
      case 'releasing':
        return { kind: 'refused', reason: 'busy' };
      default:
        return phase satisfies never;
    }
  }

  /** To a node that has read so many records of the log: how many this one could bring back. */
  holdings(read: number): number {
    return this.#holdings.answer(read);
  }

  /** Ends without a word to the log: what is still owned is for others to take once they miss this node. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#follower.stop();
    this.#endMove?.();
    if (this.#phase.kind !== 'owning') return;
    this.#phase = { kind: 'releasing', claim: this.#phase.claim, fenced: true };
    await this.#close(false);
  }

  #facts(): Parameters<typeof nextStep>[1] {
    const { me, contact, wanted, leaving, alive, clock } = this.#parts;
    contact.look();
    return {
      me,
      wanted: wanted(this.#shard),
      leaving: leaving(),
      title: this.#follower.title,
      position: this.#follower.position,
      readable: this.#follower.readable,
      knowsTitle: contact.up && this.#knowsTitle,
      alive,
      disownedEpoch: this.#disownedEpoch,
      namedIsLate: clock.monotonic() - this.#titleSeenAt > NAMED_MS,
      mayClaim: this.#claims.over && this.#soundings.over && !this.#sounding,
      mayAsk: this.#asks.over && !this.#asking,
    };
  }

  /** First nobody must hold more than the log, which would be lost. */
  async #claimIfWhole(): Promise<void> {
    this.#sounding = true;
    const whole = await this.#holdings.areInLog();
    this.#sounding = false;
    if (!whole) this.#soundings.fail();
    // Meanwhile another step may have become the next one.
    else if (!this.#stopped && nextStep(this.#phase, this.#facts()).do === 'claim') await this.#claim();
    else this.consider();
  }

  async #claim(): Promise<void> {
    const { log, me, counts } = this.#parts;
    this.#phase = { kind: 'claiming' };
    counts.claims++;
    const held = this.#follower.position;
    try {
      const claim = await log.claim(this.#shard, me);
      if (claim.epoch <= held) {
        // Deciding now would go on from records that the log has lost, and no other node could follow it any more.
        this.#follower.overwritten(claim.epoch);
        throw new Error(`the claim stands at ${claim.epoch}, where this node holds entries up to ${held}`);
      }
      this.#phase = { kind: 'claiming', claim };
      // It may be lost before it is read.
      this.#surprises++;
      if (this.#stopped) await claim.release();
    } catch (error) {
      this.#warn(error, 'a shard could not be claimed, trying again');
      this.#toFollowing();
      this.#claims.fail();
    }
    this.consider();
  }

  #open(claim: Claim): void {
    const { host, logger } = this.#parts;
    this.#phase = { kind: 'owning', claim };
    this.#asks.reset();
    this.#endMove?.();
    logger.info({ shard: this.#shard, epoch: claim.epoch }, 'shard taken over');
    try {
      host.open(this.#shard, claim);
    } catch (error) {
      this.#warn(error, 'a shard could not be opened, giving it up');
      this.#claims.fail();
      void this.#release(claim, undefined);
    }
  }

  /** Somebody else has the shard, or this claim can't be used any more. */
  async #drop(claim: Claim): Promise<void> {
    const { logger, counts, me } = this.#parts;
    const opened = this.#phase.kind === 'owning';
    const title = this.#follower.title;
    counts.lost++;
    // The host may know more than the follower has seen: we must not claim what a live node has just claimed.
    this.#surprises++;
    this.#claims.fail();
    logger.warn({ shard: this.#shard, epoch: claim.epoch, title, me }, 'shard lost');
    this.#phase = { kind: 'releasing', claim, fenced: true };
    if (opened) await this.#close(false);
    this.#toFollowing();
    this.consider();
  }

  /** True when the release is in the log. */
  async #release(claim: Claim, to: string | undefined): Promise<boolean> {
    const { logger, counts } = this.#parts;
    const opened = this.#phase.kind === 'owning';
    this.#phase = { kind: 'releasing', claim, fenced: false };
    if (opened) await this.#close(true);
    const released = await this.#storeRelease(claim, to);
    if (released) {
      counts.released++;
      logger.info({ shard: this.#shard, epoch: claim.epoch, to }, 'shard released');
    }
    this.#toFollowing();
    this.consider();
    return released;
  }

  /** If it can't be stored, this node answers whoever asks that it has the shard no more. */
  async #storeRelease(claim: Claim, to: string | undefined): Promise<boolean> {
    for (let tries = 1; !this.#stopped; tries++) {
      try {
        await claim.release(to);
        return true;
      } catch (error) {
        if (error instanceof Fenced) return false;
        this.#warn(error, 'a release could not be stored');
        if (tries >= RELEASE_TRIES) return false;
        await new Promise<void>((resolve) => this.#parts.clock.delay(RELEASE_RETRY_MS, resolve));
      }
    }
    return false;
  }

  async #close(flush: boolean): Promise<void> {
    try {
      await this.#parts.host.close(this.#shard, { flush });
    } catch (error) {
      this.#warn(error, 'a shard did not close cleanly');
    }
  }

  /** Asks the live holder for the shard once our tables are as warm as its own, so that callers wait least. */
  async #ask(holder: string, epoch: number): Promise<void> {
    const { me, calls, clock, moves } = this.#parts;
    const endMove = moves.take();
    if (!endMove) return;
    this.#asking = true;
    this.#endMove = endMove;
    try {
      await within(this.#follower.caughtUp(), CATCH_UP_MS, clock);
      const request: HandOverRequest = { kind: 'hand-over', shard: this.#shard, epoch, to: me };
      await this.#answered(asHandOverAnswer(await calls.askNode(holder, request, HAND_OVER_MS)), epoch);
    } catch (error) {
      this.#warn(error, 'a hand-over went wrong, trying again', holder);
      this.#asks.fail();
    }
    this.#asking = false;
    this.consider();
    // A shard that is on its way to us keeps the slot until it is open here, or the slot expires.
    if (this.#phase.kind === 'following') endMove();
  }

  async #answered(answer: HandOverAnswer, epoch: number): Promise<void> {
    switch (answer.kind) {
      case 'released':
        this.#parts.counts.received++;
        // Not to ask once more before the release is seen in the log.
        await within(this.#follower.caughtUp(), CATCH_UP_MS, this.#parts.clock);
        return;
      case 'not-owner':
        this.#disownedEpoch = epoch;
        return;
      case 'refused':
        this.#asks.fail();
        return;
      default:
        answer satisfies never;
    }
  }

  get #doubt(): number {
    return this.#parts.contact.breaks + this.#surprises;
  }

  /** No claim is in the log that we should have heard of by now, and nothing that we hold is missing there. */
  get #knowsTitle(): boolean {
    return this.#settled === this.#doubt && this.#parts.tables.isWhole(this.#shard);
  }

  /** Reads the log to its end, before anything is claimed or answered from memory. */
  #settleDoubt(): void {
    const { contact } = this.#parts;
    contact.look();
    const doubt = this.#doubt;
    if (this.#knowsTitle || this.#settling === doubt || !contact.up) return;
    this.#settling = doubt;
    this.#follower.caughtUp().then(
      () => {
        // An earlier question may be answered later.
        this.#settled = Math.max(this.#settled, doubt);
        if (this.#settling === doubt) this.#settling = -1;
        this.consider();
      },
      (error) => {
        this.#warn(error, 'the log could not be asked what is new');
        if (this.#settling === doubt) this.#settling = -1;
      },
    );
  }

  #toFollowing(): void {
    this.#phase = { kind: 'following' };
    this.#endMove?.();
  }

  #warn(error: unknown, what: string, node?: string): void {
    if (!this.#stopped)
      this.#parts.logger.warn({ err: error, shard: this.#shard, ...(node !== undefined && { node }) }, what);
  }
}
