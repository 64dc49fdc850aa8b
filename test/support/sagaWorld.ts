/**
 * A world of a few orders that want the same scarce stock: order, saga, stock, payment and shipments as they are, a payment
 * vendor and a carrier with moods. Messages arrive in any order, late and repeated; timers fire at any time after they are
 * due; customers, operators and warehouses do what they like. What must hold is checked after each step.
 */
import * as assert from 'uvu/assert';
import {
  type CarrierGatewayRequest,
  type CarrierGatewayResult,
  type PaymentGatewayRequest,
  paymentGateway,
} from '../../actors/gateways.ts';
import { type InventoryState, stockAddress } from '../../actors/inventoryItem.ts';
import { type Address, addressKey } from '../../actors/kernel/address.ts';
import type { Decider, TimerChange, Typed, Versioned } from '../../actors/kernel/decider.ts';
import { money } from '../../actors/kernel/money.ts';
import { type Order, type OrderState, orderAddress } from '../../actors/order.ts';
import { sagaAddress } from '../../actors/orderSaga/messages.ts';
import type { Saga, SagaState } from '../../actors/orderSaga/saga.ts';
import { paymentAddress } from '../../actors/payment.ts';
import { defaultPolicy, type Policy } from '../../actors/policy.ts';
import { type CommandOf, shop } from '../../actors/shop.ts';
import { draft, line } from './orders.ts';
import { T0 } from './spec.ts';
import { assertI5 } from './stock.ts';
import { type Mood, Vendor } from './vendor.ts';

type AnyDecider = Decider<unknown, Typed, Versioned, Policy>;
type Timer = Extract<TimerChange, { set: string }> & { readonly generation: number };
type SetTimer = Timer & { readonly address: Address };
type Actor = {
  readonly address: Address;
  state: unknown;
  events: Versioned[];
  readonly seen: Set<string>;
  readonly timers: Map<string, Timer>;
};
type Letter = {
  readonly id: string;
  readonly to: Address;
  readonly from: Address;
  readonly message: Typed;
  /** Of a timer: it is dropped if it was set anew or cleared since. */
  readonly timer?: { readonly name: string; readonly generation: number };
};

const deciders: Readonly<Record<string, AnyDecider>> = shop;
const outside: Address = { type: 'edge', id: 'edge' };

export const ORDERS = ['ord_a', 'ord_b', 'ord_c'] as const;
export const WAREHOUSES = ['wh-central', 'wh-east'] as const;
export const SKUS = ['mug', 'tea'] as const;
const policy: Policy = {
  ...defaultPolicy,
  review: { ...defaultPolicy.review, totalAbove: 6_000 },
  // Hardly any: what the stock has forgotten must not be able to come back.
  stock: { ...defaultPolicy.stock, tombstones: 1 },
  warehouses: defaultPolicy.warehouses.filter(({ id }) => WAREHOUSES.some((warehouse) => warehouse === id)),
};
const MOODS: readonly Mood[] = ['fine', 'fine', 'fine', 'fine', 'refuse', 'unavailable', 'lost', 'silent', 'late'];

export class SagaWorld {
  now = T0;
  readonly #vendors = new Map<string, Vendor>(ORDERS.map((orderId) => [orderId, new Vendor()]));
  readonly #labels = new Map<string, CarrierGatewayResult>();
  readonly #actors = new Map<string, Actor>();
  readonly #delivered: Letter[] = [];
  /** Authorizations that their customer has to approve, by key; and all that were ever asked for. */
  readonly #atBank = new Map<string, { readonly orderId: string; readonly request: PaymentGatewayRequest }>();
  readonly #asked = new Set<string>();
  #letters: Letter[] = [];
  #number = 0;

  /** The first order is cheap, the second one wants all of one SKU, the third is dear enough for a review. */
  place(): void {
    const wants = [[line('mug', 2, 900), line('tea', 1, 500)], [line('mug', 3, 900)], [line('tea', 2, 3_000)]];
    for (const [index, orderId] of ORDERS.entries()) {
      this.#post(orderAddress(orderId), { type: 'PlaceOrder', draft: draft(wants[index], { orderId }) });
    }
  }

  receive(sku: string, warehouse: string, quantity: number): void {
    if (quantity > 0) this.#post(stockAddress(sku, warehouse), { type: 'ReceiveStock', quantity });
  }

  expect(sku: string, warehouse: string, quantity: number, days: number): void {
    if (quantity > 0) {
      const at = this.now + 1 + days * 24 * 60 * 60_000;
      this.#post(stockAddress(sku, warehouse), { type: 'ExpectDelivery', quantity, at });
    }
  }

