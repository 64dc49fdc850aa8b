import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type CheckoutCommand,
  type CheckoutEvent,
  type CheckoutState,
  checkoutDecider,
  checkoutTotals,
  stepOf,
} from '../../actors/checkout.ts';
import { money } from '../../actors/kernel/money.ts';
import { orderDecider } from '../../actors/order.ts';
import { defaultPolicy } from '../../actors/policy.ts';
import type { PricedLine } from '../../actors/pricing.ts';
import type { OrderDraft } from '../../actors/shared.ts';
import { specification, T0 } from '../support/spec.ts';

const minute = 60_000;
const expiresAt = T0 + 15 * minute;
const usd = (amount: number) => money(amount, 'USD');
const checkout = specification(checkoutDecider, { id: 'chk_1' });

const lines: PricedLine[] = [
  { sku: 'A', name: 'Tea', quantity: 2, unitPrice: usd(1_000) },
  { sku: 'B', name: 'Cup', quantity: 1, unitPrice: usd(500) },
];
const address = { name: 'Ada', line1: '1 Main St', city: 'Newark', postalCode: '07102', country: 'US' };
const priceChanges = [{ sku: 'A', old: usd(900), new: usd(1_000) }];

type Begin = Extract<CheckoutCommand, { type: 'BeginCheckout' }>;
const begin = (more: Partial<Begin> = {}): Begin => ({
  type: 'BeginCheckout',
  round: 1,
  customerId: 'cus_1',
  currency: 'USD',
  lines,
  priceChanges: [],
  ...more,
});
const setAddress: CheckoutCommand = { type: 'SetAddress', customerId: 'cus_1', address };
const setMethod: CheckoutCommand = { type: 'SetShippingMethod', customerId: 'cus_1', method: 'express' };
const setPayment: CheckoutCommand = { type: 'SetPayment', customerId: 'cus_1', token: 'tok_success' };
const complete = (acceptPriceChanges = false): CheckoutCommand => ({
  type: 'CompleteCheckout',
  customerId: 'cus_1',
  acceptPriceChanges,
});
const expire: CheckoutCommand = { type: 'ExpireCheckout' };
const cancel = (round: number): CheckoutCommand => ({ type: 'CancelCheckout', round });

const began = (changes: typeof priceChanges = [], round = 1): CheckoutEvent => ({
  type: 'CheckoutBegan',
  v: 1,
  round,
  customerId: 'cus_1',
  lines,
  priceChanges: changes,
  discount: usd(0),
  tax: usd(0),
  pricesUntil: T0 + 60 * minute,
  expiresAt,
});
const addressSet: CheckoutEvent = { type: 'AddressSet', v: 1, expiresAt, personal: { address } };
const methodSet: CheckoutEvent = { type: 'MethodSet', v: 1, expiresAt, method: 'express', price: usd(1_299) };
const paymentSet: CheckoutEvent = { type: 'PaymentSet', v: 1, expiresAt, personal: { token: 'tok_success' } };
const completed: CheckoutEvent = { type: 'CheckoutCompleted', v: 1, orderId: 'ord_1' };
const expired = (round = 1, reason: 'timeout' | 'cart-changed' = 'timeout'): CheckoutEvent => ({
  type: 'CheckoutExpired',
  v: 1,
  round,
  reason,
});
const steps = [began(), addressSet, methodSet, paymentSet];
const expireAt = (at: number) => ({ set: 'expire', at, message: { type: 'ExpireCheckout' } });

function open(state: CheckoutState) {
  if (state.status !== 'open') throw new Error(`checkout is ${state.status}`);
  return state;
}

const walking = suite('Checkout - steps');

walking('begins with the lines of the cart, for 15 minutes', () => {
  const outcome = checkout.given().when(begin());
  outcome.then(began());
  assert.equal(outcome.timers, [expireAt(expiresAt)]);
  assert.is(stepOf(open(outcome.state)), 'address');
});

walking('goes address, shipping method, payment, complete', () => {
  const one = checkout.given(began()).when(setAddress).then(addressSet);
  assert.is(stepOf(open(one.state)), 'shipping-method');
  const two = checkout.from(one.state).when(setMethod).then(methodSet);
  assert.is(stepOf(open(two.state)), 'payment');
  const three = checkout.from(two.state).when(setPayment).then(paymentSet);
  assert.is(stepOf(open(three.state)), 'complete');
  checkout.from(three.state).when(complete()).then(completed);
});

walking('skips no step', () => {
  const early = [
    { given: steps.slice(0, 1), commands: [setMethod, setPayment, complete()] },
    { given: steps.slice(0, 2), commands: [setPayment, complete()] },
    { given: steps.slice(0, 3), commands: [complete()] },
  ];
  for (const { given, commands } of early) {
    for (const command of commands) {
      const outcome = checkout.given(...given).when(command);
      outcome.rejects('checkout.step-missing');
      assert.is(outcome.rejection?.status, 409);
    }
  }
});

