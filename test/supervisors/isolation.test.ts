/** One actor that is killed or keeps failing never stops another (I12), with the shop's own deciders, over HTTP. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Typed } from '../../actors/kernel/decider.ts';
import { defaultPolicy } from '../../actors/policy.ts';
import { shop as deciders } from '../../actors/shop.ts';
import { createSeededIds } from '../../supervisors/ids.ts';
import type { AnyDecider } from '../../supervisors/memory.ts';
import { checkBooks, vendorFindings } from '../crash/books.ts';
import type { Purchase } from '../crash/buyers.ts';
import { expressOrder } from '../support/client.ts';
import { startShop, type TestShop, type TestShopOptions } from '../support/shop.ts';

const isolation = suite('isolation');

const SKUS = ['TEA-GREEN-50', 'TEA-BLACK-100', 'TEA-EARL-250', 'HF-LIMITED-10'];
const TOKENS = ['tok_success', 'tok_success', 'tok_success', 'tok_decline', 'tok_capture_fails', 'tok_success'];
const ORDERS = 200;
const SETTLE_MS = 20_000;
const opened: TestShop[] = [];

async function open(options: TestShopOptions = {}): Promise<{ shop: TestShop; token: string; staff: string }> {
  const shop = await startShop(options);
  opened.push(shop);
  const [token, staff] = await Promise.all([shop.guest(), shop.staff()]);
  return { shop, token, staff };
}

isolation.after.each(async () => {
  for (const shop of opened.splice(0)) await shop.close();
});

type Open = Awaited<ReturnType<typeof open>>;

function bodyOf(number: number): Purchase['body'] {
  const line = { sku: SKUS[number % SKUS.length] ?? '', quantity: 1 + (number % 2) };
  const second = { sku: SKUS[(number + 1) % 3] ?? '', quantity: 1 };
  const lines = number % 3 === 0 && second.sku !== line.sku ? [line, second] : [line];
  return expressOrder(lines, TOKENS[number % TOKENS.length]);
}

async function buy({ shop, token }: Open, number: number): Promise<Purchase> {
  const key = `order-${number}`;
  const body = bodyOf(number);
  for (;;) {
    const answer = await shop.call('POST', '/v1/orders', { token, key, body });
    if (answer.status === 503) continue;
    assert.is(answer.status, 202, JSON.stringify(answer.body));
    return { key, body, orderId: answer.body.id, answer: answer.body };
  }
}

/** Every order ended right, stock and money add up, and the vendor agrees. */
async function closeBooks({ shop, token, staff }: Open, purchases: readonly Purchase[]): Promise<void> {
  const books = await checkBooks({ client: shop, token, staff, purchases, skus: SKUS }, SETTLE_MS);
  const kept = new Map<string, number>();
  for (const { orderId } of purchases) {
    const { body } = await shop.call('GET', `/v1/orders/${orderId}`, { token });
    kept.set(orderId, body.payment.captured.amount - body.payment.refunded.amount);
  }
  assert.equal([...books.findings, ...vendorFindings(shop.folder, kept)], []);
  assert.is(books.fulfilled + books.ended, purchases.length);
  assert.ok(books.fulfilled > purchases.length / 3, `${books.fulfilled} fulfilled`);
}

