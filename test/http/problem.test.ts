import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { notFound, Problem, problemBody, problemOf, rejected, unavailable } from '../../http/problem.ts';
import { Unavailable } from '../../supervisors/shop.ts';

const problem = suite('http problem');

problem('a rejection keeps its code, title, status and errors', () => {
  const errors = [{ pointer: '/sku', code: 'unknown', detail: 'no' }];
  const body = problemBody(
    rejected({ status: 422, code: 'cart.sku-unknown', title: 'Unknown product', detail: 'There is no X.', errors }),
    'a'.repeat(32),
  );
  assert.equal(body, {
    type: 'urn:holdfast:problem:cart.sku-unknown',
    title: 'Unknown product',
    status: 422,
    detail: 'There is no X.',
    code: 'cart.sku-unknown',
    errors,
    retryable: false,
    traceId: 'a'.repeat(32),
  });
});

problem('a replayed rejection says so', () => {
  const rejection = { status: 409, code: 'a.b', title: 'T', detail: 'D' } as const;
  assert.is(rejected(rejection, true).headers['Idempotent-Replayed'], 'true');
  assert.is(rejected(rejection).headers['Idempotent-Replayed'], undefined);
});

problem('what the runtime calls unavailable is 503 with Retry-After, and retryable', () => {
  const mapped = problemOf(new Unavailable('the queue is full', 2_500));
  assert.is(mapped.status, 503);
  assert.is(mapped.headers['Retry-After'], '3');
  assert.is(mapped.retryable, true);
  assert.not.match(mapped.message, 'queue');
});

problem('Retry-After is never less than a second', () => {
  assert.is(unavailable('x', 0.01).headers['Retry-After'], '1');
});

problem('an unknown failure is 500 and shows nothing of itself', () => {
  for (const thrown of [new Error('secret at /srv/app'), 'a string', undefined, new TypeError('x')]) {
    const mapped = problemOf(thrown);
    assert.is(mapped.status, 500);
    assert.is(mapped.cause, thrown);
    assert.not.match(JSON.stringify(problemBody(mapped, 'c'.repeat(32))), 'secret');
  }
});

problem("an error with a server's status is not taken for the client's", () => {
  assert.is(problemOf(Object.assign(new Error('x'), { status: 502 })).status, 500);
});

problem('the body parser speaks in problems', () => {
  const failed = (status: number) => problemOf(Object.assign(new Error('x'), { status }));
  assert.is(failed(400).code, 'request.malformed');
  assert.is(failed(413).code, 'request.too-large');
  assert.is(failed(413).headers['Connection'], 'close');
  assert.is(failed(415).code, 'request.media-type');
});

problem('a problem stays the one it is', () => {
  const one = notFound('order');
  assert.is(problemOf(one), one);
  assert.is(one.status, 404);
  assert.is(one.code, 'order.unknown');
  assert.instance(one, Problem);
});

problem('every member is there, the list of errors also when it is empty', () => {
  assert.equal(problemBody(new Problem(404, 'a.b', 'c'), 'b'.repeat(32)), {
    type: 'urn:holdfast:problem:a.b',
    title: 'Not Found',
    status: 404,
    detail: 'c',
    code: 'a.b',
    errors: [],
    retryable: false,
    traceId: 'b'.repeat(32),
  });
});

problem.run();