walking('each step can be done again until completion', () => {
  const moved = { ...address, line1: '2 Side St' };
  const outcome = checkout.given(...steps).when({ type: 'SetAddress', customerId: 'cus_1', address: moved });
  assert.equal(open(outcome.state).address, moved);
  assert.is(stepOf(open(outcome.state)), 'complete', 'the later steps stand');
  const { state } = checkout.given(...steps).when({ ...setMethod, method: 'overnight' });
  assert.equal(open(state).shipping, { method: 'overnight', price: usd(2_499) });
  const paid = checkout.given(...steps).when({ ...setPayment, token: 'tok_other' });
  assert.is(open(paid.state).token, 'tok_other');
});

const addressCheck = { status: 'corrected', suggestion: { ...address, line1: '1 Main Street' } } as const;
const noteCheck: CheckoutCommand = { type: 'NoteAddressCheck', customerId: 'cus_1', address, check: addressCheck };
const addressChecked: CheckoutEvent = { type: 'AddressChecked', v: 1, personal: { addressCheck } };

walking('keeps what is said of the address, until another is set, and hands it to the order', () => {
  const checked = checkout.given(...steps).when(noteCheck);
  checked.then(addressChecked);
  assert.equal(checked.timers, [], 'it gives no more time');
  assert.equal(open(checked.state).addressCheck, addressCheck);
  const placed = checkout.from(checked.state).when(complete()).sent[0]?.message as { draft?: OrderDraft } | undefined;
  assert.equal(placed?.draft?.addressCheck, addressCheck);
  assert.is(open(checkout.from(checked.state).when(setAddress).state).addressCheck, undefined);
  assert.not.match(JSON.stringify(checkout.from(checked.state).when(complete()).state), /Main Street/);
});

walking('what is said of an address that was replaced meanwhile is forgotten', () => {
  const moved = { ...address, line2: 'Flat 2' };
  const replaced = checkout.given(...steps, { ...addressSet, personal: { address: moved } });
  replaced.when(noteCheck).nothing();
  checkout.given(began()).when(noteCheck).nothing();
});

walking('address and payment token are personal', () => {
  for (const command of [setAddress, setPayment]) {
    const { accepted } = checkout.given(...steps).when(command);
    const { personal, ...rest } = accepted.events[0] as { personal?: unknown };
    assert.ok(personal);
    assert.not.match(JSON.stringify(rest), /Main St|tok_success/);
  }
});

walking('each step gives 15 more minutes', () => {
  const now = T0 + 10 * minute;
  for (const command of [setAddress, setMethod, setPayment]) {
    const outcome = checkout.given(...steps).when(command, { now });
    assert.equal(outcome.timers, [expireAt(now + 15 * minute)]);
    assert.is(open(outcome.state).expiresAt, now + 15 * minute);
  }
});

walking('no step keeps it open for more than an hour, as long as its prices are promised', () => {
  const now = T0 + 50 * minute;
  const recent: CheckoutEvent = { ...addressSet, expiresAt: now + 1 };
  for (const command of [setAddress, setMethod, setPayment]) {
    const outcome = checkout.given(...steps, recent).when(command, { now });
    assert.equal(outcome.timers, [expireAt(T0 + 60 * minute)], command.type);
    checkout
      .from(outcome.state)
      .when(complete(), { now: T0 + 60 * minute })
      .rejects('checkout.expired');
  }
  // One of before prices had an end.
  const { pricesUntil: _, ...old } = began() as Extract<CheckoutEvent, { type: 'CheckoutBegan' }>;
  const outcome = checkout.given(old, recent).when(setAddress, { now });
  assert.equal(outcome.timers, [expireAt(now + 15 * minute)]);
});

walking('shows totals with the price of the shipping method', () => {
  const before = checkoutTotals(open(checkout.given(began()).state));
  assert.equal([before.subtotal, before.shipping, before.total], [usd(2_500), usd(0), usd(2_500)]);
  assert.equal(checkoutTotals(open(checkout.given(...steps).state)), {
    subtotal: usd(2_500),
    discount: usd(0),
    shipping: usd(1_299),
    tax: usd(0),
    total: usd(3_799),
  });
});

walking('is unknown to every other principal, in every state', () => {
  for (const given of [steps, [...steps, completed], [...steps, expired()]]) {
    for (const command of [setAddress, setMethod, setPayment, complete()]) {
      const outcome = checkout.given(...given).when({ ...command, customerId: 'cus_2' } as CheckoutCommand);
      outcome.rejects('checkout.unknown');
      assert.is(outcome.rejection?.status, 404);
    }
  }
});

