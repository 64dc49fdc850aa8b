/** A guest's cart and the one it is merged into. Case 22 (first half): merged twice, taken over once. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mergeOutcome } from '../../actors/cart/merge.ts';
import { type CartCommand, type CartEvent, type CartState, cartDecider } from '../../actors/cart.ts';
import type { CartLine } from '../../actors/cartLines.ts';
import type { CheckoutCommand, CheckoutNews } from '../../actors/checkout.ts';
import { cartAddress, cartOf, checkoutOf } from '../../actors/ids.ts';
import type { Send } from '../../actors/kernel/decider.ts';
import { money } from '../../actors/kernel/money.ts';
import { defaultPolicy } from '../../actors/policy.ts';
import type { PricedLine } from '../../actors/pricing.ts';
import { specification, T0 } from '../support/spec.ts';

const day = 86_400_000;
const usd = (amount: number) => money(amount, 'USD');
const source = specification(cartDecider, { id: 'cart_G', now: T0 + 1 });
const target = specification(cartDecider, { id: 'cart_C', now: T0 + 1 });

const guests: CartEvent = { type: 'CartCreated', v: 1, customerId: 'gst_1', guest: true, currency: 'USD', at: T0 };
const customers: CartEvent = { type: 'CartCreated', v: 1, customerId: 'cus_1', guest: false, currency: 'USD', at: T0 };
const added = (sku: string, quantity = 1, price = 1_000): CartEvent => ({
  type: 'ItemAdded',
  v: 1,
  line: { sku, name: `Name of ${sku}`, quantity, unitPrice: usd(price) },
  at: T0,
});
const line = (sku: string, quantity = 1, more: Partial<CartLine> = {}): CartLine => ({
  sku,
  name: `Name of ${sku}`,
  quantity,
  unitPrice: usd(1_000),
  pricedAt: T0,
  agreedPrice: null,
  ...more,
});
const many = (count: number) => Array.from({ length: count }, (_, index) => `SKU-${index}`);
const checkedOut: CartEvent = { type: 'CartCheckedOut', v: 1, orderId: 'ord_C' };
const started: CartEvent = { type: 'CheckoutStarted', v: 1, round: 3, at: T0 };
const merged = (into = 'cart_C'): CartEvent => ({ type: 'CartMerged', v: 1, into, at: T0 });
const requested = (attempt = 1, from = 'cart_G'): CartEvent => ({ type: 'CartMergeRequested', v: 1, from, attempt });
const takenOver = (attempt = 1, from = 'cart_G'): CartEvent => ({
  type: 'CartTakenOver',
  v: 1,
  from,
  attempt,
  taken: [],
  warnings: [],
  at: T0,
});
const refusal = { status: 409, code: 'cart.checking-out', title: 'Busy', detail: 'Busy.' } as const;
const failed = (attempt = 1): CartEvent => ({
  type: 'CartMergeFailed',
  v: 1,
  from: 'cart_G',
  attempt,
  rejection: refusal,
});

const merge = (from = 'cart_G'): CartCommand => ({ type: 'MergeCart', customerId: 'cus_1', from });
const giveCart = (attempt = 1, into = 'cart_C', customerId = 'cus_1'): CartCommand => ({
  type: 'GiveCart',
  into,
  customerId,
  attempt,
});
const given = (lines: readonly CartLine[], attempt = 1): CartCommand => ({
  type: 'CartGiven',
  from: 'cart_G',
  attempt,
  lines,
});
const notGiven = (attempt = 1): CartCommand => ({ type: 'CartNotGiven', from: 'cart_G', attempt, rejection: refusal });
const takeBack = (into = 'cart_C'): CartCommand => ({ type: 'TakeCartBack', into });

function known(state: CartState) {
  if (state.status === 'none') throw new Error('no cart');
  return state;
}
const quantities = (state: CartState) => known(state).lines.map(({ sku, quantity }) => [sku, quantity]);
const messages = (sent: readonly Send[]) => sent.map(({ to, message }) => [to.id, message]);
const codeOf = (sent: readonly Send[]) => {
  const message = sent[0]?.message as Extract<CartCommand, { type: 'CartNotGiven' }>;
  return [sent.length, message.type, message.rejection.code, message.rejection.status];
};

const asking = suite('Cart merge - asking');

asking('the customer’s cart asks the guest’s for its lines', () => {
  const outcome = target.given(customers).when(merge());
  outcome.then(requested());
  assert.equal(messages(outcome.sent), [['cart_G', giveCart()]]);
  assert.equal(outcome.accepted.reply, { attempt: 1 });
});

asking('is for the owner of an account’s cart that is still open', () => {
  target
    .given(customers)
    .when({ ...merge(), customerId: 'cus_2' } as CartCommand)
    .rejects('cart.unknown');
  target.given().when(merge()).rejects('cart.unknown');
  target.given(customers, checkedOut).when(merge()).rejects('cart.checked-out');
  const guest = target.given({ ...guests, customerId: 'cus_1' } as CartEvent).when(merge());
  guest.rejects('cart.merge-into-guest');
  assert.is(guest.rejection?.status, 422);
});

asking('again before the answer asks the source again, in the same attempt', () => {
  const outcome = target.given(customers, requested()).when(merge());
  outcome.then();
  assert.equal(messages(outcome.sent), [['cart_G', giveCart(1)]]);
  assert.equal(outcome.accepted.reply, { attempt: 1 });
});

asking('again after it was taken over is answered, also when the cart is ordered', () => {
  for (const later of [[], [started], [checkedOut]]) {
    const outcome = target.given(customers, requested(), takenOver(), ...later).when(merge());
    outcome.nothing();
    assert.equal(outcome.accepted.reply, { attempt: 1 });
  }
});

asking('again after a refusal is another attempt', () => {
  const outcome = target.given(customers, requested(), failed()).when(merge());
  outcome.then(requested(2));
  assert.equal(messages(outcome.sent), [['cart_G', giveCart(2)]]);
  const other = target.given(customers, requested(), failed()).when(merge('cart_H'));
  other.then(requested(2, 'cart_H'));
  assert.equal(
    known(other.state).merges?.map(({ from }) => from),
    ['cart_H'],
    'what failed is forgotten',
  );
});

asking('a cart takes over 100 others, not more; refused ones do not count', () => {
  const done = many(99).flatMap((from, index) => [requested(index + 1, from), takenOver(index + 1, from)]);
  target
    .given(customers, ...done)
    .when(merge())
    .thenTypes('CartMergeRequested');
  target
    .given(customers, ...done, requested(100), failed(100))
    .when(merge('cart_H'))
    .thenTypes('CartMergeRequested');
  const full = target.given(customers, ...done, requested(100)).when(merge('cart_H'));
  full.rejects('cart.too-many-merges');
  assert.is(full.rejection?.status, 422);
});

const giving = suite('Cart merge - giving');

giving('ends the guest’s cart and sends its lines away', () => {
  const outcome = source.given(guests, added('A', 2)).when(giveCart());
  outcome.then({ ...merged(), at: T0 + 1 } as CartEvent);
  assert.equal(messages(outcome.sent), [['cart_C', given([line('A', 2)])]]);
  assert.equal(outcome.timers, [{ clear: 'abandon' }]);
  assert.is(outcome.state.status, 'merged');
});

giving('again to the same cart gives the same lines; nothing to give is given too', () => {
  const again = source.given(guests, added('A', 2), merged()).when(giveCart(2));
  again.then();
  assert.equal(messages(again.sent), [['cart_C', given([line('A', 2)], 2)]]);
  assert.equal(messages(source.given(guests).when(giveCart()).sent), [['cart_C', given([])]]);
});

giving('refuses by name what is over, being ordered or elsewhere', () => {
  const refusals: [CartEvent[], string][] = [
    [[guests, added('A'), started], 'cart.checking-out'],
    [[guests, added('A'), checkedOut], 'cart.checked-out'],
    [[guests, added('A'), { type: 'CartAbandoned', v: 1 }], 'cart.abandoned'],
    [[guests, added('A'), merged('cart_H')], 'cart.merged'],
  ];
  for (const [events, code] of refusals) {
    const outcome = source.given(...events).when(giveCart());
    outcome.then();
    assert.equal(codeOf(outcome.sent), [1, 'CartNotGiven', code, 409]);
  }
});

giving('a customer’s cart is not there for others, and not a guest’s for its owner', () => {
  const unknown = [1, 'CartNotGiven', 'cart.unknown', 404];
  assert.equal(codeOf(source.given().when(giveCart()).sent), unknown);
  const owned = source.given({ ...guests, customerId: 'cus_9', guest: false } as CartEvent, added('A'));
  assert.equal(codeOf(owned.when(giveCart()).sent), unknown);
  assert.equal(codeOf(owned.when(giveCart(1, 'cart_C', 'cus_9')).sent), [
    1,
    'CartNotGiven',
    'cart.merge-not-guest',
    422,
  ]);
});

giving('what was given takes no change and is not abandoned any more', () => {
  const over = source.given(guests, added('A'), merged());
  const customerId = 'gst_1';
  const product = { sku: 'A', name: 'Tea', price: usd(1), status: 'active', available: 1 } as const;
  const commands: CartCommand[] = [
    { type: 'AddItem', customerId, sku: 'A', quantity: 1, product },
    { type: 'SetItemQuantity', customerId, sku: 'A', quantity: 1, product },
    { type: 'RemoveItem', customerId, sku: 'A' },
    { type: 'ClearCart', customerId },
    { type: 'StartCheckout', customerId, prices: [product] },
  ];
  for (const command of commands) {
    const outcome = over.when(command);
    outcome.rejects('cart.merged');
    assert.is(outcome.rejection?.status, 409, command.type);
  }
  over.when({ type: 'AbandonCart' }, { now: T0 + 9 * day }).nothing();
});

giving('taken back it is the guest’s again, and to be abandoned', () => {
  const outcome = source.given(guests, added('A'), merged()).when(takeBack());
  outcome.then({ type: 'CartMergeUndone', v: 1, into: 'cart_C', at: T0 + 1 });
  assert.equal(outcome.timers, [{ set: 'abandon', at: T0 + 1 + day, message: { type: 'AbandonCart' } }]);
  assert.equal(outcome.state, { ...known(source.given(guests, added('A')).state), changedAt: T0 + 1 });
  source.given(guests, merged('cart_H')).when(takeBack()).nothing();
  source.given(guests).when(takeBack()).nothing();
});

const taking = suite('Cart merge - taking over');

taking('sums the same SKU at the price of the own line and keeps the others’ frozen prices', () => {
  const there = target.given(customers, added('A', 2, 900), requested());
  const foreign = line('B', 1, { unitPrice: usd(500), pricedAt: T0 - 7, agreedPrice: usd(400) });
  const outcome = there.when(given([line('A', 3), foreign]));
  outcome.thenTypes('CartTakenOver');
  assert.equal(known(outcome.state).lines, [line('A', 5, { unitPrice: usd(900) }), foreign]);
  assert.equal(mergeOutcome(known(outcome.state), 'cart_G', 1), { warnings: [] });
});

taking('caps at 999 of one SKU, with a warning', () => {
  const there = target.given(customers, added('A', 990), added('B', 999), requested());
  const outcome = there.when(given([line('A', 10), line('B', 1), line('C', 999)]));
  assert.equal(quantities(outcome.state), [
    ['A', 999],
    ['B', 999],
    ['C', 999],
  ]);
  const warnings = mergeOutcome(known(outcome.state), 'cart_G', 1)?.warnings ?? [];
  assert.equal(
    warnings.map(({ code, sku }) => `${code} ${sku}`),
    ['cart.quantity-capped A', 'cart.quantity-capped B'],
  );
  const exact = target.given(customers, added('A', 990), requested()).when(given([line('A', 9)]));
  assert.equal(known(exact.state).mergeWarnings, { from: 'cart_G', warnings: [] });
});

taking('leaves out what is more than 100 SKUs or of another currency, with a warning', () => {
  const there = target.given(customers, ...many(99).map((sku) => added(sku)), requested());
  const euros = line('E', 1, { unitPrice: money(1, 'EUR') });
  const outcome = there.when(given([euros, line('X'), line('Y'), line('SKU-7')]));
  assert.is(known(outcome.state).lines.length, 100);
  assert.equal(known(outcome.state).lines.find(({ sku }) => sku === 'SKU-7')?.quantity, 2);
  const { warnings } = known(outcome.state).mergeWarnings ?? { warnings: [] };
  assert.equal(
    warnings.map(({ code, sku }) => `${code} ${sku}`),
    ['cart.line-left-out E', 'cart.line-left-out Y'],
  );
});

taking('case 22: a cart that is merged twice is taken over once', () => {
  const once = target.given(customers, added('A'), requested()).when(given([line('A', 2)]));
  for (const late of [given([line('A', 2)]), given([line('A', 2)], 7), notGiven()]) {
    target.from(once.state).when(late).nothing();
  }
  assert.equal(quantities(once.state), [['A', 3]]);
});

taking('takes a cart out of its checkout, unless there was nothing to take', () => {
  const ordering = target.given(customers, added('A'), started, requested());
  const outcome = ordering.when(given([line('B')]));
  outcome.thenTypes('CartReopened', 'CartTakenOver');
  assert.equal(messages(outcome.sent), [['chk_C', { type: 'CancelCheckout', round: 3 }]]);
  const empty = ordering.when(given([]));
  empty.thenTypes('CartTakenOver');
  assert.equal([empty.state.status, empty.sent], ['checking-out', []]);
  assert.equal(outcome.timers, [], 'an account’s cart is never abandoned');
});

taking('sends the lines back when the cart was ordered meanwhile, each time they come', () => {
  const outcome = target.given(customers, requested(), checkedOut).when(given([line('A')]));
  outcome.thenTypes('CartMergeFailed');
  assert.equal(messages(outcome.sent), [['cart_G', takeBack()]]);
  assert.is(mergeOutcome(known(outcome.state), 'cart_G', 1)?.rejection?.code, 'cart.checked-out');
  const again = target.from(outcome.state).when(given([line('A')]));
  again.then();
  assert.equal(messages(again.sent), [['cart_G', takeBack()]]);
  assert.equal(messages(target.given().when(given([line('A')])).sent), [['cart_G', takeBack()]]);
});

taking('a refusal ends the attempt that it answers, no later one', () => {
  const outcome = target.given(customers, requested()).when(notGiven());
  outcome.then(failed());
  assert.equal(mergeOutcome(known(outcome.state), 'cart_G', 1), { warnings: [], rejection: refusal });
  target.given(customers, requested(), failed(), requested(2)).when(notGiven(1)).nothing();
  target.given(customers).when(notGiven()).nothing();
  target.given().when(notGiven()).nothing();
});

taking('lines that come after a refusal are taken all the same', () => {
  const outcome = target.given(customers, requested(), failed()).when(given([line('A')]));
  assert.equal(quantities(outcome.state), [['A', 1]]);
  target.from(outcome.state).when(merge()).nothing();
});

taking('an attempt is open until its answer, and over for ever after', () => {
  const pending = target.given(customers, requested()).state;
  assert.is(mergeOutcome(known(pending), 'cart_G', 1), undefined);
  const next = target.given(customers, requested(), failed(), requested(2)).state;
  assert.ok(mergeOutcome(known(next), 'cart_G', 1), 'of the first attempt nobody waits any more');
  assert.is(mergeOutcome(known(next), 'cart_G', 2), undefined);
});

const together = suite('Cart merge - both carts');

const PRICES = ['A', 'B'].map(
  (sku) => ({ sku, name: sku, price: usd(1_000), status: 'active', available: 9 }) as const,
);

type Act = { readonly kind: 'merge' | 'start' | 'complete' | 'deliver' | 'again'; readonly which: number };
const act: fc.Arbitrary<Act> = fc.record({
  kind: fc.constantFrom('merge', 'merge', 'start', 'start', 'complete', 'deliver', 'deliver', 'deliver', 'again'),
  which: fc.nat(99),
});

/** As much of a checkout as its cart sees of it: it makes one order of what the cart held when its round began. */
type TestCheckout = {
  readonly round: number;
  readonly open: boolean;
  readonly lines: readonly PricedLine[];
  readonly ordered?: readonly PricedLine[];
};

