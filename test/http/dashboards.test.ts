/** Statistics and caches over HTTP, on the virtual clock. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cachesSchema } from '../../http/schemas/dashboards.ts';
import { statisticsSchema } from '../../http/schemas/queries.ts';
import { HOUR, MINUTE, openShop, type Shopkeeper } from '../support/shopkeeper.ts';

type Context = { keeper: Shopkeeper };
const dashboards = suite<Context>('http dashboards');

dashboards.before.each(async (context) => {
  context.keeper = await openShop({ seed: false });
  await context.keeper.sell('TEA-1', 1_000, { 'wh-east': 10, 'wh-west': 5 });
});
dashboards.after.each(({ keeper }) => keeper.close());

async function statistics({ shop, staff: token }: Shopkeeper) {
  const { status, body } = await shop.call('GET', '/v1/admin/statistics', { token });
  assert.is(status, 200);
  return statisticsSchema.parse(body);
}

async function cache({ shop, staff: token }: Shopkeeper, name: string) {
  const { status, body } = await shop.call('GET', '/v1/admin/caches', { token });
  assert.is(status, 200);
  const found = cachesSchema.parse(body).data.find((figures) => figures.name === name);
  if (!found) throw new Error(`no cache ${name}`);
  return found;
}

dashboards('an empty shop has numbers too', async () => {
  const empty = await openShop({ seed: false });
  try {
    const { asOf, ...numbers } = await statistics(empty);
    assert.is(asOf, new Date(empty.shop.shop.clock.now()).toISOString());
    assert.equal(numbers, {
      products: { draft: 0, active: 0, discontinued: 0, outOfStock: 0 },
      stock: { available: 0, reserved: 0, committed: 0, picked: 0 },
      days: 30,
      orders: { ever: [], count: 0, byStatus: {}, byDay: [] },
      payments: { attempts: 0, failures: 0, failedPercent: 0, byDay: [] },
      sagas: { count: 0, averageMs: null, p50Ms: null, p95Ms: null, p99Ms: null },
      topSkus: [],
      lowStock: [],
    });
  } finally {
    await empty.close();
  }
});

dashboards('products, stock and orders are counted', async ({ keeper }) => {
  const { shop, staff: token } = keeper;
  await shop.call('PUT', '/v1/admin/products/DRAFT-1', { token, body: { name: 'Draft', category: 'Tea' } });
  await keeper.sell('GONE-1', 100, {});
  await keeper.sell('EMPTY-1', 100, {});
  await shop.call('POST', '/v1/admin/products/GONE-1/discontinue', { token, headers: { 'if-match': '*' } });
  const orders = [
    await keeper.place([{ sku: 'TEA-1', quantity: 2 }]),
    await keeper.place([{ sku: 'TEA-1', quantity: 3 }]),
  ];
  const totals = await Promise.all(orders.map(async (id) => (await keeper.order(id)).totals.total.amount));
  const numbers = await statistics(keeper);
  assert.equal(numbers.products, { draft: 1, active: 2, discontinued: 1, outOfStock: 1 });
  assert.equal(numbers.stock, { available: 10, reserved: 0, committed: 5, picked: 0 });
  const value = { amount: totals[0] + totals[1], currency: 'USD' };
  assert.equal(numbers.orders.ever, [{ status: 'fulfilling', count: 2, value }]);
});

dashboards('numbers are at most five minutes old and say from when they are', async ({ keeper }) => {
  const first = await statistics(keeper);
  await keeper.sell('TEA-2', 100, {});
  await keeper.pass(5 * MINUTE);
  assert.equal(await statistics(keeper), first);
  await keeper.pass(1);
  const later = await statistics(keeper);
  assert.is(later.products.active, first.products.active + 1);
  assert.is(Date.parse(later.asOf) - Date.parse(first.asOf), 5 * MINUTE + 1);
});

dashboards('a product is read once an hour, and at once after a change', async ({ keeper }) => {
  const { shop, staff: token } = keeper;
  const look = async () => (await shop.call('GET', '/v1/products/TEA-1')).body;
  const reads = async (action: () => Promise<unknown>) => {
    const before = await cache(keeper, 'catalog-entries');
    await action();
    const after = await cache(keeper, 'catalog-entries');
    assert.is(after.ttlMs, HOUR);
    return [after.hits - before.hits, after.misses - before.misses];
  };
  await look();
  assert.equal(await reads(look), [1, 0]);
  await keeper.pass(HOUR);
  assert.equal(await reads(look), [1, 0]);
  await keeper.pass(1);
  assert.equal(await reads(look), [0, 1]);
  const body = { amount: 700, currency: 'USD' };
  await shop.call('PUT', '/v1/admin/products/TEA-1/price', { token, headers: { 'if-match': '*' }, body });
  assert.is((await look()).price.amount, 700);
  await keeper.operator('POST', '/v1/admin/stock/TEA-1/receive', { warehouse: 'wh-east', quantity: 1 });
  assert.is((await look()).available, 16);
});

dashboards('facets are counted once for all pages of a search', async ({ keeper }) => {
  const { shop } = keeper;
  const search = () => shop.call('GET', '/v1/products?q=tea-1');
  await search();
  const before = await cache(keeper, 'catalog-facets');
  await search();
  const after = await cache(keeper, 'catalog-facets');
  assert.equal([after.hits - before.hits, after.misses - before.misses, after.ttlMs], [1, 0, HOUR]);
  const { body } = await shop.call('GET', '/metrics');
  assert.match(body, /holdfast_cache_lookups_total\{cache="catalog-facets",result="hit"\} [1-9]/);
  assert.match(body, /holdfast_cache_entries\{cache="catalog-facets"\} 1/);
});

dashboards.run();
