/** Searching over HTTP: parameters, cursors, what a hostile client sends, and changes that show in the next answer. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { productListSchema } from '../../http/schemas/product.ts';
import { openShop, type Shopkeeper } from '../support/shopkeeper.ts';

type Context = { keeper: Shopkeeper };
const search = suite<Context>('http search');

search.before(async (context) => {
  context.keeper = await openShop();
});
search.after(({ keeper }) => keeper.close());

type Row = { readonly sku: string; readonly name: string; readonly price: { readonly amount: number } };

async function find({ shop }: Shopkeeper, parameters: Record<string, string>) {
  const { status, body } = await shop.call('GET', `/v1/products?${new URLSearchParams(parameters)}`);
  if (status === 200) productListSchema.parse(body);
  return { status, body, skus: (body.data ?? []).map(({ sku }: Row) => sku) as string[] };
}

search('finds by words, beginnings and words typed wrong', async ({ keeper }) => {
  for (const q of ['sencha green', 'senc gre', 'gren tea', 'sencha teaa', 'SENCHÄ', 'tea-green-100']) {
    assert.ok((await find(keeper, { q })).skus.includes('TEA-GREEN-100'), q);
  }
  assert.equal((await find(keeper, { q: 'nothing like this' })).skus, []);
});

search('blank browses the whole catalog, by name', async ({ keeper }) => {
  const all = await find(keeper, { limit: '100' });
  for (const q of ['', '  ']) assert.equal((await find(keeper, { q, limit: '100' })).body, all.body);
  const names = all.body.data.map(({ name }: Row) => name.toLowerCase());
  assert.equal(names, [...names].sort());
});

search('filters and facets go together: a facet says how many its filter would find', async ({ keeper }) => {
  const { body } = await find(keeper, { q: 'tea', maxPrice: '2499' });
  for (const { category, count } of body.facets.categories) {
    assert.is((await find(keeper, { q: 'tea', maxPrice: '2499', category })).body.total, count, category);
  }
  for (const { minPrice, maxPrice, count } of body.facets.priceRanges) {
    const range = { minPrice: String(minPrice), ...(maxPrice !== null && { maxPrice: String(maxPrice) }) };
    assert.is((await find(keeper, { q: 'tea', ...range })).body.total, count, String(minPrice));
  }
  const { inStock, outOfStock } = body.facets.availability;
  assert.is((await find(keeper, { q: 'tea', maxPrice: '2499', inStock: 'true' })).body.total, inStock);
  assert.is((await find(keeper, { q: 'tea', maxPrice: '2499', inStock: 'false' })).body.total, outOfStock);
});

search('sorts by price either way, by name and by age', async ({ keeper }) => {
  const prices = async (sort: string) => {
    const { body } = await find(keeper, { q: 'tea', sort, limit: '100' });
    return body.data.map(({ price }: Row) => price.amount) as number[];
  };
  const up = await prices('price');
  assert.equal(
    up,
    up.toSorted((a, b) => a - b),
  );
  assert.equal(await prices('-price'), up.toReversed());
  await keeper.pass(1);
  await keeper.sell('NEWEST-1', 100, {});
  assert.is((await find(keeper, { sort: 'newest', limit: '1' })).skus[0], 'NEWEST-1');
});

search('leafs through every order with cursors that belong to their search alone', async ({ keeper }) => {
  for (const sort of ['relevance', 'name', 'price', '-price', 'newest']) {
    const query = { q: 'tea', sort, limit: '7' };
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { status, body, skus } = await find(keeper, { ...query, ...(cursor !== '' && { cursor }) });
      assert.is(status, 200);
      seen.push(...skus);
      cursor = body.page.next;
    }
    assert.equal(seen, (await find(keeper, { ...query, limit: '100' })).skus, sort);
  }
  const { body } = await find(keeper, { q: 'tea', limit: '1' });
  const cursor = body.page.next;
  for (const other of [
    { q: 'coffee' },
    { q: 'tea', sort: 'price' },
    { q: 'tea', category: 'Tea' },
    { q: 'tea', inStock: 'true' },
  ]) {
    const refused = await find(keeper, { ...other, cursor });
    assert.equal([refused.status, refused.body.code], [400, 'request.invalid-cursor']);
  }
  assert.is((await find(keeper, { q: 'tea', limit: '50', cursor })).status, 200, 'the size of a page may change');
});

search('a cursor fits into an address however long the words and the names are', async ({ keeper }) => {
  const { shop, staff: token } = keeper;
  for (const sku of ['LONG-1', 'LONG-2']) {
    const path = `/v1/admin/products/${sku}`;
    await shop.call('PUT', path, { token, body: { name: `長${'茶'.repeat(198)}`, category: '茶'.repeat(100) } });
    const body = { amount: 100, currency: 'USD' };
    await shop.call('PUT', `${path}/price`, { token, body, headers: { 'if-match': '"1"' } });
  }
  const query = { q: '長茶'.repeat(100), category: '茶'.repeat(100), limit: '1' };
  const first = await find(keeper, query);
  const second = await find(keeper, { ...query, cursor: first.body.page.next });
  assert.equal([...first.skus, ...second.skus], ['LONG-1', 'LONG-2']);
  assert.is(second.body.page.next, null);
});

search('no words are an error, whatever they look like or how many there are', async ({ keeper }) => {
  const hostile = [
    '"',
    "'",
    '*',
    'NEAR(a b)',
    'tea AND (',
    'name:tea',
    "'; DROP TABLE products;--",
    '\u0000',
    '🫖🫖',
    '%',
    '\\',
  ];
  for (const q of [...hostile, 'a'.repeat(10_000), 'tea '.repeat(2_500), '"'.repeat(3_000)]) {
    assert.is((await find(keeper, { q })).status, 200, q.slice(0, 20));
  }
  assert.is((await keeper.shop.call('GET', '/v1/products?q=%ff%fe%zz')).status, 200);
});

search('other parameters are checked', async ({ keeper }) => {
  for (const wrong of [
    { minPrice: '-1' },
    { maxPrice: '1.5' },
    { minPrice: 'cheap' },
    { sort: 'random' },
    { inStock: 'maybe' },
    { limit: '0' },
    { limit: '101' },
    { cursor: 'nonsense' },
    { colour: 'red' },
  ]) {
    assert.is((await find(keeper, wrong)).status, 400, JSON.stringify(wrong));
  }
});

search('a forged place in a cursor is refused or leads nowhere', async ({ keeper }) => {
  const { body } = await find(keeper, { q: 'tea', limit: '1' });
  const [scope, place] = JSON.parse(Buffer.from(body.page.next, 'base64url').toString());
  const forged = async (position: unknown) =>
    (await find(keeper, { q: 'tea', cursor: Buffer.from(JSON.stringify([scope, position])).toString('base64url') }))
      .status;
  for (const wrong of [
    null,
    7,
    [],
    {},
    { ...place, key: 'x' },
    { ...place, key: 0.5 },
    { ...place, key: 1e300 },
    { ...place, more: 1 },
  ]) {
    assert.is(await forged(wrong), 400, JSON.stringify(wrong));
  }
  for (const odd of [
    { ...place, key: -5 },
    { ...place, key: 2 ** 40 },
    { ...place, name: '' },
  ]) {
    assert.is(await forged(odd), 200, JSON.stringify(odd));
  }
});

search('each change shows in the next answer although answers are remembered', async ({ keeper }) => {
  await keeper.sell('SHOW-1', 1_000, { 'wh-east': 1 });
  const shown = async () => {
    const { body } = await find(keeper, { q: 'show-1' });
    const { inStock, outOfStock } = body.facets.availability;
    const [row] = body.data;
    const single = (await keeper.shop.call('GET', '/v1/products/SHOW-1')).body;
    assert.equal(single, row);
    return [row.price.amount, row.available, inStock, outOfStock];
  };
  assert.equal(await shown(), [1_000, 1, 1, 0]);
  assert.equal(await shown(), [1_000, 1, 1, 0]);
  await keeper.place([{ sku: 'SHOW-1', quantity: 1 }]);
  assert.equal(await shown(), [1_000, 0, 0, 1]);
  const { headers } = await keeper.shop.call('GET', '/v1/admin/products/SHOW-1', { token: keeper.staff });
  await keeper.shop.call('PUT', '/v1/admin/products/SHOW-1/price', {
    token: keeper.staff,
    headers: { 'if-match': headers.get('etag') ?? '' },
    body: { amount: 700, currency: 'USD' },
  });
  assert.equal(await shown(), [700, 0, 0, 1]);
});

search.run();
