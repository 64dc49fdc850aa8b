import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type DemoProduct, demoCatalog } from '../../actors/demoCatalog.ts';
import { defaultPolicy } from '../../actors/policy.ts';
import { productDecider } from '../../actors/product.ts';
import { specification } from '../support/spec.ts';

const products = demoCatalog(defaultPolicy);
const piecesOf = ({ stock }: DemoProduct) => stock.reduce((all, { quantity }) => all + quantity, 0);

const catalog = suite('Demo catalog');

catalog('has 200 products in 8 categories, each SKU once', () => {
  assert.ok(products.length >= 200);
  assert.is(new Set(products.map(({ sku }) => sku)).size, products.length);
  assert.is(new Set(products.map(({ name }) => name)).size, products.length);
  assert.ok(new Set(products.map(({ category }) => category)).size >= 8);
});

catalog('is the same every time', () => {
  assert.equal(demoCatalog(defaultPolicy), products);
});

catalog('is what the shop takes as products and prices', () => {
  for (const { sku, price, stock: _stock, ...details } of products) {
    const spec = specification(productDecider, { id: sku });
    const put = spec.given().when({ type: 'PutProduct', ...details });
    put.thenTypes('ProductCreated');
    spec.from(put.state).when({ type: 'SetPrice', price }).thenTypes('PriceSet');
  }
});

catalog('costs 3.00 to 450.00', () => {
  for (const { sku, price } of products) assert.ok(price.amount >= 300 && price.amount <= 45_000, sku);
});

catalog('has stock in the warehouses of the shop, and some of it sold out', () => {
  const known = new Set(defaultPolicy.warehouses.map(({ id }) => id));
  for (const { stock } of products) {
    assert.ok(stock.every(({ warehouse, quantity }) => known.has(warehouse) && quantity >= 0));
  }
  assert.ok(products.some((product) => piecesOf(product) === 0));
  assert.ok(products.some((product) => piecesOf(product) > 0 && piecesOf(product) < 10));
});

catalog('has ten pieces of the limited one, in one warehouse', () => {
  const limited = products.find(({ sku }) => sku === 'HF-LIMITED-10');
  assert.equal(limited?.stock, [{ warehouse: 'wh-east', quantity: 10 }]);
});

catalog.run();
