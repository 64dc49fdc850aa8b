import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  etag,
  expectedVersion,
  idempotencyKey,
  isUnchanged,
  preferredWait,
  requestIdOf,
  requiredVersion,
  traceOf,
} from '../../http/headers.ts';
import { Problem } from '../../http/problem.ts';

const headers = suite('http headers');

function code(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    return error instanceof Problem ? error.code : String(error);
  }
  return undefined;
}

headers('the version is the entity tag', () => {
  assert.is(etag(3), '"3"');
  assert.is(expectedVersion('"3"'), 3);
  assert.is(expectedVersion(' "12" '), 12);
});

headers('what changes without the version is in the tag, and yet only the version is matched', () => {
  assert.is(etag(3, '17'), '"3.17"');
  assert.is(expectedVersion('"3.17"'), 3);
  assert.not(isUnchanged('"3.17"', etag(3, '16')));
  assert.ok(isUnchanged('"3.17"', etag(3, '17')));
});

headers('If-None-Match: * asks that nothing is there', () => {
  assert.is(requiredVersion(undefined, '*'), 0);
  assert.is(requiredVersion('"3"', '*'), -1, 'both at once can never hold');
  assert.is(requiredVersion('"3"', undefined), 3);
  assert.is(requiredVersion(undefined, '"3"'), undefined);
});

headers('If-Match: * and no If-Match ask for no version', () => {
  assert.is(expectedVersion('*'), undefined);
  assert.is(expectedVersion(undefined), undefined);
});

headers('weak and foreign tags match no version', () => {
  assert.is(expectedVersion('W/"3"'), -1);
  assert.is(expectedVersion('"abc"'), -1);
  assert.is(expectedVersion('"3."'), -1);
  assert.is(expectedVersion('"3.1.2"'), -1);
  assert.is(expectedVersion('"-1"'), -1);
  assert.is(expectedVersion('""'), -1);
});

headers('an If-Match that is no tag, or several, is malformed', () => {
  for (const value of ['3', '"3', '"3", "4"', '']) {
    assert.is(
      code(() => expectedVersion(value)),
      'request.invalid-if-match',
      value,
    );
  }
});

headers('If-None-Match compares weakly and knows lists', () => {
  assert.ok(isUnchanged('"3"', etag(3)));
  assert.ok(isUnchanged('W/"3"', etag(3)));
  assert.ok(isUnchanged('"1", "3"', etag(3)));
  assert.ok(isUnchanged('*', etag(3)));
  assert.not(isUnchanged('"33"', etag(3)));
  assert.not(isUnchanged('3', etag(3)));
  assert.not(isUnchanged('', etag(3)));
  assert.not(isUnchanged(undefined, etag(3)));
});

headers('Prefer: wait is found among others and is at most 10 s', () => {
  assert.is(preferredWait('wait=5'), 5);
  assert.is(preferredWait('respond-async, Wait = 5'), 5);
  assert.is(preferredWait('wait="7"'), 7);
  assert.is(preferredWait('wait=3; foo=bar'), 3);
  assert.is(preferredWait('wait=100'), 10);
  assert.is(preferredWait('wait=0'), 0);
});

headers('a preference that makes no sense is no preference', () => {
  for (const value of [undefined, '', 'wait', 'wait=x', 'wait=-1', 'await=5', 'wait=1.5']) {
    assert.is(preferredWait(value), undefined, String(value));
  }
});

headers('an idempotency key is 1 to 255 visible characters', () => {
  assert.is(idempotencyKey('k', true), 'k');
  assert.is(idempotencyKey('x'.repeat(255), true), 'x'.repeat(255));
  for (const value of ['x'.repeat(256), 'a b', 'ä', 'a\tb']) {
    assert.is(
      code(() => idempotencyKey(value, false)),
      'idempotency.key-invalid',
      value,
    );
  }
});

headers('a missing key is refused only where one is required', () => {
  assert.is(idempotencyKey(undefined, false), undefined);
  assert.is(idempotencyKey('', false), undefined);
  assert.is(
    code(() => idempotencyKey(undefined, true)),
    'idempotency.key-required',
  );
  assert.is(
    code(() => idempotencyKey('', true)),
    'idempotency.key-required',
  );
});

headers("the caller's trace goes on with a span of our own", () => {
  const id = '4bf92f3577b34da6a3ce929d0e0e4736';
  const trace = traceOf(`00-${id}-00f067aa0ba902b7-01`);
  assert.is(trace.id, id);
  assert.match(trace.parent, new RegExp(`^00-${id}-[0-9a-f]{16}-01$`));
  assert.not.match(trace.parent, '00f067aa0ba902b7');
});

headers('without a usable trace a new one begins', () => {
  const none = `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`;
  for (const value of [undefined, '', 'x', none, '00-xyz-00f067aa0ba902b7-01']) {
    const trace = traceOf(value);
    assert.match(trace.id, /^[0-9a-f]{32}$/);
    assert.not.match(trace.id, /^0+$/);
  }
  assert.is.not(traceOf(undefined).id, traceOf(undefined).id);
});

headers('a harmless request id comes back, others are replaced by the trace id', () => {
  const trace = traceOf(undefined);
  assert.is(requestIdOf('abc-1', trace), 'abc-1');
  assert.is(requestIdOf('a b', trace), trace.id);
  assert.is(requestIdOf('x'.repeat(129), trace), trace.id);
  assert.is(requestIdOf(undefined, trace), trace.id);
});

headers.run();
