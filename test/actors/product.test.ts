import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { money } from '../../actors/kernel/money.ts';
import { type ProductCommand, type ProductEvent, productDecider } from '../../actors/product.ts';
import { specification, T0 } from '../support/spec.ts';

const usd = (amount: number) => money(amount, 'USD');
const product = specification(productDecider, { id: 'TEA-1' });

const details = { name: 'Tea', description: 'Green', category: 'Drinks', tags: ['loose'] };
const put = (more: Partial<typeof details> = {}): ProductCommand => ({ type: 'PutProduct', ...details, ...more });
const setPrice = (price = usd(500)): ProductCommand => ({ type: 'SetPrice', price });
const discontinue: ProductCommand = { type: 'DiscontinueProduct' };
const created: ProductEvent = { type: 'ProductCreated', v: 1, ...details };
const priced: ProductEvent = { type: 'PriceSet', v: 1, old: null, price: usd(500) };
const discontinued: ProductEvent = { type: 'ProductDiscontinued', v: 1 };

const describing = suite('Product - put');

describing('creates a draft, and says so', () => {
  const outcome = product.given().when(put());
  outcome.then(created);
  assert.equal(outcome.accepted.reply, { created: true });
  assert.equal(outcome.state, { status: 'draft', sku: 'TEA-1', price: null, ...details });
});

describing('changes what is there and keeps its price', () => {
  const outcome = product.given(created, priced).when(put({ name: 'Better Tea' }));
  outcome.then({ type: 'ProductChanged', v: 1, ...details, name: 'Better Tea' });
  assert.equal(outcome.accepted.reply, { created: false });
  assert.equal(outcome.state, {
    status: 'active',
    sku: 'TEA-1',
    price: usd(500),
    ...details,
    name: 'Better Tea',
  });
});

describing('the same again changes nothing', () => {
  const outcome = product.given(created).when(put());
  outcome.nothing();
  assert.equal(outcome.accepted.reply, { created: false });
});

describing('a SKU is 3 to 20 capitals, digits and hyphens', () => {
  for (const id of ['AB', 'A'.repeat(21), 'tea-1', 'TEA 1', 'TEA_1', 'TEA-1\n', '']) {
    specification(productDecider, { id }).given().when(put()).rejects('product.invalid-sku');
  }
  for (const id of ['A-1', 'A'.repeat(20)]) {
    specification(productDecider, { id }).given().when(put()).thenTypes('ProductCreated');
  }
});

describing('names what is too short or too long', () => {
  const bounds = [
    [{ name: '' }, '/name'],
    [{ name: 'x'.repeat(201) }, '/name'],
    [{ description: 'x'.repeat(5_001) }, '/description'],
    [{ category: '' }, '/category'],
    [{ category: 'x'.repeat(101) }, '/category'],
    [{ tags: Array.from({ length: 21 }, () => 'x') }, '/tags'],
    [{ tags: [''] }, '/tags'],
    [{ tags: ['x'.repeat(51)] }, '/tags'],
  ] as const;
  for (const [more, pointer] of bounds) {
    const outcome = product.given().when({ ...put(), ...more });
    outcome.rejects('product.invalid');
    assert.equal(
      outcome.rejection?.errors?.map((error) => error.pointer),
      [pointer],
    );
  }
  const largest = { name: 'x'.repeat(200), description: 'x'.repeat(5_000), category: 'x'.repeat(100), tags: [] };
  product.given().when(put(largest)).thenTypes('ProductCreated');
});

const pricing = suite('Product - price');

pricing('the first price puts it on sale', () => {
  const outcome = product.given(created).when(setPrice());
  outcome.then(priced);
  assert.is(outcome.state.status, 'active');
});

pricing('a new price tells the old one; the same price is no change', () => {
  const given = product.given(created, priced);
  given.when(setPrice(usd(700))).then({ type: 'PriceSet', v: 1, old: usd(500), price: usd(700) });
  given.when(setPrice()).nothing();
});

pricing('is above zero, whole, bounded and in the currency of the shop', () => {
  const wrong = [0, -1, 1.5, Number.NaN, 100_000_000].map((amount) => ({ amount, currency: 'USD' }));
  for (const price of [...wrong, money(5, 'EUR')]) {
    product.given(created).when(setPrice(price)).rejects('product.invalid-price');
  }
  for (const amount of [1, 99_999_999])
    product
      .given(created)
      .when(setPrice(usd(amount)))
      .thenTypes('PriceSet');
});

const scheduling = suite('Product - scheduled price');
const DAY = 86_400_000;
const tomorrow = { price: usd(400), at: T0 + DAY };
const schedule = (more: Partial<typeof tomorrow> = {}): ProductCommand => ({
  type: 'SchedulePrice',
  ...tomorrow,
  ...more,
});
const scheduled: ProductEvent = { type: 'PriceChangeScheduled', v: 1, ...tomorrow };
const cancelled: ProductEvent = { type: 'PriceChangeCancelled', v: 1, ...tomorrow };
const cancel: ProductCommand = { type: 'CancelScheduledPrice' };
const activate: ProductCommand = { type: 'ActivatePrice' };
const timerAt = (at: number) => ({ set: 'price', at, message: { type: 'ActivatePrice' } });