isolation(`actors killed at random moments during ${ORDERS} orders: all end right`, async () => {
  const place = await open({ env: { CHAOS: 'on' } });
  const { shop, staff } = place;
  const { random } = createSeededIds(Number(process.env['CHAOS_SEED'] ?? 20261121), () => 0);
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  const orders: string[] = [];
  let buying = true;
  let killed = 0;

  /** Most often an actor of an order that was just placed: it is at work now. */
  function victim(): { type: string; id: string } {
    const order = pick(orders.slice(-20)) ?? 'ord_none';
    const warehouse = pick(['wh-east', 'wh-central', 'wh-west']);
    return pick([
      { type: 'order', id: order },
      { type: 'order-saga', id: order },
      { type: 'order-saga', id: order },
      { type: 'payment', id: order },
      { type: 'shipment', id: `shp_${order.slice(4)}_1` },
      { type: 'stock', id: `${pick(SKUS)}@${warehouse}` },
    ]);
  }
  async function killAtRandom(): Promise<void> {
    while (buying) {
      for (let turns = random() * 4; turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
      const target = victim();
      if (shop.shop.node.shardFor(target)?.kill(target)) killed += 1;
    }
  }
  async function killOverHttp(): Promise<void> {
    while (buying) {
      const { type, id } = victim();
      const { status } = await shop.call('POST', `/v1/admin/actors/${type}/${id}/kill`, { token: staff });
      assert.is(status, 202);
    }
  }
  const purchases: Purchase[] = [];
  const queue = Array.from({ length: ORDERS }, (_, number) => number);
  const buyers = Array.from({ length: 16 }, async () => {
    for (let number = queue.shift(); number !== undefined; number = queue.shift()) {
      const purchase = await buy(place, number);
      purchases.push(purchase);
      orders.push(purchase.orderId);
    }
  });
  const chaos = Promise.all([killAtRandom(), killOverHttp()]);
  await Promise.all(buyers);
  assert.is(await shop.shop.node.settled(SETTLE_MS), true, 'they all go on while actors are being killed');
  buying = false;
  await chaos;
  assert.ok(killed > ORDERS / 2, `${killed} live actors were killed`);
  await closeBooks(place, purchases);
});

isolation('a killed actor answers from its newest state, what waited for it is not lost', async () => {
  const { shop, token, staff } = await open({ env: { CHAOS: 'on' } });
  const { body: cart } = await shop.call('POST', '/v1/carts', { token });
  const kill = () => shop.call('POST', `/v1/admin/actors/cart/${cart.id}/kill`, { token: staff });
  const add = (key: string) =>
    shop.call('POST', `/v1/carts/${cart.id}/lines`, { token, key, body: { sku: SKUS[0], quantity: 1 } });
  const answers = await Promise.all(
    Array.from({ length: 60 }, async (_, index) => (index % 3 === 2 ? await kill() : await add(`add-${index}`))),
  );
  assert.equal([...new Set(answers.map(({ status }) => status))].sort(), [200, 202]);
  const { body } = await shop.call('GET', `/v1/carts/${cart.id}`, { token });
  assert.equal(
    body.lines.map(({ quantity }: { quantity: number }) => quantity),
    [40],
  );
  assert.is(body.version, 41);
});

/** The shop's deciders, one of which has a bug that one customer's orders meet. */
function buggy(type: keyof typeof deciders, command: string, isPoisoned: (message: Typed) => boolean) {
  const all = deciders as unknown as Readonly<Record<string, AnyDecider>>;
  const decider = all[type] as AnyDecider;
  const faulty: AnyDecider = {
    ...decider,
    decide(state, message, context) {
      if (message.type === command && isPoisoned(message)) throw new Error('a bug of ours');
      return decider.decide(state, message, context);
    },
  };
  return { ...all, [type]: faulty };
}

isolation('a decider that throws for one order: a dead letter, and all others complete', async () => {
  const poison = (message: Typed) => JSON.stringify(message).includes('Mallory');
  const place = await open({ replacements: { deciders: buggy('order-saga', 'StartSaga', poison) } });
  const { shop, token, staff } = place;
  const poisoned = { ...bodyOf(0), address: { ...bodyOf(0).address, name: 'Mallory' } };
  const bad: string[] = [];
  const purchases = await Promise.all(
    Array.from({ length: 60 }, async (_, number) => {
      if (number % 20 === 7) {
        const answer = await shop.call('POST', '/v1/orders', { token, key: `bad-${number}`, body: poisoned });
        assert.is(answer.status, 202);
        bad.push(answer.body.id);
      }
      return buy(place, number);
    }),
  );
  await closeBooks(place, purchases);
  const { data: letters } = await shop.until('/v1/admin/dead-letters', staff, ({ data }) => data.length >= bad.length);
  assert.equal(
    letters.map(({ to, type, reason, attempts }: Record<string, unknown>) => [to, type, reason, attempts]).sort(),
    bad.map((id) => [`${id}/order-saga`, 'StartSaga', 'Error: a bug of ours', 3]).sort(),
  );
  assert.not.match(JSON.stringify(letters), 'Mallory');
  for (const id of bad) {
    assert.is((await shop.call('GET', `/v1/orders/${id}`, { token })).body.status, 'placed');
  }
  assert.match(await shop.shop.metrics(), 'StartSaga');
});

isolation('a decider that throws for one command: that request fails, its actor goes on', async () => {
  const poison = (message: Typed) => JSON.stringify(message).includes('Mallory');
  const { shop, token } = await open({ replacements: { deciders: buggy('order', 'PlaceOrder', poison) } });
  const good = expressOrder([{ sku: SKUS[0] ?? '', quantity: 1 }]);
  const bad = { ...good, address: { ...good.address, name: 'Mallory' } };
  const order = (key: string, body: unknown) => shop.call('POST', '/v1/orders', { token, key, body });
  const [failed, fine] = await Promise.all([order('bad', bad), order('good', good)]);
  assert.equal([failed.status, failed.body.code], [500, 'internal']);
  assert.not.match(JSON.stringify(failed.body), 'a bug of ours');
  assert.is(fine.status, 202);
  // Nothing of it was kept: the same key may be used for a request that works.
  assert.is((await order('bad', good)).status, 202);
});

isolation('a stock item that crashes on some orders serves the others; what it can not do is undone', async () => {
  const faulty = (message: Typed) => 'reservationId' in message && 'quantity' in message && message.quantity === 7;
  // Asked once only: an actor that crashes five times in a row is quarantined for a minute of real time.
  const stepAttempts = { ...defaultPolicy.saga.stepAttempts, stock: 1 };
  const { shop, token } = await open({
    env: { CLOCK: 'virtual' },
    policy: { ...defaultPolicy, saga: { ...defaultPolicy.saga, stepAttempts } },
    replacements: { deciders: buggy('stock', 'ReserveStock', faulty) },
  });
  const order = async (sku: string, quantity: number, key: string) => {
    const body = expressOrder([{ sku, quantity }]);
    return (await shop.call('POST', '/v1/orders', { token, key, body })).body.id as string;
  };
  const bad = await Promise.all([0, 1, 2].map((number) => order('TEA-GREEN-50', 7, `bad-${number}`)));
  const good = await Promise.all([0, 1, 2, 3].map((number) => order('TEA-GREEN-50', 1, `good-${number}`)));
  for (const id of good) {
    await shop.until(`/v1/orders/${id}`, token, ({ status }) => status === 'fulfilling');
  }
  // The others are undone and held when the time of their step is over; nothing hangs (I7).
  await shop.advance(30 * 60_000);
  for (const id of bad) {
    const { body } = await shop.call('GET', `/v1/orders/${id}`, { token });
    assert.equal([body.status, body.awaiting], ['on-hold', 'operator']);
    assert.is(body.payment.captured.amount, 0);
  }
});

isolation.run();
