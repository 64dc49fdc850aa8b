/**
 * One running node: the supervision tree (system → node → shards → actors) and the gateways' workers, wired together. A node
 * without a cluster opens all shards at its start; in a cluster a shard is opened when this node has claimed it, and closed
 * when it is another's.
 */

import { type Ref, spawn, start, stop } from 'nact';
import type { Logger } from 'pino';
import type { Address } from '../actors/kernel/address.ts';
import type { Envelope } from '../actors/kernel/message.ts';
import type {
  Clock,
  FailPoint,
  Gateway,
  Ids,
  Settled,
  ShardStore,
  Telemetry,
  Transport,
} from '../actors/kernel/ports.ts';
import type { Policy } from '../actors/policy.ts';
import { createGatewayPool, type GatewayPool } from './gateways.ts';
import type { AnyDecider } from './memory.ts';
import { shardOf } from './placement.ts';
import type { Quarantined } from './quarantine.ts';
import { Shard } from './shard.ts';
import type { ShardOptions } from './shardOptions.ts';
import { createTurns } from './turns.ts';
import { MOVED, unavailable } from './unavailable.ts';

/** Live actors of a node; the longest idle ones beyond that are let go. About 10 KB each (measured). */
const MAX_LIVE_ACTORS = 5_000;
/** An actor nobody has talked to for this long is let go. */
const IDLE_MS = 120_000;
/** A saga has its next timer within this. */
const SOON_MS = 5 * 60_000;
const SWEEP_MS = 500;
/** Turns of the event loop without any work after which a node counts as idle. */
const QUIET_TURNS = 10;

export type NodeOptions = {
  readonly name: string;
  readonly shards: number;
  readonly deciders: Readonly<Record<string, AnyDecider>>;
  readonly gateways: readonly Gateway[];
  readonly policy: Policy;
  /** Carries messages to shards that aren't open here. */
  readonly elsewhere?: Transport;
  /** Nobody else can have taken the shard over unnoticed: what it wants may be done outside. Always, unless given. */
  readonly mayAct?: (shard: number) => boolean;
  readonly store: ShardStore;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly telemetry: Telemetry;
  readonly logger: Logger;
  readonly failPoint: FailPoint;
  readonly maxLiveActors?: number;
};

/** How an open shard writes its log. */
export type OpenShard = Pick<ShardOptions, 'log' | 'epoch' | 'inboxOffset'>;

export type Node = {
  /** Number of the shard of an aggregate; undefined when no decider knows its type. */
  placementOf(address: Address): number | undefined;
  /** The shard of an aggregate, if it is open here. */
  shardFor(address: Address): Shard | undefined;
  deliver(envelope: Envelope, settle: (result: Settled) => void): void;
  /** Opens a shard, which takes up the work that an earlier life left. */
  open(shard: number, how: OpenShard): void;
  /** Closes it; with `flush` what is decided becomes durable first. */
  close(shard: number, how: { readonly flush: boolean }): Promise<void>;
  /** Resolves when nothing is left to do at this moment of business time; false when `patienceMs` didn't suffice. */
  settled(patienceMs: number): Promise<boolean>;
  /** Finishes what is at work within `patienceMs`, then stops; what is left is in the outbox and goes on next time. */
  stop(patienceMs: number): Promise<void>;
  readonly ready: boolean;
  readonly liveActors: number;
  readonly backlog: number;
  /** Messages under way: in mailboxes, handed over and not answered, or waiting to be handed over. */
  readonly load: number;
  readonly quarantined: readonly Quarantined[];
};

