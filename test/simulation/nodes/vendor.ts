/** The outside systems that all nodes talk to: one may not be reached, or answer too late for what it has done. */
import type { AddressAdapter } from '../../../transport/address/gateway.ts';
import { createAddressSimulator } from '../../../transport/address/simulator.ts';
import type { CarrierAdapter } from '../../../transport/carrier/gateway.ts';
import { createCarrierSimulator } from '../../../transport/carrier/simulator.ts';
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

/** The way to one of them. */
class Way {
  readonly #world: World;
  readonly #chance: () => number;
  faults = GOOD_VENDOR;

  constructor(world: World, name: string) {
    this.#world = world;
    this.#chance = world.chance(name);
  }

  call<Value>(process: SimulatedProcess, act: () => Promise<Value>): Promise<Value> {
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

export class SimulatedVendors {
  readonly payment: Way;
  readonly carrier: Way;
  readonly address: Way;
  readonly #entries = createMemoryEntries();
  readonly #ledger = createEntryLedger(this.#entries);
  /** Told of all books whenever something is written into them. */
  onChanged: (entries: Iterable<LedgerEntry>) => void = () => undefined;

  constructor(world: World) {
    this.payment = new Way(world, 'vendor');
    this.carrier = new Way(world, 'carrier');
    this.address = new Way(world, 'address');
  }

  entries(): Iterable<LedgerEntry> {
    return this.#entries.all();
  }

  ledgerOf(process: SimulatedProcess): SimulatorLedger {
    const { payment } = this;
    return {
      change: (orderId, visit) =>
        payment.call(process, async () => {
          const said = await this.#ledger.change(orderId, visit);
          this.onChanged(this.entries());
          return said;
        }),
      referred: (reference) => payment.call(process, () => this.#ledger.referred(reference)),
      after: (key, limit) => payment.call(process, () => this.#ledger.after(key, limit)),
    };
  }

  adaptersOf(process: SimulatedProcess): { readonly carrier: CarrierAdapter; readonly address: AddressAdapter } {
    const carrier = createCarrierSimulator();
    const address = createAddressSimulator({ sleep: () => Promise.resolve() });
    return {
      carrier: { perform: (...asked) => this.carrier.call(process, () => carrier.perform(...asked)) },
      address: { perform: (...asked) => this.address.call(process, () => address.perform(...asked)) },
    };
  }
}
