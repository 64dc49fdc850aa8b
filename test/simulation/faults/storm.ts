/** What goes wrong in a run. Which kinds there are, when, how long and to whom is the seed's choice. */

import type { SimulatedBroker } from '../network/broker.ts';
import { GOOD_NETWORK } from '../network/line.ts';
import type { SimulatedNode } from '../nodes/node.ts';
import { GOOD_VENDOR, type SimulatedVendors, type VendorFaults } from '../nodes/vendor.ts';
import type { World } from '../world/world.ts';
import { FAULTS, type Fault } from './kinds.ts';

/** Nobody has to hold what a broker loses if nodes lose their own as well. */
const NOT_WITH_TAIL: ReadonlySet<Fault> = new Set(['crash', 'power', 'disk-lost', 'disk-full']);

/** Mean time between two of a kind, and the longest time that one lasts, in ms. */
const TIMES: Readonly<Record<Fault, readonly [everyMs: number, lastsMs: number]>> = {
  network: [20_000, 15_000],
  heartbeats: [40_000, 10_000],
  partition: [30_000, 20_000],
  crash: [30_000, 8_000],
  power: [60_000, 8_000],
  'disk-lost': [90_000, 8_000],
  pause: [30_000, 20_000],
  clock: [40_000, 60_000],
  'disk-full': [60_000, 10_000],
  'log-full': [60_000, 8_000],
  outage: [60_000, 30_000],
  tail: [60_000, 3_000],
  vendor: [20_000, 20_000],
  carrier: [20_000, 20_000],
  'slow-disk': [40_000, 15_000],
};

/** A broker's disk holds all but what came in so late. */
const UNSYNCED_MS = 2_000;
const MAX_SKEW_MS = 90_000;
const MAX_STALL_MS = 2_000;
/** A share of the kinds is in each storm: many at once hide each other. */
const SHARE = 0.4;
/** Of each kind that it has, on average, however short it is. */
const STRIKES_AT_LEAST = 2;

export type StormOptions = {
  readonly world: World;
  readonly broker: SimulatedBroker;
  readonly vendors: SimulatedVendors;
  readonly nodes: readonly SimulatedNode[];
  /** Of the time in which things go wrong. */
  readonly lengthMs: number;
  /** Kinds that this run does without. */
  readonly without: readonly Fault[];
  /** Kinds that it has, whatever the seed says. */
  readonly only: readonly Fault[];
};

export class Storm {
  readonly #options: StormOptions;
  readonly kinds: readonly Fault[];
  /** How many of each kind there were. */
  readonly counts = new Map<Fault, number>();
  #blowing = true;

  constructor(options: StormOptions) {
    this.#options = options;
    const chance = options.world.chance('storm');
    const { only } = options;
    const chosen = FAULTS.filter((kind) => (only.length > 0 ? only.includes(kind) : chance() < SHARE));
    const hasTail = chosen.includes('tail');
    this.kinds = chosen.filter((kind) => !options.without.includes(kind) && !(hasTail && NOT_WITH_TAIL.has(kind)));
  }

  begin(): void {
    for (const kind of this.kinds) this.#later(kind);
  }

  /** Everything is well from now on. */
  heal(): void {
    const { broker, vendors, nodes, world } = this.#options;
    this.#blowing = false;
    world.note('healed');
    broker.network.faults = GOOD_NETWORK;
    broker.exchange.heartbeatsLost = 0;
    broker.logFaults.full = false;
    for (const way of [vendors.payment, vendors.carrier, vendors.address]) way.faults = GOOD_VENDOR;
    broker.setUp(true);
    for (const node of nodes) {
      node.setClock(0);
      node.setDisk(true);
      node.slowDisk(0, () => 0);
      node.setCut(false);
      node.resume();
      if (!node.life) node.start();
    }
  }

  #later(kind: Fault): void {
    const { lengthMs } = this.#options;
    const everyMs = Math.min(TIMES[kind][0], lengthMs / STRIKES_AT_LEAST);
    // A source of its own for each kind: without one, the others stay as they are.
    const chance = this.#options.world.chance(`storm/${kind}`);
    const next = (): void => {
      this.#options.world.after(everyMs * 2 * chance(), () => {
        if (!this.#blowing) return;
        const [, lastsMs] = TIMES[kind];
        const node = this.#options.nodes[Math.floor(chance() * this.#options.nodes.length)] as SimulatedNode;
        const ms = Math.floor(lastsMs * chance() ** 2);
        this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
        this.#options.world.note(`fault ${kind} for ${ms} ms at ${node.name}`);
        const mend = this.#strike(kind, node, ms, chance);
        this.#options.world.after(ms, () => {
          if (this.#blowing) mend();
          next();
        });
      });
    };
    next();
  }

  /** Answers what ends it. */
  #strike(kind: Fault, node: SimulatedNode, ms: number, chance: () => number): () => void {
    const { broker, vendors, world } = this.#options;
    switch (kind) {
      case 'network': {
        const [lost, doubled, slow] = [chance() ** 2 * 0.2, chance() ** 2 * 0.2, chance() * 0.5];
        broker.network.faults = { lost, doubled, slow, longestDelayMs: chance() * 3_000 };
        return () => {
          broker.network.faults = GOOD_NETWORK;
        };
      }
      case 'heartbeats':
        broker.exchange.heartbeatsLost = chance();
        return () => {
          broker.exchange.heartbeatsLost = 0;
        };
      case 'partition':
        node.setCut(true);
        return () => node.setCut(false);
      case 'crash':
        node.crash();
        return () => started(node);
      case 'power': {
        // The disk's own memory is lost, back to what was synced before.
        const image = node.image();
        world.after(ms, () => undefined);
        return () => {
          node.losePower(image);
          node.start();
        };
      }
      case 'disk-lost':
        node.loseDisk();
        return () => started(node);
      case 'pause':
        node.pause();
        return () => node.resume();
      case 'clock':
        node.setClock(Math.floor((chance() * 2 - 1) * MAX_SKEW_MS));
        return () => node.setClock(0);
      case 'disk-full':
        node.setDisk(false);
        return () => node.setDisk(true);
      case 'log-full':
        broker.logFaults.full = true;
        return () => {
          broker.logFaults.full = false;
        };
      case 'outage':
        broker.setUp(false);
        if (chance() < 0.3) broker.forgetIds();
        return () => broker.setUp(true);
      case 'tail': {
        broker.setUp(false);
        const lost = broker.loseSince(world.now - UNSYNCED_MS * chance());
        world.note(`the broker lost ${lost} entries`);
        return () => broker.setUp(true);
      }
      case 'vendor':
        return worse([vendors.payment], chance);
      case 'carrier':
        return worse([vendors.carrier, vendors.address], chance);
      case 'slow-disk':
        node.slowDisk(MAX_STALL_MS * chance() ** 2, chance);
        return () => node.slowDisk(0, chance);
    }
  }
}

type Faulty = { faults: VendorFaults };

function worse(ways: readonly Faulty[], chance: () => number): () => void {
  for (const way of ways) way.faults = { unreachable: chance() * 0.5, tooLate: chance() * 0.3 };
  return () => {
    for (const way of ways) way.faults = GOOD_VENDOR;
  };
}

/** Whatever else may have started it meanwhile. */
function started(node: SimulatedNode): void {
  if (!node.life) node.start();
}
