/** The operators' routes against a real process, with a virtual clock. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Client, createClient, expressOrder } from '../support/client.ts';
import { type Server, startServer } from '../support/server.ts';

type Context = { server: Server; client: Client; staff: string; guest: string };
const operators = suite<Context>('http operators');
const SKU = 'TEA-BLACK-100';

operators.before(async (context) => {
  context.server = await startServer({ env: { SEED: 'demo', CLOCK: 'virtual', CHAOS: 'on', LOG_LEVEL: 'info' } });
  context.client = createClient(context.server.url);
  context.staff = await context.client.staff();
  context.guest = await context.client.guest();
});
operators.after(({ server }) => server.close());

/** Lets everything that is due now happen. */
function settle({ client, staff }: Context, ms = 1) {
  return client.call('POST', '/v1/admin/clock/advance', { token: staff, body: { ms } });
}

async function place(context: Context, key: string, quantity = 1, token = 'tok_success'): Promise<string> {
  const body = expressOrder([{ sku: SKU, quantity }], token);
  const { body: order } = await context.client.call('POST', '/v1/orders', { token: context.guest, key, body });
  await settle(context);
  return order.id;
}

operators('the document of every route and the page to read it are served', async ({ client }) => {
  const document = await client.call('GET', '/openapi.json');
  assert.is(document.body.openapi, '3.1.0');
  for (const [path, type] of [
    ['/docs', 'text/html'],
    ['/docs/page.js', 'javascript'],
    ['/docs/page.css', 'text/css'],
  ] as const) {
    const { status, headers } = await client.call('GET', path);
    assert.equal([status, headers.get('content-type')?.includes(type)], [200, true], path);
  }
});

operators('a product is made, priced, edited and taken off sale, each edit of a known version', async (context) => {
  const { client, staff: token } = context;
  const path = '/v1/admin/products/TEST-TEA';
  const details = { name: 'Test tea', description: '', category: 'Tea', tags: [] };
  const put = (headers = {}) => client.call('PUT', path, { token, body: details, headers });
  const created = await put();
  assert.equal([created.status, created.body.status, created.body.price], [201, 'draft', null]);
  assert.is((await client.call('GET', '/v1/products/TEST-TEA')).status, 404);
  assert.equal([(await put()).status, (await put({ 'if-match': '"9"' })).status], [428, 412]);
  const price = (headers = {}) =>
    client.call('PUT', `${path}/price`, { token, body: { amount: 500, currency: 'USD' }, headers });
  assert.is((await price()).body.code, 'precondition.required');
  const priced = await price({ 'if-match': created.headers.get('etag') });
  assert.equal([priced.status, priced.body.status], [200, 'active']);
  const shown = await client.call('GET', '/v1/products/TEST-TEA');
  assert.equal(shown.body.price, { amount: 500, currency: 'USD' });
  assert.is(shown.body.version, priced.body.version);
  const gone = await client.call('POST', `${path}/discontinue`, {
    token,
    headers: { 'if-match': shown.headers.get('etag') ?? '' },
  });
  assert.is(gone.body.status, 'discontinued');
  assert.is(
    (await client.call('PUT', '/v1/admin/products/lower', { token, body: details })).body.code,
    'product.invalid-sku',
  );
});

