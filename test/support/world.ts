/**
 * All aggregates of one cart and its order, talking to each other in memory: messages are delivered late, twice and in any
 * order, timers fire, gateways answer what they like, and the edge interferes. A seed gives the same walk.
 */
import type { CarrierGatewayOutcome, PaymentGatewayOutcome } from '../../actors/gateways.ts';
import { type Address, addressKey } from '../../actors/kernel/address.ts';
import type { Decider, Typed, Versioned } from '../../actors/kernel/decider.ts';
import { type Money, money } from '../../actors/kernel/money.ts';
import { defaultPolicy, type Policy } from '../../actors/policy.ts';
import { type AggregateType, type CommandOf, shop } from '../../actors/shop.ts';
import { ids, samples } from './samples.ts';
import { T0 } from './spec.ts';

type Message = { readonly to: Address; readonly message: Typed; readonly from?: Address };
type Timer = { readonly to: Address; readonly at: number; readonly message: Typed };

const STEPS = 300;
const deciders: Record<string, Decider<unknown, Typed, Versioned, Policy>> = shop;

const to = <Type extends AggregateType>(type: Type, ...commands: CommandOf<Type>[]): Message[] =>
  commands.map((message) => ({ to: { type, id: ids[type] }, message }));

const { cart, checkout, customer, order, shipment, stock } = samples;
const product = { sku: 'A', name: 'Tea', price: money(1_000, 'USD'), status: 'active', available: 5 } as const;
const dear = { ...product, price: money(60_000, 'USD') };
const toCheckout = [
  ...to('cart', cart.StartCheckout),
  ...to('checkout', checkout.SetAddress, checkout.SetShippingMethod, checkout.SetPayment),
];

const second = (...commands: CommandOf<'cart'>[]): Message[] =>
  commands.map((message) => ({ to: { type: 'cart', id: 'cart_2' }, message }));

/** A visitor signs in: another cart takes this one over, or is ordered or asked again meanwhile. */
function signIn(pick: Pick): Message[] {
  const ask: CommandOf<'cart'> = { ...cart.MergeCart, from: ids.cart };
  return [
    ...second({ ...cart.CreateCart, guest: false }, cart.AddItem, ask),
    ...pick([[], second(ask), second(cart.CheckedOut), to('cart', cart.StartCheckout)]),
  ];
}

/** What the edge asks to get to an order; some change their mind on the way. */
function opening(pick: Pick): Message[] {
  const add = { ...cart.AddItem, product: pick([product, dear]) };
  return [
    ...to('email-claim', samples['email-claim'].HoldEmail),
    ...to('customer', customer.RegisterCustomer),
    ...pick([[], to('stock', stock.ReceiveStock), to('stock', stock.ReceiveStock), to('stock', stock.ExpectDelivery)]),
    ...to('cart', cart.CreateCart, add),
    ...pick([[], [...toCheckout, ...to('cart', cart.ClearCart, add)]]),
    ...pick([[], [], signIn(pick)]),
    ...toCheckout,
    ...to('checkout', checkout.CompleteCheckout),
  ];
}

/** What the edge, the warehouse and the carrier do later, at any moment. */
function disturbance(pick: Pick, parcels: readonly Address[]): Message {
  const reports = [
    'picked',
    'handed-to-carrier',
    'in-transit',
    'delivered',
    'attempt-failed',
    'lost',
    'returned',
  ] as const;
  const report = { ...shipment.ReportShipment, report: pick(reports), attempt: 1 };
  const saga = samples['order-saga'];
  const { ReshipShipment, BookReturnedPieces } = shipment;
  const reported = parcels.map(
    (parcel): Message => ({ to: parcel, message: pick([report, report, BookReturnedPieces]) }),
  );
  const reshipped = parcels.map((parcel): Message => ({ to: parcel, message: ReshipShipment }));
  return pick([
    ...reported,
    ...reported,
    ...reported,
    ...reshipped,
    ...to('order', order.CancelOrder),
    ...to('order-saga', saga.ReleaseHold, saga.RetrySaga, saga.CancelByOperator, saga.SkipCompensation),
    ...to('order-saga', saga.RefundByOperator, saga.ProvidePaymentMethod),
    ...to('payment', { ...samples.payment.PaymentDisputeNews, stage: pick(['opened', 'won', 'lost']) }),
    ...to('stock', stock.ReceiveStock, stock.TransferStock),
    ...to('customer', customer.AnonymiseCustomer),
    ...to('email-claim', { type: 'TakeEmail', customerId: 'cus_2' }),
  ]);
}

