/** Addresses are checked where they are given: the answer warns, nothing is refused for it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ADDRESS, type Answer, expressOrder } from '../support/client.ts';
import { startShop, type TestShop } from '../support/shop.ts';

type Context = { shop: TestShop; token: string };
const checks = suite<Context>('http address check');
const SKU = 'TEA-BLACK-100';
const at = (line1: string) => ({ ...ADDRESS, line1 });
const WRONG = at('1 Nowhere Lane');
const MISSPELT = at('2 Typo Avnue');
const SILENT = at('3 Silent Street');

// A shop for each: what one test learns or breaks is remembered.
checks.before.each(async (context) => {
  context.shop = await startShop({ env: { CLOCK: 'virtual' } });
  const account = { email: 'ada@example.com', password: 'correct horse', name: 'Ada' };
  context.token = (await context.shop.call('POST', '/v1/customers', { body: account })).body.token;
});
checks.after.each(({ shop }) => shop.close());

// biome-ignore lint/suspicious/noExplicitAny: bodies are whatever the server says
type Any = any;
const codes = (body: Any) => body.warnings.map(({ code }: { code: string }) => code);

/** Lets business time pass until the answer is there: the time-out of the check is one of business time. */
async function inTime(shop: TestShop, asked: Promise<Answer<Any>>): Promise<Answer<Any>> {
  let answer: Answer<Any> | undefined;
  const answered = asked.then((came) => {
    answer = came;
  });
  while (answer === undefined) await shop.advance(100);
  await answered;
  return answer;
}

async function checkout({ shop, token }: Context): Promise<string> {
  const { id } = (await shop.call('POST', '/v1/carts', { token })).body;
  await shop.call('POST', `/v1/carts/${id}/lines`, { token, body: { sku: SKU, quantity: 1 } });
  return `/v1/checkouts/${(await shop.call('POST', `/v1/carts/${id}/checkout`, { token })).body.id}`;
}

checks('a checkout takes any address and says what is wrong with it, until another is given', async (context) => {
  const { shop, token } = context;
  const path = await checkout(context);
  const set = (body: unknown) => shop.call('PUT', `${path}/address`, { token, body });
  assert.is((await shop.call('GET', path, { token })).body.addressCheck, null);
  const wrong = await set(WRONG);
  assert.equal([wrong.status, codes(wrong.body)], [200, ['address.undeliverable']]);
  assert.equal(wrong.body.addressCheck, { status: 'undeliverable', reason: 'there is no such address' });
  assert.equal(codes((await shop.call('GET', path, { token })).body), ['address.undeliverable']);
  const misspelt = await set(MISSPELT);
  assert.equal(codes(misspelt.body), ['address.correction-suggested']);
  assert.equal(misspelt.body.addressCheck, { status: 'corrected', suggestion: at('2 Typo Avenue') });
  const right = await set(misspelt.body.addressCheck.suggestion);
  assert.equal([right.body.addressCheck, right.body.warnings], [{ status: 'deliverable' }, []]);
});

checks('an address that takes long to check does not come back over a newer one', async (context) => {
  const { shop, token } = context;
  const kept = (await shop.call('POST', '/v1/me/addresses', { token, body: { address: ADDRESS } })).body.id;
  const step = await checkout(context);
  for (const path of [`${step}/address`, `/v1/me/addresses/${kept}`]) {
    const put = (body: unknown) => shop.call('PUT', path, { token, body });
    const line1 = async () => {
      const { address, addresses } = (await shop.call('GET', path === `${step}/address` ? step : '/v1/me', { token }))
        .body;
      return (address ?? addresses[0]?.address)?.line1;
    };
    const slow = put(SILENT);
    while ((await line1()) !== SILENT.line1) await shop.advance(0);
    const newer = await put(at('9 New Road'));
    assert.is(newer.status, 200);
    assert.is((await inTime(shop, slow)).status, 200);
    assert.is(await line1(), '9 New Road', path);
  }
  const { body } = await shop.call('GET', step, { token });
  assert.equal([body.addressCheck, body.warnings], [{ status: 'deliverable' }, []]);
  assert.is((await shop.call('GET', '/v1/me', { token })).body.addresses[0].verified, true);
});

checks('what was said is kept with the order that comes of it', async (context) => {
  const { shop, token } = context;
  const path = await checkout(context);
  await shop.call('PUT', `${path}/address`, { token, body: WRONG });
  await shop.call('PUT', `${path}/shipping-method`, { token, body: { method: 'standard' } });
  await shop.call('PUT', `${path}/payment`, { token, body: { token: 'tok_success' } });
  const order = await shop.call('POST', `${path}/complete`, { token, key: 'complete' });
  assert.equal([order.status, order.body.addressCheck.status], [202, 'undeliverable']);
  const read = await shop.call('GET', `/v1/orders/${order.body.id}`, { token: await shop.staff() });
  assert.equal(read.body.addressCheck, order.body.addressCheck);
});