scheduling('is kept beside the price, with a timer, until its time', () => {
  const outcome = product.given(created, priced).when(schedule()).then(scheduled);
  assert.equal(outcome.timers, [timerAt(tomorrow.at)]);
  assert.equal(outcome.state, { status: 'active', sku: 'TEA-1', price: usd(500), ...details, scheduled: tomorrow });
});

scheduling('becomes the price on time, once', () => {
  const given = product.given(created, priced, scheduled);
  const outcome = given.when(activate, { now: tomorrow.at });
  outcome.then({ type: 'PriceChangeActivated', v: 1, old: usd(500), price: usd(400) });
  assert.equal(outcome.state, { status: 'active', sku: 'TEA-1', price: usd(400), ...details });
  product.from(outcome.state).when(activate, { now: tomorrow.at }).nothing();
});

scheduling('puts a draft on sale', () => {
  const outcome = product.given(created, scheduled).when(activate, { now: tomorrow.at });
  outcome.then({ type: 'PriceChangeActivated', v: 1, old: null, price: usd(400) });
  assert.is(outcome.state.status, 'active');
});

scheduling('a timer that comes too early is set again', () => {
  const outcome = product.given(created, priced, scheduled).when(activate, { now: tomorrow.at - 1 });
  outcome.nothing();
  assert.equal(outcome.timers, [timerAt(tomorrow.at)]);
});

scheduling('is replaced by another price or another time; the same again changes nothing', () => {
  const given = product.given(created, priced, scheduled);
  const later = { price: usd(400), at: T0 + 2 * DAY };
  const outcome = given.when(schedule(later)).then({ type: 'PriceChangeScheduled', v: 1, ...later });
  assert.equal(outcome.timers, [timerAt(later.at)]);
  given.when(schedule({ price: usd(300) })).thenTypes('PriceChangeScheduled');
  const same = given.when(schedule());
  same.nothing();
  assert.equal(same.timers, []);
});

scheduling('lies in the future and is a price like any other', () => {
  const given = product.given(created, priced);
  for (const at of [T0, T0 - 1, Number.NaN, T0 + 0.5, Number.POSITIVE_INFINITY]) {
    given.when(schedule({ at })).rejects('product.schedule-past');
  }
  given.when(schedule({ at: T0 + 1 })).thenTypes('PriceChangeScheduled');
  for (const price of [usd(0), usd(100_000_000), money(5, 'EUR')]) {
    given.when(schedule({ price })).rejects('product.invalid-price');
  }
});

scheduling('a price set meanwhile leaves it alone', () => {
  const outcome = product.given(created, priced, scheduled).when(setPrice(usd(700)));
  assert.equal(outcome.timers, []);
  const later = product.from(outcome.state).when(activate, { now: tomorrow.at });
  later.then({ type: 'PriceChangeActivated', v: 1, old: usd(700), price: usd(400) });
});

scheduling('is cancelled with its timer; there must be one', () => {
  const outcome = product.given(created, priced, scheduled).when(cancel).then(cancelled);
  assert.equal(outcome.timers, [{ clear: 'price' }]);
  assert.equal(outcome.state, product.given(created, priced).state);
  product.from(outcome.state).when(cancel).rejects('product.nothing-scheduled');
  product.from(outcome.state).when(activate, { now: tomorrow.at }).nothing();
});

scheduling('ends with the product', () => {
  const outcome = product.given(created, priced, scheduled).when(discontinue).then(cancelled, discontinued);
  assert.equal(outcome.timers, [{ clear: 'price' }]);
  assert.equal(outcome.state, product.given(created, priced, discontinued).state);
});

const total = suite('Product - every state and command');

total('answers each command in each state', () => {
  const states: Record<string, ProductEvent[]> = {
    none: [],
    draft: [created],
    active: [created, priced],
    discontinued: [created, priced, discontinued],
  };
  const gone = { none: 'product.unknown', discontinued: 'product.discontinued' };
  const table: Record<ProductCommand['type'], { command: ProductCommand; refusals: Record<string, string> }> = {
    PutProduct: { command: put({ name: 'New' }), refusals: { discontinued: 'product.discontinued' } },
    SetPrice: { command: setPrice(usd(9)), refusals: gone },
    SchedulePrice: { command: schedule(), refusals: gone },
    CancelScheduledPrice: {
      command: cancel,
      refusals: {
        none: 'product.unknown',
        draft: 'product.nothing-scheduled',
        active: 'product.nothing-scheduled',
        discontinued: 'product.nothing-scheduled',
      },
    },
    ActivatePrice: { command: activate, refusals: {} },
    DiscontinueProduct: { command: discontinue, refusals: { none: 'product.unknown' } },
  };
  for (const { command, refusals } of Object.values(table)) {
    for (const [status, events] of Object.entries(states)) {
      const outcome = product.given(...events).when(command);
      assert.is(outcome.before.status, status);
      assert.is(outcome.rejection?.code ?? '', refusals[status] ?? '', `${command.type} in ${status}`);
    }
  }
});

total('is discontinued once and for good, also as a draft', () => {
  const outcome = product.given(created).when(discontinue).then(discontinued);
  product.from(outcome.state).when(discontinue).nothing();
  assert.is(product.given(created, discontinued).state.status, 'discontinued');
});

for (const tests of [describing, pricing, scheduling, total]) tests.run();
