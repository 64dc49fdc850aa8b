import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type CartCommand, type CartEvent, type CartState, cartDecider } from '../../actors/cart.ts';
import type { CatalogFacts } from '../../actors/catalogFacts.ts';
import type { CheckoutCommand } from '../../actors/checkout.ts';
import { money } from '../../actors/kernel/money.ts';
import { defaultPolicy } from '../../actors/policy.ts';
import { specification, T0 } from '../support/spec.ts';

const hour = 3_600_000;
const day = 24 * hour;
const usd = (amount: number) => money(amount, 'USD');
const cart = specification(cartDecider, { id: 'cart_1' });

const facts = (sku: string, more: Partial<CatalogFacts> = {}): CatalogFacts => ({
  sku,
  name: `Name of ${sku}`,
  price: usd(1_000),
  status: 'active',
  available: 50,
  ...more,
});
const add = (sku: string, quantity = 1, product: CatalogFacts | null = facts(sku)): CartCommand => ({
  type: 'AddItem',
  customerId: 'cus_1',
  sku,
  quantity,
  product,
});
const set = (sku: string, quantity: number, product: CatalogFacts | null = facts(sku)): CartCommand => ({
  type: 'SetItemQuantity',
  customerId: 'cus_1',
  sku,
  quantity,
  product,
});
const remove = (sku: string): CartCommand => ({ type: 'RemoveItem', customerId: 'cus_1', sku });
const clear: CartCommand = { type: 'ClearCart', customerId: 'cus_1' };
const start = (...prices: CatalogFacts[]): CartCommand => ({ type: 'StartCheckout', customerId: 'cus_1', prices });

const created = (guest = true): CartEvent => ({
  type: 'CartCreated',
  v: 1,
  customerId: 'cus_1',
  guest,
  currency: 'USD',
  at: T0,
});
const added = (sku: string, quantity = 1, price = 1_000, at = T0): CartEvent => ({
  type: 'ItemAdded',
  v: 1,
  line: { sku, name: `Name of ${sku}`, quantity, unitPrice: usd(price) },
  at,
});
const started = (round = 1): CartEvent => ({ type: 'CheckoutStarted', v: 1, round, at: T0 });
const refreshed = (sku: string, old: number, price: number, at = T0): CartEvent => ({
  type: 'PriceRefreshed',
  v: 1,
  sku,
  old: usd(old),
  new: usd(price),
  at,
});
const abandonAt = (at: number) => ({ set: 'abandon', at, message: { type: 'AbandonCart' } });

function linesOf(state: CartState) {
  if (state.status === 'none') throw new Error('no cart');
  return state.lines;
}
function codesOf(decision: { reply?: unknown }) {
  const { warnings } = decision.reply as { warnings: { code: string; sku: string }[] };
  return warnings.map(({ code, sku }) => `${code} ${sku}`);
}

const create = suite('Cart - create');

create('belongs to its principal, in the currency of the shop', () => {
  const outcome = cart.given().when({ type: 'CreateCart', customerId: 'cus_1', guest: true });
  outcome.then(created());
  assert.equal(outcome.accepted.reply, { warnings: [] });
});

create('again by the same principal changes nothing; for another it does not exist', () => {
  cart.given(created()).when({ type: 'CreateCart', customerId: 'cus_1', guest: true }).nothing();
  cart.given(created()).when({ type: 'CreateCart', customerId: 'cus_2', guest: true }).rejects('cart.unknown');
});

create('only the cart of a guest is to be abandoned, 24 h later', () => {
  const guest = cart.given().when({ type: 'CreateCart', customerId: 'cus_1', guest: true });
  assert.equal(guest.timers, [abandonAt(T0 + day)]);
  assert.equal(cart.given().when({ type: 'CreateCart', customerId: 'cus_1', guest: false }).timers, []);
});

create('every command of another principal gets 404', () => {
  const commands = [add('A'), set('A', 2), remove('A'), clear, start(facts('A'))];
  for (const command of commands) {
    const outcome = cart.given(created(), added('A')).when({ ...command, customerId: 'cus_2' } as CartCommand);
    outcome.rejects('cart.unknown');
    assert.is(outcome.rejection?.status, 404);
  }
});

const adding = suite('Cart - add');

adding('takes name and price from the catalog', () => {
  const outcome = cart.given(created()).when(add('A', 2, facts('A', { name: 'Tea', price: usd(499) })));
  outcome.then({ type: 'ItemAdded', v: 1, line: { sku: 'A', name: 'Tea', quantity: 2, unitPrice: usd(499) }, at: T0 });
  assert.equal(outcome.accepted.reply, { warnings: [] });
});

