/**
 * Aggregates as the store has them, for the checks: always the newest durable state, so that what is read within one turn
 * of the event loop belongs together. States are kept for a while, and used again while nothing was committed.
 */
import type { InventoryState } from '../../actors/inventoryItem/state.ts';
import { stockAddress } from '../../actors/inventoryItem.ts';
import { type Address, type AddressKey, addressKey } from '../../actors/kernel/address.ts';
import type { ShardStore } from '../../actors/kernel/ports.ts';
import { type OrderState, orderAddress } from '../../actors/order.ts';
import { sagaAddress } from '../../actors/orderSaga/messages.ts';
import { parcelSteps } from '../../actors/orderSaga/reship.ts';
import type { SagaState } from '../../actors/orderSaga/state.ts';
import { type PaymentState, paymentAddress } from '../../actors/payment.ts';
import type { ShipmentState } from '../../actors/shipment/state.ts';
import { shipmentAddress } from '../../actors/shipment.ts';
import type { AuditReader } from '../../storage/auditReader.ts';
import { type AnyDecider, type Memory, recall } from '../memory.ts';

/** Aggregates kept; a popular stock item has thousands of reservations. */
const MAX_KEPT = 64;

export class Unreadable extends Error {
  override readonly name = 'Unreadable';
  readonly key: AddressKey;

  constructor(key: AddressKey, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.key = key;
  }
}

export type OrderGroup = {
  readonly order: OrderState;
  readonly saga: SagaState;
  readonly payment: PaymentState;
  readonly shipments: readonly ShipmentState[];
};

export type FactsOptions = {
  readonly store: Pick<ShardStore, 'load'>;
  readonly reader: AuditReader;
  readonly deciders: Readonly<Record<string, AnyDecider>>;
};

export class Facts {
  readonly #options: FactsOptions;
  readonly #kept = new Map<AddressKey, Memory>();

  constructor(options: FactsOptions) {
    this.#options = options;
  }

  /** @throws Unreadable when the state can't be rebuilt */
  memory(address: Address): Memory {
    const { store, reader, deciders } = this.#options;
    const key = addressKey(address);
    const kept = this.#kept.get(key);
    this.#kept.delete(key);
    const memory = kept?.seq === reader.newestSeq(key) ? kept : load();
    this.#kept.set(key, memory);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MAX_KEPT) break;
      this.#kept.delete(oldest);
    }
    return memory;

    function load(): Memory {
      const decider = deciders[address.type];
      if (!decider) throw new Unreadable(key, new Error(`no aggregate of type ${address.type}`));
      try {
        return recall(store, decider, address, () => []);
      } catch (error) {
        throw new Unreadable(key, error);
      }
    }
  }

  state<State>(address: Address): State {
    // The decider of its type made it.
    return this.memory(address).state as State;
  }

  stock(sku: string, warehouse: string): InventoryState {
    return this.state<InventoryState>(stockAddress(sku, warehouse));
  }

  group(orderId: string): OrderGroup {
    const order = this.state<OrderState>(orderAddress(orderId));
    const saga = this.state<SagaState>(sagaAddress(orderId));
    const known = order.status === 'unknown' ? [] : Object.keys(order.shipments);
    const asked = saga.status === 'started' ? parcelSteps(saga).map(({ work }) => work.shipmentId) : [];
    return {
      order,
      saga,
      payment: this.state<PaymentState>(paymentAddress(orderId)),
      shipments: [...new Set([...known, ...asked])].map((id) => this.state<ShipmentState>(shipmentAddress(id))),
    };
  }

  /** Whether messages are on their way from or to these aggregates of one order, the stock of its lines included. */
  underWay(orderId: string, { saga, shipments }: Pick<OrderGroup, 'saga' | 'shipments'>): boolean {
    const { reader } = this.#options;
    const own = new Set([orderId, ...shipments.map(({ id }) => id)]);
    if ([...own].some((id) => reader.waitingFrom(`${id}/`).length > 0)) return true;
    const steps = saga.status === 'started' ? Object.values(saga.steps) : [];
    const items = steps.flatMap(({ work }) => ('sku' in work ? [stockAddress(work.sku, work.warehouse)] : []));
    const keys = new Set(items.map((item) => addressKey(item)));
    return [...keys].some((key) => this.#waitsFor(key, own));
  }

  /** Whether a stock item has a message on its way to an order it may not even know. */
  answering(stock: AddressKey, orderId: string): boolean {
    return this.#waitsFor(stock, new Set([orderId]));
  }

  #waitsFor(sender: AddressKey, receivers: ReadonlySet<string>): boolean {
    const waiting = this.#options.reader.waitingFrom(`${sender}#`);
    return waiting.some(({ sent }) => sent !== undefined && receivers.has(sent.envelope.to.id));
  }
}
