import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { z } from 'zod';
import { Problem } from '../../http/problem.ts';
import { setQuantitySchema } from '../../http/schemas/cart.ts';
import { addressSchema } from '../../http/schemas/common.ts';
import { registerSchema } from '../../http/schemas/customer.ts';
import { placeOrderSchema } from '../../http/schemas/order.ts';
import { productQuery } from '../../http/schemas/product.ts';
import { pointer, validated } from '../../http/validation.ts';

const validation = suite('http validation');

const address = { name: 'Ada', line1: '1 Main St', city: 'Newark', postalCode: '07102', country: 'US' };
const order = {
  lines: [{ sku: 'TEA-1', quantity: 1 }],
  address,
  shippingMethod: 'standard',
  payment: { token: 'tok_success' },
};

function refusal(schema: z.ZodType, value: unknown, part: 'body' | 'query' = 'body') {
  try {
    validated(schema, value, part);
  } catch (error) {
    assert.instance(error, Problem);
    assert.is((error as Problem).status, 400);
    return (error as Problem).errors.map(({ in: where, pointer: at, code }) => `${where} ${at} ${code}`);
  }
  return [];
}

validation('what fits comes through', () => {
  assert.equal(validated(placeOrderSchema, order, 'body'), order);
});

validation('unknown members are refused where they stand', () => {
  assert.equal(refusal(placeOrderSchema, { ...order, customerId: 'cus_2' }), ['body /customerId unknown-member']);
  assert.equal(refusal(placeOrderSchema, { ...order, lines: [{ sku: 'A', quantity: 1, price: 1 }] }), [
    'body /lines/0/price unknown-member',
  ]);
});

validation('missing members are named, each', () => {
  assert.equal(refusal(placeOrderSchema, {}), [
    'body /lines required',
    'body /address required',
    'body /shippingMethod required',
    'body /payment required',
  ]);
});

validation('of the two forms of an address the one that was meant is explained', () => {
  assert.equal(refusal(placeOrderSchema, { ...order, address: { ...address, country: 'USA' } }), [
    'body /address/country invalid-format',
  ]);
  assert.equal(refusal(placeOrderSchema, { ...order, address: { addressId: 7 } }), [
    'body /address/addressId invalid-type',
  ]);
});

validation('values of another type are not bent to fit', () => {
  for (const quantity of ['1', 1.5, null, true, Number.NaN, 2 ** 60]) {
    assert.is(refusal(setQuantitySchema, { quantity }).length, 1, String(quantity));
  }
  for (const body of [[], null, 'x', 7]) assert.is(refusal(setQuantitySchema, body).length, 1);
});

validation('text is trimmed, not empty, and one line', () => {
  assert.is(validated(addressSchema, { ...address, city: ' Newark ' }, 'body').city, 'Newark');
  for (const city of ['', '   ', 'a\nb', 'a\u0000b', 'x'.repeat(101)]) {
    assert.ok(refusal(addressSchema, { ...address, city }).length > 0, JSON.stringify(city));
  }
});

validation('numbers in a query are whole and within bounds', () => {
  const query = validated(productQuery, { minPrice: '100', limit: '5' }, 'query');
  assert.equal([query.minPrice, query.limit], [100, 5]);
  assert.is(validated(productQuery, {}, 'query').limit, 20);
  for (const limit of ['0', '101', '-1', '1e1', ' 5', '', 'x', ['1', '2']]) {
    assert.equal(refusal(productQuery, { limit }, 'query').length, 1, JSON.stringify(limit));
  }
  assert.equal(refusal(productQuery, { colour: 'red' }, 'query'), ['query /colour unknown-member']);
});

validation('an e-mail address is checked, a password has a length', () => {
  const account = { email: ' ada@example.com ', password: 'long enough!', name: 'Ada' };
  assert.is(validated(registerSchema, account, 'body').email, 'ada@example.com');
  for (const email of ['ada', 'a@b', `${'x'.repeat(250)}@example.com`, 'a b@example.com']) {
    assert.is(refusal(registerSchema, { ...account, email }).length, 1, email);
  }
  assert.is(refusal(registerSchema, { ...account, password: 'short' }).length, 1);
});

validation('the list of errors has an end', () => {
  const lines = Array.from({ length: 100 }, () => ({ sku: 1, quantity: 'x' }));
  assert.is(refusal(placeOrderSchema, { ...order, lines }).length, 20);
});

validation('pointers escape what has a meaning in them', () => {
  assert.is(pointer(['a/b', 'm~n', 0]), '/a~1b/m~0n/0');
});

validation.run();