adding('refuses a SKU that the catalog does not know, or not yet', () => {
  cart
    .given(created())
    .when(add('A', 1, null))
    .rejects('cart.sku-unknown');
  cart
    .given(created())
    .when(add('A', 1, facts('B')))
    .rejects('cart.sku-unknown');
  const draft = cart.given(created()).when(add('A', 1, facts('A', { status: 'draft' })));
  draft.rejects('cart.sku-unknown');
  assert.is(draft.rejection?.status, 422);
});

adding('refuses a SKU that is discontinued, without a price or in another currency', () => {
  for (const more of [{ status: 'discontinued' }, { price: usd(0) }, { price: money(5, 'EUR') }] as const) {
    const outcome = cart.given(created()).when(add('A', 1, facts('A', more)));
    outcome.rejects('cart.sku-unavailable');
    assert.is(outcome.rejection?.status, 422);
  }
});

adding('warns of what is out of stock or short, and adds it', () => {
  const none = cart.given(created()).when(add('A', 1, facts('A', { available: 0 })));
  none.thenTypes('ItemAdded');
  assert.equal(codesOf(none.accepted), ['cart.out-of-stock A']);
  const short = cart.given(created(), added('A', 3)).when(add('A', 3, facts('A', { available: 5 })));
  short.thenTypes('ItemAdded');
  assert.equal(codesOf(short.accepted), ['cart.stock-short A']);
  assert.equal(
    codesOf(cart.given(created(), added('A', 3)).when(add('A', 2, facts('A', { available: 5 }))).accepted),
    [],
  );
});

adding('merges the same SKU', () => {
  const { state } = cart.given(created(), added('A', 2), added('B')).when(add('A', 3));
  assert.equal(
    linesOf(state).map(({ sku, quantity }) => [sku, quantity]),
    [
      ['A', 5],
      ['B', 1],
    ],
  );
});

adding('takes 1 to 999 of a SKU, together with what is there', () => {
  for (const quantity of [0, -1, 1.5, 1_000, Number.NaN]) {
    cart.given(created()).when(add('A', quantity)).rejects('cart.quantity-limit');
  }
  cart.given(created()).when(add('A', 999)).thenTypes('ItemAdded');
  cart.given(created(), added('A', 998)).when(add('A', 1)).thenTypes('ItemAdded');
  cart.given(created(), added('A', 998)).when(add('A', 2)).rejects('cart.quantity-limit');
});

adding('takes 100 SKUs, and more of one of them', () => {
  const full = Array.from({ length: 100 }, (_, index) => added(`SKU-${index}`));
  cart
    .given(created(), ...full.slice(1))
    .when(add('SKU-X'))
    .thenTypes('ItemAdded');
  cart
    .given(created(), ...full)
    .when(add('SKU-X'))
    .rejects('cart.too-many-skus');
  cart
    .given(created(), ...full)
    .when(add('SKU-7'))
    .thenTypes('ItemAdded');
});

const freeze = suite('Cart - price freeze');

freeze('keeps the price for an hour, also for more of the same', () => {
  const dearer = facts('A', { price: usd(1_200) });
  const outcome = cart.given(created(), added('A')).when(add('A', 1, dearer), { now: T0 + hour - 1 });
  outcome.then(added('A', 1, 1_000, T0 + hour - 1));
  assert.is(linesOf(outcome.state)[0]?.pricedAt, T0, 'adding more does not prolong the freeze');
});

freeze('after an hour adding and setting refresh the price, with a warning', () => {
  const now = T0 + hour;
  const dearer = facts('A', { price: usd(1_200) });
  const adds = cart.given(created(), added('A')).when(add('A', 1, dearer), { now });
  adds.then(refreshed('A', 1_000, 1_200, now), added('A', 1, 1_200, now));
  assert.equal(codesOf(adds.accepted), ['cart.price-changed A']);
  const sets = cart.given(created(), added('A')).when(set('A', 1, dearer), { now });
  sets.then(refreshed('A', 1_000, 1_200, now));
  assert.equal(linesOf(sets.state), [
    {
      sku: 'A',
      name: 'Name of A',
      quantity: 1,
      unitPrice: usd(1_200),
      pricedAt: now,
      agreedPrice: usd(1_000),
    },
  ]);
});

