/** More than the shop can do: it says so at once, does nothing for those it sends away, and loses nobody it took. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cartAddress } from '../../actors/ids.ts';
import { AppendRefused } from '../../actors/kernel/ports.ts';
import { MAX_MAILBOX } from '../../supervisors/actors.ts';
import { type Answer, expressOrder } from '../support/client.ts';
import { createGatedLog, type GatedLog } from '../support/gatedLog.ts';
import { startRuntime } from '../support/runtime.ts';
import { startShop, type TestShop, type TestShopOptions } from '../support/shop.ts';
import { wallet, wallets } from '../support/wallets.ts';

const overload = suite('overload');

const SKU = 'TEA-GREEN-50';
const opened: TestShop[] = [];
const logs: GatedLog[] = [];
const body = expressOrder([{ sku: SKU, quantity: 1 }]);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function open(options: TestShopOptions = {}) {
  const log = createGatedLog();
  logs.push(log);
  const shop = await startShop({ replacements: { log: log.wrap }, ...options });
  opened.push(shop);
  const [token, staff] = await Promise.all([shop.guest(), shop.staff()]);
  await shop.shop.node.settled(5_000);
  const order = (key: string) => shop.call('POST', '/v1/orders', { token, key, body });
  return { shop, log, token, staff, order };
}

overload.after.each(async () => {
  for (const log of logs.splice(0)) log.open();
  for (const shop of opened.splice(0)) await shop.close();
});

/** Sent away: a problem that says when to come back. */
function assertSentAway(answer: Answer): void {
  assert.is(answer.status, 503, JSON.stringify(answer.body));
  assert.is(answer.headers.get('content-type'), 'application/problem+json');
  assert.ok(Number(answer.headers.get('retry-after')) >= 1);
  assert.equal([answer.body['status'], answer.body['retryable']], [503, true]);
}

async function committed({ shop, staff }: { shop: TestShop; staff: string }): Promise<number> {
  const { body: stock } = await shop.call('GET', `/v1/admin/stock/${SKU}`, { token: staff });
  return stock.warehouses.reduce((sum: number, row: { committed: number }) => sum + row.committed, 0);
}

async function untilTaken(order: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    const answer = await order();
    if (answer.status !== 503) return answer;
  }
}

overload(
  'more requests at once than the edge takes: the others come back later, nothing happened for them',
  async () => {
    const limit = 8;
    const { shop, log, token, staff, order } = await open({ edge: { maxInFlight: limit } });
    log.close();
    const keys = Array.from({ length: 30 }, (_, number) => `order-${number}`);
    let away = 0;
    const asked = keys.map(async (key) => {
      const answer = await order(key);
      if (answer.status === 503) away += 1;
      return answer;
    });
    while (away < keys.length - limit) await turn();
    // The shop is full and says so; whoever looks after it is let in all the same.
    assertSentAway(await shop.call('GET', '/v1/orders', { token }));
    assert.is((await shop.call('GET', '/healthz')).status, 200);
    // One more for the asking itself.
    assert.match(await shop.call('GET', '/metrics').then(({ body: text }) => text), `requests_in_flight ${limit + 1}`);
    log.open();
    const answers = await Promise.all(asked);
    const taken = answers.filter(({ status }) => status === 202);
    assert.is(taken.length, limit);
    for (const answer of answers) if (answer.status !== 202) assertSentAway(answer);
    for (const { body: placed } of taken) {
      await shop.until(`/v1/orders/${placed['id']}`, token, ({ status }) => status === 'fulfilling');
    }
    assert.is(await committed({ shop, staff }), limit);
    assert.is((await shop.call('GET', '/v1/orders', { token })).body.data.length, limit);
    // They come again with their keys: those that were taken hear their answer, the others are new.
    const again = [];
    for (const key of keys) again.push(await untilTaken(() => order(key)));
    const replayed = again.filter(({ headers }) => headers.get('idempotent-replayed') === 'true');
    assert.equal([again.every(({ status }) => status === 202), replayed.length], [true, limit]);
    assert.is(new Set(again.map(({ body: placed }) => placed['id'])).size, keys.length);
  },
);

overload(
  'a crowd at one actor: its mailbox is bounded, who was answered counts, who was sent away does not',
  async () => {
    const { shop, token } = await open();
    const { body: cart } = await shop.call('POST', '/v1/carts', { token });
    const product = { sku: SKU, name: SKU, price: { amount: 1, currency: 'USD' }, status: 'active', available: 9 };
    const me = (
      await shop.shop.read<{ customerId: string }>(cartAddress(cart.id), { deadline: Number.POSITIVE_INFINITY })
    )?.state.customerId;
    let deepest = 0;
    const asked = Array.from({ length: 3_000 }, async (_, number) => {
      // Not stopped by stock or limits: always the same quantity.
      const message = { type: 'SetItemQuantity', customerId: me, sku: SKU, quantity: 1 + (number % 2), product };
      const deadline = shop.shop.clock.monotonic() + 60_000;
      const asking = shop.shop.ask({ to: cartAddress(cart.id), message, id: `crowd-${number}`, deadline });
      deepest = Math.max(deepest, shop.shop.node.backlog);
      return asking.then(
        () => 'answered',
        (error: Error) => error.name,
      );
    });
    const ends = await Promise.all(asked);
    assert.equal([...new Set(ends)].sort(), ['Unavailable', 'answered']);
    assert.is(deepest, MAX_MAILBOX);
    assert.is(shop.shop.node.backlog, 0);
    const history = await shop.shop.history(cartAddress(cart.id));
    assert.ok(history.length <= 1 + ends.filter((end) => end === 'answered').length);
    // It is none the worse for it.
    const added = await shop.call('POST', `/v1/carts/${cart.id}/lines`, { token, body: { sku: SKU, quantity: 1 } });
    assert.is(added.status, 200);
  },
);

