/**
 * Models of a saga, a payment and a vendor that loses, delays, repeats and refuses: whatever happens I6 holds after every
 * event, the payment never says "voided" while the vendor still holds something, and in the end nothing is kept.
 */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PaymentDisputeNews, PaymentGatewayRequest, PaymentGatewayResult } from '../../actors/gateways.ts';
import { assertNever } from '../../actors/kernel/assertNever.ts';
import {
  type PaymentAnswer,
  type PaymentCommand,
  type PaymentEvent,
  paymentDecider,
  paymentFigures,
} from '../../actors/payment.ts';
import { defaultPolicy } from '../../actors/policy.ts';
import { authorize, capture, checkedPayment, ORDER, refund, voidPayment } from '../support/payment.ts';
import { assertReplays } from '../support/play.ts';
import { T0 } from '../support/spec.ts';
import { type Mood, Vendor } from '../support/vendor.ts';

const HONEST: readonly Mood[] = ['fine', 'fine', 'fine', 'refuse', 'unavailable', 'lost', 'silent'];
const LATE: readonly Mood[] = [...HONEST, 'late'];
const MAX_CALM_STEPS = 2_000;

/** What is under way between saga, payment and vendor; each step takes one thing of it. */
class World {
  readonly vendor = new Vendor();
  readonly events: PaymentEvent[] = [];
  readonly told: PaymentAnswer[] = [];
  state = paymentDecider.initial(ORDER);
  now = T0;
  /** False once an operation may be executed after the vendor denied to know it: nobody can tell in time. */
  truthful = true;
  readonly #requests: PaymentGatewayRequest[] = [];
  readonly #results: (PaymentGatewayResult | PaymentDisputeNews)[] = [];
  readonly #timers = new Map<string, { at: number; message: PaymentCommand }>();
  readonly #seen: (PaymentGatewayResult | PaymentDisputeNews)[] = [];
  #ids = 0;

  handle(command: PaymentCommand): void {
    const context = { now: this.now, id: `message-${this.#ids++}`, policy: defaultPolicy };
    const decision = paymentDecider.decide(this.state, command, context);
    if (decision.rejection) throw new Error('a payment refuses nobody');
    this.state = decision.events.reduce(checkedPayment.evolve, this.state);
    this.events.push(...decision.events);
    for (const timer of (decision.timers ?? []) as readonly Timer[]) {
      if ('set' in timer) this.#timers.set(timer.set, timer);
      else this.#timers.delete(timer.clear);
    }
    for (const { to, message } of decision.sends ?? []) {
      if (to.type === 'gateway') this.#requests.push(message as PaymentGatewayRequest);
      if (to.type === 'order-saga') this.#tell(message as PaymentAnswer);
    }
  }

  #tell(answer: PaymentAnswer): void {
    this.told.push(answer);
    if (answer.type !== 'PaymentVoided' || !this.truthful) return;
    assert.is(this.vendor.holds(answer.attempt, this.now), 0, 'voided means that nothing is held');
  }

  /** The vendor gets one of the requests that are under way; when we crash before its answer is durable, it gets it again. */
  call(choice: number, mood: Mood, crash: boolean): void {
    const request = take(this.#requests, choice);
    if (!request) return;
    if (mood === 'late') this.truthful = false;
    const result = this.vendor.answer(request, mood, this.now);
    if (crash) this.#requests.push(request);
    else this.#results.push(result);
  }

  /** The payment gets one of the results that are under way, or a webhook repeats what it knows. */
  deliver(choice: number, again: boolean): void {
    const result = again ? this.#seen[choice % this.#seen.length] : take(this.#results, choice);
    if (!result) return;
    const saysNothing = ['unknown', 'unavailable', 'not-found'];
    if (!('result' in result && saysNothing.includes(result.result.outcome))) this.#seen.push(result);
    this.handle(result);
  }

  fire(): void {
    const next = [...this.#timers].sort(([, a], [, b]) => a.at - b.at)[0];
    if (!next) return;
    const [name, { at, message }] = next;
    this.#timers.delete(name);
    this.now = Math.max(this.now, at);
    this.handle(message);
  }

  webhooks(): void {
    this.#results.push(...this.vendor.webhooks(this.now));
  }

  /** A dispute is opened, or the open one ends; the news come when they come. */
  dispute(upTo: number, end: 'won' | 'lost'): void {
    const news = this.vendor.resolve(end) ?? this.vendor.dispute(upTo);
    if (news) this.#results.push(news);
  }

  /** From now on everything works: all that is under way arrives and all timers but the expiry fire. */
  calm(): void {
    for (let step = 0; step < MAX_CALM_STEPS; step++) {
      this.webhooks();
      if (this.#requests.length > 0) this.call(0, 'fine', false);
      else if (this.#results.length > 0) this.deliver(0, false);
      else if ([...this.#timers.keys()].some((name) => name !== 'expire')) this.fire();
      else return;
    }
    assert.unreachable('it never comes to rest');
  }
}

type Timer =
  | { readonly set: string; readonly at: number; readonly message: PaymentCommand }
  | { readonly clear: string };

function take<Item>(items: Item[], choice: number): Item | undefined {
  return items.splice(choice % Math.max(1, items.length), 1)[0];
}

const attempt = fc.integer({ min: 1, max: 3 });
const amount = fc.integer({ min: 1, max: 1_200 });
const asked: fc.Arbitrary<PaymentCommand> = fc.oneof(
  { weight: 3, arbitrary: attempt.map((number) => authorize(number)) },
  { weight: 3, arbitrary: fc.tuple(amount, attempt).map(([money, number]) => capture(money, number)) },
  { weight: 2, arbitrary: attempt.map((number) => voidPayment(number)) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom('r1', 'r2', 'r3'), amount).map(([id, money]) => refund(id, money)) },
);

type Act =
  | { readonly do: 'ask'; readonly command: PaymentCommand }
  | { readonly do: 'call'; readonly choice: number; readonly mood: Mood; readonly crash: boolean }
  | { readonly do: 'deliver'; readonly choice: number; readonly again: boolean }
  | { readonly do: 'dispute'; readonly upTo: number; readonly end: 'won' | 'lost' }
  | { readonly do: 'fire' | 'webhooks' };

function acts(moods: readonly Mood[]): fc.Arbitrary<Act[]> {
  const choice = fc.nat({ max: 20 });
  const rarely = fc.nat({ max: 9 }).map((number) => number === 0);
  const mood = fc.constantFrom(...moods);
  const act: fc.Arbitrary<Act> = fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('ask' as const), command: asked }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('call' as const), choice, mood, crash: rarely }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('deliver' as const), choice, again: rarely }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('dispute' as const),
        upTo: amount,
        end: fc.constantFrom('won' as const, 'lost' as const),
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('fire' as const, 'fire' as const, 'webhooks' as const) }) },
  );
  return fc.array(act, { maxLength: 80, size: 'max' });
}

