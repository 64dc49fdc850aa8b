/**
 * Case 7 of the cases that real systems got wrong: no dead wires. The types of actors/shop.ts prove that every message has
 * a handler and every handler a sender; here the deciders run, on every command that they list and in a world of their own.
 */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Decider, Send, Typed, Versioned } from '../../actors/kernel/decider.ts';
import { defaultPolicy, type Policy } from '../../actors/policy.ts';
import {
  type AggregateType,
  type EveryHandlerHasASender,
  type EveryLabelIsTrue,
  type EveryMessageHasAHandler,
  type FromElsewhere,
  shop,
} from '../../actors/shop.ts';
import { ids, samples } from '../support/samples.ts';
import { T0 } from '../support/spec.ts';
import { walk } from '../support/world.ts';

type AnyDecider = Decider<unknown, Typed, Versioned, Policy>;

/** What the edge, the timers and the gateways say; everything else must come from an aggregate. */
const fromElsewhere: { [Type in AggregateType]: { [Name in FromElsewhere[Type]]: true } } = {
  cart: {
    CreateCart: true,
    AddItem: true,
    SetItemQuantity: true,
    RemoveItem: true,
    ClearCart: true,
    StartCheckout: true,
    MergeCart: true,
    AbandonCart: true,
  },
  checkout: {
    SetAddress: true,
    NoteAddressCheck: true,
    SetShippingMethod: true,
    SetPayment: true,
    CompleteCheckout: true,
    ExpireCheckout: true,
  },
  customer: {
    RegisterCustomer: true,
    ChangePassword: true,
    AddAddress: true,
    ChangeAddress: true,
    NoteAddressCheck: true,
    RemoveAddress: true,
    SetDefaultAddress: true,
    ChangeProfile: true,
    AnonymiseCustomer: true,
    ChangeScopes: true,
    DisableAccount: true,
    EnableAccount: true,
  },
  'customer-orders': {},
  'email-claim': { HoldEmail: true, ReleaseHeldEmail: true },
  'network-address': { NoteOrderFrom: true },
  order: { PlaceOrder: true, CancelOrder: true, AddNote: true, CloseOrder: true },
  'order-saga': {
    ReleaseHold: true,
    CancelByOperator: true,
    RetrySaga: true,
    StepTimedOut: true,
    SagaTimedOut: true,
    ReviewOverdue: true,
    BackorderOverdue: true,
    ChooseBackorder: true,
    PaymentMethodOverdue: true,
    SkipCompensation: true,
    RefundByOperator: true,
    ProvidePaymentMethod: true,
  },
  payment: {
    PaymentGatewayResult: true,
    PaymentDisputeNews: true,
    EnquireAgain: true,
    RetryRefund: true,
    NoteRefundOverdue: true,
    ExpireAuthorization: true,
  },
  product: {
    PutProduct: true,
    SetPrice: true,
    SchedulePrice: true,
    CancelScheduledPrice: true,
    ActivatePrice: true,
    DiscontinueProduct: true,
  },
  request: { ClaimRequest: true },
  shipment: {
    CarrierGatewayResult: true,
    ReportShipment: true,
    ReshipShipment: true,
    BookReturnedPieces: true,
    AcknowledgeAlert: true,
    RetryLabel: true,
    RetryTrace: true,
    CheckGhost: true,
    CheckLost: true,
  },
  stock: {
    ReceiveStock: true,
    AdjustStock: true,
    TransferStock: true,
    QuarantineStock: true,
    ReleaseQuarantine: true,
    ExpectDelivery: true,
    ClearExpected: true,
    AllocateBackorders: true,
    ExpireReservation: true,
  },
};

const gatewayRequests: Record<string, readonly string[]> = {
  payment: ['GatewayAuthorize', 'GatewayCapture', 'GatewayVoid', 'GatewayRefund', 'GatewayEnquire'],
  carrier: ['CarrierBuyLabel', 'CarrierVoidLabel', 'CarrierTraceParcel'],
};

/** All three are `never`, or nothing compiles. */
const noDeadWires: readonly (EveryMessageHasAHandler | EveryHandlerHasASender | EveryLabelIsTrue)[] = [];

const MAX_WALKS = 20_000;
const deciders: Record<string, AnyDecider> = shop;
const samplesOf = (type: string): Typed[] =>
  Object.values((samples as Record<string, Record<string, Typed>>)[type] ?? {});
const idOf = (type: string): string => (ids as Record<string, string>)[type] ?? '';

/** Names what its target has no handler for. */
function unheard({ to, message }: Send): string[] {
  const known = to.type === 'gateway' ? gatewayRequests[to.id] : samplesOf(to.type).map(({ type }) => type);
  return known?.includes(message.type) ? [] : [`${to.type}: ${message.type}`];
}

/** Runs the commands one after the other, an hour apart; returns the wires that lead nowhere. */
function run(type: string, decider: AnyDecider, commands: readonly Typed[]): string[] {
  const dead: string[] = [];
  let state = decider.initial(idOf(type));
  for (const [index, command] of commands.entries()) {
    const context = { now: T0 + index * 3_600_000, id: `message-${index}`, policy: defaultPolicy };
    const decision = decider.decide(state, command, context);
    if (decision.rejection) {
      assert.match(decision.rejection.code, /^[a-z-]+\.[a-z-]+$/);
      continue;
    }
    const toItself = (decision.timers ?? []).flatMap((timer) =>
      'set' in timer ? [{ to: { type, id: idOf(type) }, message: timer.message }] : [],
    );
    dead.push(...[...(decision.sends ?? []), ...toItself].flatMap(unheard));
    state = decision.events.reduce((current, event) => decider.evolve(current, event), state);
  }
  return dead;
}

const wires = suite('case 7: no dead wires');

for (const [type, decider] of Object.entries(deciders)) {
  wires(`${type} - answers each command that it lists, and what it sends is known`, () => {
    assert.is(decider.type, type, 'it is registered under its own type');
    for (const command of samplesOf(type)) assert.equal(run(type, decider, [command]), noDeadWires, command.type);
    const anyOrder = fc.array(fc.constantFrom(...samplesOf(type)), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(anyOrder, (commands) => assert.equal(run(type, decider, commands), noDeadWires)),
      { seed: 7, numRuns: 300 },
    );
  });

  wires(`${type} - has a partition key for every id, also for one that makes no sense`, () => {
    for (const id of [idOf(type), 'x', '', '_', '@', 'a_b@c']) assert.type(decider.partitionKey(id), 'string');
  });
}

wires('every handler has a sender: each message between aggregates is sent on some walk through the shop', () => {
  const unsent = new Set(
    Object.keys(samples).flatMap((type) => {
      const elsewhere = (fromElsewhere as Record<string, Record<string, true>>)[type];
      return samplesOf(type).flatMap(({ type: name }) => (elsewhere?.[name] ? [] : [`${type}: ${name}`]));
    }),
  );
  assert.ok(unsent.size > 40, 'the shop talks');
  for (let seed = 1; seed <= MAX_WALKS && unsent.size > 0; seed++) {
    for (const message of walk(seed)) unsent.delete(message);
  }
  assert.equal([...unsent], []);
});

wires('what belongs to one order lives in one shard, so does what comes of one cart', () => {
  const shards = (...types: AggregateType[]) =>
    new Set(types.map((type) => deciders[type]?.partitionKey(idOf(type)))).size;
  assert.is(shards('order', 'order-saga', 'payment', 'shipment'), 1);
  assert.is(shards('cart', 'checkout'), 1);
  assert.is(shards('customer', 'customer-orders'), 1);
});

wires.run();