checks('a service that does not answer holds an express order up for 5 s and no longer', async ({ shop, token }) => {
  const body = { ...expressOrder([{ sku: SKU, quantity: 1 }]), address: SILENT };
  const start = shop.shop.clock.now();
  const order = await inTime(shop, shop.call('POST', '/v1/orders', { token, key: 'silent', body }));
  assert.equal([order.status, order.body.addressCheck.status], [202, 'unchecked']);
  assert.ok(shop.shop.clock.now() - start >= 5_000);
  const again = await inTime(shop, shop.call('POST', '/v1/orders', { token, key: 'silent', body }));
  assert.equal([again.headers.get('idempotent-replayed'), again.body], ['true', order.body]);
  const fine = await shop.call('POST', '/v1/orders', { token, key: 'fine', body: { ...body, address: ADDRESS } });
  assert.equal([fine.status, fine.body.addressCheck], [202, { status: 'deliverable' }]);
});

checks('a draft warns of the address too', async ({ shop, token }) => {
  const draft = (address: unknown) =>
    shop.call('POST', '/v1/orders/draft', { token, body: { lines: [{ sku: SKU, quantity: 1 }], address } });
  assert.equal(codes((await draft(WRONG)).body), ['address.undeliverable']);
  const fine = await draft(ADDRESS);
  assert.equal([fine.body.addressCheck, fine.body.warnings], [{ status: 'deliverable' }, []]);
  assert.is((await draft(undefined)).body.addressCheck, null);
});

checks('an address of the book is verified when it is kept or changed', async ({ shop, token }) => {
  const keep = async (address: unknown) =>
    (await shop.call('POST', '/v1/me/addresses', { token, body: { address } })).body;
  const fine = await keep(ADDRESS);
  assert.equal([fine.verified, fine.addressCheck], [true, { status: 'deliverable' }]);
  const wrong = await keep(WRONG);
  assert.equal([wrong.verified, wrong.addressCheck.status], [false, 'undeliverable']);
  const change = async (id: string, body: unknown) => {
    const account = (await shop.call('PUT', `/v1/me/addresses/${id}`, { token, body })).body;
    return account.addresses.find((address: { id: string }) => address.id === id).verified;
  };
  assert.equal([await change(wrong.id, ADDRESS), await change(fine.id, MISSPELT)], [true, false]);
});

checks('one that could not be checked is verified when it is first sent to', async ({ shop, token }) => {
  const adding = shop.call('POST', '/v1/me/addresses', { token, body: { address: at('4 Slow Street') } });
  const slow = (await inTime(shop, adding)).body;
  assert.is(slow.verified, true, 'slow, but an answer');
  const silent = (await inTime(shop, shop.call('POST', '/v1/me/addresses', { token, body: { address: SILENT } }))).body;
  assert.equal([silent.verified, silent.addressCheck.status], [false, 'unchecked']);
  const verified = async (id: string) =>
    (await shop.call('GET', '/v1/me/addresses', { token })).body.data.find((kept: Any) => kept.id === id).verified;
  // The book was filled by an account of before there was a check.
  const { sub } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  const command = { type: 'AddAddress', address: at('7 Old Road'), makeDefault: false };
  const deadline = performance.now() + 5_000;
  const reply = await shop.shop.ask({
    to: { type: 'customer', id: sub },
    message: command,
    id: `old ${sub}`,
    deadline,
  });
  const old = (reply as Any).value.addressId;
  assert.is(await verified(old), false);
  const body = { lines: [{ sku: SKU, quantity: 1 }], address: { addressId: old } };
  await shop.call('POST', '/v1/orders/draft', { token, body });
  assert.is(await verified(old), false, 'a draft stores nothing');
  const order = { ...expressOrder([{ sku: SKU, quantity: 1 }]), address: { addressId: old } };
  const placed = await shop.call('POST', '/v1/orders', { token, key: 'old', body: order });
  assert.equal([placed.body.addressCheck, await verified(old)], [{ status: 'deliverable' }, true]);
});

checks('somebody else’s checkout is not there, and nothing is checked for it', async (context) => {
  const { shop } = context;
  const path = await checkout(context);
  const answer = await shop.call('PUT', `${path}/address`, { token: await shop.guest(), body: SILENT });
  assert.equal([answer.status, answer.body.code], [404, 'checkout.unknown']);
});

checks('its breaker is among the metrics', async ({ shop }) => {
  assert.match((await shop.call('GET', '/metrics')).body, /gateway="address"/);
});

checks.run();
