/** Dead letters and quarantines over HTTP: a shop with a bug, and the operator who sees to it once it is fixed. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { shop as deciders } from '../../actors/shop.ts';
import type { AnyDecider } from '../../supervisors/memory.ts';
import { expressOrder } from '../support/client.ts';
import { startShop, type TestShop } from '../support/shop.ts';

type Context = { shop: TestShop; staff: string; guest: string; bug: { present: boolean } };
const suiteOf = suite<Context>('http dead letters');

const SKU = 'TEA-BLACK-100';
const LETTERS = '/v1/admin/dead-letters';
const all = deciders as unknown as Readonly<Record<string, AnyDecider>>;

/** The list of a customer's orders can't take what an order tells it. */
function withBug(bug: { present: boolean }): Readonly<Record<string, AnyDecider>> {
  const sound = all['customer-orders'] as AnyDecider;
  const decide: AnyDecider['decide'] = (state, command, context) => {
    if (bug.present) throw new Error(`a bug in the list of ${context.id}`);
    return sound.decide(state, command, context);
  };
  return { ...all, 'customer-orders': { ...sound, decide } };
}

suiteOf.before.each(async (context) => {
  context.bug = { present: true };
  context.shop = await startShop({
    env: { CLOCK: 'virtual', CHAOS: 'on' },
    replacements: { deciders: withBug(context.bug) },
  });
  context.staff = await context.shop.staff();
  context.guest = await context.shop.guest();
});
suiteOf.after.each(({ shop }) => shop.close());

const place = async ({ shop, guest }: Context, key: string): Promise<string> => {
  const body = expressOrder([{ sku: SKU, quantity: 1 }]);
  return (await shop.call('POST', '/v1/orders', { token: guest, key, body })).body.id;
};
const list = async ({ shop, staff }: Context, query = '') =>
  (await shop.call('GET', `${LETTERS}${query}`, { token: staff })).body;
// biome-ignore lint/suspicious/noExplicitAny: as the server says
const until = (context: Context, holds: (body: any) => boolean) =>
  context.shop.until(`${LETTERS}?limit=100`, context.staff, holds);
/** What the checker finds, by code. */
const checked = async ({ shop, staff }: Context): Promise<string[]> => {
  const { body } = await shop.call('GET', '/v1/admin/check?deep=true', { token: staff });
  assert.is(body.page.next, null);
  return [...new Set<string>(body.findings.map(({ code }: { code: string }) => code))].sort();
};
const myOrders = async ({ shop, guest }: Context): Promise<number> =>
  (await shop.call('GET', '/v1/orders', { token: guest })).body.data.length;

suiteOf('a letter is listed, looked at, requeued and gone; its order is in the list at last', async (context) => {
  const { shop, staff: token, bug } = context;
  await place(context, 'one');
  const { data } = await until(context, (body) => body.data.length > 0);
  const [letter] = data;
  assert.match(letter.id, /^dlt_[A-Za-z0-9_-]{26}$/);
  assert.equal([letter.type, letter.attempts], ['NoteOrder', 3]);
  assert.match(letter.reason, 'a bug in the list');
  assert.match(letter.from, /^ord_.*\/order$/);
  assert.match(letter.to, /\/customer-orders$/);
  assert.is(JSON.stringify(data).includes('placedAt'), false, 'nothing of its contents is shown');
  assert.ok((await checked(context)).includes('dead-letter'));
  bug.present = false;
  const path = `${LETTERS}/${letter.id}`;
  const requeue = () =>
    shop.call('POST', `${path}/requeue`, { token, key: 'again', body: { why: 'Fixed in the list.' } });
  const first = await requeue();
  assert.equal([first.status, first.body], [202, { id: letter.id, status: 'requeued' }]);
  const again = await requeue();
  assert.equal([again.status, again.headers.get('idempotent-replayed')], [202, 'true']);
  const other = await shop.call('POST', `${path}/requeue`, { token, key: 'again', body: { why: 'Another.' } });
  assert.is(other.body.code, 'idempotency.key-reused');
  const twice = await shop.call('POST', `${path}/requeue`, { token, body: {} });
  assert.equal([twice.status, twice.body.code], [404, 'dead-letter.unknown']);
  assert.is((await shop.call('GET', path, { token })).status, 404);
  await shop.until('/v1/orders', context.guest, (body) => body.data.length === 1);
  await shop.until(LETTERS, token, (body) => body.data.length === 0 || body.data[0].id !== letter.id);
  assert.not((await checked(context)).includes('message.lost'), 'a requeued message is none that is lost');
  const { body: repairs } = await shop.call('GET', '/v1/admin/repairs', { token });
  const [{ kind, by, why, letter: about }, ...more] = repairs.data;
  assert.equal(
    [kind, why, about.id, about.type, more.length],
    ['requeue', 'Fixed in the list.', letter.id, 'NoteOrder', 0],
  );
  assert.match(by, /^cus_/);
});