const completing = suite('Checkout - complete');

completing('places the order and ends the cart', () => {
  const outcome = checkout.given(...steps).when(complete());
  outcome.then(completed);
  assert.equal(outcome.accepted.reply, { orderId: 'ord_1' });
  assert.equal(outcome.timers, [{ clear: 'expire' }]);
  const line = ({ sku, name, quantity, unitPrice }: PricedLine, total: number) => ({
    sku,
    name,
    quantity,
    unitPrice,
    discount: usd(0),
    tax: usd(0),
    total: usd(total),
  });
  assert.equal(outcome.sent, [
    {
      to: { type: 'order', id: 'ord_1' },
      message: {
        type: 'PlaceOrder',
        draft: {
          orderId: 'ord_1',
          customerId: 'cus_1',
          cartId: 'cart_1',
          currency: 'USD',
          lines: lines.map((priced, index) => line(priced, index === 0 ? 2_000 : 500)),
          totals: checkoutTotals(open(outcome.before)),
          shippingMethod: 'express',
          paymentToken: 'tok_success',
          address,
        },
      },
    },
    { to: { type: 'cart', id: 'cart_1' }, message: { type: 'CheckedOut', orderId: 'ord_1', round: 1 } },
  ]);
});

completing('case 12: completing is idempotent', () => {
  const { state } = checkout.given(...steps).when(complete());
  const again = checkout.from(state).when(complete(), { messageId: 'second tab', now: T0 + 86_400_000 });
  again.nothing();
  assert.equal(again.accepted.reply, { orderId: 'ord_1' });
  assert.equal(again.state, state);
});

completing('keeps neither address nor payment token afterwards', () => {
  const { state } = checkout.given(...steps).when(complete());
  assert.not.match(JSON.stringify(state), /Main St|tok_success/);
  assert.not.match(JSON.stringify(checkout.given(...steps, expired()).state), /Main St|tok_success/);
});

completing('a changed price must be accepted, and is shown old and new', () => {
  const given = checkout.given(began(priceChanges), addressSet, methodSet, paymentSet);
  const refused = given.when(complete());
  refused.rejects('checkout.price-changed');
  assert.is(refused.rejection?.status, 409);
  assert.match(refused.rejection?.errors?.[0]?.detail ?? '', /A: 900 → 1000 USD/);
  given.when(complete(true)).then({ type: 'PriceChangeAcknowledged', v: 1, priceChanges }, completed);
  checkout
    .given(...steps)
    .when(complete(true))
    .then(completed);
});

completing('refuses what the order would refuse', () => {
  const dear = [{ sku: 'A', name: 'Tea', quantity: 999, unitPrice: usd(99_999_999) }];
  const { state } = checkout.given().when(begin({ lines: dear }));
  const filled = [addressSet, methodSet, paymentSet].reduce(checkoutDecider.evolve, state);
  const outcome = checkout.from(filled).when(complete());
  outcome.rejects('order.amount-invalid');
  assert.is(outcome.state.status, 'open');
});

completing('the order accepts what it sends', () => {
  const { sent } = checkout.given(...steps).when(complete());
  const order = specification(orderDecider, { id: 'ord_1' });
  const message = sent[0]?.message;
  if (message?.type !== 'PlaceOrder') throw new Error('no order was placed');
  assert.ok(order.given().when(message as Parameters<typeof orderDecider.decide>[1]).accepted.events.length > 0);
});

completing('the billing address of the last payment step and the facts for the review are in the order', () => {
  const billingAddress = { ...address, country: 'CA' };
  const facts = { firstOrder: true, ordersFromAddress: 2 };
  const given = checkout.given(began(), addressSet, methodSet, paymentSet).when({ ...setPayment, billingAddress });
  given.then({ ...paymentSet, personal: { token: 'tok_success', billingAddress } });
  const draftOf = (state: CheckoutState) => {
    const command = { type: 'CompleteCheckout', customerId: 'cus_1', acceptPriceChanges: true, facts } as const;
    const message = checkout.from(state).when(command).sent[0]?.message;
    return message !== undefined && 'draft' in message ? (message['draft'] as object) : {};
  };
  const draft = draftOf(given.state);
  assert.equal('billingAddress' in draft && draft.billingAddress, billingAddress);
  assert.equal('facts' in draft && draft.facts, facts);
  const replaced = checkout.from(given.state).when(setPayment);
  assert.not.ok('billingAddress' in draftOf(replaced.state), 'a later payment step without one takes it away');
});

const ending = suite('Checkout - expiry and rounds');