function perform(world: World, act: Act) {
  switch (act.do) {
    case 'ask':
      return world.handle(act.command);
    case 'call':
      return world.call(act.choice, act.mood, act.crash);
    case 'deliver':
      return world.deliver(act.choice, act.again);
    case 'dispute':
      return world.dispute(act.upTo, act.end);
    case 'fire':
      return world.fire();
    case 'webhooks':
      return world.webhooks();
    default:
      return assertNever(act);
  }
}

function settle(world: World): void {
  world.calm();
  const last = 3;
  world.handle(voidPayment(last));
  world.calm();
  // While a dispute is open nothing of what was captured is paid back; what it leaves is, once the saga asks again.
  if (world.vendor.authorizations.some(({ dispute }) => dispute)) {
    world.dispute(0, world.now % 2 === 0 ? 'won' : 'lost');
    world.calm();
    world.handle(voidPayment(last));
    world.calm();
  }
  assert.is(world.vendor.holds(last, world.now), 0, 'the vendor holds and keeps nothing');
  const { authorized, captured, refunded } = paymentFigures(world.state);
  const books = world.vendor.authorizations;
  assert.is(
    captured.amount,
    books.reduce((sum, entry) => sum + entry.captured, 0),
    'captured as in the books',
  );
  assert.is(refunded.amount, captured.amount, 'all is back');
  assert.is(authorized.amount >= captured.amount, true);
  assert.ok(world.vendor.captures <= 1, 'at most one capture');
  assert.ok(world.told.some((answer) => answer.type === 'PaymentVoided' && answer.attempt === last));
  assertReplays(paymentDecider, ORDER, world);
}

const properties = suite('payment: properties');

for (const [name, moods] of [
  ['a vendor that loses, refuses and repeats', HONEST],
  ['a vendor that also executes late what it denied to know', LATE],
] as const) {
  properties(`I6 - ${name}: never more back than taken, one capture, nothing kept in the end`, () => {
    fc.assert(
      fc.property(acts(moods), (sequence) => {
        const world = new World();
        for (const act of sequence) perform(world, act);
        assertReplays(paymentDecider, ORDER, world);
        settle(world);
      }),
      { seed: 20_261_121, numRuns: 1_500 },
    );
  });
}

properties('I6 - whatever a bank takes back of a captured payment is not paid back again, and the rest is', () => {
  fc.assert(
    fc.property(acts(HONEST), amount, (sequence, money) => {
      const world = new World();
      world.handle(authorize());
      world.calm();
      world.handle(capture(Math.min(money, 1_000)));
      for (const act of sequence) perform(world, act);
      settle(world);
      const [{ captured, refunded, lost } = { captured: 0, refunded: 0, lost: 0 }] = world.vendor.authorizations;
      assert.is(refunded + lost, captured);
    }),
    { seed: 20_261_121, numRuns: 1_000 },
  );
});

properties('the saga is answered: every attempt, capture and refund that it asked for', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...HONEST), { maxLength: 12 }), amount, (moods, money) => {
      const world = new World();
      const weather = [...moods];
      const go = () => {
        for (let step = 0; step < 40; step++) {
          world.call(0, weather.shift() ?? 'fine', false);
          world.deliver(0, false);
          world.fire();
        }
        world.calm();
      };
      world.handle(authorize());
      go();
      assert.ok(world.told.some(({ type }) => type === 'PaymentAuthorized' || type === 'PaymentDeclined'));
      world.handle(capture(money));
      go();
      assert.ok(world.told.some(({ type }) => type === 'PaymentCaptured' || type === 'PaymentCaptureFailed'));
      world.handle(refund('r1', money));
      go();
      assert.ok(world.told.some(({ type }) => type === 'PaymentRefunded' || type === 'RefundEscalated'));
    }),
    { seed: 20_261_121, numRuns: 500 },
  );
});

properties.run();
