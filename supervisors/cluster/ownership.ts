/**
 * Which shards this node decides for. Every node follows the logs of all shards; ownership only says who appends. The log
 * refuses whoever isn't the newest claimant, so all that is decided here may be late or wrong without harm.
 */
import type { Logger } from 'pino';
import type { Heartbeat, LogUnreadable, NodeCalls, SharedLog } from '../../actors/kernel/clusterPorts.ts';
import type { FollowedTables } from '../../actors/kernel/followedTables.ts';
import type { Clock } from '../../actors/kernel/ports.ts';
import { type ClusterView, shardView } from './clusterView.ts';
import { createContact } from './contact.ts';
import { createFitness } from './fitness.ts';
import { type HandOverAnswer, type HandOverRequest, isHandOverRequest } from './handOver.ts';
import { type Holdings, type HoldingsQuestion, isHoldingsQuestion } from './holdings.ts';
import { createMembership, type NameTaken, TIMEOUT_MS } from './membership.ts';
import { createSlots, within } from './pacing.ts';
import { type WantedPlace, wantedPlace } from './rendezvous.ts';
import type { ShardHost } from './shardHost.ts';
import { type OwnershipCounts, ShardOwner } from './shardOwner.ts';

/** A node without contact for so long answers no reads: the others wait longer before they take its shards. */
const HOLD_MS = (TIMEOUT_MS * 2) / 3;
/** How often time-outs, back-offs and the contact are looked at. */
const TICK_MS = 250;
/** A node that may own shards from now on waits for so long: others that start with it become active at the same time. */
const FIRST_CLAIM_MS = 500;
/** Shards that this node takes over from live nodes at a time, and that it hands over. */
const MAX_MOVES = 2;
const MOVE_SPACING_MS = 100;
const MOVE_EXPIRE_MS = 20_000;
/** The last releases of a drained node may take so long. */
const LAST_RELEASES_MS = 5_000;

export interface Ownership {
  /** This node owns the shard and nobody else can have taken it over unnoticed: its memory may be read. */
  mayServe(shard: number): boolean;
  /**
   * Asked before each attempt of an append under this claim, as `MayAppend` says. After a break of contact the log may have
   * lost that others had the shard meanwhile: it is known once they were asked what they hold.
   * @throws Fenced
   */
  mayAppend(shard: number, epoch: number): Promise<void> | undefined;
  /** The host was fenced off under this claim, or needs a new one. */
  lost(shard: number, epoch: number): void;
  /** To what other nodes ask this one by name; undefined if it is another's question. */
  answer(body: unknown): Promise<HandOverAnswer | Holdings> | undefined;
  /**
   * Hands all shards over, few at a time; those that nobody came for within the patience are released to anybody. Resolves
   * with the number of shards that couldn't be released: others take them once they miss this node.
   */
  drain(patienceMs: number): Promise<number>;
  /** Leaves at once, without a word to the log. */
  stop(): Promise<void>;
  /**
   * Resolves once this node's tables hold everything that the shard's log holds now.
   * @throws CallTimedOut after the time given in ms; what the log throws when it can't be asked
   */
  caughtUp(shard: number, withinMs: number): Promise<void>;
  view(): ClusterView;
  /** Cheap enough for each probe. */
  readonly ready: boolean;
}

export type OwnershipOptions = {
  readonly shards: number;
  /** Incarnations of one name must sort by their start, as ULIDs do. */
  readonly self: Pick<Heartbeat, 'node' | 'incarnation' | 'version' | 'address'>;
  readonly log: SharedLog;
  /** `answer` must be given to `serveNode` by the caller. */
  readonly calls: Pick<NodeCalls, 'announce' | 'heard' | 'askNode' | 'lastContact'>;
  readonly tables: FollowedTables;
  readonly host: ShardHost;
  /** The host can take what it is asked; else others have its shards, as long as there are any. */
  readonly isWell: () => boolean;
  readonly clock: Pick<Clock, 'monotonic' | 'delay'>;
  /** In [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
  /**
   * The log can't be followed from where the shard's tables are. Resolves when they were brought to where it can; nothing is
   * applied meanwhile.
   */
  readonly restore: (shard: number, why: LogUnreadable) => Promise<void>;
  /** Another node uses our name: this one has left and must end. */
  readonly onNameTaken: (error: NameTaken) => void;
};

