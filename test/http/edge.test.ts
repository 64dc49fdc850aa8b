import { connect } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Unavailable } from '../../supervisors/shop.ts';
import { type EdgeUnderTest, gate, guestToken, staffToken, startEdge } from './support.ts';

type Context = { edge: EdgeUnderTest; token: string };
const edge = suite<Context>('http edge');

edge.before(async (context) => {
  context.edge = await startEdge();
  context.token = await guestToken(context.edge);
});
edge.after(({ edge }) => edge.stop());

const order = {
  lines: [{ sku: 'TEA-1', quantity: 1 }],
  address: { name: 'Ada', line1: '1 Main St', city: 'Newark', postalCode: '07102', country: 'US' },
  shippingMethod: 'standard',
  payment: { token: 'tok_success' },
};

type ProblemBody = { status: number; code: string; traceId: string; [member: string]: unknown };

async function problem(response: Response): Promise<ProblemBody> {
  assert.is(response.headers.get('content-type'), 'application/problem+json');
  const body = (await response.json()) as ProblemBody;
  assert.is(body.status, response.status);
  assert.match(body.traceId, /^[0-9a-f]{32}$/);
  assert.not.match(JSON.stringify(body), /node_modules|at .*\.ts/);
  return body;
}

function post({ edge, token }: Context, body: string | undefined, headers: Record<string, string> = {}) {
  return fetch(`${edge.url}/v1/orders`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'idempotency-key': 'k',
      ...headers,
    },
    ...(body !== undefined && { body }),
  });
}

/** Sends bytes as they are and gives back whatever comes until the connection is closed. */
function raw({ edge }: Context, ...parts: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(edge.url);
  return new Promise((resolve, refuse) => {
    let text = '';
    const socket = connect(Number(port), hostname, () => {
      for (const part of parts) socket.write(part);
    });
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('error', refuse);
    socket.on('close', () => resolve(text));
  });
}

edge('an unknown address is 404, a known one with another method 405 with Allow', async (context) => {
  const { url } = context.edge;
  assert.is((await problem(await fetch(`${url}/nope`))).code, 'request.unknown-route');
  const response = await fetch(`${url}/v1/carts/cart_1/lines`, { method: 'PUT' });
  assert.is(response.status, 405);
  assert.is(response.headers.get('allow'), 'POST, DELETE, OPTIONS');
  assert.is((await problem(response)).code, 'request.method-not-allowed');
});

edge('OPTIONS names the methods; HEAD is GET without a body', async ({ edge: { url } }) => {
  const options = await fetch(`${url}/v1/carts`, { method: 'OPTIONS' });
  assert.is(options.status, 204);
  assert.is(options.headers.get('allow'), 'POST, OPTIONS');
  const head = await fetch(`${url}/healthz`, { method: 'HEAD' });
  assert.is(head.status, 200);
  assert.is(await head.text(), '');
});

edge('without a token 401, without the scope 403', async (context) => {
  const { edge, token } = context;
  const missing = await fetch(`${edge.url}/v1/orders`);
  assert.is(missing.headers.get('www-authenticate'), 'Bearer');
  assert.is((await problem(missing)).status, 401);
  const stock = (bearer: string) =>
    fetch(`${edge.url}/v1/admin/stock/TEA-1`, { headers: { authorization: `Bearer ${bearer}` } });
  assert.is((await problem(await stock(token))).status, 403);
  assert.is((await problem(await stock(await staffToken(edge, 'orders')))).code, 'auth.scope-required');
});

edge('malformed, poisoned and nested bodies are 400, and nothing is asked of the shop', async (context) => {
  const bodies = [
    '{"a":',
    'null',
    '"x"',
    '7',
    '{"__proto__":{"a":1}}',
    '{"a":1,"a":1}',
    '['.repeat(60_000),
    '{"a":'.repeat(9_000),
  ];
  for (const body of bodies) {
    const answer = await problem(await post(context, body));
    assert.is(answer.status, 400, body.slice(0, 20));
    assert.is(answer.code, 'request.malformed', body.slice(0, 20));
  }
  const nested = `${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}`;
  assert.is((await problem(await post(context, nested))).code, 'request.invalid');
});

edge('a body over 64 KB is 413, another media type or an encoding 415', async (context) => {
  assert.is((await problem(await post(context, JSON.stringify({ a: 'x'.repeat(66_000) })))).code, 'request.too-large');
  assert.is((await problem(await post(context, 'a=1', { 'content-type': 'text/plain' }))).status, 415);
  assert.is((await problem(await post(context, '{}', { 'content-encoding': 'gzip' }))).status, 415);
});