freeze('a refresh to the same price freezes it again, without a warning', () => {
  const now = T0 + hour;
  const outcome = cart.given(created(), added('A')).when(set('A', 2), { now });
  outcome.thenTypes('PriceRefreshed', 'ItemQuantityChanged');
  assert.equal(codesOf(outcome.accepted), []);
  assert.is(linesOf(outcome.state)[0]?.agreedPrice, null);
});

freeze('a price that is back to what was agreed is no change any more', () => {
  const state = cart.given(created(), added('A'), refreshed('A', 1_000, 1_200), refreshed('A', 1_200, 1_000)).state;
  assert.is(linesOf(state)[0]?.agreedPrice, null);
  const twice = cart.given(created(), added('A'), refreshed('A', 1_000, 1_200), refreshed('A', 1_200, 1_300)).state;
  assert.equal(linesOf(twice)[0]?.agreedPrice, usd(1_000));
});

const changing = suite('Cart - set, remove, clear');

changing('sets the quantity of a line', () => {
  cart
    .given(created(), added('A'))
    .when(set('A', 7))
    .then({ type: 'ItemQuantityChanged', v: 1, sku: 'A', quantity: 7, at: T0 });
  cart.given(created(), added('A', 7)).when(set('A', 7)).nothing();
});

changing('refuses a quantity out of range and a line that is not there', () => {
  for (const quantity of [0, 1_000, 2.5]) {
    cart.given(created(), added('A')).when(set('A', quantity)).rejects('cart.quantity-limit');
  }
  cart.given(created(), added('A')).when(set('B', 1)).rejects('cart.line-unknown');
  cart
    .given(created(), added('A'))
    .when(set('A', 2, null))
    .rejects('cart.sku-unknown');
});

changing('removes a line once', () => {
  const outcome = cart.given(created(), added('A'), added('B')).when(remove('A'));
  outcome.then({ type: 'ItemRemoved', v: 1, sku: 'A', at: T0 });
  const again = cart.from(outcome.state).when(remove('A'));
  again.nothing();
  assert.equal(again.accepted.reply, { warnings: [] });
});

changing('clears the lines and stays usable', () => {
  const outcome = cart.given(created(), added('A'), added('B')).when(clear);
  outcome.then({ type: 'CartCleared', v: 1, at: T0 });
  assert.equal(linesOf(outcome.state), []);
  cart.from(outcome.state).when(clear).nothing();
  cart.from(outcome.state).when(add('A')).thenTypes('ItemAdded');
});

changing('every change puts the abandonment of a guest off', () => {
  const now = T0 + 5 * hour;
  const given = cart.given(created(), added('A', 1, 1_000, now));
  for (const command of [add('A'), set('A', 3), remove('A'), clear, start(facts('A'))]) {
    assert.equal(given.when(command, { now }).timers, [abandonAt(now + day)], command.type);
  }
  assert.equal(cart.given(created(false)).when(add('A')).timers, [], 'a customer keeps the cart');
});

const checkout = suite('Cart - checkout');

checkout('hands its lines with their frozen prices to the checkout of the same body', () => {
  const outcome = cart.given(created(), added('A', 2), added('B', 1, 500)).when(start(facts('A'), facts('B')));
  outcome.then(started());
  const line = (sku: string, quantity: number, price: number) => ({
    sku,
    name: `Name of ${sku}`,
    quantity,
    unitPrice: usd(price),
  });
  assert.equal(outcome.sent, [
    {
      to: { type: 'checkout', id: 'chk_1' },
      message: {
        type: 'BeginCheckout',
        round: 1,
        customerId: 'cus_1',
        currency: 'USD',
        lines: [line('A', 2, 1_000), line('B', 1, 500)],
        priceChanges: [],
      },
    },
  ]);
  assert.equal(outcome.accepted.reply, { warnings: [], checkoutId: 'chk_1', round: 1 });
});

checkout('refuses an empty cart', () => {
  cart.given(created()).when(start()).rejects('cart.empty');
});

checkout('refuses what is not for sale any more', () => {
  const given = cart.given(created(), added('A'), added('B'));
  given.when(start(facts('A'))).rejects('cart.sku-unknown');
  given.when(start(facts('A'), facts('B', { status: 'discontinued' }))).rejects('cart.sku-unavailable');
});