export function createOwnership(options: OwnershipOptions): Ownership {
  const { self, calls, clock, logger } = options;
  const me = self.node;
  const contact = createContact({ clock, calls, limitMs: HOLD_MS });
  const counts: OwnershipCounts = { claims: 0, lost: 0, released: 0, received: 0 };
  const slots = { clock, size: MAX_MOVES, expireMs: MOVE_EXPIRE_MS };
  const given = createSlots({ ...slots, spacingMs: 0 });
  const parts = {
    ...options,
    me,
    contact,
    counts,
    moves: createSlots({ ...slots, spacingMs: MOVE_SPACING_MS }),
    wanted: (shard: number) => (clock.monotonic() >= firstClaimAt ? place(shard).owner : undefined),
    leaving: () => membership.state === 'draining',
    alive: (node: string) => membership.alive(node),
    others: () => membership.members().flatMap(({ node, state }) => (state === 'dead' ? [] : [node])),
  };
  const owners = Array.from({ length: options.shards }, (_, shard) => new ShardOwner(shard, parts));
  let cancelTick: () => void = () => undefined;
  let stopped = false;
  /** Every shard that was this node's share at first has been open here. */
  let hasBegun = false;
  let firstClaimAt = Number.POSITIVE_INFINITY;
  let places: readonly WantedPlace[] = [];
  const fitness = createFitness(clock, options.isWell);
  const membership = createMembership({
    clock,
    calls,
    self,
    standings,
    onChange,
    onNameTaken: (error) => {
      logger.fatal({ err: error }, 'another node has the name of this one');
      void stop();
      options.onNameTaken(error);
    },
  });

  const place = (shard: number): WantedPlace => places[shard] ?? {};

  function standings(): Heartbeat['shards'] {
    return owners.map(({ shard, epoch, position }) => ({ shard, ...(epoch !== undefined && { epoch }), position }));
  }

  function onChange(): void {
    const active = membership.active();
    places = owners.map(({ shard }) => wantedPlace(shard, active));
    considerAll();
  }

  function considerAll(): void {
    for (const owner of owners) owner.consider();
  }

  function tick(): void {
    cancelTick = clock.delay(TICK_MS, tick);
    membership.look();
    const fit = fitness.look();
    if (!fit && membership.state === 'active' && membership.active().length > 1) {
      logger.error({ node: me }, 'this node can not write its file: others have its shards until it can');
      membership.setState('joining');
    }
    if (fit && membership.state === 'joining' && membership.settled && owners.every(({ caughtUp }) => caughtUp)) {
      logger.info({ node: me }, 'all logs are followed: this node may own shards');
      firstClaimAt = clock.monotonic() + FIRST_CLAIM_MS;
      membership.setState('active');
    }
    considerAll();
  }

  async function handOver({ shard, epoch, to }: HandOverRequest): Promise<HandOverAnswer> {
    const owner = owners[shard];
    if (!owner || stopped) return { kind: 'not-owner' };
    if (owner.phase === 'owning' && place(shard).owner !== to) return { kind: 'refused', reason: 'not-wanted' };
    const done = given.take();
    if (!done) return { kind: 'refused', reason: 'busy' };
    return owner.handOver(epoch, to).finally(done);
  }

  const holdings = async ({ shard, records }: HoldingsQuestion): Promise<Holdings> => ({
    records: owners[shard]?.holdings(records) ?? 0,
  });

  const held = (): ShardOwner[] => owners.filter(({ phase }) => phase !== 'following');

  async function untilNothingIsHeld(deadline: number, giveUp: () => boolean): Promise<void> {
    while (!stopped && held().length > 0 && clock.monotonic() < deadline && !giveUp()) {
      await new Promise<void>((resolve) => clock.delay(TICK_MS, resolve));
    }
  }

  async function drain(patienceMs: number): Promise<number> {
    membership.setState('draining');
    logger.info({ shards: held().length, patienceMs }, 'handing all shards over');
    await untilNothingIsHeld(clock.monotonic() + patienceMs, () => membership.others().length === 0);
    const rest = held().flatMap((owner) => (owner.epoch === undefined ? [] : [owner.handOver(owner.epoch, undefined)]));
    if (rest.length > 0) logger.warn({ shards: rest.length }, 'nobody came for these shards: released to anybody');
    await untilNothingIsHeld(clock.monotonic() + LAST_RELEASES_MS, () => false);
    return held().length;
  }

  async function stop(): Promise<void> {
    if (stopped) return;
    stopped = true;
    cancelTick();
    membership.stop();
    await Promise.all(owners.map((owner) => owner.stop()));
  }

  function isReady(): boolean {
    contact.look();
    if (membership.state !== 'active' || !contact.up) return false;
    // What it has it must serve. What moves to it later is the others' until then, and it reaches the others.
    const served = owners.every((owner) => owner.caughtUp && (owner.phase !== 'owning' || owner.mayServe));
    hasBegun ||= owners.every((owner) => place(owner.shard).owner !== me || owner.mayServe);
    return served && hasBegun;
  }

  for (const owner of owners) owner.start();
  tick();
  return {
    mayServe: (shard) => owners[shard]?.mayServe ?? false,
    mayAppend: (shard, epoch) => owners[shard]?.mayAppend(epoch),
    lost: (shard, epoch) => owners[shard]?.lost(epoch),
    answer(body) {
      if (isHoldingsQuestion(body)) return holdings(body);
      return isHandOverRequest(body) ? handOver(body) : undefined;
    },
    caughtUp: (shard, withinMs) => within(owners[shard]?.followed() ?? Promise.resolve(), withinMs, clock),
    drain,
    stop,
    view: () => ({
      me,
      state: membership.state,
      ready: isReady(),
      nodes: [{ ...self, state: membership.state, heardMsAgo: 0, shards: standings() }, ...membership.members()],
      shards: owners.map((owner) => shardView(owner, place(owner.shard), me, membership)),
      counts: { ...counts },
    }),
    get ready() {
      return isReady();
    },
  };
}
