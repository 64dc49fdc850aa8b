import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { canonicalJson, createKeys, normalizeEmail } from '../../http/keys.ts';

const keys = suite('http keys');
const made = createKeys('one secret');
const ID = /^[0-9A-HJKMNP-TV-Z]{26}$/;

keys('a request id is the same for the same principal, route and key, on any node', () => {
  const id = made.requestId('cus_1', 'POST', '/v1/orders', 'k1');
  assert.is(createKeys('one secret').requestId('cus_1', 'POST', '/v1/orders', 'k1'), id);
  assert.match(id.slice('req_'.length), ID);
  assert.ok(id.startsWith('req_'));
});

keys('what was derived once is derived for ever: stores and clients hold these', () => {
  assert.is(made.requestId('cus_1', 'POST', '/v1/orders', 'k1'), 'req_6KWQ4CNYXKMREJS4BNWAE9286W');
  assert.is(made.createdId('ord', 'req_1'), 'ord_GMPFCFD0QVQP7KCDTTCNH29RTH');
  assert.is(made.fingerprint({ a: 1 }), 'VdL5ebYlRTjGByBMVt00QhLbfebFFfYMhcsqa-gm0Oo');
  assert.is(made.emailHash('a@example.com'), 'WT257FQ4YVNQPX77EMF2TFYW7Y');
  assert.is(made.addressHash('192.0.2.1'), '7YKB0Z3F406XK8FSRCABM5FEDS');
});

keys('another principal, method, path, key or secret gives another request id', () => {
  const ids = [
    made.requestId('cus_1', 'POST', '/v1/orders', 'k1'),
    made.requestId('cus_2', 'POST', '/v1/orders', 'k1'),
    made.requestId('cus_1', 'PUT', '/v1/orders', 'k1'),
    made.requestId('cus_1', 'POST', '/v1/carts', 'k1'),
    made.requestId('cus_1', 'POST', '/v1/orders', 'k2'),
    createKeys('another secret').requestId('cus_1', 'POST', '/v1/orders', 'k1'),
  ];
  assert.is(new Set(ids).size, ids.length);
});

keys('parts of a request id cannot be shifted into each other', () => {
  assert.is.not(made.requestId('a', 'b', 'c', 'd|e'), made.requestId('a', 'b', 'c|d', 'e'));
  assert.is.not(made.requestId('a","b', 'c', 'd', 'e'), made.requestId('a', 'b","c', 'd', 'e'));
});

keys('a created id hangs on its prefix and request, and tells neither', () => {
  const order = made.createdId('ord', 'req_1');
  assert.is(order, made.createdId('ord', 'req_1'));
  assert.ok(order.startsWith('ord_'));
  assert.match(order.slice(4), ID);
  // A cart's checkout and order share its body: an express order of the same request must not meet them.
  assert.is.not(made.createdId('cart', 'req_1').slice(5), order.slice(4));
});

keys('the fingerprint ignores the order of members and tells values apart', () => {
  assert.is(made.fingerprint({ a: 1, b: [1, 2] }), made.fingerprint({ b: [1, 2], a: 1 }));
  assert.is.not(made.fingerprint({ a: 1, b: [1, 2] }), made.fingerprint({ a: 1, b: [2, 1] }));
  assert.is.not(made.fingerprint({ a: '1' }), made.fingerprint({ a: 1 }));
  assert.is.not(made.fingerprint({}), made.fingerprint(null));
});

keys('the fingerprint of a body that holds a password cannot be guessed without the secret', () => {
  assert.is.not(made.fingerprint({ password: 'x' }), createKeys('another secret').fingerprint({ password: 'x' }));
});

keys('one mailbox, one hash', () => {
  assert.is(made.emailHash(' Ada@Example.com '), made.emailHash('ada@example.com'));
  assert.is.not(made.emailHash('ada@example.com'), made.emailHash('bob@example.com'));
  assert.is(normalizeEmail(' Ada@Example.COM'), 'ada@example.com');
});

keys('canonical JSON says the same as JSON, whatever the order of members', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      assert.equal(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)));
      assert.is(canonicalJson(reversed(value)), canonicalJson(value));
    }),
    { numRuns: 300 },
  );
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).reverse();
  return Object.fromEntries(members.map(([name, member]) => [name, reversed(member)]));
}

keys('an absent member and one without a value are the same', () => {
  assert.is(canonicalJson({ a: undefined, b: 1 }), '{"b":1}');
});

keys('a network address is named without being shown, and not as an e-mail address would be', () => {
  const hash = made.addressHash('203.0.113.7');
  assert.match(hash, ID);
  assert.is(hash, createKeys('one secret').addressHash('203.0.113.7'));
  assert.is.not(hash, made.addressHash('203.0.113.8'));
  assert.is.not(hash, createKeys('another secret').addressHash('203.0.113.7'));
  assert.is.not(hash, made.emailHash('203.0.113.7'));
});

keys.run();
