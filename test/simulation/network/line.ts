/** A process's connection to the broker: what goes over it is late, lost or doubled, and while it is down nothing does. */
import type { SimulatedProcess, World } from '../world/world.ts';

/** Shares in [0, 1], of messages one way. */
export type NetworkFaults = {
  readonly lost: number;
  readonly doubled: number;
  /** That take up to the longest delay; the others take a moment. */
  readonly slow: number;
  readonly longestDelayMs: number;
};

export const GOOD_NETWORK: NetworkFaults = { lost: 0, doubled: 0, slow: 0, longestDelayMs: 0 };

export type Answered<Value> = { readonly kind: 'answer'; readonly value: Value } | { readonly kind: 'lost' };

const MOMENT_MS = 0.8;
const PROBE_MS = 500;

export class Network {
  readonly world: World;
  faults = GOOD_NETWORK;
  brokerUp = true;
  readonly #chance: () => number;

  constructor(world: World) {
    this.world = world;
    this.#chance = world.chance('network');
  }

  happens(share: number): boolean {
    return share > 0 && this.#chance() < share;
  }

  /** A share of what is possible, by this network's own chance. */
  amount(most: number): number {
    return this.#chance() * most;
  }

  delayMs(): number {
    const { slow, longestDelayMs } = this.faults;
    return MOMENT_MS * (0.2 + this.#chance()) + (this.happens(slow) ? this.#chance() * longestDelayMs : 0);
  }

  /** One way: never, once or twice. */
  carry(arrive: () => void): void {
    if (this.happens(this.faults.lost)) return;
    this.world.after(this.delayMs(), arrive);
    if (this.happens(this.faults.doubled)) this.world.after(this.delayMs(), arrive);
  }
}

/** Of one process, for its life. */
export class Line {
  readonly process: SimulatedProcess;
  readonly network: Network;
  /** Cut off from the broker alone. */
  cut = false;
  closed = false;
  #lastContact: number;
  readonly #whenUp = new Set<() => void>();

  constructor(network: Network, process: SimulatedProcess) {
    this.network = network;
    this.process = process;
    this.#lastContact = process.monotonic;
    this.#probe();
  }

  get up(): boolean {
    return !this.cut && !this.closed && this.network.brokerUp && this.process.state !== 'dead';
  }

  get lastContact(): number {
    return this.#lastContact;
  }

  /** From the process to the broker. */
  out(arrive: () => void): void {
    if (!this.up) return;
    this.network.carry(() => {
      if (this.up) arrive();
    });
  }

  /** From the broker to the process. */
  back(arrive: () => void): void {
    if (!this.up) return;
    this.network.carry(() => {
      if (this.up) this.process.enter(arrive);
    });
  }

  /** In order and without gaps, as long as the line is up. `arrive` is told whether it came. */
  push(arrive: (came: boolean) => void): void {
    this.network.world.after(this.network.delayMs(), () => this.process.enter(() => arrive(this.up)));
  }

  /** Has the broker do something; nobody waits longer than that for its answer. Called from the process. */
  ask<Value>(execute: () => Value, patienceMs: number): Promise<Answered<Value>> {
    return new Promise((resolve) => {
      setTimeout(() => resolve({ kind: 'lost' }), patienceMs);
      this.out(() => {
        const value = execute();
        this.back(() => resolve({ kind: 'answer', value }));
      });
    });
  }

  /** Calls it, in the process, once the line is up again or closed. */
  whenUp(task: () => void): void {
    this.#whenUp.add(task);
  }

  /** Whatever the line depends on has changed. */
  changed(): void {
    if (!this.up && !this.closed) return;
    const tasks = [...this.#whenUp];
    this.#whenUp.clear();
    for (const task of tasks) this.network.world.after(this.network.delayMs(), () => this.process.enter(task));
  }

  #probe(): void {
    if (this.closed) return;
    const sentAt = performance.now();
    void this.ask(() => undefined, PROBE_MS).then(({ kind }) => {
      if (kind === 'answer') this.#lastContact = sentAt;
    });
    setTimeout(() => this.#probe(), PROBE_MS);
  }
}
