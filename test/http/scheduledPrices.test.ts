/** The catalog's keepers over HTTP, on the virtual clock: prices that come on time, and edits of a known version only. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DAY, HOUR, openShop, type Shopkeeper } from '../support/shopkeeper.ts';

type Context = { keeper: Shopkeeper };
const prices = suite<Context>('http catalog keepers');
const usd = (amount: number) => ({ amount, currency: 'USD' });

prices.before.each(async (context) => {
  context.keeper = await openShop({ seed: false });
  await context.keeper.sell('TEA-1', 1_000, { 'wh-east': 10 });
});
prices.after.each(({ keeper }) => keeper.close());

const pathOf = (sku: string) => `/v1/admin/products/${sku}`;

/** Edits what was just read. */
async function edit({ shop, staff: token }: Shopkeeper, method: string, path: string, body?: unknown, sku = 'TEA-1') {
  const read = await shop.call('GET', pathOf(sku), { token });
  return shop.call(method, path, { token, body, headers: { 'if-match': read.headers.get('etag') ?? '' } });
}

const later = ({ shop }: Shopkeeper, ms: number) => new Date(shop.shop.clock.now() + ms).toISOString();
const publicPrice = async ({ shop }: Shopkeeper) => (await shop.call('GET', '/v1/products/TEA-1')).body.price;

prices('a scheduled price waits beside the price and becomes it on time', async ({ keeper }) => {
  const at = later(keeper, DAY);
  const scheduled = await edit(keeper, 'PUT', `${pathOf('TEA-1')}/price`, { ...usd(800), at });
  assert.is(scheduled.status, 200, JSON.stringify(scheduled.body));
  assert.equal([scheduled.body.price, scheduled.body.scheduledPrice], [usd(1_000), { price: usd(800), at }]);
  assert.is(scheduled.headers.get('etag'), `"${scheduled.body.version}"`);
  await keeper.pass(DAY - 1);
  assert.equal(await publicPrice(keeper), usd(1_000));
  await keeper.pass(1);
  assert.equal(await publicPrice(keeper), usd(800));
  const { body } = await keeper.shop.call('GET', pathOf('TEA-1'), { token: await keeper.shop.staff() });
  assert.equal([body.price, body.scheduledPrice, body.version], [usd(800), null, scheduled.body.version + 1]);
});

prices('a price frozen in a cart outlives the change by its hour', async ({ keeper }) => {
  await edit(keeper, 'PUT', `${pathOf('TEA-1')}/price`, { ...usd(800), at: later(keeper, HOUR / 2) });
  const cart = (await keeper.buyer('POST', '/v1/carts')).body.id;
  const lines = `/v1/carts/${cart}/lines`;
  const add = async () => (await keeper.buyer('POST', lines, { sku: 'TEA-1', quantity: 1 })).body.lines[0].unitPrice;
  assert.equal(await add(), usd(1_000));
  await keeper.pass(HOUR / 2);
  assert.equal(await publicPrice(keeper), usd(800));
  assert.equal(await add(), usd(1_000));
  await keeper.pass(HOUR / 2);
  assert.equal(await add(), usd(800));
});

prices('a schedule puts a draft on sale', async ({ keeper }) => {
  const { shop, staff: token } = keeper;
  await shop.call('PUT', pathOf('TEA-2'), { token, body: { name: 'Launch', category: 'Tea' } });
  const put = await edit(keeper, 'PUT', `${pathOf('TEA-2')}/price`, { ...usd(500), at: later(keeper, HOUR) }, 'TEA-2');
  assert.equal([put.body.status, put.body.price], ['draft', null]);
  assert.is((await shop.call('GET', '/v1/products/TEA-2')).status, 404);
  await keeper.pass(HOUR);
  const { body } = await shop.call('GET', '/v1/products/TEA-2');
  assert.equal([body.status, body.price], ['active', usd(500)]);
});

