/**
 * Every route × every caller × what is one's own and what isn't (I11). The rules stand here, apart from the product's: a
 * route that no rule speaks of fails.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { allScopes } from '../../http/auth.ts';
import type { Route } from '../../http/route.ts';
import { addressOf, documented, routes, startWorld, type World } from './world.ts';

const matrix = suite<{ world: World }>('hostile: who may call what');
matrix.before(async (context) => {
  context.world = await startWorld();
});
matrix.after(({ world }) => world.shop.close());

/** The first that fits. A word after `staff` is the scope. */
const RULES: readonly (readonly [RegExp, string])[] = [
  [/^\w+ \/(healthz|readyz|metrics|openapi\.json|docs.*)$/, 'public'],
  [/^get \/v1\/products/, 'public'],
  [/^post \/v1\/(sessions|sessions\/guest|customers)$/, 'public'],
  [/^\w+ \/v1\/me(\/|$)/, 'account'],
  [/^post \/v1\/carts\/\{id\}\/merge$/, 'account'],
  [/^\w+ \/v1\/simulator\/bank/, 'public'],
  [/^\w+ \/v1\/(carts|checkouts|orders|events)(\/|$)/, 'token'],
  [/^\w+ \/v1\/admin\/products/, 'staff catalog'],
  [/^\w+ \/v1\/admin\/stock/, 'staff stock'],
  [/^post \/v1\/admin\/sagas\/\{orderId\}\/refund$/, 'staff payments'],
  [/^\w+ \/v1\/admin\/(orders|sagas)/, 'staff orders'],
  [/^\w+ \/v1\/admin\/staff/, 'staff staff'],
  [/^post \/v1\/admin\/actors\/.*\/kill$/, 'staff chaos'],
  [/^\w+ \/v1\/admin\/(dead-letters|clock|actors|check|cluster|repairs|quarantine|backups)/, 'staff cluster'],
  [/^\w+ \/v1\/admin\/(payments|simulator)/, 'staff payments'],
  [/^get \/v1\/admin\/statistics/, 'staff orders'],
  [/^get \/v1\/admin\/caches/, 'staff cluster'],
];

const nameOf = ({ method, path }: Route): string => `${method} ${path}`;
const ruleOf = (route: Route): string => RULES.find(([pattern]) => pattern.test(nameOf(route)))?.[1] ?? 'none';

/** The refusal that a caller must get: 401, 403, or 0 for none. */
function refusalOf(rule: string, role: string, scope = ''): number {
  if (rule === 'public') return 0;
  if (role === 'anonymous') return 401;
  if (rule === 'token') return 0;
  if (rule === 'account') return role === 'customer' || role === 'staff' ? 0 : 403;
  return role === 'staff' && rule === `staff ${scope}` ? 0 : 403;
}

let keys = 0;

async function call({ shop }: World, route: Route, path: string, token?: string) {
  const { headers, body } = documented(route, `matrix-${++keys}`);
  return shop.call(route.method.toUpperCase(), path, { token, headers, ...(body !== undefined && { body }) });
}

matrix('there is a rule for every route', () => {
  const without = routes.filter((route) => ruleOf(route) === 'none').map(nameOf);
  assert.equal(without, [], 'say in RULES who may call it');
});

matrix('anonymous, guests, customers, vendors and staff of every scope get in where they should', async ({ world }) => {
  const { tokens } = world.shop.edge.services;
  const vendor = (await tokens.issue({ sub: 'ven_1', role: 'vendor', scopes: [] })).token;
  const callers: { role: string; scope?: string; token?: string }[] = [
    { role: 'anonymous' },
    { role: 'guest', token: world.guest },
    { role: 'customer', token: world.ada.token },
    { role: 'vendor', token: vendor },
    { role: 'staff', scope: 'none', token: await world.colleague() },
  ];
  for (const scope of allScopes) callers.push({ role: 'staff', scope, token: await world.colleague(scope) });
  for (const { role, scope, token } of callers) {
    for (const route of routes) {
      // What isn't there: whoever is let in changes nothing for those who come after.
      const answer = await call(world, route, addressOf(route, world.ada, true), token);
      const said = answer.status === 401 || answer.status === 403 ? answer.status : 0;
      const expected = refusalOf(ruleOf(route), role, scope);
      // Credentials that are wrong are no refusal of the caller.
      const wrongPassword = answer.body.code === 'session.invalid-credentials';
      assert.is(wrongPassword ? 0 : said, expected, `${nameOf(route)} as ${role} ${scope ?? ''}`);
      assert.ok(answer.status < 500, `${nameOf(route)} as ${role} ${scope ?? ''}: ${answer.status}`);
    }
  }
});

/** An address of the address book has no id that somebody else could know: its number is its owner's. */
const OWNED = /^\/v1\/(carts|checkouts|orders)\/\{id\}/;

/** Without what differs for good reason: the trace and the id that was asked for. */
function saidTo(body: Record<string, unknown>, path: string): string {
  const { traceId: _trace, ...said } = body;
  return JSON.stringify(said).replaceAll(path.split('/')[3] ?? '', '<id>');
}

matrix("somebody else's is answered exactly as what isn't there, and stays as it is", async ({ world }) => {
  const { ada, bob, guest } = world;
  const before = await world.visible();
  for (const route of routes.filter(({ path }) => OWNED.test(path))) {
    const [foreign, unknown] = [addressOf(route, ada), addressOf(route, ada, true)];
    const others = ruleOf(route) === 'account' ? { bob: bob.token } : { bob: bob.token, guest };
    for (const [who, token] of Object.entries(others)) {
      const answer = await call(world, route, foreign, token);
      const nothing = await call(world, route, unknown, token);
      assert.is(answer.status, 404, `${nameOf(route)} as ${who}`);
      assert.is(saidTo(answer.body, foreign), saidTo(nothing.body, unknown), `${nameOf(route)} as ${who}`);
    }
  }
  assert.equal(await world.visible(), before);
});

matrix('what is listed is only ever the own', async ({ world }) => {
  const { shop, ada, bob } = world;
  for (const [own, other] of [
    [ada, bob],
    [bob, ada],
  ] as const) {
    for (const path of ['/v1/orders', '/v1/me', '/v1/me/addresses']) {
      const { body } = await shop.call('GET', path, { token: own.token });
      const text = JSON.stringify(body);
      assert.not(text.includes(other.orderId) || text.includes(other.customerId), path);
    }
  }
});

matrix("staff see everybody's orders with the scope for it, and only then", async ({ world }) => {
  const path = `/v1/orders/${world.ada.orderId}`;
  const seen = async (...scopes: string[]) =>
    (await world.shop.call('GET', path, { token: await world.colleague(...scopes) })).status;
  assert.equal([await seen('orders'), await seen('stock', 'catalog', 'payments')], [200, 404]);
});

matrix.run();