/** Two carts of one customer and the guest's, whose messages come late, twice and in any order. */
function play(acts: readonly Act[]) {
  const checkouts = new Map<string, TestCheckout>();
  const states = new Map<string, CartState>([
    ['cart_G', source.given(guests, added('A', 3), added('B', 1)).state],
    ['cart_C', target.given(customers, added('A', 2)).state],
    ['cart_D', target.given(customers).state],
  ]);
  const pending: Send[] = [];
  const tell = (id: string, command: CartCommand) => {
    const state = states.get(id) ?? cartDecider.initial(id);
    const decision = cartDecider.decide({ ...state, id } as CartState, command, {
      now: T0 + 1,
      id: 'm',
      policy: defaultPolicy,
    });
    if ('rejection' in decision && decision.rejection) return;
    states.set(id, (decision.events as CartEvent[]).reduce(cartDecider.evolve, { ...state, id } as CartState));
    pending.push(...(decision.sends ?? []));
  };
  const tellCheckout = (id: string, command: CheckoutCommand) => {
    const checkout = checkouts.get(id) ?? { round: 0, open: false, lines: [] };
    if (checkout.ordered) return;
    if (command.type === 'BeginCheckout' && command.round > checkout.round) {
      checkouts.set(id, { round: command.round, open: true, lines: command.lines });
    } else if (command.type === 'CancelCheckout' && command.round >= checkout.round) {
      checkouts.set(id, { ...checkout, round: command.round, open: false });
    }
  };
  const complete = (id: string) => {
    const checkout = checkouts.get(id);
    if (!checkout?.open || checkout.ordered) return;
    checkouts.set(id, { ...checkout, ordered: checkout.lines });
    const message: CheckoutNews = { type: 'CheckedOut', orderId: 'ord_1', round: checkout.round };
    pending.push({ to: cartAddress(cartOf(id)), message });
  };
  const deliver = (which: number, keep: boolean) => {
    const index = which % pending.length;
    const send = pending[index];
    if (!send) return;
    if (!keep) pending.splice(index, 1);
    if (send.to.type === 'cart') tell(send.to.id, send.message as CartCommand);
    else tellCheckout(send.to.id, send.message as CheckoutCommand);
  };
  for (const { kind, which } of acts) {
    const id = which % 2 ? 'cart_C' : 'cart_D';
    if (kind === 'merge') tell(id, merge());
    else if (kind === 'start') tell(id, { type: 'StartCheckout', customerId: 'cus_1', prices: PRICES });
    else if (kind === 'complete') complete(checkoutOf(id));
    else deliver(which, kind === 'again');
  }
  for (let left = 1_000; pending.length > 0; left--) {
    if (left === 0) throw new Error('the carts never come to rest');
    deliver(0, false);
  }
  const cart = (id: string) => known(states.get(id) ?? cartDecider.initial(id));
  /** What the customer has bought with it, or still has in it. */
  const lines = (id: string) => checkouts.get(checkoutOf(id))?.ordered ?? cart(id).lines;
  return { cart, lines };
}