checkout('refreshes prices after the freeze and shows old and new', () => {
  const now = T0 + hour;
  const outcome = cart
    .given(created(), added('A'), added('B', 1, 500, now))
    .when(start(facts('A', { price: usd(900) }), facts('B', { price: usd(700), available: 0 })), { now });
  outcome.thenTypes('PriceRefreshed', 'CheckoutStarted');
  const message = outcome.sent[0]?.message as Extract<CheckoutCommand, { type: 'BeginCheckout' }>;
  assert.equal(message.priceChanges, [{ sku: 'A', old: usd(1_000), new: usd(900) }]);
  assert.equal(
    message.lines.map(({ unitPrice }) => unitPrice.amount),
    [900, 500],
  );
  assert.equal(codesOf(outcome.accepted), ['cart.price-changed A', 'cart.out-of-stock B']);
});

checkout('a changed price that nobody agreed to yet is shown by the next checkout too, with a warning', () => {
  const given = cart.given(created(), added('A'), refreshed('A', 1_000, 1_200), started(), {
    type: 'CartReopened',
    v: 1,
    round: 1,
    reason: 'lapsed',
  });
  const outcome = given.when(start(facts('A', { price: usd(1_200) })));
  assert.equal(codesOf(outcome.accepted), ['cart.price-changed A']);
  const message = outcome.sent[0]?.message;
  assert.equal((message as Extract<CheckoutCommand, { type: 'BeginCheckout' }>).priceChanges, [
    { sku: 'A', old: usd(1_000), new: usd(1_200) },
  ]);
});

checkout('starting it again is answered with the one that is open, and what is short by now', () => {
  const outcome = cart.given(created(), added('A'), started()).when(start(facts('A')));
  outcome.nothing();
  assert.equal(outcome.accepted.reply, { warnings: [], checkoutId: 'chk_1', round: 1 });
  const given = cart.given(created(), added('A'), added('B'), started());
  const again = given.when(start(facts('A', { available: 0 })));
  again.nothing();
  assert.equal(codesOf(again.accepted), ['cart.out-of-stock A', 'cart.sku-unavailable B']);
});

checkout('changing a line takes the cart back and cancels that checkout', () => {
  const given = cart.given(created(), added('A'), started(3));
  for (const command of [add('A'), set('A', 2), remove('A'), clear]) {
    const outcome = given.when(command);
    assert.equal(outcome.accepted.events[0], { type: 'CartReopened', v: 1, round: 3, reason: 'changed' });
    assert.equal(outcome.sent, [
      { to: { type: 'checkout', id: 'chk_1' }, message: { type: 'CancelCheckout', round: 3 } },
    ]);
    assert.is(outcome.state.status, 'active');
  }
  given.when(set('A', 1)).nothing();
  given.when(remove('B')).nothing();
});

checkout('a lapsed checkout gives the cart back, unless it is an earlier one', () => {
  const given = cart.given(created(), added('A'), started(2));
  given.when({ type: 'CheckoutLapsed', round: 2 }).then({ type: 'CartReopened', v: 1, round: 2, reason: 'lapsed' });
  given.when({ type: 'CheckoutLapsed', round: 1 }).nothing();
  cart.given(created(), added('A')).when({ type: 'CheckoutLapsed', round: 0 }).nothing();
});

checkout('after a lapse the next checkout is another round', () => {
  const given = cart.given(created(), added('A'), started(), {
    type: 'CartReopened',
    v: 1,
    round: 1,
    reason: 'lapsed',
  });
  given.when(start(facts('A'))).then(started(2));
});

checkout('an order ends the cart in whatever state it is, once', () => {
  const done: CartEvent = { type: 'CartCheckedOut', v: 1, orderId: 'ord_1' };
  const open = [created(), added('A')];
  for (const events of [open, [...open, started()], [...open, { type: 'CartAbandoned', v: 1 } as const]]) {
    const outcome = cart.given(...events).when({ type: 'CheckedOut', orderId: 'ord_1', round: 1 });
    outcome.then(done);
    assert.equal(outcome.timers, [{ clear: 'abandon' }]);
    cart.from(outcome.state).when({ type: 'CheckedOut', orderId: 'ord_1', round: 1 }).nothing();
  }
  const over = cart.given(...open, started(), done);
  for (const command of [add('A'), set('A', 2), remove('A'), clear, start(facts('A'))]) {
    over.when(command).rejects('cart.checked-out');
  }
});

const abandonment = suite('Cart - abandonment');
const abandon: CartCommand = { type: 'AbandonCart' };

