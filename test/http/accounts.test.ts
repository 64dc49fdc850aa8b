/** Accounts over HTTP: profile, password, staff and what their tokens are worth, password guessing, rate limits. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { allScopes } from '../../http/auth.ts';
import { ensureOperator } from '../../http/operator.ts';
import { ADDRESS } from '../support/client.ts';
import { startShop, type TestShop } from '../support/shop.ts';

type Context = { shop: TestShop; staff: string; count: number };
const accounts = suite<Context>('http accounts');
const PASSWORD = 'correct horse battery';

accounts.before(async (context) => {
  context.shop = await startShop({ seed: false });
  context.staff = await context.shop.staff();
  context.count = 0;
});
accounts.after(({ shop }) => shop.close());

async function customer(context: Context): Promise<{ email: string; token: string }> {
  const email = `customer-${++context.count}@example.com`;
  const body = { email, password: PASSWORD, name: 'Ada' };
  const { body: opened } = await context.shop.call('POST', '/v1/customers', { body });
  return { email, token: opened.token };
}

async function colleague(context: Context, scopes: readonly string[]) {
  const email = `staff-${++context.count}@example.com`;
  const body = { email, password: PASSWORD, name: 'Grace', scopes };
  const { body: account, status } = await context.shop.call('POST', '/v1/admin/staff', { token: context.staff, body });
  assert.is(status, 201);
  const signedIn = await context.shop.call('POST', '/v1/sessions', { body: { email, password: PASSWORD } });
  return { email, id: account.id as string, token: signedIn.body.token as string };
}

const status = async ({ shop }: Context, method: string, path: string, token?: string, body?: unknown) =>
  (await shop.call(method, path, { token, ...(body !== undefined && { body }) })).status;

accounts('name and preferences are changed together or apart, of a known version', async (context) => {
  const { shop } = context;
  const { token } = await customer(context);
  const patch = (body: unknown, headers = {}) => shop.call('PATCH', '/v1/me', { token, body, headers });
  const renamed = await patch({ name: 'Ada Lovelace', preferences: { marketing: true } });
  assert.equal(
    [renamed.body.name, renamed.body.preferences],
    ['Ada Lovelace', { orderUpdates: true, marketing: true }],
  );
  assert.is((await patch({ name: 'X' }, { 'if-match': '"1"' })).status, 412);
  assert.is((await patch({ name: '' })).status, 400);
  assert.equal((await patch({})).body, renamed.body);
  const chosen = await shop.call('PUT', '/v1/me/preferences', { token, body: { orderUpdates: false } });
  assert.equal(chosen.body, { orderUpdates: false, marketing: true });
  const read = await shop.call('GET', '/v1/me/preferences', { token });
  assert.equal([read.body, read.headers.get('etag')], [chosen.body, chosen.headers.get('etag')]);
});

accounts('the first address is the default until another is chosen or it is forgotten', async (context) => {
  const { shop } = context;
  const { token } = await customer(context);
  const add = async (line1: string) =>
    (await shop.call('POST', '/v1/me/addresses', { token, body: { address: { ...ADDRESS, line1 } } })).body.id;
  const chosen = (body: { addresses: { id: string; isDefault: boolean }[] }) =>
    body.addresses.filter(({ isDefault }) => isDefault).map(({ id }) => id);
  const bare = await shop.call('POST', '/v1/me/addresses', { token, body: { ...ADDRESS, line1: '1 First St' } });
  const [first, second] = [bare.body.id, await add('2 Second St')];
  const changed = await shop.call('PUT', `/v1/me/addresses/${second}/default`, { token });
  assert.equal(chosen(changed.body), [second]);
  const forgotten = await shop.call('DELETE', `/v1/me/addresses/${second}`, { token });
  assert.equal(chosen(forgotten.body), [first]);
  assert.is(await status(context, 'PUT', `/v1/me/addresses/${second}/default`, token), 404);
});

accounts('a new password needs the old one, ends every other session and lets in', async (context) => {
  const { shop } = context;
  const { email, token } = await customer(context);
  const other = await shop.call('POST', '/v1/sessions', { body: { email, password: PASSWORD } });
  const put = (currentPassword: string, newPassword = 'another long password') =>
    shop.call('PUT', '/v1/me/password', { token, body: { currentPassword, newPassword } });
  assert.is((await put('not the old one')).body.code, 'customer.password-wrong');
  assert.is((await put(PASSWORD, 'short')).status, 400);
  const changed = await put(PASSWORD);
  assert.is(changed.status, 200);
  assert.equal(
    [
      await status(context, 'GET', '/v1/me', token),
      await status(context, 'GET', '/v1/orders', other.body.token),
      await status(context, 'GET', '/v1/me', changed.body.token),
    ],
    [401, 401, 200],
  );
  assert.is(await status(context, 'POST', '/v1/sessions', undefined, { email, password: PASSWORD }), 401);
  assert.is(
    await status(context, 'POST', '/v1/sessions', undefined, { email, password: 'another long password' }),
    201,
  );
});

accounts('a colleague gets in with the given scopes and no others', async (context) => {
  const { token, id } = await colleague(context, ['stock']);
  // Let in, to what isn't there.
  assert.is(await status(context, 'GET', '/v1/admin/stock/TEA', token), 404);
  assert.is(await status(context, 'GET', '/v1/admin/dead-letters', token), 403);
  assert.is(await status(context, 'GET', '/v1/admin/staff', token), 403);
  const listed = await context.shop.call('GET', '/v1/admin/staff', { token: context.staff });
  assert.ok(
    listed.body.data.some((row: { id: string; scopes: string[] }) => row.id === id && row.scopes[0] === 'stock'),
  );
  assert.is(listed.body.data.length, new Set(listed.body.data.map((row: { id: string }) => row.id)).size);
});

accounts('scopes change with the next request of a token that was there before', async (context) => {
  const { shop, staff } = context;
  const { token, id } = await colleague(context, ['stock']);
  const put = (scopes: readonly string[], headers = {}) =>
    shop.call('PUT', `/v1/admin/staff/${id}/scopes`, { token: staff, headers, body: { scopes, why: 'Moved.' } });
  assert.equal((await put(['cluster'])).body.scopes, ['cluster']);
  assert.is(await status(context, 'GET', '/v1/admin/stock/TEA', token), 403);
  assert.is(await status(context, 'GET', '/v1/admin/dead-letters', token), 200);
  assert.is((await put(['stock'], { 'if-match': '"1"' })).status, 412);
  assert.is((await put(['root'])).status, 400);
  const read = await shop.call('GET', `/v1/admin/staff/${id}`, { token: staff });
  assert.equal([read.status, read.body.scopes, read.body.enabled], [200, ['cluster'], true]);
});

accounts('a disabled colleague is out at once, may not sign in, and comes back with a new session', async (context) => {
  const { shop, staff } = context;
  const { token, id, email } = await colleague(context, ['stock']);
  const turn = (what: string) =>
    shop.call('POST', `/v1/admin/staff/${id}/${what}`, { token: staff, body: { why: 'Left.' } });
  assert.is((await turn('disable')).body.enabled, false);
  assert.is(await status(context, 'GET', '/v1/admin/stock/TEA', token), 401);
  const credentials = { email, password: PASSWORD };
  assert.is(await status(context, 'POST', '/v1/sessions', undefined, credentials), 401);
  assert.is((await turn('enable')).body.enabled, true);
  assert.is(await status(context, 'GET', '/v1/admin/stock/TEA', token), 401);
  assert.is(await status(context, 'POST', '/v1/sessions', undefined, credentials), 201);
});

accounts('nobody changes their own account, nor makes staff of a customer', async (context) => {
  const { shop, staff } = context;
  const boss = await colleague(context, ['staff']);
  const change = (id: string, token: string) =>
    shop.call('PUT', `/v1/admin/staff/${id}/scopes`, { token, body: { scopes: ['orders'], why: 'Because.' } });
  assert.is((await change(boss.id, boss.token)).body.code, 'staff.own-account');
  const { token } = await customer(context);
  const me = await shop.call('GET', '/v1/me', { token });
  assert.is((await change(me.body.id, staff)).body.code, 'staff.unknown');
  assert.is((await change('cus_unknown', staff)).status, 404);
  assert.is(await status(context, 'GET', `/v1/admin/staff/${me.body.id}`, staff), 404);
});

accounts('the same request makes one colleague; a taken address none', async (context) => {
  const { shop, staff: token } = context;
  const body = { email: 'once@example.com', password: PASSWORD, name: 'Once', scopes: [] };
  const first = await shop.call('POST', '/v1/admin/staff', { token, key: 'hire-1', body });
  const again = await shop.call('POST', '/v1/admin/staff', { token, key: 'hire-1', body });
  assert.equal([again.body, again.headers.get('idempotent-replayed')], [first.body, 'true']);
  assert.is((await shop.call('POST', '/v1/admin/staff', { token, body })).body.code, 'email.taken');
});

accounts('whoever starts the process with a password gets in again, with every scope', async (context) => {
  const { shop } = context;
  const { id, email, token } = await colleague(context, ['stock']);
  await shop.call('POST', `/v1/admin/staff/${id}/disable`, { token: context.staff, body: { why: 'A quarrel.' } });
  await ensureOperator(shop.edge.services, { email });
  assert.is(await status(context, 'POST', '/v1/sessions', undefined, { email, password: PASSWORD }), 401);
  const password = 'the operator has forgotten';
  await ensureOperator(shop.edge.services, { email, password });
  assert.is(await status(context, 'GET', '/v1/me', token), 401);
  const signedIn = await shop.call('POST', '/v1/sessions', { body: { email, password } });
  const me = await shop.call('GET', `/v1/admin/staff/${id}`, { token: signedIn.body.token });
  assert.equal(me.body.scopes, [...allScopes].sort());
});

accounts('guessing a password is stopped, whether there is such an account or not', async (context) => {
  const { shop } = context;
  const { email } = await customer(context);
  for (const guessed of [email, 'nobody@example.com']) {
    const guess = () => shop.call('POST', '/v1/sessions', { body: { email: guessed, password: 'wrong password' } });
    for (let i = 0; i < 10; i++) assert.is((await guess()).body.code, 'session.invalid-credentials');
    const refused = await guess();
    assert.equal([refused.status, refused.body.code, refused.body.retryable], [429, 'request.rate-limited', true]);
    assert.ok(Number(refused.headers.get('retry-after')) > 0);
  }
  assert.is(await status(context, 'POST', '/v1/sessions', undefined, { email, password: PASSWORD }), 429);
  assert.ok(await shop.staff(), 'others still get in');
});

accounts.run();

const limited = suite('http rate limits');

async function withLimit(perMinute: number, check: (shop: TestShop) => Promise<void>): Promise<void> {
  const shop = await startShop({ seed: false, edge: { requestsPerMinute: perMinute, trustedHops: 1 } });
  try {
    await check(shop);
  } finally {
    await shop.close();
  }
}

limited('a principal is refused beyond its limit and told when to come back; others are not', () =>
  withLimit(30, async (shop) => {
    const [one, other] = [await shop.guest(), await shop.guest()];
    const statuses = [];
    for (let i = 0; i < 31; i++) statuses.push((await shop.call('GET', '/v1/orders', { token: one })).status);
    assert.equal([statuses.filter((code) => code === 200).length, statuses.at(-1)], [30, 429]);
    const refused = await shop.call('GET', '/v1/orders', { token: one });
    assert.equal([refused.body.code, refused.headers.get('retry-after')], ['request.rate-limited', '2']);
    const allowed = await shop.call('GET', '/v1/orders', { token: other });
    assert.is(allowed.status, 200);
    assert.is(allowed.headers.get('ratelimit-policy'), '"principal";q=30;w=60');
    assert.is(allowed.headers.get('ratelimit'), '"principal";r=29;t=2');
  }),
);

limited('without a token the address counts, also for tokens that are no good; health and figures are exempt', () =>
  withLimit(30, async (shop) => {
    const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });
    const bad = { token: 'no.good.token', ...from('203.0.113.7') };
    for (let i = 0; i < 5; i++) assert.is((await shop.call('GET', '/v1/orders', bad)).status, 401);
    assert.is((await shop.call('GET', '/v1/orders', bad)).status, 429);
    assert.is((await shop.call('POST', '/v1/sessions/guest', from('203.0.113.7'))).status, 429);
    assert.is((await shop.call('POST', '/v1/sessions/guest', from('203.0.113.8'))).status, 201);
    for (const path of ['/healthz', '/readyz', '/metrics']) {
      for (let i = 0; i < 8; i++) assert.is((await shop.call('GET', path, from('203.0.113.7'))).status, 200, path);
    }
  }),
);

limited.run();