prices('a schedule is replaced, survives a price set meanwhile, and is dropped when asked', async ({ keeper }) => {
  const price = `${pathOf('TEA-1')}/price`;
  await edit(keeper, 'PUT', price, { ...usd(800), at: later(keeper, HOUR) });
  const replaced = await edit(keeper, 'PUT', price, { ...usd(700), at: later(keeper, 2 * HOUR) });
  assert.equal(replaced.body.scheduledPrice.price, usd(700));
  const now = await edit(keeper, 'PUT', price, usd(1_200));
  assert.equal([now.body.price, now.body.scheduledPrice.price], [usd(1_200), usd(700)]);
  await keeper.pass(HOUR);
  assert.equal(await publicPrice(keeper), usd(1_200), 'the replaced one is gone');
  const dropped = await edit(keeper, 'DELETE', `${price}/scheduled`);
  assert.equal([dropped.status, dropped.body.scheduledPrice], [200, null]);
  await keeper.pass(DAY);
  assert.equal(await publicPrice(keeper), usd(1_200));
  const nothing = await edit(keeper, 'DELETE', `${price}/scheduled`);
  assert.equal([nothing.status, nothing.body.code], [404, 'product.nothing-scheduled']);
});

prices(
  'what is discontinued gets no price any more, is shown with its state and is no longer sold',
  async ({ keeper }) => {
    const { shop } = keeper;
    const price = `${pathOf('TEA-1')}/price`;
    await edit(keeper, 'PUT', price, { ...usd(800), at: later(keeper, HOUR) });
    const gone = await edit(keeper, 'POST', `${pathOf('TEA-1')}/discontinue`);
    assert.equal([gone.body.status, gone.body.scheduledPrice], ['discontinued', null]);
    await keeper.pass(DAY);
    const shown = await shop.call('GET', '/v1/products/TEA-1');
    assert.equal([shown.status, shown.body.status, shown.body.price], [200, 'discontinued', usd(1_000)]);
    assert.equal((await shop.call('GET', '/v1/products?q=tea')).body.data, []);
    assert.equal((await shop.call('GET', '/v1/products')).body.data, []);
    const cart = (await keeper.buyer('POST', '/v1/carts')).body.id;
    const added = await keeper.buyer('POST', `/v1/carts/${cart}/lines`, { sku: 'TEA-1', quantity: 1 });
    assert.equal([added.status, added.body.code], [422, 'cart.sku-unavailable']);
    for (const body of [usd(900), { ...usd(900), at: later(keeper, HOUR) }]) {
      const refused = await edit(keeper, 'PUT', price, body);
      assert.equal([refused.status, refused.body.code], [409, 'product.discontinued']);
    }
    const described = await edit(keeper, 'PUT', pathOf('TEA-1'), { name: 'Back?', category: 'Tea' });
    assert.equal([described.status, described.body.code], [409, 'product.discontinued']);
  },
);

prices('times and prices that make no sense are refused', async ({ keeper }) => {
  const price = `${pathOf('TEA-1')}/price`;
  const answers = async (body: unknown) => {
    const { status, body: problem } = await edit(keeper, 'PUT', price, body);
    return [status, problem.code];
  };
  assert.equal(await answers({ ...usd(800), at: later(keeper, 0) }), [422, 'product.schedule-past']);
  assert.equal(await answers({ ...usd(800), at: later(keeper, -DAY) }), [422, 'product.schedule-past']);
  for (const at of ['tomorrow', '2030-13-01T00:00:00Z', 4_102_444_800_000, null, '']) {
    assert.equal(await answers({ ...usd(800), at }), [400, 'request.invalid'], String(at));
  }
  for (const amount of [0, -1, 1.5, 1e12, '800']) {
    assert.equal(await answers({ amount, currency: 'USD' }), [400, 'request.invalid'], String(amount));
  }
  assert.equal(await answers({ amount: 100_000_000, currency: 'USD' }), [422, 'product.invalid-price']);
  assert.equal(await answers({ amount: 800, currency: 'EUR' }), [422, 'product.invalid-price']);
  assert.equal(await publicPrice(keeper), usd(1_000));
});

