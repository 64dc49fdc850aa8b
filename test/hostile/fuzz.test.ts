/**
 * Hostile input on every route of the OpenAPI document: never a 5xx, always a problem with a code, never a change, and
 * no memory kept. Seeded: FUZZ_SEED repeats a run, FUZZ_RUNS lengthens it.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Route } from '../../http/route.ts';
import {
  addressOf,
  documented,
  type RawAnswer,
  type RawRequest,
  routes,
  send,
  startWorld,
  type World,
} from './world.ts';

const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);
const runs = Number(process.env['FUZZ_RUNS'] ?? 15);

const fuzz = suite<{ world: World }>(`hostile: fuzz (FUZZ_SEED=${seed})`);
fuzz.before(async (context) => {
  context.world = await startWorld();
});
fuzz.after(({ world }) => world.shop.close());

/** These answer for the whole process, or move everybody's time. */
const served = routes.filter(({ vital, path }) => !vital && !path.startsWith('/docs') && !path.includes('/clock/'));
const nameOf = ({ method, path }: Route): string => `${method.toUpperCase()} ${path}`;

const nastyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '',
    ' ',
    '\u0000',
    '\ud800',
    '\u202e\u2066abc',
    '😀'.repeat(50),
    "'; DROP TABLE commits; --",
    '" OR ""="',
    '../../../../etc/passwd',
    '%2e%2e%2f',
    '__proto__',
    'constructor',
    '-1',
    'NaN',
    '9'.repeat(400),
    'x'.repeat(9_000),
    '<script>alert(1)</script>',
    '{"$ne":null}',
  ),
);
const nastyNumber = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.constantFrom(0, -0, -1, 1.5, 1e21, 2 ** 53, -(2 ** 53), 1e308, Number.MIN_VALUE),
);
const nastyValue: fc.Arbitrary<unknown> = fc.oneof(
  nastyText,
  nastyNumber,
  fc.constantFrom(null, true, false, [], {}, [[[[[]]]]], { toString: 1 }, { length: 1e9 }),
  fc.array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 200 }),
  fc.jsonValue({ maxDepth: 6 }),
);
/** Whole bodies that are no bodies. */
const brokenBody = fc.constantFrom<string>(
  '',
  '{',
  '[]',
  'null',
  '"text"',
  '1e999',
  'NaN',
  '{"a":1,"a":2}',
  '{"__proto__":{"admin":true}}',
  '{"constructor":{"prototype":{"admin":true}}}',
  '{"a":\u0000}',
  `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
  `{"a":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}`,
  `{"a":"${'x'.repeat(70_000)}"}`,
  '\ufeff{}',
  '{"sku":"\\ud800"}',
);
const nastyHeaders = fc.record(
  {
    'content-type': fc.constantFrom(
      'application/json',
      'application/json; charset=utf-16',
      'application/json; charset=klingon',
      'text/plain',
      'multipart/form-data; boundary=x',
      'application/x-www-form-urlencoded',
      'x'.repeat(300),
    ),
    'content-encoding': fc.constantFrom('gzip', 'br', 'identity', 'zip'),
    'idempotency-key': fc.constantFrom('a key with blanks', 'x'.repeat(256), 'é', '"', 'ok-key'),
    'if-match': fc.constantFrom('"', '*', '"1", "2"', 'W/"1"', '-1', 'x'.repeat(500)),
    'if-none-match': fc.constantFrom('*', '"', ','.repeat(200)),
    prefer: fc.constantFrom('wait=-1', 'wait=99999999999', 'wait=1e9', '='.repeat(100), 'wait'),
    traceparent: fc.constantFrom('00-0-0-00', 'x'.repeat(1_000), '00-ffffffffffffffffffffffffffffffff-0-01'),
    'x-request-id': fc.constantFrom('x'.repeat(5_000), "'; --", 'é'),
    'x-forwarded-for': fc.constantFrom('::::', '999.1.1.1, , ,', 'x'.repeat(2_000)),
    accept: fc.constantFrom('text/html', '*/*;q=nonsense', ''),
  },
  { requiredKeys: [] },
);

/** The documented body with one member put out of place, at any depth. */
function mutated(example: unknown, at: number, value: unknown): unknown {
  const places = placesIn(example);
  const place = places[at % Math.max(1, places.length)];
  return place === undefined ? value : replaced(example, place, value);
}

function placesIn(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  const inner = Object.entries(isObject(value) ? value : {}).flatMap(([name, member]) =>
    placesIn(member, [...path, name]),
  );
  return path.length === 0 ? [...inner, ['member-that-is-not-known']] : [path, ...inner];
}

function replaced(value: unknown, [name = '', ...rest]: readonly string[], to: unknown): unknown {
  const inner = rest.length === 0 ? to : replaced(isObject(value) ? value[name] : undefined, rest, to);
  if (Array.isArray(value)) return value.map((member, index) => (String(index) === name ? inner : member));
  return { ...(isObject(value) ? value : {}), [name]: inner };
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function checked(answer: RawAnswer, request: RawRequest): void {
  const told = `${request.method} ${request.path} ${JSON.stringify(request.headers)} ${String(request.body).slice(0, 300)}`;
  assert.ok(answer.status < 500, `${answer.status} ${answer.text.slice(0, 300)} for ${told}`);
  if (answer.status < 400) return;
  assert.match(answer.type, /^application\/problem\+json/, told);
  const problem = JSON.parse(answer.text);
  assert.is(problem.status, answer.status, told);
  assert.match(problem.code, /^[a-z][a-z0-9.-]+$/, told);
  assert.not.match(answer.text, /node_modules|SQLITE|\.ts:\d/, told);
}

async function attack(world: World, request: RawRequest): Promise<number> {
  const answer = await send(world.shop.url, request);
  checked(answer, request);
  return answer.status;
}

/** Half a surrogate pair has no UTF-8: as U+FFFD. */
const encoded = (text: string): string => encodeURIComponent(Buffer.from(text).toString());
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const json = { 'content-type': 'application/json' };

fuzz('bodies with one thing wrong, as whoever may do the most', async ({ world }) => {
  let key = 0;
  for (const route of served.filter(({ body }) => body)) {
    const { headers, body } = documented(route, '');
    const request = async (at: number, value: unknown): Promise<void> => {
      const own = route.path.startsWith('/v1/admin') ? world.staff : world.ada.token;
      // Of something that isn't there where there is a choice: what is valid by chance must not end the others' fun.
      const path = addressOf(route, world.bob, at % 2 === 0);
      const sent = JSON.stringify(mutated(body, at, value));
      const keyed = { ...headers, 'idempotency-key': `fuzz-${++key}` };
      await attack(world, {
        method: route.method.toUpperCase(),
        path,
        headers: { ...json, ...bearer(own), ...keyed },
        body: sent ?? 'null',
      });
    };
    await fc.assert(fc.asyncProperty(fc.nat(50), nastyValue, request), { seed, numRuns: runs });
  }
});

fuzz('what is no request at all changes nothing', async ({ world }) => {
  const before = await world.visible();
  for (const route of served) {
    const request = async (body: string, headers: object, segment: string, bad: boolean): Promise<void> => {
      const token = bad ? `Bearer ${'x'.repeat(40)}.e30.x` : bearer(world.ada.token).authorization;
      const path = route.path.replace(/\{\w+\}/g, () => encoded(segment) || '%00');
      const status = await attack(world, {
        method: route.method.toUpperCase(),
        path,
        headers: { ...json, authorization: token, ...(headers as Record<string, string>) },
        ...(route.method === 'get' || body === '' ? {} : { body: `[${body}` }),
      });
      // A route that wants no body looks at none.
      const taken = status < 300 && route.body !== undefined && body !== '';
      assert.not(taken, `${nameOf(route)} took [${body.slice(0, 100)}`);
    };
    await fc.assert(fc.asyncProperty(brokenBody, nastyHeaders, nastyText, fc.boolean(), request), {
      seed,
      numRuns: runs,
    });
  }
  assert.equal(await world.visible(), before);
});

fuzz('query strings', async ({ world }) => {
  const names = [
    'q',
    'limit',
    'cursor',
    'category',
    'minPrice',
    'maxPrice',
    'sort',
    'from',
    'to',
    'at',
    'version',
    'x',
  ];
  const pairs = fc.array(fc.tuple(fc.constantFrom(...names), nastyText), { minLength: 1, maxLength: 4 });
  for (const route of served.filter(({ method, query }) => method === 'get' && query)) {
    const request = async (query: [string, string][]): Promise<void> => {
      const token = route.path.startsWith('/v1/admin') ? world.staff : world.ada.token;
      const search = query.map(([name, value]) => `${name}=${encoded(value).slice(0, 4_000)}`);
      const path = `${addressOf(route, world.ada)}?${search.join('&')}`;
      await attack(world, { method: 'GET', path, headers: bearer(token) });
    };
    await fc.assert(fc.asyncProperty(pairs, request), { seed, numRuns: runs * 3 });
  }
});

fuzz('methods, paths and encodings that make no sense', async ({ world }) => {
  const paths = [
    '/',
    '//',
    '/v1',
    '/v1/orders/',
    '/v1//orders',
    '/%',
    '/%00',
    '/v1/orders/%2e%2e',
    '/..%2f..%2f',
    '/*',
  ];
  paths.push(
    `/${'a'.repeat(8_000)}`,
    '/v1/orders/../admin/staff',
    '/v1/products/%ff%fe',
    '/V1/ORDERS',
    '/v1/orders;a=b',
  );
  const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'PURGE'];
  for (const path of paths) {
    for (const method of methods) {
      const answer = await send(world.shop.url, { method, path, headers: bearer(world.ada.token) });
      assert.ok(answer.status < 500 && answer.status >= 200, `${method} ${path}: ${answer.status}`);
      if (method !== 'HEAD') checked(answer, { method, path });
    }
  }
});

/** Bytes still in use after everything that can go has gone. */
function kept(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let i = 0; i < 3; i++) collect();
  return process.memoryUsage().heapUsed;
}

fuzz('thousands of refusals leave nothing behind', async ({ world }) => {
  const round = async (from: number): Promise<void> => {
    for (let i = from; i < from + 1_500; i++) {
      const headers = { ...json, ...bearer(world.guest), 'idempotency-key': `memory-${i}`, 'x-request-id': `r${i}` };
      await attack(world, { method: 'POST', path: '/v1/orders', headers, body: `{"lines":"${'x'.repeat(1_000)}"}` });
      await attack(world, { method: 'GET', path: `/v1/orders/ord_${i}`, headers });
      await attack(world, { method: 'GET', path: '/v1/orders', headers: bearer(`${i}.${'x'.repeat(500)}.y`) });
    }
  };
  // The first round warms up code and caches; 4,500 requests that each kept a kilobyte would show in the second.
  await round(0);
  const before = kept();
  await round(10_000);
  const grown = kept() - before;
  assert.ok(grown < 4_000_000, `${Math.round(grown / 1_000)} KB more are in use`);
});

fuzz('and then the shop takes an order as if nothing had been', async ({ world }) => {
  const { shop, ada } = world;
  const route = routes.find(({ method, path }) => method === 'post' && path === '/v1/orders');
  const placed = await shop.call('POST', '/v1/orders', { token: ada.token, key: 'after', body: route?.example });
  assert.is(placed.status, 202);
  await shop.advance(1_000);
  const order = await shop.call('GET', `/v1/orders/${placed.body.id}`, { token: ada.token });
  assert.is(order.body.payment.status, 'captured');
});

fuzz.run();