edge('a schema error names what is wrong', async (context) => {
  const answer = await problem(await post(context, JSON.stringify({ ...order, extra: 1 })));
  assert.equal(answer['errors'], [
    { in: 'body', pointer: '/extra', code: 'unknown-member', detail: 'This member is not known here.' },
  ]);
});

edge('a missing or unusable idempotency key is 400', async (context) => {
  const body = JSON.stringify(order);
  assert.is((await problem(await post(context, body, { 'idempotency-key': '' }))).code, 'idempotency.key-required');
  assert.is((await problem(await post(context, body, { 'idempotency-key': 'a b' }))).code, 'idempotency.key-invalid');
});

edge('ids that cannot be are not found, also when they cannot be decoded', async ({ edge: { url }, token }) => {
  for (const id of ['%E0%A4%A', 'a%2Fb', 'x'.repeat(200), '%00', '..%2f..']) {
    const response = await fetch(`${url}/v1/carts/${id}`, { headers: { authorization: `Bearer ${token}` } });
    assert.is((await problem(response)).status, 404, id);
  }
});

edge('the trace comes in with traceparent, the request id goes out', async ({ edge: { url, lines } }) => {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  const headers = { traceparent: `00-${trace}-00f067aa0ba902b7-01`, 'x-request-id': 'mine-1' };
  const response = await fetch(`${url}/nope`, { headers });
  assert.is(response.headers.get('x-request-id'), 'mine-1');
  assert.is((await problem(response))['traceId'], trace);
  const line = lines.at(-1);
  assert.is(line?.['traceId'], trace);
  assert.is(line?.['route'], 'unmatched');
  assert.is(line?.['status'], 404);
  assert.is(typeof line?.['ms'], 'number');
  assert.is(line?.['requestId'], 'mine-1');
});

edge('the log names the order that a request was about, also when it failed', async () => {
  const failing = await startEdge({ read: () => Promise.resolve(undefined) });
  const headers = { authorization: `Bearer ${await staffToken(failing, 'orders')}` };
  const id = `ord_${'0'.repeat(26)}`;
  const shipment = `shp_${'0'.repeat(26)}_1`;
  const refused = [
    ['GET', `/v1/orders/${id}`, 404],
    ['GET', `/v1/admin/sagas/${id}`, 404],
    ['POST', `/v1/admin/orders/${id}/shipments/${shipment}/events`, 400],
  ] as const;
  for (const [method, path, status] of refused) {
    const response = await fetch(`${failing.url}${path}`, { method, headers });
    assert.is((await problem(response)).status, status, path);
    assert.is(failing.lines.at(-1)?.['orderId'], id, path);
  }
  await failing.stop();
});

edge('a bug of ours is 500 without a word about it, and logged with its cause', async ({ edge, token }) => {
  const response = await fetch(`${edge.url}/v1/orders`, { headers: { authorization: `Bearer ${token}` } });
  assert.is((await problem(response)).code, 'internal');
  assert.match(JSON.stringify(edge.lines.at(-1)), 'the edge asked the shop for customerOrders');
});

edge('security headers are on every answer, and nothing private is cached', async ({ edge: { url } }) => {
  const { headers } = await fetch(`${url}/nope`);
  assert.match(headers.get('content-security-policy') ?? '', "default-src 'self'");
  assert.is(headers.get('x-content-type-options'), 'nosniff');
  assert.is(headers.get('cache-control'), 'no-store');
  assert.is(headers.get('x-powered-by'), null);
});

edge('the page needs nothing from elsewhere and no inline code', async ({ edge: { url } }) => {
  const page = await (await fetch(`${url}/docs`)).text();
  const links = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link ?? '');
  assert.ok(links.length >= 3);
  for (const link of links) assert.is((await fetch(`${url}${link}`)).status, 200, link);
  assert.not.match(page, /<script>|<style>|\son\w+=|\sstyle=/);
});

edge('requests are counted by route, never by raw path', async ({ edge: { url, registry }, token }) => {
  for (const id of ['1', '2', '%00']) {
    await fetch(`${url}/v1/products/${id}`, { headers: { authorization: `Bearer ${token}` } });
  }
  const text = await registry.metrics();
  assert.match(text, 'http_requests_total{method="GET",route="/v1/products/{sku}",status="404"} 1');
  assert.match(text, 'http_request_duration_seconds_bucket');
  assert.not.match(text, '/v1/products/1');
});

