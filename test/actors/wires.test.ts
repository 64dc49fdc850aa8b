/**
 * Case 7 of the cases that real systems got wrong: no dead wires. That every message has a handler and every handler a
 * sender is proved by the types of actors/shop.ts; here the deciders are run, with every command that they list.
 */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Decider, Send, Typed, Versioned } from '../../actors/kernel/decider.ts';
import { money } from '../../actors/kernel/money.ts';
import { defaultPolicy, type Policy } from '../../actors/policy.ts';
import { draftOf } from '../../actors/pricing.ts';
import {
  type AggregateType,
  type CommandOf,
  type EveryHandlerHasASender,
  type EveryLabelIsTrue,
  type EveryMessageHasAHandler,
  shop,
} from '../../actors/shop.ts';
import { T0 } from '../support/spec.ts';

type AnyDecider = Decider<unknown, Typed, Versioned, Policy>;

const gatewayRequests = {
  payment: ['GatewayAuthorize', 'GatewayCapture', 'GatewayVoid', 'GatewayRefund', 'GatewayEnquire'],
  carrier: ['CarrierBuyLabel', 'CarrierVoidLabel'],
};

const deciders: Record<string, AnyDecider> = shop;
const commandsOf = (type: string) => Object.values((samples as Record<string, Record<string, Typed>>)[type] ?? {});

/** Names what its target has no handler for. */
function unheard({ to, message }: Send): string[] {
  const known =
    to.type === 'gateway'
      ? (gatewayRequests as Record<string, string[]>)[to.id]
      : commandsOf(to.type).map((command) => command.type);
  return known?.includes(message.type) ? [] : [`${message.type} to ${to.type}`];
}

/** Runs the commands one after the other, an hour apart; returns the wires that lead nowhere. */
function run(type: string, decider: AnyDecider, commands: readonly Typed[]): string[] {
  const dead: string[] = [];
  let state = decider.initial(ids[type as AggregateType]);
  for (const [index, command] of commands.entries()) {
    const context = { now: T0 + index * 3_600_000, id: `message-${index}`, policy: defaultPolicy };
    const decision = decider.decide(state, command, context);
    if (decision.rejection) {
      assert.match(decision.rejection.code, /^[a-z-]+\.[a-z-]+$/);
      continue;
    }
    const { events, sends = [], timers = [] } = decision;
    const known = commandsOf(type).map(({ type: name }) => name);
    dead.push(...sends.flatMap(unheard));
    dead.push(
      ...timers.flatMap((timer) =>
        'set' in timer && !known.includes(timer.message.type) ? [`${timer.message.type} to itself`] : [],
      ),
    );
    state = events.reduce((current, event) => decider.evolve(current, event), state);
  }
  return dead;
}

const wires = suite('case 7: no dead wires');

wires('every message that is sent has a handler, every handler has a sender (checked by type)', () => {
  // Each of the three types is `never`, or actors/shop.ts doesn't compile; then only empty lists have these types.
  const proof: [EveryMessageHasAHandler[], EveryHandlerHasASender[], EveryLabelIsTrue[]] = [[], [], []];
  assert.is(proof.flat().length, 0);
});

for (const [type, decider] of Object.entries(deciders)) {
  wires(`${type} - answers each command that it lists, in whatever order they come`, () => {
    assert.is(decider.type, type, 'it is registered under its own type');
    for (const command of commandsOf(type)) assert.equal(run(type, decider, [command]), [], command.type);
    const anyOrder = fc.array(fc.constantFrom(...commandsOf(type)), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(anyOrder, (commands) => assert.equal(run(type, decider, commands), [])),
      { seed: 7, numRuns: 300 },
    );
  });

  wires(`${type} - has a partition key for every id, also for one that makes no sense`, () => {
    for (const id of [ids[type as AggregateType], 'x', '', '_', '@', 'a_b@c']) {
      assert.type(decider.partitionKey(id), 'string');
    }
  });
}

wires('what belongs to one order lives in one shard, so does what comes of one cart', () => {
  const keys = (...types: AggregateType[]) =>
    new Set(types.map((type) => deciders[type]?.partitionKey(ids[type]))).size;
  assert.is(keys('order', 'order-saga', 'payment', 'shipment'), 1);
  assert.is(keys('cart', 'checkout'), 1);
  assert.is(keys('customer', 'customer-orders'), 1);
});

wires.run();