function paymentOutcome(pick: Pick, operation: string, amount = money(1, 'USD')): PaymentGatewayOutcome {
  const unclear: PaymentGatewayOutcome[] = [
    { outcome: 'unknown', reason: 'timed out' },
    { outcome: 'unavailable', reason: 'refused' },
    { outcome: 'failed', reason: 'no' },
  ];
  const authorized = { outcome: 'authorized', authorizationId: 'auth_1', expiresAt: T0 + 604_800_000 } as const;
  const results: Record<string, PaymentGatewayOutcome[]> = {
    GatewayAuthorize: [
      authorized,
      authorized,
      { outcome: 'declined', reason: 'funds' },
      { outcome: 'requires-action', url: 'https://bank.example' },
    ],
    GatewayCapture: [{ outcome: 'captured', captureId: 'cap_1', amount }],
    GatewayVoid: [{ outcome: 'voided' }],
    GatewayRefund: [{ outcome: 'refunded', refundId: 'ref_1', amount }],
    GatewayEnquire: [{ outcome: 'not-found' }, authorized],
  };
  return pick([...(results[operation] ?? []), ...(results[operation] ?? []), pick(unclear)]);
}

function carrierOutcome(pick: Pick, operation: string): CarrierGatewayOutcome {
  const done: CarrierGatewayOutcome =
    operation === 'CarrierVoidLabel'
      ? { outcome: 'voided' }
      : { outcome: 'label', labelId: 'lbl_1', carrier: 'UPS', trackingNumber: '1Z' };
  return pick([done, done, { outcome: 'failed', reason: 'no' }, { outcome: 'unknown', reason: 'timed out' }]);
}

type Pick = <T>(of: readonly T[]) => T;

/** Mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Walks once; returns every message that one aggregate sent to another, as `type of target: type of message`. */
export function walk(seed: number): ReadonlySet<string> {
  const world = new World(seed);
  for (const message of opening(world.pick)) {
    world.handle(message);
    while (world.chance() < 0.9 && world.deliverOne());
  }
  for (let step = 0; step < STEPS; step++) {
    const chance = world.chance();
    const moved = (chance < 0.93 && world.deliverOne()) || (chance < 0.95 && world.fireOne());
    if (!moved) world.handle(disturbance(world.pick, world.parcels));
  }
  return world.sent;
}

class World {
  readonly sent = new Set<string>();
  readonly chance: () => number;
  readonly #states = new Map<string, unknown>();
  readonly #timers = new Map<string, Timer>();
  readonly #parcels = new Map<string, Address>();
  #pending: Message[] = [];
  #now = T0;
  #messages = 0;

  constructor(seed: number) {
    this.chance = randomOf(seed);
  }

  readonly pick: Pick = (of) => {
    const picked = of[Math.floor(this.chance() * of.length)];
    if (picked === undefined) throw new Error('nothing to pick from');
    return picked;
  };

  get parcels(): Address[] {
    return [...this.#parcels.values()];
  }

  handle({ to: target, message }: Message): void {
    const decider = deciders[target.type];
    if (!decider) throw new Error(`no aggregate ${target.type}`);
    const key = addressKey(target);
    const state = this.#states.get(key) ?? decider.initial(target.id);
    const context = { now: this.#now, id: `message-${++this.#messages}`, policy: defaultPolicy };
    const decision = decider.decide(state, message, context);
    if (decision.rejection) return;
    this.#states.set(
      key,
      decision.events.reduce((current, event) => decider.evolve(current, event), state),
    );
    for (const send of decision.sends ?? []) {
      this.sent.add(`${send.to.type}: ${send.message.type}`);
      if (send.to.type === 'shipment') this.#parcels.set(send.to.id, send.to);
      this.#pending.push({ ...send, from: target });
    }
    for (const timer of decision.timers ?? []) {
      if ('clear' in timer) this.#timers.delete(`${key} ${timer.clear}`);
      else this.#timers.set(`${key} ${timer.set}`, { to: target, at: timer.at, message: timer.message });
    }
  }

  /** Any of the messages under way; some stay there and come again. */
  deliverOne(): boolean {
    if (this.#pending.length === 0) return false;
    const next = this.pick(this.#pending);
    if (this.chance() > 0.15) this.#pending = this.#pending.filter((message) => message !== next);
    if (next.to.type === 'gateway') this.#callGateway(next);
    else this.handle(next);
    return true;
  }

  /** Mostly the earliest; any other is what a long pause makes of the rest. */
  fireOne(): boolean {
    if (this.#timers.size === 0) return false;
    const earliest = [...this.#timers].reduce((a, b) => (b[1].at < a[1].at ? b : a));
    const [name, timer] = this.chance() < 0.7 ? earliest : this.pick([...this.#timers]);
    this.#timers.delete(name);
    this.#now = Math.max(this.#now, timer.at);
    this.handle(timer);
    return true;
  }

  #callGateway({ to: gateway, message, from }: Message): void {
    if (!from) throw new Error('a gateway answers an aggregate');
    const { key, amount } = message as Typed & { readonly key: string; readonly amount?: Money };
    const payment = gateway.id === 'payment';
    const type = payment ? 'PaymentGatewayResult' : 'CarrierGatewayResult';
    const result = payment ? paymentOutcome(this.pick, message.type, amount) : carrierOutcome(this.pick, message.type);
    const answer = { type, operation: message.type, key, result };
    this.#pending.push({ to: from, message: answer, from: gateway });
  }
}
