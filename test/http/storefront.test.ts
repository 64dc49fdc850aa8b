/** The storefront's routes against a real process: statuses, headers and bodies as a client sees them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ADDRESS, type Client, createClient, expressOrder } from '../support/client.ts';
import { type Server, startServer } from '../support/server.ts';

type Context = { server: Server; client: Client; guest: string; other: string };
const storefront = suite<Context>('http storefront');
const SKU = 'TEA-BLACK-100';

storefront.before(async (context) => {
  context.server = await startServer({ env: { SEED: 'demo', LOG_LEVEL: 'info' } });
  context.client = createClient(context.server.url);
  context.guest = await context.client.guest();
  context.other = await context.client.guest();
});
storefront.after(({ server }) => server.close());

async function filledCart({ client, guest }: Context): Promise<string> {
  const { body } = await client.call('POST', '/v1/carts', { token: guest });
  await client.call('POST', `/v1/carts/${body.id}/lines`, { token: guest, body: { sku: SKU, quantity: 1 } });
  return body.id;
}

async function readyCheckout(context: Context): Promise<string> {
  const { client, guest: token } = context;
  const cart = await filledCart(context);
  const { body } = await client.call('POST', `/v1/carts/${cart}/checkout`, { token });
  await client.call('PUT', `/v1/checkouts/${body.id}/address`, { token, body: ADDRESS });
  await client.call('PUT', `/v1/checkouts/${body.id}/shipping-method`, { token, body: { method: 'standard' } });
  await client.call('PUT', `/v1/checkouts/${body.id}/payment`, { token, body: { token: 'tok_success' } });
  return body.id;
}

storefront('a checkout says which shipping methods there are and what they cost', async (context) => {
  const id = await readyCheckout(context);
  const { body } = await context.client.call('GET', `/v1/checkouts/${id}/shipping-methods`, { token: context.guest });
  assert.equal(
    body.data.map((row: { method: string; price: { amount: number } }) => [row.method, row.price.amount]),
    [
      ['standard', 599],
      ['express', 1299],
      ['overnight', 2499],
    ],
  );
});

storefront('products are found by words, category and price, page by page', async ({ client }) => {
  const filters = 'category=Tea&minPrice=100&maxPrice=100000&sort=price&limit=5';
  const seen: string[] = [];
  const prices: number[] = [];
  let cursor = '';
  let total = 0;
  do {
    const { status, body } = await client.call('GET', `/v1/products?${filters}${cursor}`);
    assert.is(status, 200);
    for (const { sku, price } of body.data) {
      seen.push(sku);
      prices.push(price.amount);
    }
    total = body.total;
    const ofTea = body.facets.categories.find(({ category }: { category: string }) => category === 'Tea');
    assert.is(ofTea.count, total);
    cursor = body.page.next === null ? '' : `&cursor=${body.page.next}`;
  } while (cursor !== '');
  assert.is(seen.length, total);
  assert.is(new Set(seen).size, total);
  assert.equal(
    prices,
    [...prices].sort((a, b) => a - b),
  );
});

storefront('a cursor of another search is refused', async ({ client }) => {
  const { body } = await client.call('GET', '/v1/products?limit=1');
  const wrong = await client.call('GET', `/v1/products?limit=1&q=tea&cursor=${body.page.next}`);
  assert.is(wrong.body.code, 'request.invalid-cursor');
});

storefront('search words are words, whatever they look like to the database', async ({ client }) => {
  for (const q of ['"', 'tea AND (', "';--", '*', 'NEAR(a b)', 'name:tea']) {
    assert.is((await client.call('GET', `/v1/products?q=${encodeURIComponent(q)}`)).status, 200, q);
  }
});

storefront('a cart merges, sets, removes and clears its lines', async ({ client, guest: token }) => {
  const created = await client.call('POST', '/v1/carts', { token });
  assert.is(created.status, 201);
  assert.is(created.headers.get('location'), `/v1/carts/${created.body.id}`);
  const lines = `/v1/carts/${created.body.id}/lines`;
  await client.call('POST', lines, { token, body: { sku: SKU, quantity: 2 } });
  const merged = await client.call('POST', lines, { token, body: { sku: SKU, quantity: 3 } });
  assert.is(merged.body.lines[0].quantity, 5);
  assert.is(merged.body.totals.total.amount, 5 * merged.body.lines[0].unitPrice.amount);
  const set = await client.call('PUT', `${lines}/${SKU}`, { token, body: { quantity: 1 } });
  assert.is(set.body.lines[0].quantity, 1);
  assert.equal((await client.call('DELETE', `${lines}/${SKU}`, { token })).body.lines, []);
  await client.call('POST', lines, { token, body: { sku: SKU, quantity: 2 } });
  const cleared = await client.call('DELETE', lines, { token });
  assert.equal(cleared.body.lines, []);
  assert.is(cleared.headers.get('etag'), `"${cleared.body.version}"`);
});

storefront('prices and names are never taken from the client', async (context) => {
  const { client, guest: token } = context;
  const cart = await filledCart(context);
  const body = { sku: SKU, quantity: 1, unitPrice: { amount: 1, currency: 'USD' } };
  const refused = await client.call('POST', `/v1/carts/${cart}/lines`, { token, body });
  assert.is(refused.status, 400);
  assert.is(refused.body.errors[0].pointer, '/unitPrice');
});

storefront('rules are refused with 422 and their own code', async (context) => {
  const { client, guest: token } = context;
  const cart = await filledCart(context);
  const add = async (sku: string, quantity: number) =>
    (await client.call('POST', `/v1/carts/${cart}/lines`, { token, body: { sku, quantity } })).body;
  assert.is((await add('NO-SUCH', 1)).code, 'cart.sku-unknown');
  for (const quantity of [0, -1, 1_000, Number.MAX_SAFE_INTEGER]) {
    const { status, code } = await add(SKU, quantity);
    assert.equal([status, code], [422, 'cart.quantity-limit'], String(quantity));
  }
});

storefront('the same key is the same request, with another body it is a conflict', async (context) => {
  const { client, guest: token } = context;
  const path = `/v1/carts/${await filledCart(context)}/lines`;
  const add = (quantity: number) => client.call('POST', path, { token, key: 'k1', body: { sku: SKU, quantity } });
  const first = await add(1);
  const again = await add(1);
  assert.equal(again.body, first.body);
  assert.is(first.headers.get('idempotent-replayed'), null);
  assert.is(again.headers.get('idempotent-replayed'), 'true');
  const conflict = await add(2);
  assert.equal([conflict.status, conflict.body.code], [409, 'idempotency.key-reused']);
});

storefront('a repeat gets the first answer, however much has happened since', async (context) => {
  const { client, guest: token } = context;
  const id = await filledCart(context);
  const path = `/v1/carts/${id}/lines`;
  const add = () => client.call('POST', path, { token, key: 'k2', body: { sku: SKU, quantity: 1 } });
  const first = await add();
  await client.call('DELETE', path, { token });
  assert.equal((await add()).body, first.body);
  assert.equal((await client.call('GET', `/v1/carts/${id}`, { token })).body.lines, []);
});

storefront('a refusal is remembered too', async (context) => {
  const { client, guest: token } = context;
  const path = `/v1/carts/${await filledCart(context)}/lines`;
  const add = () => client.call('POST', path, { token, key: 'k3', body: { sku: SKU, quantity: 999 } });
  const first = await add();
  assert.is(first.status, 422);
  await client.call('DELETE', path, { token });
  const again = await add();
  assert.is(again.status, 422);
  assert.is(again.headers.get('idempotent-replayed'), 'true');
});

storefront(
  'keys are private: the same key of another principal is another request',
  async ({ client, guest, other }) => {
    const create = (token: string) => client.call('POST', '/v1/carts', { token, key: 'shared' });
    const [mine, theirs] = [await create(guest), await create(other)];
    assert.is.not(mine.body.id, theirs.body.id);
    assert.equal((await create(guest)).body.id, mine.body.id);
  },
);

storefront('If-Match guards a change, If-None-Match saves an answer', async (context) => {
  const { client, guest: token } = context;
  const id = await filledCart(context);
  const read = await client.call('GET', `/v1/carts/${id}`, { token });
  const tag = read.headers.get('etag') ?? '';
  const fresh = await client.call('GET', `/v1/carts/${id}`, { token, headers: { 'if-none-match': tag } });
  assert.equal([fresh.status, fresh.body], [304, '']);
  const put = (ifMatch: string) =>
    client.call('PUT', `/v1/carts/${id}/lines/${SKU}`, {
      token,
      body: { quantity: 7 },
      headers: { 'if-match': ifMatch },
    });
  assert.is((await put(tag)).status, 200);
  const stale = await put(tag);
  assert.equal([stale.status, stale.body.code], [412, 'precondition.version-mismatch']);
  assert.is((await put('*')).status, 200);
});

storefront("somebody else's things are not there, on every route", async (context) => {
  const { client, guest, other: token } = context;
  const cart = await filledCart(context);
  const checkout = await readyCheckout(context);
  const placed = await client.call('POST', '/v1/orders', {
    token: guest,
    key: 'private',
    body: expressOrder([{ sku: SKU, quantity: 1 }]),
  });
  const order = placed.body.id;
  const attempts: readonly [string, string, unknown?][] = [
    ['GET', `/v1/carts/${cart}`],
    ['POST', `/v1/carts/${cart}/lines`, { sku: SKU, quantity: 1 }],
    ['PUT', `/v1/carts/${cart}/lines/${SKU}`, { quantity: 1 }],
    ['DELETE', `/v1/carts/${cart}/lines/${SKU}`],
    ['DELETE', `/v1/carts/${cart}/lines`],
    ['POST', `/v1/carts/${cart}/checkout`],
    ['GET', `/v1/checkouts/${checkout}`],
    ['GET', `/v1/checkouts/${checkout}/shipping-methods`],
    ['PUT', `/v1/checkouts/${checkout}/address`, ADDRESS],
    ['PUT', `/v1/checkouts/${checkout}/shipping-method`, { method: 'express' }],
    ['PUT', `/v1/checkouts/${checkout}/payment`, { token: 'tok_success' }],
    ['POST', `/v1/checkouts/${checkout}/complete`],
    ['GET', `/v1/orders/${order}`],
    ['GET', `/v1/orders/${order}/timeline`],
    ['POST', `/v1/orders/${order}/cancel`],
  ];
  for (const [method, path, body] of attempts) {
    const key = method === 'POST' ? { key: 'theirs' } : {};
    const answer = await client.call(method, path, { token, ...key, ...(body !== undefined && { body }) });
    const none = await client.call(method, path.replace(/_[0-9A-Z]{26}/, `_${'0'.repeat(26)}`), {
      token,
      ...(method === 'POST' && { key: 'none' }),
      ...(body !== undefined && { body }),
    });
    assert.equal([answer.status, answer.body.code], [404, none.body.code], `${method} ${path}`);
    assert.is(none.status, 404, `${method} ${path}`);
  }
  assert.equal((await client.call('GET', '/v1/orders', { token })).body.data, []);
});

storefront('a checkout goes step by step to an order, and again gives the same', async (context) => {
  const { client, guest: token } = context;
  const checkout = await readyCheckout(context);
  const complete = (key: string) =>
    client.call('POST', `/v1/checkouts/${checkout}/complete`, { token, key, headers: { prefer: 'wait=10' } });
  const missing = await client.call('POST', `/v1/checkouts/${checkout}/complete`, { token });
  assert.equal([missing.status, missing.body.code], [400, 'idempotency.key-required']);
  const first = await complete('once');
  assert.is(first.status, 202);
  assert.is(first.headers.get('location'), `/v1/orders/${first.body.id}`);
  assert.is(first.headers.get('preference-applied'), 'wait=10');
  assert.is.not(first.body.status, 'placed');
  assert.equal((await complete('once')).body, first.body);
  assert.is((await complete('with-another-key')).body.id, first.body.id);
  const { body } = await client.call('GET', `/v1/checkouts/${checkout}`, { token });
  assert.equal([body.status, body.orderId], ['completed', first.body.id]);
  assert.is((await client.call('GET', `/v1/carts/${body.cartId}`, { token })).body.status, 'checked-out');
});

storefront('a step cannot be skipped', async (context) => {
  const { client, guest: token } = context;
  const { body } = await client.call('POST', `/v1/carts/${await filledCart(context)}/checkout`, { token });
  const path = `/v1/checkouts/${body.id}/payment`;
  const answer = await client.call('PUT', path, { token, body: { token: 'tok_success' } });
  assert.equal([answer.status, answer.body.code], [409, 'checkout.step-missing']);
});

storefront('a checkout started twice is one, and its repeat gets the first answer', async (context) => {
  const { client, guest: token } = context;
  const path = `/v1/carts/${await filledCart(context)}/checkout`;
  const first = await client.call('POST', path, { token, key: 'start' });
  assert.is(first.status, 201);
  await client.call('PUT', `/v1/checkouts/${first.body.id}/address`, { token, body: ADDRESS });
  assert.equal((await client.call('POST', path, { token, key: 'start' })).body, first.body);
  assert.is((await client.call('POST', path, { token })).body.id, first.body.id);
});

storefront('an order in one request, merged by SKU, repeated without harm', async ({ client, guest: token }) => {
  const lines = [
    { sku: SKU, quantity: 1 },
    { sku: SKU, quantity: 2 },
  ];
  const place = () => client.call('POST', '/v1/orders', { token, key: 'express', body: expressOrder(lines) });
  const first = await place();
  assert.is(first.status, 202);
  assert.equal([first.body.status, first.body.version], ['placed', 1]);
  assert.equal([first.body.lines.length, first.body.lines[0].quantity], [1, 3]);
  const again = await place();
  assert.equal(again.body, first.body);
  assert.is(again.headers.get('idempotent-replayed'), 'true');
});

storefront('an express order is refused before anything is made of it', async ({ client, guest: token }) => {
  const place = async (sku: string, quantity: number) => {
    const body = expressOrder([{ sku, quantity }]);
    const answer = await client.call('POST', '/v1/orders', {
      token,
      key: `bad ${sku} ${quantity}`.replaceAll(' ', '-'),
      body,
    });
    return [answer.status, answer.body.code, answer.body.errors?.[0]?.pointer];
  };
  assert.equal(await place('NO-SUCH', 1), [422, 'cart.sku-unknown', '/lines/0/sku']);
  for (const quantity of [0, -1, 1_000, Number.MAX_SAFE_INTEGER]) {
    assert.equal(await place(SKU, quantity), [422, 'order.quantity-invalid', '/lines/0/quantity']);
  }
});

storefront("a customer's orders are listed newest first, page by page", async ({ client }) => {
  const token = await client.guest();
  const placed: string[] = [];
  for (const key of ['a', 'b', 'c']) {
    const options = { token, key, body: expressOrder([{ sku: SKU, quantity: 1 }]), headers: { prefer: 'wait=10' } };
    placed.push((await client.call('POST', '/v1/orders', options)).body.id);
  }
  const first = await client.call('GET', '/v1/orders?limit=2', { token });
  const second = await client.call('GET', `/v1/orders?limit=2&cursor=${first.body.page.next}`, { token });
  const listed = [...first.body.data, ...second.body.data].map(({ id }) => id);
  assert.equal(listed, [...placed].reverse());
  assert.is(second.body.page.next, null);
});

storefront('cancelling is accepted and undoes what was done', async ({ client, guest: token }) => {
  const body = expressOrder([{ sku: SKU, quantity: 1 }]);
  const { body: order } = await client.call('POST', '/v1/orders', { token, key: 'to-cancel', body });
  const cancelled = await client.call('POST', `/v1/orders/${order.id}/cancel`, { token, body: { reason: 'Mistake.' } });
  assert.is(cancelled.status, 202);
  assert.ok(['cancelling', 'cancelled'].includes(cancelled.body.status));
});

storefront('an account is opened once, signed in to, and told nothing to strangers', async ({ client }) => {
  const account = { email: 'Ada@Example.com', password: 'correct horse', name: 'Ada' };
  const open = (body: unknown, key?: string) => client.call('POST', '/v1/customers', { body, ...(key && { key }) });
  const first = await open(account, 'register');
  assert.is(first.status, 201);
  assert.is(first.body.customer.email, 'ada@example.com');
  const again = await open(account, 'register');
  assert.equal(again.body.customer, first.body.customer);
  assert.is((await open({ ...account, password: 'another password' }, 'register')).body.code, 'idempotency.key-reused');
  assert.is((await open({ ...account, email: 'ADA@example.com' })).body.code, 'email.taken');
  const signIn = (email: string, password: string) =>
    client.call('POST', '/v1/sessions', { body: { email, password } });
  const wrong = await signIn('ada@example.com', 'correct house');
  const unknown = await signIn('bob@example.com', 'correct horse');
  assert.is(wrong.status, 401);
  assert.equal({ ...wrong.body, traceId: '' }, { ...unknown.body, traceId: '' });
  const { body } = await signIn(' ada@EXAMPLE.com', 'correct horse');
  const me = await client.call('GET', '/v1/me', { token: body.token });
  assert.equal([me.status, me.body.id], [200, first.body.customer.id]);
});

storefront('an address of the account can be ordered to by its id', async ({ client }) => {
  const account = { email: 'eve@example.com', password: 'correct horse', name: 'Eve' };
  const { token } = (await client.call('POST', '/v1/customers', { body: account })).body;
  const kept = await client.call('POST', '/v1/me/addresses', { token, body: { address: ADDRESS } });
  assert.equal([kept.status, kept.body.isDefault], [201, true]);
  const place = (addressId: string) =>
    client.call('POST', '/v1/orders', {
      token,
      key: `to-${addressId}`,
      body: { ...expressOrder([{ sku: SKU, quantity: 1 }]), address: { addressId } },
    });
  assert.equal((await place(kept.body.id)).body.address, ADDRESS);
  const unknown = await place('adr_99');
  assert.equal([unknown.status, unknown.body.code], [422, 'address.unknown']);
  const first = await place(kept.body.id);
  const changed = await client.call('PUT', `/v1/me/addresses/${kept.body.id}`, {
    token,
    body: { ...ADDRESS, city: 'Reno' },
  });
  assert.is(changed.body.addresses[0].address.city, 'Reno');
  assert.equal((await client.call('DELETE', `/v1/me/addresses/${kept.body.id}`, { token })).body.addresses, []);
  // The order keeps what it was given: its repeat doesn't need the address any more.
  const again = await place(kept.body.id);
  assert.equal([again.body, again.headers.get('idempotent-replayed')], [first.body, 'true']);
});

storefront('the log names route, trace and order, never the token', async ({ client, server, guest: token }) => {
  const body = expressOrder([{ sku: SKU, quantity: 1 }]);
  const placed = await client.call('POST', '/v1/orders', { token, key: 'logged', body });
  const traceId = placed.headers.get('x-request-id');
  const line = () => server.log.find((entry) => entry.includes(`"traceId":"${traceId}"`));
  const deadline = performance.now() + 5_000;
  while (line() === undefined && performance.now() < deadline) await new Promise(setImmediate);
  const { route, status, orderId } = JSON.parse(line() ?? '{}');
  assert.equal([route, status, orderId], ['/v1/orders', 202, placed.body.id]);
  assert.not.match(server.log.join('\n'), token);
});

storefront.run();
