/**
 * Any sequence of requests, cancels, reports, carrier answers and timers, late, repeated or reordered: the parcel only
 * moves forward, the stock leaves once, a cancelled one keeps no label; replay gives the same state (I9).
 */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CarrierGatewayOutcome, CarrierGatewayRequest, CarrierGatewayResult } from '../../actors/gateways.ts';
import { assertNever } from '../../actors/kernel/assertNever.ts';
import type { Send } from '../../actors/kernel/decider.ts';
import { defaultPolicy } from '../../actors/policy.ts';
import {
  type ShipmentCommand,
  type ShipmentEvent,
  type ShipmentReport,
  shipmentDecider,
} from '../../actors/shipment.ts';
import { assertReplays, messagesTo } from '../support/play.ts';
import { book, cancel, DAY, report, request, reship, SHIPMENT } from '../support/shipment.ts';
import { T0 } from '../support/spec.ts';

type Mood = 'fine' | 'failed' | 'unavailable' | 'lost' | 'silent';
const MOODS: readonly Mood[] = ['fine', 'fine', 'failed', 'unavailable', 'lost', 'silent'];
const MAX_CALM_STEPS = 500;

/** A shipment and a carrier that sells one label per key, and says the same of a key for ever once it has decided. */
class World {
  state = shipmentDecider.initial(SHIPMENT);
  now = T0;
  /** By label. */
  readonly labels = new Map<string, 'bought' | 'voided'>();
  readonly #decided = new Map<string, CarrierGatewayOutcome>();
  readonly events: ShipmentEvent[] = [];
  readonly sent: Send[] = [];
  readonly #requests: CarrierGatewayRequest[] = [];
  readonly #results: CarrierGatewayResult[] = [];
  readonly #timers = new Map<string, { at: number; message: ShipmentCommand }>();

  handle(command: ShipmentCommand): void {
    const context = { now: this.now, id: `message-${this.events.length}`, policy: defaultPolicy };
    const before = this.state;
    const decision = shipmentDecider.decide(before, command, context);
    if (decision.rejection) return;
    this.events.push(...decision.events);
    this.state = decision.events.reduce(shipmentDecider.evolve, before);
    assert.ok(place(this.state) >= place(before), `${before.status} → ${this.state.status}`);
    assert.ok(this.state.attempts >= before.attempts);
    this.sent.push(...(decision.sends ?? []));
    this.#requests.push(...(messagesTo(decision.sends ?? [], 'gateway') as CarrierGatewayRequest[]));
    for (const timer of decision.timers ?? []) {
      if ('clear' in timer) this.#timers.delete(timer.clear);
      else this.#timers.set(timer.set, { at: timer.at, message: timer.message as ShipmentCommand });
    }
  }

  call(choice: number, mood: Mood): void {
    const [carrierRequest] = this.#requests.splice(choice % Math.max(1, this.#requests.length), 1);
    if (!carrierRequest) return;
    const { type: operation, key } = carrierRequest;
    this.#results.push({ type: 'CarrierGatewayResult', operation, key, result: this.#perform(carrierRequest, mood) });
  }

  #perform(asked: CarrierGatewayRequest, mood: Mood): CarrierGatewayOutcome {
    if (mood === 'unavailable') return { outcome: 'unavailable', reason: 'no' };
    if (mood === 'lost') return { outcome: 'unknown', reason: 'timed out' };
    const known = this.#decided.get(asked.key);
    const outcome = known ?? (mood === 'failed' ? { outcome: 'failed', reason: 'no' } : this.#execute(asked));
    this.#decided.set(asked.key, outcome);
    return mood === 'silent' ? { outcome: 'unknown', reason: 'timed out' } : outcome;
  }