overload('a crowd all over the shop: what is under way is bounded, the rest is sent away', async () => {
  const { shop } = await open({ seed: false });
  const deadline = shop.shop.clock.monotonic() + 60_000;
  let most = 0;
  const asked = Array.from({ length: 6_000 }, (_, number) => {
    const message = { type: 'CreateCart', customerId: 'cus_1', guest: false };
    const asking = shop.shop.ask({ to: cartAddress(`cart_${number}`), message, id: `cart-${number}`, deadline });
    most = Math.max(most, shop.shop.node.load);
    return asking.then(
      () => true,
      ({ name, retryAfterSeconds }) => {
        assert.equal([name, retryAfterSeconds], ['Unavailable', 1]);
        return false;
      },
    );
  });
  const taken = await Promise.all(asked);
  assert.ok(most < 5_000, `${most} under way`);
  for (const [number, was] of taken.entries()) {
    const cart = await shop.shop.read(cartAddress(`cart_${number}`), { deadline });
    assert.is(cart !== undefined, was, `cart ${number}`);
  }
  assert.ok(taken.includes(true) && taken.includes(false));
});

overload('a request whose deadline passes is 503; its repeat gets the answer of what happened, once', async () => {
  const { shop, log, token, staff, order } = await open({ edge: { requestDeadlineMs: 500 } });
  log.close();
  const late = await order('late');
  assertSentAway(late);
  assert.ok(log.held > 0, 'it was decided and could not be stored in time');
  // Still not stored: the repeat may not be answered either (I1).
  assertSentAway(await order('late'));
  log.open();
  const repeated = await untilTaken(() => order('late'));
  assert.equal([repeated.status, repeated.headers.get('idempotent-replayed')], [202, 'true']);
  const path = `/v1/orders/${repeated.body['id']}`;
  await shop.until(path, token, ({ status }) => status === 'fulfilling');
  assert.is(await committed({ shop, staff }), 1);
  assert.equal((await order('late')).body, repeated.body);
});

overload('a store that takes nothing: 503, nothing happened; the repeat is a new request', async () => {
  let full = false;
  const { shop, token, staff, order } = await open({
    replacements: {
      log: (log) => ({
        append: (record) => (full ? Promise.reject(new AppendRefused('disk full')) : log.append(record)),
      }),
    },
  });
  const before = await order('before');
  full = true;
  assertSentAway(await order('refused'));
  full = false;
  const repeated = await untilTaken(() => order('refused'));
  assert.equal([repeated.status, repeated.headers.get('idempotent-replayed')], [202, null]);
  for (const { body: placed } of [before, repeated]) {
    await shop.until(`/v1/orders/${placed['id']}`, token, ({ status }) => status === 'fulfilling');
  }
  assert.is(await committed({ shop, staff }), 2);
});

overload('reads, too, wait until what they show is stored', async () => {
  const { shop, log, token } = await open({ edge: { requestDeadlineMs: 500 } });
  const { body: cart } = await shop.call('POST', '/v1/carts', { token });
  const path = `/v1/carts/${cart.id}`;
  log.close();
  const adding = shop.call('POST', `${path}/lines`, { token, key: 'add', body: { sku: SKU, quantity: 1 } });
  while (log.held === 0) await turn();
  let shown: Answer | undefined;
  const reading = shop.call('GET', path, { token }).then((answer) => {
    shown = answer;
  });
  for (let turns = 0; turns < 200; turns++) await turn();
  assert.is(shown, undefined, 'nobody is shown what a power cut could take back');
  log.open();
  await Promise.all([adding, reading]);
  assert.equal([shown?.status, shown?.body['version']], [200, 2]);
});

overload('a request does not wait for what actors say to each other, however much that is', async () => {
  const node = startRuntime({ deciders: wallets });
  let said = 0;
  const talk = Array.from({ length: 4_000 }, async (_, number) => {
    const to = wallet(`wallet-${number}`);
    await node.send({ id: `talk-${number}`, to, from: wallet('a'), message: { type: 'Deposit', amount: 1 } as never });
    said += 1;
  });
  const { ok } = await node.ask(wallet('b'), { type: 'Deposit', amount: 7 } as never);
  const before = said;
  await Promise.all(talk);
  await node.close();
  assert.ok(ok);
  assert.ok(before < talk.length / 10, `${before} of ${talk.length} messages went before the request`);
});

overload.run();
