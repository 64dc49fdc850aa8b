/** The one payment vendor that all nodes talk to: it may not be reached, or answer too late for what it has done. */
import { GatewayTimeout, GatewayUnavailable } from '../../../transport/gateway.ts';
import { createEntryLedger, createMemoryEntries } from '../../../transport/payment/entryLedger.ts';
import type { LedgerEntry, SimulatorLedger } from '../../../transport/payment/ledger.ts';
import type { SimulatedProcess, World } from '../world/world.ts';

/** Shares in [0, 1]. */
export type VendorFaults = {
  /** It isn't reached, and does nothing. */
  readonly unreachable: number;
  /** It does it, before or after nobody waits for the answer any more. */
  readonly tooLate: number;
};

export const GOOD_VENDOR: VendorFaults = { unreachable: 0, tooLate: 0 };

const ANSWER_MS = 20;
const GIVEN_UP_MS = 5_000;

export class SimulatedVendor {
  readonly #world: World;
  readonly #chance: () => number;
  readonly #entries = createMemoryEntries();
  readonly #ledger = createEntryLedger(this.#entries);
  faults = GOOD_VENDOR;

  constructor(world: World) {
    this.#world = world;
    this.#chance = world.chance('vendor');
  }

  entries(): Iterable<LedgerEntry> {
    return this.#entries.all();
  }

  ledgerOf(process: SimulatedProcess): SimulatorLedger {
    return {
      change: (orderId, visit) => this.#call(process, () => this.#ledger.change(orderId, visit)),
      referred: (reference) => this.#call(process, () => this.#ledger.referred(reference)),
      after: (key, limit) => this.#call(process, () => this.#ledger.after(key, limit)),
    };
  }

  #call<Value>(process: SimulatedProcess, act: () => Promise<Value>): Promise<Value> {
    const { unreachable, tooLate } = this.faults;
    const chance = this.#chance();
    const way = (): number => ANSWER_MS * this.#chance();
    return new Promise((resolve, reject) => {
      const answer = (tell: () => void): void => void this.#world.after(way(), () => process.enter(tell));
      if (chance < unreachable) {
        answer(() => reject(new GatewayUnavailable('simulated: not reached')));
      } else if (chance < unreachable + tooLate) {
        this.#world.after(GIVEN_UP_MS * 2 * this.#chance(), () => void act().catch(() => undefined));
        this.#world.after(GIVEN_UP_MS, () => process.enter(() => reject(new GatewayTimeout('simulated: no answer'))));
      } else {
        this.#world.after(way(), () => {
          act().then(
            (value) => answer(() => resolve(value)),
            (error: unknown) => answer(() => reject(error)),
          );
        });
      }
    });
  }
}