export function createNode(options: NodeOptions): Node {
  const { shards, deciders, clock, logger, failPoint } = options;
  const system = start(options.name);
  // Silent parents: they are only there to be supervised and stopped together.
  const root = silent(system, 'node');
  const deciderOf = (type: string): AnyDecider | undefined =>
    Object.hasOwn(deciders, type) ? deciders[type] : undefined;
  const placementOf = (address: Address): number | undefined => {
    const decider = deciderOf(address.type);
    return decider && shardOf(decider.partitionKey(address.id), shards);
  };

  const pools = new Map<string, GatewayPool>();
  const opened = new Map<number, Shard>();
  const parents = new WeakMap<Shard, Ref<never>>();
  const turns = createTurns();
  /** nact forgets a stopped actor's name a turn later: each opening has its own. */
  let openings = 0;
  const all = (): Shard[] => [...opened.values()];
  const sum = (figure: (shard: Shard) => number): number => all().reduce((total, shard) => total + figure(shard), 0);
  for (const gateway of options.gateways) {
    pools.set(gateway.name, createGatewayPool({ gateway, mayCall, deliver, failPoint, logger }));
  }

  function mayCall({ from }: Envelope): boolean {
    const shard = from && placementOf(from);
    return shard === undefined || (opened.has(shard) && (options.mayAct?.(shard) ?? true));
  }

  function deliver(envelope: Envelope, settle: (result: Settled) => void): void {
    if (envelope.to.type === 'gateway') {
      const pool = pools.get(envelope.to.id);
      if (pool) pool.call(envelope, settle);
      else settle(unavailable(`no gateway ${envelope.to.id}`));
      return;
    }
    const shard = placementOf(envelope.to);
    const here = shard === undefined ? undefined : opened.get(shard);
    if (here) here.deliver(envelope, settle);
    else if (shard === undefined)
      settle({ kind: 'failed', error: new Error(`no aggregate of type ${envelope.to.type}`) });
    else if (options.elsewhere) options.elsewhere.send(shard, envelope, settle);
    else settle(MOVED);
  }

  function open(shard: number, how: OpenShard): void {
    if (opened.has(shard)) throw new Error(`shard ${shard} is open already`);
    const parent = silent(root, `shard-${String(shard).padStart(2, '0')}-${++openings}`);
    const isLocal = (address: Address): boolean => placementOf(address) === shard;
    const owner = new Shard({ ...options, ...how, shard, parent, deciderOf, isLocal, send: deliver, turns });
    opened.set(shard, owner);
    parents.set(owner, parent);
    owner.start();
  }

  async function close(shard: number, { flush }: { readonly flush: boolean }): Promise<void> {
    const owner = opened.get(shard);
    if (!owner) return;
    if (flush) await owner.drain();
    opened.delete(shard);
    owner.stop();
    const parent = parents.get(owner);
    if (parent) stop(parent);
  }

  const maxLive = options.maxLiveActors ?? MAX_LIVE_ACTORS;
  let cancelSweep = clock.delay(SWEEP_MS, sweep);
  function sweep(): void {
    const before = clock.monotonic() - IDLE_MS;
    const bounds = { keep: Math.ceil(maxLive / shards), before, soon: clock.now() + SOON_MS };
    for (const shard of opened.values()) shard.passivate(bounds);
    cancelSweep = clock.delay(SWEEP_MS, sweep);
  }

  // A gateway call may wait for business time itself, so an unanswered one doesn't count as work of this moment.
  const quiet = (): boolean => all().every((shard) => shard.idle);
  const finished = (): boolean => quiet() && all().every((shard) => shard.inFlight === 0);

  async function reach(condition: () => boolean, patienceMs: number): Promise<boolean> {
    const until = clock.monotonic() + patienceMs;
    for (let turns = 0; turns < QUIET_TURNS; ) {
      if (clock.monotonic() > until) return false;
      await new Promise((resolve) => setImmediate(resolve));
      turns = condition() ? turns + 1 : 0;
    }
    return true;
  }

  return {
    placementOf,
    shardFor(address) {
      const shard = placementOf(address);
      return shard === undefined ? undefined : opened.get(shard);
    },
    deliver,
    open,
    close,
    settled: (patienceMs) => reach(quiet, patienceMs),
    async stop(patienceMs) {
      if (!(await reach(finished, patienceMs))) {
        logger.warn({ patienceMs }, 'stopping with work under way; it goes on at the next start');
      }
      cancelSweep();
      for (const pool of pools.values()) pool.stop();
      for (const shard of opened.values()) shard.stop();
      stop(system);
    },
    get ready() {
      return all().every((shard) => shard.ready);
    },
    get liveActors() {
      return sum((shard) => shard.liveActors);
    },
    get backlog() {
      return sum((shard) => shard.backlog);
    },
    get load() {
      return sum((shard) => shard.load);
    },
    get quarantined() {
      return all().flatMap((shard) => shard.quarantine.all());
    },
  };
}

function silent(parent: Ref<never>, name: string): Ref<never> {
  return spawn(parent as unknown as Ref<undefined>, (state: undefined) => state, name, {
    onCrash: (_message, _error, context) => context.resume,
  }) as unknown as Ref<never>;
}
