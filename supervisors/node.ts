/**
 * One running node: the supervision tree (system → node → shards → actors), the gateways' workers, the log and the
 * in-process transport, wired together. In a cluster the log and the transport are others; nothing else here changes.
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
  ShardLog,
  ShardStore,
  Telemetry,
} from '../actors/kernel/ports.ts';
import type { Policy } from '../actors/policy.ts';
import { createLocalTransport } from '../transport/local.ts';
import { createGatewayPool, type GatewayPool } from './gateways.ts';
import type { AnyDecider } from './memory.ts';
import { shardOf } from './placement.ts';
import type { Quarantined } from './quarantine.ts';
import { Shard } from './shard.ts';

/** Live actors of a node; the longest idle ones beyond that are let go. About 10 KB each (measured). */
const MAX_LIVE_ACTORS = 5_000;
/** An actor nobody has talked to for this long is let go. */
const IDLE_MS = 120_000;
const SWEEP_MS = 500;
/** Turns of the event loop without any work after which a node counts as idle. */
const QUIET_TURNS = 10;
const RETRY_AFTER_MS = 1_000;

export type NodeOptions = {
  readonly name: string;
  readonly shards: number;
  readonly deciders: Readonly<Record<string, AnyDecider>>;
  readonly gateways: readonly Gateway[];
  readonly policy: Policy;
  readonly log: ShardLog;
  readonly store: ShardStore;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly telemetry: Telemetry;
  readonly logger: Logger;
  readonly failPoint: FailPoint;
  readonly maxLiveActors?: number;
};

export type Node = {
  /** The shard of an aggregate; undefined when no decider knows its type. */
  shardFor(address: Address): Shard | undefined;
  deliver(envelope: Envelope, settle: (result: Settled) => void): void;
  /** Takes up the work that an earlier life left. */
  start(): void;
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
  const transport = createLocalTransport();
  const deciderOf = (type: string): AnyDecider | undefined =>
    Object.hasOwn(deciders, type) ? deciders[type] : undefined;
  const placementOf = (address: Address): number | undefined => {
    const decider = deciderOf(address.type);
    return decider && shardOf(decider.partitionKey(address.id), shards);
  };

  const pools = new Map<string, GatewayPool>();
  const owned: Shard[] = [];
  for (let shard = 0; shard < shards; shard++) {
    const owner = new Shard({
      ...options,
      shard,
      parent: silent(root, `shard-${String(shard).padStart(2, '0')}`),
      deciderOf,
      isLocal: (address) => placementOf(address) === shard,
      send: deliver,
    });
    transport.attach(shard, (envelope, settle) => owner.deliver(envelope, settle));
    owned.push(owner);
  }
  for (const gateway of options.gateways) {
    pools.set(gateway.name, createGatewayPool({ gateway, deliver, failPoint, logger }));
  }

  function deliver(envelope: Envelope, settle: (result: Settled) => void): void {
    if (envelope.to.type === 'gateway') {
      const pool = pools.get(envelope.to.id);
      if (pool) pool.call(envelope, settle);
      else settle({ kind: 'unavailable', reason: `no gateway ${envelope.to.id}`, retryAfterMs: RETRY_AFTER_MS });
      return;
    }
    const shard = placementOf(envelope.to);
    if (shard === undefined) settle({ kind: 'failed', error: new Error(`no aggregate of type ${envelope.to.type}`) });
    else transport.send(shard, envelope, settle);
  }

  const maxLive = options.maxLiveActors ?? MAX_LIVE_ACTORS;
  let cancelSweep = clock.delay(SWEEP_MS, sweep);
  function sweep(): void {
    const before = clock.monotonic() - IDLE_MS;
    const keep = Math.ceil(maxLive / shards);
    for (const shard of owned) shard.passivate(keep, before);
    cancelSweep = clock.delay(SWEEP_MS, sweep);
  }

  // A gateway call may wait for business time itself, so an unanswered one doesn't count as work of this moment.
  const quiet = (): boolean => owned.every((shard) => shard.idle);
  const finished = (): boolean => quiet() && owned.every((shard) => shard.inFlight === 0);

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
    shardFor(address) {
      const shard = placementOf(address);
      return shard === undefined ? undefined : owned[shard];
    },
    deliver,
    start() {
      for (const shard of owned) shard.start();
    },
    settled: (patienceMs) => reach(quiet, patienceMs),
    async stop(patienceMs) {
      if (!(await reach(finished, patienceMs))) {
        logger.warn({ patienceMs }, 'stopping with work under way; it goes on at the next start');
      }
      cancelSweep();
      for (const pool of pools.values()) pool.stop();
      for (const shard of owned) shard.stop();
      stop(system);
    },
    get ready() {
      return owned.every((shard) => shard.ready);
    },
    get liveActors() {
      return owned.reduce((sum, shard) => sum + shard.liveActors, 0);
    },
    get backlog() {
      return owned.reduce((sum, shard) => sum + shard.backlog, 0);
    },
    get load() {
      return owned.reduce((sum, shard) => sum + shard.load, 0);
    },
    get quarantined() {
      return owned.flatMap((shard) => shard.quarantine.all());
    },
  };
}

function silent(parent: Ref<never>, name: string): Ref<never> {
  return spawn(parent as unknown as Ref<undefined>, (state: undefined) => state, name, {
    onCrash: (_message, _error, context) => context.resume,
  }) as unknown as Ref<never>;
}