together('whatever is repeated, reordered or ordered meanwhile, the lines are in exactly one cart or order', () => {
  const ends = new Set<string>();
  fc.assert(
    fc.property(fc.array(act, { maxLength: 25 }), (acts) => {
      const { cart, lines } = play(acts);
      const guest = cart('cart_G');
      const holders = ['cart_C', 'cart_D'].filter((id) => lines(id).some(({ sku }) => sku === 'B'));
      assert.is(holders.length, guest.status === 'merged' ? 1 : 0, JSON.stringify(acts));
      if (guest.status === 'merged') assert.is(holders[0], guest.into);
      const pieces = (id: string) => lines(id).find(({ sku }) => sku === 'A')?.quantity ?? 0;
      assert.is(pieces('cart_C') + pieces('cart_D'), guest.status === 'merged' ? 5 : 2);
      const waits = ['cart_C', 'cart_D'].some((id) => cart(id).merges?.some(({ status }) => status === 'pending'));
      assert.not(waits, 'every request is answered');
      ends.add(guest.status === 'merged' ? guest.into : guest.status);
    }),
    { seed: 22, numRuns: 2_000 },
  );
  assert.equal([...ends].sort(), ['active', 'cart_C', 'cart_D']);
});

for (const tests of [asking, giving, taking, together]) tests.run();