  // what can happen; each says whether it did

  /** A few pieces come in somewhere. */
  supply(n: number, quantity: number): boolean {
    this.receive(SKUS[n % 2] ?? SKUS[0], WAREHOUSES[(n >> 1) % 2] ?? WAREHOUSES[0], quantity % 4);
    return true;
  }

  choose(n: number, choice: 'wait' | 'cancel'): boolean {
    return this.#post(sagaAddress(this.#order(n)), { type: 'ChooseBackorder', by: 'customer:cus_1', choice });
  }

  deliver(n: number, mood: number): boolean {
    const letter = this.#letters[n % Math.max(1, this.#letters.length)];
    if (letter === undefined) return false;
    this.#letters = this.#letters.filter((other) => other !== letter);
    this.#open(letter, mood);
    return true;
  }

  /**
   * It will come once more, as after a crash before the acknowledgement. The runtime knows a message by its id; of a
   * gateway, the result was lost with the crash.
   */
  duplicate(n: number, mood: number): boolean {
    const letter = this.#letters[n % Math.max(1, this.#letters.length)];
    if (letter === undefined) return false;
    const { length } = this.#letters;
    this.#open(letter, mood);
    if (letter.to.type === 'gateway') this.#letters = this.#letters.slice(0, length);
    return true;
  }

  /** Once more under a new id, which no runtime can know: what is said is said twice. */
  repeat(n: number, mood: number): boolean {
    const letter = this.#delivered[n % Math.max(1, this.#delivered.length)];
    // What was shipped is not asked for again so late that the stock has forgotten it.
    const never = letter?.to.type === 'gateway' || letter?.message.type === 'ReserveStock';
    if (letter === undefined || letter.timer !== undefined || never) return false;
    this.#open({ ...letter, id: `again-${++this.#number}` }, mood);
    return true;
  }

  /** Everything that is under way arrives. */
  deliverAll(): boolean {
    const some = this.deliver(0, 0);
    while (this.deliver(0, 0));
    return some;
  }

  fire(n: number, late: number): boolean {
    const timers = this.#timers();
    const timer = timers[n % Math.max(1, timers.length)];
    return timer !== undefined && this.#fire(timer, late);
  }

  cancel(n: number, role: 'customer' | 'staff'): boolean {
    const by = { role, id: role === 'customer' ? 'cus_1' : 'ops' };
    return this.#post(orderAddress(this.#order(n)), { type: 'CancelOrder', by, reason: 'changed my mind' });
  }

  operate(n: number, type: 'ReleaseHold' | 'CancelByOperator' | 'RetrySaga'): boolean {
    return this.#post(sagaAddress(this.#order(n)), { type, by: 'ops', why: 'because' });
  }

  /** Gives something back of an order that goes on. */
  refund(n: number, amount: number | null): boolean {
    const given = amount === null ? null : money(amount, 'USD');
    const command = { type: 'RefundByOperator', by: 'ops', why: 'goodwill', amount: given };
    return this.#post(sagaAddress(this.#order(n)), command);
  }