abandonment('takes a guest cart 24 h after its last change', () => {
  const given = cart.given(created(), added('A', 1, 1_000, T0 + hour));
  const outcome = given.when(abandon, { now: T0 + hour + day });
  outcome.then({ type: 'CartAbandoned', v: 1 });
  cart.from(outcome.state).when(add('A')).rejects('cart.abandoned');
  cart.from(outcome.state).when(abandon).nothing();
});

abandonment('a timer that comes before its time waits for the rest', () => {
  const outcome = cart.given(created(), added('A', 1, 1_000, T0 + hour)).when(abandon, { now: T0 + day });
  outcome.nothing();
  assert.equal(outcome.timers, [abandonAt(T0 + hour + day)]);
});

abandonment('waits while a checkout is open', () => {
  const now = T0 + day;
  const outcome = cart.given(created(), added('A'), started()).when(abandon, { now });
  outcome.nothing();
  assert.equal(outcome.timers, [abandonAt(now + defaultPolicy.checkout.expiryMs)]);
});

abandonment('never takes the cart of a customer', () => {
  cart
    .given(created(false), added('A'))
    .when(abandon, { now: T0 + 365 * day })
    .nothing();
});

const total = suite('Cart - every state and command');

total('answers each command in each state', () => {
  const open = [created(), added('A')];
  const states: Record<string, CartEvent[]> = {
    none: [],
    active: open,
    'checking-out': [...open, started()],
    'checked-out': [...open, started(), { type: 'CartCheckedOut', v: 1, orderId: 'ord_1' }],
    abandoned: [...open, { type: 'CartAbandoned', v: 1 }],
    merged: [...open, { type: 'CartMerged', v: 1, into: 'cart_2', at: T0 }],
  };
  const ended = ['checked-out', 'abandoned', 'merged'];
  const table: Record<CartCommand['type'], { command: CartCommand; none: string; over: string }> = {
    CreateCart: { command: { type: 'CreateCart', customerId: 'cus_1', guest: true }, none: '', over: '' },
    AddItem: { command: add('B'), none: 'cart.unknown', over: 'refused' },
    SetItemQuantity: { command: set('A', 2), none: 'cart.unknown', over: 'refused' },
    RemoveItem: { command: remove('A'), none: 'cart.unknown', over: 'refused' },
    ClearCart: { command: clear, none: 'cart.unknown', over: 'refused' },
    StartCheckout: { command: start(facts('A')), none: 'cart.unknown', over: 'refused' },
    MergeCart: {
      command: { type: 'MergeCart', customerId: 'cus_1', from: 'cart_2' },
      none: 'cart.unknown',
      over: 'refused',
    },
    // Told by another cart: answered by a message, never refused.
    GiveCart: {
      command: { type: 'GiveCart', into: 'cart_2', customerId: 'cus_2', attempt: 1 },
      none: '',
      over: '',
    },
    CartGiven: { command: { type: 'CartGiven', from: 'cart_2', attempt: 1, lines: [] }, none: '', over: '' },
    CartNotGiven: {
      command: {
        type: 'CartNotGiven',
        from: 'cart_2',
        attempt: 1,
        rejection: { status: 404, code: 'cart.unknown', title: '', detail: '' },
      },
      none: '',
      over: '',
    },
    TakeCartBack: { command: { type: 'TakeCartBack', into: 'cart_2' }, none: '', over: '' },
    CheckedOut: { command: { type: 'CheckedOut', orderId: 'ord_1', round: 1 }, none: 'cart.unknown', over: '' },
    CheckoutLapsed: { command: { type: 'CheckoutLapsed', round: 1 }, none: 'cart.unknown', over: '' },
    AbandonCart: { command: abandon, none: 'cart.unknown', over: '' },
  };
  for (const { command, none, over } of Object.values(table)) {
    for (const [status, events] of Object.entries(states)) {
      const guest = command.type !== 'MergeCart';
      const given = events.map((event) => (event.type === 'CartCreated' ? { ...event, guest } : event));
      const outcome = cart.given(...given).when(command, { now: T0 + day });
      assert.is(outcome.before.status, status);
      const refusal = status === 'none' ? none : over && ended.includes(status) ? `cart.${status}` : '';
      assert.is(outcome.rejection?.code ?? '', refusal, `${command.type} in ${status}`);
    }
  }
});

total('a cart and its checkout share a shard', () => {
  assert.is(cartDecider.partitionKey('cart_01J'), '01J');
  assert.is(cartDecider.partitionKey('strange'), 'strange');
});

for (const tests of [create, adding, freeze, changing, checkout, abandonment, total]) tests.run();