edge('headers over 16 KB and requests that are none get a problem too', async (context) => {
  const big = await raw(context, `GET /healthz HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`);
  assert.match(big, /^HTTP\/1\.1 431 /);
  assert.match(big, 'request.headers-too-large');
  const broken = await raw(context, 'hello there\r\n\r\n');
  assert.match(broken, /^HTTP\/1\.1 400 /);
  assert.match(broken, 'application/problem+json');
  for (const answer of [big, broken]) assert.match(answer, /"traceId":"[0-9a-f]{32}"/);
});

edge('a body that does not arrive in time is 408 and its connection closed', async () => {
  const slow = await startEdge({}, { receiveTimeoutMs: 100 });
  const token = await guestToken(slow);
  const head =
    `POST /v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nIdempotency-Key: k\r\n` +
    'Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"lines":';
  const text = await raw({ edge: slow, token }, head);
  assert.match(text, /^HTTP\/1\.1 408 /);
  assert.match(text, 'request.too-slow');
  await slow.stop();
});

edge('beyond the admission limit 503 with Retry-After, but health is still told', async () => {
  const rows = gate<never[]>();
  const full = await startEdge({ customerOrders: () => rows.promise }, { maxInFlight: 2 });
  const headers = { authorization: `Bearer ${await guestToken(full)}` };
  const held = [1, 2].map(() => fetch(`${full.url}/v1/orders`, { headers }));
  const inFlight = async () => /http_requests_in_flight (\d+)/.exec(await full.registry.metrics())?.[1];
  while ((await inFlight()) !== '2') await new Promise(setImmediate);
  const shed = await fetch(`${full.url}/v1/orders`, { headers });
  assert.is(shed.headers.get('retry-after'), '1');
  const body = await problem(shed);
  assert.is(body.status, 503);
  assert.is(body['retryable'], true);
  assert.is((await fetch(`${full.url}/readyz`)).status, 200);
  rows.resolve([]);
  for (const response of await Promise.all(held)) assert.is(response.status, 200);
  assert.is((await fetch(`${full.url}/v1/orders`, { headers })).status, 200);
  await full.stop();
});

edge('a shop that cannot answer is 503 with its Retry-After', async () => {
  const busy = await startEdge({ customerOrders: () => Promise.reject(new Unavailable('full', 4_000)) });
  const response = await fetch(`${busy.url}/v1/orders`, {
    headers: { authorization: `Bearer ${await guestToken(busy)}` },
  });
  assert.is(response.headers.get('retry-after'), '4');
  assert.is((await problem(response)).code, 'service.unavailable');
  await busy.stop();
});

edge('not ready is 503 on readyz only', async () => {
  const starting = await startEdge({ health: () => ({ live: true, ready: false, detail: { shards: 3 } }) });
  const ready = await fetch(`${starting.url}/readyz`);
  assert.is(ready.status, 503);
  assert.equal(await ready.json(), { status: 'unavailable', detail: { shards: 3 } });
  assert.is((await fetch(`${starting.url}/healthz`)).status, 200);
  await starting.stop();
});

edge('stopping finishes what is in flight and takes nothing new', async () => {
  const rows = gate<never[]>();
  const asked = gate<void>();
  const stopping = await startEdge({
    customerOrders: () => {
      asked.resolve();
      return rows.promise;
    },
  });
  const headers = { authorization: `Bearer ${await guestToken(stopping)}` };
  const held = fetch(`${stopping.url}/v1/orders`, { headers });
  await asked.promise;
  const stopped = stopping.stop();
  let refused = false;
  await fetch(`${stopping.url}/healthz`).catch(() => {
    refused = true;
  });
  assert.ok(refused, 'new connections are refused');
  rows.resolve([]);
  const response = await held;
  assert.is(response.status, 200);
  assert.is(response.headers.get('connection'), 'close');
  await stopped;
});

edge('stopping cuts what does not end in time', async () => {
  const asked = gate<void>();
  const stuck = await startEdge(
    {
      customerOrders: () => {
        asked.resolve();
        return new Promise(() => {});
      },
    },
    { stopTimeoutMs: 50 },
  );
  const held = fetch(`${stuck.url}/v1/orders`, { headers: { authorization: `Bearer ${await guestToken(stuck)}` } });
  const cut = held.then(
    () => false,
    () => true,
  );
  await asked.promise;
  await stuck.stop();
  assert.ok(await cut);
});

edge.run();