  /** The customer gives another payment method. */
  payAnew(n: number): boolean {
    return this.#post(sagaAddress(this.#order(n)), {
      type: 'ProvidePaymentMethod',
      by: 'customer:cus_1',
      token: 'tok',
    });
  }

  /** The warehouse or the carrier reports on any of the shipments. */
  report(
    n: number,
    report: 'picked' | 'handed-to-carrier' | 'in-transit' | 'delivered' | 'lost' | 'returned',
  ): boolean {
    return this.#tellShipment(n, { type: 'ReportShipment', report });
  }

  reship(n: number): boolean {
    return this.#tellShipment(n, { type: 'ReshipShipment', by: 'ops', why: 'because' });
  }

  /** What came back is fit for sale. */
  book(n: number, m: number): boolean {
    const lines = SKUS.filter((_, index) => m % 3 !== index).map((sku) => ({ sku, restock: 1 }));
    return this.#tellShipment(n, { type: 'BookReturnedPieces', lines, by: 'ops', why: 'unopened' });
  }

  #tellShipment(n: number, command: CommandOf<'shipment'>): boolean {
    const shipments = this.#all('shipment');
    const shipment = shipments[n % Math.max(1, shipments.length)];
    return shipment !== undefined && this.#post(shipment.address, command);
  }

  /** The customer approves at the bank, or the vendor executes what it had given up on: both are told by webhook. */
  webhooks(n: number): boolean {
    const orderId = this.#order(n);
    const approved = [...this.#atBank.values()].filter((waiting) => waiting.orderId === orderId);
    for (const { request } of approved) this.#atBank.delete(request.key);
    const vendor = this.#vendor(orderId);
    const executed = approved.map(({ request }) => vendor.answer(request, 'fine', this.now));
    const results = [...executed, ...vendor.webhooks(this.now)];
    for (const result of results) this.#letters.push(this.#letter(paymentAddress(orderId), result, paymentGateway));
    return results.length > 0;
  }

  // what is

  order(orderId: string): Order {
    const state = this.#stateOf<OrderState>(orderAddress(orderId));
    if (state.status === 'unknown') throw new Error(`${orderId} was not placed`);
    return state;
  }

  saga(orderId: string): Saga | undefined {
    const state = this.#stateOf<SagaState>(sagaAddress(orderId));
    return state.status === 'started' ? state : undefined;
  }

  books(orderId: string): { readonly captures: number; readonly captured: number; readonly held: number } {
    const vendor = this.#vendor(orderId);
    const captured = vendor.authorizations.reduce((sum, a) => sum + a.captured - a.refunded, 0);
    return { captures: vendor.captures, captured, held: vendor.holds(Number.MAX_SAFE_INTEGER, this.now) - captured };
  }

  /** What the stock keeps for an order: `sku quantity status`. */
  reservations(orderId: string): string[] {
    return SKUS.flatMap((sku) =>
      WAREHOUSES.flatMap((warehouse) => {
        const { reservations } = this.#stateOf<InventoryState>(stockAddress(sku, warehouse));
        const all = Object.values(reservations).flatMap((bucket) => Object.entries(bucket));
        return all
          .filter(([id]) => id.startsWith(`${orderId}/`))
          .map(([, { quantity, status }]) => `${sku} ${quantity} ${status}`);
      }),
    ).sort();
  }

  /** Where an order waits: `sku quantity warehouse`. */
  queued(orderId: string): string[] {
    return SKUS.flatMap((sku) =>
      WAREHOUSES.flatMap((warehouse) => {
        const { backorders } = this.#stateOf<InventoryState>(stockAddress(sku, warehouse));
        const own = backorders.filter(({ sagaId }) => sagaId === orderId);
        return own.map(({ quantity }) => `${sku} ${quantity} ${warehouse}`);
      }),
    ).sort();
  }

  shipped(): number {
    const stock = SKUS.flatMap((sku) => WAREHOUSES.map((warehouse) => stockAddress(sku, warehouse)));
    return stock.reduce((sum, address) => sum + this.#stateOf<InventoryState>(address).shipped, 0);
  }

  /**
   * From now on everybody answers, nothing is lost, and time goes on until nothing is left to do. `expiring`: also what
   * would end by itself one day, reservations and authorizations, and so hide that nobody gave it back.
   */
  settle(expiring: boolean): void {
    for (let step = 0; this.deliver(0, 0) || this.webhooks(step) || this.#fireEarliest(expiring); step++) {
      if (step > 5_000) throw new Error('it never comes to rest');
    }
  }

  /** I5 and I6: hold at every moment. */
  check(): void {
    for (const { state } of this.#all('stock')) assertI5(state as InventoryState);
    for (const orderId of ORDERS) {
      const vendor = this.#vendor(orderId);
      assert.ok(vendor.captures <= 1, 'captured twice');
      for (const { amount, captured, refunded } of vendor.authorizations) {
        assert.ok(captured <= amount.amount && refunded <= captured, 'more taken or returned than there was');
      }
    }
  }

  /** I9: the log, replayed from zero, is the state. */
  checkReplay(): void {
    for (const { address, state, events } of this.#actors.values()) {
      const decider = this.#deciderOf(address.type);
      const stored: Versioned[] = JSON.parse(JSON.stringify(events));
      assert.equal(
        stored.reduce((current, event) => decider.evolve(current, event), decider.initial(address.id)),
        state,
      );
    }
  }

  #order(n: number): string {
    return ORDERS[n % ORDERS.length] ?? ORDERS[0];
  }

  #vendor(orderId: string): Vendor {
    const vendor = this.#vendors.get(orderId);
    if (vendor === undefined) throw new Error(`no vendor for ${orderId}`);
    return vendor;
  }

  #deciderOf(type: string): AnyDecider {
    const decider = deciders[type];
    if (decider === undefined) throw new Error(`no decider for ${type}`);
    return decider;
  }

  #actor(address: Address): Actor {
    const key = addressKey(address);
    const known = this.#actors.get(key);
    if (known !== undefined) return known;
    const state = this.#deciderOf(address.type).initial(address.id);
    const actor: Actor = { address, state, events: [], seen: new Set(), timers: new Map() };
    this.#actors.set(key, actor);
    return actor;
  }

  #all(type: string): Actor[] {
    return [...this.#actors.values()].filter(({ address }) => address.type === type);
  }

  #stateOf<State>(address: Address): State {
    return this.#actor(address).state as State;
  }

  #timers(): readonly SetTimer[] {
    return [...this.#actors.values()].flatMap(({ address, timers }) =>
      [...timers.values()].map((timer) => ({ ...timer, address })),
    );
  }

  #fireEarliest(expiring: boolean): boolean {
    const timers = this.#timers().filter(({ set: name }) => expiring || !name.startsWith('expire'));
    const earliest = timers.toSorted((a, b) => a.at - b.at)[0];
    return earliest !== undefined && this.#fire(earliest, 0);
  }

  /** It comes as a message, and so may be overtaken by whatever sets or clears it. */
  #fire({ address, at, set: name, generation, message }: SetTimer, late: number): boolean {
    this.now = Math.max(this.now, at) + late;
    this.#letters.push({ ...this.#letter(address, message, address), timer: { name, generation } });
    return true;
  }

  #letter(to: Address, message: Typed, from: Address = outside): Letter {
    return { id: `letter-${++this.#number}`, to, from, message };
  }

  /** The edge waits for its answer: its requests are handled at once. */
  #post<Message extends Typed>(to: Address, message: Message): boolean {
    this.#open(this.#letter(to, message), 0);
    return true;
  }

  #open(letter: Letter, mood: number): void {
    if (letter.from !== outside) this.#delivered.push(letter);
    if (letter.to.type === 'gateway') this.#callGateway(letter, mood);
    else this.#decide(letter);
    this.check();
  }

  #decide({ id, to, message, timer }: Letter): void {
    const actor = this.#actor(to);
    if (actor.seen.has(id)) return;
    if (timer !== undefined) {
      if (actor.timers.get(timer.name)?.generation !== timer.generation) return;
      actor.timers.delete(timer.name);
    }
    actor.seen.add(id);
    const decider = this.#deciderOf(to.type);
    const decision = decider.decide(actor.state, message, { now: this.now, id, policy });
    if (decision.rejection !== undefined) return;
    actor.state = decision.events.reduce((state, event) => decider.evolve(state, event), actor.state);
    actor.events.push(...decision.events);
    for (const send of decision.sends ?? []) this.#letters.push(this.#letter(send.to, send.message, to));
    for (const change of decision.timers ?? []) {
      if ('set' in change) actor.timers.set(change.set, { ...change, generation: ++this.#number });
      else actor.timers.delete(change.clear);
    }
  }

  #callGateway({ to, from, message }: Letter, n: number): void {
    const mood = MOODS[n % MOODS.length] ?? 'fine';
    const result =
      to.id === 'carrier'
        ? this.#carrier(message as CarrierGatewayRequest, mood)
        : this.#bank(from.id, message as PaymentGatewayRequest, mood, n);
    this.#letters.push(this.#letter(from, result, to));
  }

  #bank(orderId: string, request: PaymentGatewayRequest, mood: Mood, n: number): Typed {
    const { key } = request;
    if (request.type === 'GatewayAuthorize' && n % 7 === 6 && !this.#asked.has(key)) {
      this.#atBank.set(key, { orderId, request });
    }
    this.#asked.add(key);
    if (this.#atBank.has(key)) {
      const result = { outcome: 'requires-action', url: 'https://bank.example' } as const;
      return { type: 'PaymentGatewayResult', operation: request.type, key, result } as Typed;
    }
    return this.#vendor(orderId).answer(request, mood, this.now);
  }

  #carrier(request: CarrierGatewayRequest, mood: Mood): CarrierGatewayResult {
    const { type: operation, key } = request;
    const says = (result: CarrierGatewayResult['result']): CarrierGatewayResult => ({
      type: 'CarrierGatewayResult',
      operation,
      key,
      result,
    });
    if (mood === 'unavailable') return says({ outcome: 'unavailable', reason: 'no connection' });
    if (mood === 'refuse') return says({ outcome: 'failed', reason: 'no' });
    const label = { outcome: 'label', labelId: `lbl_${key}`, carrier: 'UPS', trackingNumber: `1Z${key}` } as const;
    const done = this.#labels.get(key) ?? says(operation === 'CarrierBuyLabel' ? label : { outcome: 'voided' });
    if (mood !== 'lost') this.#labels.set(key, done);
    return mood === 'fine' ? done : says({ outcome: 'unknown', reason: 'timed out' });
  }
}