ending('expires 15 minutes after the last step and gives the cart back', () => {
  const outcome = checkout.given(...steps).when(expire, { now: expiresAt });
  outcome.then(expired());
  assert.equal(outcome.sent, [{ to: { type: 'cart', id: 'cart_1' }, message: { type: 'CheckoutLapsed', round: 1 } }]);
  for (const command of [setAddress, setMethod, setPayment, complete()]) {
    checkout.from(outcome.state).when(command, { now: expiresAt }).rejects('checkout.expired');
  }
});

ending('a timer that comes before its time waits for the rest', () => {
  const outcome = checkout.given(...steps).when(expire, { now: expiresAt - 1 });
  outcome.nothing();
  assert.equal(outcome.timers, [expireAt(expiresAt)]);
});

ending('nothing is done after its time even if its timer is late', () => {
  checkout
    .given(...steps)
    .when(complete(), { now: expiresAt - 1 })
    .thenTypes('CheckoutCompleted');
  checkout
    .given(...steps)
    .when(complete(), { now: expiresAt })
    .rejects('checkout.expired');
});

ending('begins again after it expired, from the first step', () => {
  const outcome = checkout.given(...steps, expired()).when(begin({ round: 2 }));
  outcome.then(began([], 2));
  assert.is(stepOf(open(outcome.state)), 'address');
});

ending('a beginning that is repeated or of an earlier round changes nothing', () => {
  checkout
    .given(...steps)
    .when(begin())
    .nothing();
  checkout
    .given(began([], 2))
    .when(begin({ round: 1 }))
    .nothing();
  checkout
    .given(...steps, expired())
    .when(begin())
    .nothing();
});

ending('a newer round replaces an open one', () => {
  const outcome = checkout.given(...steps).when(begin({ round: 2, lines: lines.slice(1) }));
  assert.equal(open(outcome.state).lines, lines.slice(1));
});

ending('the cart cancels its round only', () => {
  const outcome = checkout.given(...steps).when(cancel(1));
  outcome.then(expired(1, 'cart-changed')).sends();
  assert.equal(outcome.timers, [{ clear: 'expire' }]);
  checkout.from(outcome.state).when(cancel(1)).nothing();
  checkout.given(began([], 2)).when(cancel(1)).nothing();
});

ending('a cancellation that overtakes its beginning prevents it', () => {
  const fresh = checkout.given().when(cancel(1));
  checkout.from(fresh.state).when(begin()).nothing();
  checkout.from(fresh.state).when(setAddress).rejects('checkout.unknown');
  const later = checkout.given(...steps).when(cancel(2));
  assert.is(later.state.status, 'expired');
  checkout
    .from(later.state)
    .when(begin({ round: 2 }))
    .nothing();
  checkout
    .from(later.state)
    .when(begin({ round: 3 }))
    .thenTypes('CheckoutBegan');
});

ending('a completed one stays completed, whatever its cart or its timer says', () => {
  const given = checkout.given(...steps, completed);
  for (const command of [cancel(1), cancel(9), begin({ round: 9 }), expire]) {
    given.when(command, { now: expiresAt }).nothing();
  }
  for (const command of [setAddress, setMethod, setPayment]) given.when(command).rejects('checkout.completed');
});

const total = suite('Checkout - every state and command');

total('answers each command in each state', () => {
  const states: Record<string, CheckoutEvent[]> = {
    none: [],
    open: steps,
    completed: [...steps, completed],
    expired: [...steps, expired()],
  };
  const edge = { none: 'checkout.unknown', completed: 'checkout.completed', expired: 'checkout.expired' };
  const table: Record<CheckoutCommand['type'], { command: CheckoutCommand; refusals: Record<string, string> }> = {
    BeginCheckout: { command: begin({ round: 2 }), refusals: {} },
    CancelCheckout: { command: cancel(1), refusals: {} },
    SetAddress: { command: setAddress, refusals: edge },
    NoteAddressCheck: { command: noteCheck, refusals: edge },
    SetShippingMethod: { command: setMethod, refusals: edge },
    SetPayment: { command: setPayment, refusals: edge },
    CompleteCheckout: { command: complete(), refusals: { ...edge, completed: '' } },
    ExpireCheckout: { command: expire, refusals: { none: 'checkout.unknown' } },
  };
  for (const { command, refusals } of Object.values(table)) {
    for (const [status, events] of Object.entries(states)) {
      const outcome = checkout.given(...events).when(command);
      assert.is(outcome.before.status, status);
      assert.is(outcome.rejection?.code ?? '', refusals[status] ?? '', `${command.type} in ${status}`);
    }
  }
});

total('lives in the shard of its cart, with the figure of the policy', () => {
  assert.is(checkoutDecider.partitionKey('chk_01J'), '01J');
  const policy = { ...defaultPolicy, checkout: { expiryMs: 7 } };
  assert.equal(checkout.given().when(begin(), { policy }).timers, [expireAt(T0 + 7)]);
});

for (const tests of [walking, completing, ending, total]) tests.run();