operators('stock is received once per key, and adjusted within what is there', async ({ client, staff: token }) => {
  const path = '/v1/admin/stock/TEA-GREEN-100';
  const of = async () => {
    const { body } = await client.call('GET', path, { token });
    return body.warehouses.find((row: { warehouse: string }) => row.warehouse === 'wh-east')?.received ?? 0;
  };
  const before = await of();
  const receive = (quantity: number, key?: string) =>
    client.call('POST', `${path}/receive`, { token, ...(key && { key }), body: { warehouse: 'wh-east', quantity } });
  const first = await receive(5, 'delivery-1');
  const again = await receive(5, 'delivery-1');
  assert.equal(again.body, first.body);
  assert.is(again.headers.get('idempotent-replayed'), 'true');
  assert.is(await of(), before + 5);
  assert.is((await receive(6, 'delivery-1')).body.code, 'idempotency.key-reused');
  // Another warehouse is another aggregate, and still the same key with another body.
  const elsewhere = { token, key: 'delivery-1', body: { warehouse: 'wh-west', quantity: 5 } };
  assert.is((await client.call('POST', `${path}/receive`, elsewhere)).body.code, 'idempotency.key-reused');
  assert.is((await receive(5)).body.code, 'idempotency.key-required');
  for (const quantity of [0, -5, Number.MAX_SAFE_INTEGER]) {
    assert.is((await receive(quantity, `q${quantity}`)).status, 422, String(quantity));
  }
  const adjust = (delta: number, warehouse = 'wh-east') =>
    client.call('POST', `${path}/adjust`, {
      token,
      key: `a${delta}${warehouse}`,
      body: { warehouse, delta, reason: 'Count.' },
    });
  assert.is((await adjust(-2)).body.available, first.body.available - 2);
  const keyless = { warehouse: 'wh-east', delta: 2, reason: 'Found.' };
  const found = await client.call('POST', `${path}/adjust`, { token, body: keyless });
  assert.equal([found.status, found.body.available], [200, first.body.available]);
  assert.is((await adjust(-1_000_000)).status, 422);
  assert.is((await adjust(1, 'mars')).body.code, 'stock.warehouse-unknown');
  assert.is((await client.call('GET', '/v1/admin/stock/NO-SUCH', { token })).status, 404);
});

operators('an order is shipped and delivered by reports, its customer reads along', async (context) => {
  const { client, staff: token, guest } = context;
  const id = await place(context, 'ship-me');
  const order = async () => (await client.call('GET', `/v1/orders/${id}`, { token: guest })).body;
  const { payment, fulfillment } = await order();
  assert.is(payment.status, 'captured');
  assert.is(fulfillment.shipments.length, 1);
  const events = `/v1/admin/orders/${id}/shipments/${fulfillment.shipments[0].id}/events`;
  for (const type of ['picked', 'handed-to-carrier', 'in-transit', 'out-for-delivery', 'delivered']) {
    assert.is((await client.call('POST', events, { token, body: { type } })).status, 200, type);
  }
  await settle(context);
  assert.is((await order()).status, 'delivered');
  const { body } = await client.call('GET', `/v1/orders/${id}/timeline`, { token: guest });
  assert.is(body.data[0].title, 'Order placed');
  assert.is(body.data.at(-1).title, 'Order delivered');
  const late = await client.call('POST', `/v1/orders/${id}/cancel`, { token: guest });
  assert.is(late.status, 409);
  const other = events.replace(id, `ord_${'0'.repeat(26)}`);
  assert.is((await client.call('POST', other, { token, body: { type: 'delivered' } })).status, 404);
});

operators('an order is repeated with its first answer although its product is off sale', async (context) => {
  const { client, staff: token, guest } = context;
  const path = '/v1/admin/products/TEST-CUP';
  const details = { name: 'Test cup', category: 'Tea' };
  await client.call('PUT', path, { token, body: details });
  const price = { token, body: { amount: 500, currency: 'USD' }, headers: { 'if-match': '"1"' } };
  await client.call('PUT', `${path}/price`, price);
  const order = (key: string) =>
    client.call('POST', '/v1/orders', { token: guest, key, body: expressOrder([{ sku: 'TEST-CUP', quantity: 1 }]) });
  const first = await order('cup');
  await client.call('POST', `${path}/discontinue`, { token, headers: { 'if-match': '"2"' } });
  const again = await order('cup');
  assert.equal([again.status, again.body], [202, first.body]);
  assert.is(again.headers.get('idempotent-replayed'), 'true');
  assert.is((await order('another-cup')).body.code, 'cart.sku-unavailable');
});