prices('every edit names the version it is of', async ({ keeper }) => {
  const { shop, staff: token } = keeper;
  const edits: readonly [string, string, unknown?][] = [
    ['PUT', pathOf('TEA-1'), { name: 'Other', category: 'Tea' }],
    ['PUT', `${pathOf('TEA-1')}/price`, usd(900)],
    ['PUT', `${pathOf('TEA-1')}/price`, { ...usd(900), at: later(keeper, HOUR) }],
    ['DELETE', `${pathOf('TEA-1')}/price/scheduled`],
    ['POST', `${pathOf('TEA-1')}/discontinue`],
  ];
  await edit(keeper, 'PUT', `${pathOf('TEA-1')}/price`, { ...usd(800), at: later(keeper, HOUR) });
  const before = (await shop.call('GET', pathOf('TEA-1'), { token })).body;
  for (const [method, path, body] of edits) {
    const attempt = async (headers: Record<string, string>) => {
      const answer = await shop.call(method, path, { token, headers, body });
      return [answer.status, answer.body.code];
    };
    assert.equal(await attempt({}), [428, 'precondition.required'], `${method} ${path}`);
    for (const tag of ['"1"', '"99"', 'W/"3"', '"x"']) {
      assert.equal(
        await attempt({ 'if-match': tag }),
        [412, 'precondition.version-mismatch'],
        `${method} ${path} ${tag}`,
      );
    }
    assert.equal(await attempt({ 'if-match': '3' }), [400, 'request.invalid-if-match'], `${method} ${path}`);
  }
  assert.equal((await shop.call('GET', pathOf('TEA-1'), { token })).body, before, 'nothing changed');
});

prices('a product is made without a precondition, or with one that says it must be new', async ({ keeper }) => {
  const { shop, staff: token } = keeper;
  const body = { name: 'New', category: 'Tea' };
  const put = (sku: string, headers: Record<string, string> = {}) =>
    shop.call('PUT', pathOf(sku), { token, body, headers });
  assert.is((await put('NEW-1')).status, 201);
  assert.is((await put('NEW-2', { 'if-none-match': '*' })).status, 201);
  const again = await put('NEW-2', { 'if-none-match': '*' });
  assert.equal([again.status, again.body.code], [412, 'precondition.version-mismatch']);
  assert.is((await put('NEW-3', { 'if-match': '*' })).status, 412);
  assert.is((await put('NEW-3', { 'if-match': '"1"' })).status, 412);
  assert.is((await shop.call('GET', pathOf('NEW-3'), { token })).status, 404);
  assert.is((await put('NEW-1', { 'if-match': '*' })).status, 200);
});

prices('a product is not sent again until it, or how much of it there is, changes', async ({ keeper }) => {
  const { shop, staff } = keeper;
  const get = (tag?: string) =>
    shop.call('GET', '/v1/products/TEA-1', { headers: tag === undefined ? {} : { 'if-none-match': tag } });
  const first = await get();
  assert.equal([first.body.available, first.body.inStock], [10, true]);
  const tag = first.headers.get('etag') ?? '';
  const unchanged = await get(tag);
  assert.equal([unchanged.status, unchanged.body, unchanged.headers.get('etag')], [304, '', tag]);
  await keeper.operator('POST', '/v1/admin/stock/TEA-1/adjust', { warehouse: 'wh-east', delta: -10, reason: 'Lost.' });
  const soldOut = await get(tag);
  assert.equal([soldOut.status, soldOut.body.available, soldOut.body.inStock], [200, 0, false]);
  // The tag of the storefront does for an edit: stock is no part of the product.
  const priced = await shop.call('PUT', `${pathOf('TEA-1')}/price`, {
    token: staff,
    headers: { 'if-match': tag },
    body: usd(900),
  });
  assert.is(priced.status, 200);
  assert.equal((await get(soldOut.headers.get('etag') ?? '')).body.price, usd(900));
  const none = await shop.call('GET', '/v1/products/NO-SUCH');
  assert.equal([none.status, none.body.code], [404, 'product.unknown']);
});

prices.run();