  #execute(asked: CarrierGatewayRequest): CarrierGatewayOutcome {
    switch (asked.type) {
      case 'CarrierBuyLabel': {
        const labelId = `lbl_${asked.key}`;
        this.labels.set(labelId, 'bought');
        return { outcome: 'label', labelId, carrier: 'C', trackingNumber: 'T' };
      }
      case 'CarrierVoidLabel':
        this.labels.set(asked.labelId, 'voided');
        return { outcome: 'voided' };
      case 'CarrierTraceParcel':
        return { outcome: 'tracing', traceId: 'trc_1' };
      default:
        return assertNever(asked);
    }
  }

  deliver(choice: number): void {
    const [result] = this.#results.splice(choice % Math.max(1, this.#results.length), 1);
    if (result) this.handle(result);
  }

  fire(): void {
    const [next] = [...this.#timers].sort(([, a], [, b]) => a.at - b.at);
    if (!next) return;
    this.#timers.delete(next[0]);
    this.now = Math.max(this.now, next[1].at);
    this.handle(next[1].message);
  }

  /** From now on everything works and everything arrives. */
  calm(): void {
    for (let step = 0; step < MAX_CALM_STEPS; step++) {
      if (this.#requests.length > 0) this.call(0, 'fine');
      else if (this.#results.length > 0) this.deliver(0);
      else if (this.#timers.size > 0) this.fire();
      else return;
    }
    assert.unreachable('it never comes to rest');
  }
}

/** How far along: within one place the number of failed attempts decides. */
function place({ status, attempts }: World['state']): number {
  const places: Partial<Record<string, number>> = { assigned: 1, labeled: 2, 'handed-to-carrier': 3, 'in-transit': 4 };
  const ends: Partial<Record<string, number>> = { lost: 1_001, delivered: 1_002, returned: 1_002, cancelled: 1_002 };
  if (status === 'out-for-delivery') return 5 + 2 * attempts;
  if (status === 'delivery-attempt-failed') return 4 + 2 * attempts;
  return status === 'returning-to-sender' ? 1_000 : (ends[status] ?? places[status] ?? 0);
}

const REPORTS: readonly ShipmentReport[] = [
  'picked',
  'handed-to-carrier',
  'in-transit',
  'out-for-delivery',
  'delivered',
  'attempt-failed',
  'returned',
  'lost',
];
const optional = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });
const reports = fc
  .record({
    what: fc.constantFrom(...REPORTS),
    attempt: optional(fc.integer({ min: 0, max: 5 })),
    occurredAt: optional(fc.integer({ min: -DAY, max: 20 * DAY }).map((ms) => T0 + ms)),
    eventId: optional(fc.constantFrom('a', 'b', 'c', 'd')),
  })
  .map(({ what, attempt, occurredAt, eventId }) =>
    report(what, {
      ...(attempt !== undefined && { attempt }),
      ...(occurredAt !== undefined && { occurredAt }),
      ...(eventId !== undefined && { eventId }),
    }),
  );

type Act =
  | { readonly do: 'ask'; readonly command: ShipmentCommand }
  | { readonly do: 'call'; readonly choice: number; readonly mood: Mood }
  | { readonly do: 'deliver'; readonly choice: number }
  | { readonly do: 'fire' }
  | { readonly do: 'wait'; readonly ms: number };

const choice = fc.nat({ max: 5 });
const ask = (command: fc.Arbitrary<ShipmentCommand>) => fc.record({ do: fc.constant('ask' as const), command });
const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: ask(fc.constant(request)) },
    { weight: 1, arbitrary: ask(fc.constant(cancel)) },
    { weight: 1, arbitrary: ask(fc.constantFrom(reship, book(['A', 1]), book())) },
    { weight: 2, arbitrary: ask(reports) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('call' as const), choice, mood: fc.constantFrom(...MOODS) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('deliver' as const), choice }) },
    { weight: 2, arbitrary: fc.constant({ do: 'fire' as const }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 8 * DAY }) }) },
  ),
  { maxLength: 50, size: 'max' },
);

function perform(world: World, act: Act) {
  switch (act.do) {
    case 'ask':
      return world.handle(act.command);
    case 'call':
      return world.call(act.choice, act.mood);
    case 'deliver':
      return world.deliver(act.choice);
    case 'fire':
      return world.fire();
    case 'wait':
      world.now += act.ms;
      return;
    default:
      return assertNever(act);
  }
}

const properties = suite('shipment: properties');

properties('it only moves forward, its stock leaves once, and a cancelled one keeps no label', () => {
  fc.assert(
    fc.property(acts, (sequence) => {
      const world = new World();
      for (const act of sequence) perform(world, act);
      world.calm();
      assertReplays(shipmentDecider, SHIPMENT, world);
      const { state, sent, labels } = world;
      assert.ok(labels.size <= 1, 'one label is bought at most');
      const toStock = (type: string) => messagesTo(sent, 'stock').filter((message) => message.type === type).length;
      const left = toStock('ShipReservation');
      const handed = world.events.some(({ type }) => type === 'HandedToCarrier');
      assert.is(left, handed ? 2 : 0, 'each line leaves once');
      assert.ok(toStock('PickReservation') <= 2, 'each line is picked at most once');
      assert.ok(toStock('RestockReturned') <= (state.status === 'returned' ? 1 : 0), 'what came back is booked once');
      const toSaga = messagesTo(sent, 'order-saga').filter(({ type }) => type === 'ReshipParcel');
      assert.ok(toSaga.length <= 1, 'it is sent once more once');
      if (state.status === 'cancelled') {
        const givenUp = state.label.status === 'void-failed' || state.label.status === 'given-up';
        assert.ok(![...labels.values()].includes('bought') || givenUp, 'no label is kept');
        assert.is(handed, false);
      }
      if (['assigned', 'pending'].includes(state.status)) assert.is(state.request, null, 'a requested one is labeled');
    }),
    { seed: 20_261_121, numRuns: 2_000 },
  );
});

properties('the order hears numbers that grow', () => {
  fc.assert(
    fc.property(acts, (sequence) => {
      const world = new World();
      for (const act of sequence) perform(world, act);
      const numbers = messagesTo(world.sent, 'order').map((news) => ('seq' in news ? Number(news.seq) : 0));
      assert.equal(
        numbers,
        [...new Set(numbers)].sort((a, b) => a - b),
      );
    }),
    { seed: 20_261_121, numRuns: 500 },
  );
});

properties.run();