operators('a saga tells where it stands; a held order is released with who and why', async (context) => {
  const { client, staff: token, guest } = context;
  const id = await place(context, 'dear', 60);
  const path = `/v1/admin/sagas/${id}`;
  const held = (await client.call('GET', path, { token })).body;
  assert.equal([held.status, held.awaiting], ['waiting', 'review']);
  assert.ok(held.timers.length > 0);
  assert.is((await client.call('POST', `${path}/release`, { token, body: {} })).status, 400);
  const release = () => client.call('POST', `${path}/release`, { token, key: 'go', body: { why: 'Known customer.' } });
  const released = await release();
  assert.is(released.status, 200);
  await settle(context);
  assert.is((await client.call('GET', `/v1/orders/${id}`, { token: guest })).body.payment.status, 'captured');
  const again = await release();
  assert.equal(again.body, released.body);
  assert.is(again.headers.get('idempotent-replayed'), 'true');
  const { history } = (await client.call('GET', path, { token })).body;
  const recorded = history.find((entry: { why?: string }) => entry.why === 'Known customer.');
  assert.match(recorded.by, /^cus_/);
});

operators('an operator cancels an order of somebody else', async (context) => {
  const { client, staff: token, guest } = context;
  const id = await place(context, 'operator-cancels');
  const cancelled = await client.call('POST', `/v1/admin/sagas/${id}/cancel`, {
    token,
    body: { why: 'Asked by phone.' },
  });
  assert.is(cancelled.status, 200);
  await settle(context);
  const { status, payment } = (await client.call('GET', `/v1/orders/${id}`, { token: guest })).body;
  assert.is(status, 'cancelled');
  assert.equal(payment.captured, payment.refunded);
});

operators('business time passes when told to, tokens do not age with it', async (context) => {
  const { client, guest: token } = context;
  const { body: cart } = await client.call('POST', '/v1/carts', { token });
  const advanced = await settle(context, 25 * 3_600_000);
  assert.is(advanced.status, 200);
  assert.is((await client.call('GET', `/v1/carts/${cart.id}`, { token })).body.status, 'abandoned');
});

operators('a killed actor is back with its next message', async ({ client, staff, guest: token }) => {
  const { body: cart } = await client.call('POST', '/v1/carts', { token });
  const killed = await client.call('POST', `/v1/admin/actors/cart/${cart.id}/kill`, { token: staff });
  assert.is(killed.status, 202);
  const added = await client.call('POST', `/v1/carts/${cart.id}/lines`, { token, body: { sku: SKU, quantity: 1 } });
  assert.equal([added.status, added.body.version], [200, 2]);
  const unknown = await client.call('POST', '/v1/admin/actors/nonsense/x/kill', { token: staff });
  assert.equal([unknown.status, unknown.body.code], [404, 'actor.unknown']);
});

operators('dead letters are listed, health and figures are told to anybody', async ({ client, staff: token }) => {
  assert.equal((await client.call('GET', '/v1/admin/dead-letters', { token })).body, {
    data: [],
    page: { next: null },
  });
  assert.is((await client.call('GET', '/healthz')).body.status, 'ok');
  assert.is((await client.call('GET', '/readyz')).status, 200);
  const { body } = await client.call('GET', '/metrics');
  assert.match(body, /^holdfast_dead_letters 0$/m);
  assert.match(body, /^holdfast_dead_letters_limit 100$/m);
  assert.match(body, /^holdfast_quarantined_actors 0$/m);
  assert.match(body, 'http_requests_total{method="POST",route="/v1/orders",status="202"}');
});

operators('without the staff role every one of these is refused', async ({ client, guest }) => {
  const { body } = await client.call('GET', '/openapi.json');
  for (const [path, item] of Object.entries<object>(body.paths).filter(([path]) => path.startsWith('/v1/admin/'))) {
    for (const method of Object.keys(item)) {
      const url = path.replace(/\{\w+\}/g, 'x');
      const call = (token?: string) => client.call(method.toUpperCase(), url, { token, key: 'k' });
      assert.is((await call()).status, 401, `${method} ${path}`);
      assert.is((await call(guest)).status, 403, `${method} ${path}`);
    }
  }
});

operators.run();