suiteOf('one that fails again is back with its repairs; a discarded one is gone for good', async (context) => {
  const { shop, staff: token, bug } = context;
  await place(context, 'one');
  const [{ id }] = (await until(context, (body) => body.data.length > 0)).data;
  await shop.call('POST', `${LETTERS}/${id}/requeue`, { token, body: {} });
  await until(context, ({ data }) =>
    data.some((row: { id: string; attempts: number }) => row.id === id && row.attempts === 6),
  );
  const shown = await shop.call('GET', `${LETTERS}/${id}`, { token });
  assert.equal([shown.status, shown.body.repairs.length, shown.body.repairs[0].why], [200, 1, null]);
  bug.present = false;
  const discarded = await shop.call('DELETE', `${LETTERS}/${id}?why=${encodeURIComponent('Told by phone.')}`, {
    token,
  });
  assert.equal([discarded.status, discarded.body], [204, '']);
  assert.is((await shop.call('DELETE', `${LETTERS}/${id}`, { token })).body.code, 'dead-letter.unknown');
  const { body } = await shop.call('GET', '/v1/admin/repairs?limit=1', { token });
  assert.equal([body.data[0].kind, body.data[0].why], ['discard', 'Told by phone.']);
  const rest = await shop.call('GET', `/v1/admin/repairs?cursor=${body.page.next}`, { token });
  assert.equal([rest.body.data.length, rest.body.data[0].kind, rest.body.page.next], [1, 'requeue', null]);
});

suiteOf('all of a kind are requeued at once, and paged until then', async (context) => {
  const { shop, staff: token, bug } = context;
  for (const key of ['one', 'two']) await place(context, key);
  const before = await until(context, (body) => body.data.length >= 5);
  const first = await list(context, '?limit=3');
  const second = await list(context, `?limit=100&cursor=${first.page.next}`);
  assert.equal([...first.data, ...second.data], (await list(context, '?limit=100')).data);
  assert.is(second.page.next, null);
  assert.is((await shop.call('GET', `${LETTERS}?type=NoteOrder&cursor=${first.page.next}`, { token })).status, 400);
  bug.present = false;
  const requeueAll = (body: object) => shop.call('POST', `${LETTERS}/requeue-all`, { token, body });
  assert.equal((await requeueAll({ type: 'Nothing' })).body, { requeued: 0, more: false });
  assert.equal((await requeueAll({ reason: 'no such reason' })).body, { requeued: 0, more: false });
  const done = await requeueAll({ type: 'NoteOrder', reason: 'BUG', why: 'Fixed.' });
  assert.is(done.status, 202);
  assert.ok(done.body.requeued >= before.data.length);
  await until(context, (body) => body.data.length === 0);
  await shop.until('/v1/orders', context.guest, (body) => body.data.length === 2);
  assert.is(await myOrders(context), 2);
});

suiteOf('an actor in quarantine is seen and let go; what waited arrives', async (context) => {
  const { shop, staff: token, bug } = context;
  for (const key of ['one', 'two']) await place(context, key);
  const { data } = await shop.until('/v1/admin/quarantine', token, (body) => body.data.length === 1);
  const [{ type, id, reason, since, until: end }] = data;
  assert.is(type, 'customer-orders');
  assert.match(reason, 'a bug in the list');
  assert.is(Date.parse(end) - Date.parse(since), 60_000);
  assert.ok((await checked(context)).includes('actor.quarantined'));
  const path = `/v1/admin/actors/${type}/${id}/quarantine`;
  const killed = await shop.call('POST', `/v1/admin/actors/${type}/${id}/kill`, { token });
  assert.is(killed.status, 202);
  assert.equal((await shop.call('GET', '/v1/admin/quarantine', { token })).body.data, data, 'a kill does not end it');
  bug.present = false;
  assert.is((await shop.call('DELETE', `${path}?why=Fixed.`, { token })).status, 204);
  assert.is((await shop.call('DELETE', path, { token })).body.code, 'quarantine.unknown');
  assert.equal((await shop.call('GET', '/v1/admin/quarantine', { token })).body.data, []);
  await shop.call('POST', `${LETTERS}/requeue-all`, { token, body: {} });
  await shop.until('/v1/orders', context.guest, (body) => body.data.length === 2);
});

suiteOf('what makes no sense is refused', async ({ shop, staff: token, guest }) => {
  const unknown = `${LETTERS}/dlt_nothing`;
  for (const [method, path] of [
    ['GET', unknown],
    ['POST', `${unknown}/requeue`],
    ['DELETE', unknown],
    ['POST', `${LETTERS}/${'x'.repeat(65)}/requeue`],
    ['DELETE', '/v1/admin/actors/order/ord_1/quarantine'],
    ['DELETE', '/v1/admin/actors/nonsense/x/quarantine'],
  ] as const) {
    const body = method === 'POST' ? {} : undefined;
    assert.is((await shop.call(method, path, { token, ...(body && { body }) })).status, 404, `${method} ${path}`);
    assert.is(
      (await shop.call(method, path, { token: guest, ...(body && { body }) })).status,
      403,
      `${method} ${path}`,
    );
  }
  for (const query of ['limit=0', 'limit=101', 'cursor=x', 'type=', 'else=1'])
    assert.is((await shop.call('GET', `${LETTERS}?${query}`, { token })).status, 400, query);
  for (const body of [{ why: '' }, { why: 1 }, { who: 'me' }])
    assert.is((await shop.call('POST', `${LETTERS}/requeue-all`, { token, body })).status, 400, JSON.stringify(body));
});

suiteOf.run();
