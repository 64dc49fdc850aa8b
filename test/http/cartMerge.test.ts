/** Signing in with a full cart: the guest's cart goes into the customer's, over real HTTP. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ADDRESS } from '../support/client.ts';
import { startShop, type TestShop } from '../support/shop.ts';

type Context = { shop: TestShop; guest: string; customer: string; other: string };
const merging = suite<Context>('http cart merge');
const [TEA, GREEN] = ['TEA-BLACK-100', 'TEA-GREEN-50'];

merging.before(async (context) => {
  context.shop = await startShop();
  const { shop } = context;
  const register = async (name: string) => {
    const body = { email: `${name}@example.com`, password: 'correct horse', name };
    return (await shop.call('POST', '/v1/customers', { body })).body.token;
  };
  context.customer = await register('ada');
  context.other = await register('bob');
});
merging.before.each(async (context) => {
  context.guest = await context.shop.guest();
});
merging.after(({ shop }) => shop.close());

async function cart(shop: TestShop, token: string, lines: Readonly<Record<string, number>>): Promise<string> {
  const { id } = (await shop.call('POST', '/v1/carts', { token })).body;
  for (const [sku, quantity] of Object.entries(lines)) {
    const answer = await shop.call('POST', `/v1/carts/${id}/lines`, { token, body: { sku, quantity } });
    assert.is(answer.status, 200);
  }
  return id;
}
const merge = (shop: TestShop, token: string, id: string, from: string, key?: string) =>
  shop.call('POST', `/v1/carts/${id}/merge`, { token, key, body: { from } });
const codeOf = ({ status, body }: { status: number; body: { code?: string } }) => [status, body.code];
const quantities = (body: { lines: { sku: string; quantity: number }[] }) =>
  Object.fromEntries(body.lines.map(({ sku, quantity }) => [sku, quantity]));

merging('the customer’s cart takes the lines, the guest’s cart is over', async ({ shop, guest, customer }) => {
  const [into, from] = [await cart(shop, customer, { [TEA]: 998 }), await cart(shop, guest, { [TEA]: 2, [GREEN]: 1 })];
  const answer = await merge(shop, customer, into, from);
  assert.is(answer.status, 200, JSON.stringify(answer.body));
  assert.equal(quantities(answer.body), { [TEA]: 999, [GREEN]: 1 });
  assert.equal(
    answer.body.warnings.map(({ code, sku }: { code: string; sku: string }) => [code, sku]),
    [['cart.quantity-capped', TEA]],
  );
  assert.is(answer.headers.get('etag'), `"${answer.body.version}"`);
  const read = await shop.call('GET', `/v1/carts/${into}`, { token: customer });
  assert.equal(quantities(read.body), { [TEA]: 999, [GREEN]: 1 });
  const source = await shop.call('GET', `/v1/carts/${from}`, { token: guest });
  assert.is(source.body.status, 'merged');
  for (const [method, path, body] of [
    ['POST', '/lines', { sku: TEA, quantity: 1 }],
    ['PUT', `/lines/${TEA}`, { quantity: 1 }],
    ['DELETE', `/lines/${TEA}`],
    ['DELETE', '/lines'],
    ['POST', '/checkout'],
  ] as const) {
    const change = await shop.call(method, `/v1/carts/${from}${path}`, { token: guest, body });
    assert.equal(codeOf(change), [409, 'cart.merged'], `${method} ${path}`);
  }
});

merging('case 22: merged once, however often it is asked', async ({ shop, guest, customer }) => {
  const [into, from] = [await cart(shop, customer, { [TEA]: 1 }), await cart(shop, guest, { [TEA]: 2 })];
  // The same click again and again, beside other tabs, with keys and without.
  const key = (index: number) => ['click', undefined, `tab-${index}`][index % 3];
  const answers = await Promise.all(
    Array.from({ length: 24 }, (_, index) => merge(shop, customer, into, from, key(index))),
  );
  for (const { status, body } of answers) assert.equal([status, quantities(body)], [200, { [TEA]: 3 }]);
  const later = await merge(shop, customer, into, from);
  assert.equal([later.status, quantities(later.body)], [200, { [TEA]: 3 }]);
  await shop.call('PUT', `/v1/carts/${into}/lines/${TEA}`, { token: customer, body: { quantity: 7 } });
  const replayed = await merge(shop, customer, into, from, 'click');
  assert.equal(quantities(replayed.body), { [TEA]: 3 }, 'under the same key the first answer');
  assert.is(replayed.headers.get('idempotent-replayed'), 'true');
  assert.equal(replayed.body, answers[0]?.body);
  assert.equal(quantities((await merge(shop, customer, into, from)).body), { [TEA]: 7 }, 'else what it is now');
  const conflict = await merge(shop, customer, into, 'cart_other', 'click');
  assert.equal(codeOf(conflict), [409, 'idempotency.key-reused']);
});

merging('asked for two carts of the customer at once, one gets it', async ({ shop, guest, customer }) => {
  const [one, two] = [await cart(shop, customer, {}), await cart(shop, customer, {})];
  const from = await cart(shop, guest, { [GREEN]: 4 });
  const answers = await Promise.all([merge(shop, customer, one, from), merge(shop, customer, two, from)]);
  assert.equal(answers.map(({ status }) => status).sort(), [200, 409]);
  assert.is(answers.find(({ status }) => status === 409)?.body.code, 'cart.merged');
  const read = (id: string) => shop.call('GET', `/v1/carts/${id}`, { token: customer });
  const lines = [...(await read(one)).body.lines, ...(await read(two)).body.lines];
  assert.equal(quantities({ lines }), { [GREEN]: 4 });
});

merging('what can’t be merged is refused by name', async ({ shop, guest, customer, other }) => {
  const into = await cart(shop, customer, {});
  const from = await cart(shop, guest, { [TEA]: 1 });
  const attempts: [string, string, string, number, string][] = [
    ['an unknown source', into, 'cart_unknown', 404, 'cart.unknown'],
    ['a source of somebody’s account', into, await cart(shop, other, {}), 404, 'cart.unknown'],
    ['another cart of one’s own account', into, await cart(shop, customer, {}), 422, 'cart.merge-not-guest'],
    ['the cart itself', into, into, 422, 'cart.merge-not-guest'],
    ['into somebody else’s cart', await cart(shop, other, {}), from, 404, 'cart.unknown'],
    ['into a cart that isn’t there', 'cart_unknown', from, 404, 'cart.unknown'],
    ['into the guest’s cart', from, from, 404, 'cart.unknown'],
  ];
  for (const [what, id, source, status, code] of attempts) {
    assert.equal(codeOf(await merge(shop, customer, id, source)), [status, code], what);
  }
  assert.equal(codeOf(await merge(shop, guest, from, into)), [403, 'auth.account-required']);
  assert.is((await shop.call('POST', `/v1/carts/${into}/merge`, { body: { from } })).status, 401);
  for (const body of [{}, { from: 7 }, { from: 'no/id' }, { from, into: 'cart_x' }]) {
    assert.is((await shop.call('POST', `/v1/carts/${into}/merge`, { token: customer, body })).status, 400);
  }
  const stale = await shop.call('POST', `/v1/carts/${into}/merge`, {
    token: customer,
    body: { from },
    headers: { 'if-match': '"99"' },
  });
  assert.equal(codeOf(stale), [412, 'precondition.version-mismatch']);
  assert.is((await shop.call('GET', `/v1/carts/${from}`, { token: guest })).body.status, 'active', 'nothing happened');
});

merging(
  'a cart that is being ordered is refused, and merged once its checkout is left',
  async ({ shop, guest, customer }) => {
    const into = await cart(shop, customer, {});
    const from = await cart(shop, guest, { [TEA]: 1 });
    await shop.call('POST', `/v1/carts/${from}/checkout`, { token: guest });
    const refused = await merge(shop, customer, into, from, 'early');
    assert.equal(codeOf(refused), [409, 'cart.checking-out']);
    await shop.call('POST', `/v1/carts/${from}/lines`, { token: guest, body: { sku: TEA, quantity: 1 } });
    const remembered = await merge(shop, customer, into, from, 'early');
    assert.equal(codeOf(remembered), [409, 'cart.checking-out'], 'under its key a refusal stays');
    assert.is(remembered.headers.get('idempotent-replayed'), 'true');
    const answer = await merge(shop, customer, into, from);
    assert.equal([answer.status, quantities(answer.body)], [200, { [TEA]: 2 }]);
  },
);

merging(
  'neither an ordered cart nor into one; a merge before the order is still answered',
  async ({ shop, guest, customer }) => {
    const order = async (token: string, id: string) => {
      const { body } = await shop.call('POST', `/v1/carts/${id}/checkout`, { token });
      const path = `/v1/checkouts/${body.id}`;
      await shop.call('PUT', `${path}/address`, { token, body: ADDRESS });
      await shop.call('PUT', `${path}/shipping-method`, { token, body: { method: 'standard' } });
      await shop.call('PUT', `${path}/payment`, { token, body: { token: 'tok_success' } });
      const completed = await shop.call('POST', `${path}/complete`, { token, key: id });
      assert.is(completed.status, 202);
      await shop.until(`/v1/carts/${id}`, token, ({ status }) => status === 'checked-out');
    };
    const [ordered, into] = [await cart(shop, guest, { [TEA]: 1 }), await cart(shop, customer, { [TEA]: 1 })];
    await order(guest, ordered);
    assert.equal(codeOf(await merge(shop, customer, into, ordered)), [409, 'cart.checked-out']);
    const early = await cart(shop, guest, { [GREEN]: 1 });
    await merge(shop, customer, into, early);
    await order(customer, into);
    const again = await merge(shop, customer, into, early);
    assert.equal([again.status, again.body.status], [200, 'checked-out']);
    const late = await cart(shop, guest, { [GREEN]: 1 });
    assert.equal(codeOf(await merge(shop, customer, into, late)), [409, 'cart.checked-out']);
    assert.is((await shop.call('GET', `/v1/carts/${late}`, { token: guest })).body.status, 'active');
  },
);

merging.run();
