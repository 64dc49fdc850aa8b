import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isAtLeast, parseVersion, versionText } from '../../../transport/nats/version.ts';

const version = suite('version');

version('is read from what nats-server and its builds say', () => {
  assert.equal(parseVersion('nats-server: v2.10.27\n'), [2, 10, 27]);
  assert.equal(parseVersion('2.11.0-RC.3'), [2, 11, 0]);
  assert.is(parseVersion('nats-server: unknown'), undefined);
});

version('is compared number by number, not as text', () => {
  assert.ok(isAtLeast([2, 10, 0], [2, 9, 25]));
  assert.ok(isAtLeast([2, 10, 22], [2, 10, 22]));
  assert.ok(isAtLeast([3, 0, 0], [2, 10, 22]));
  assert.not.ok(isAtLeast([2, 10, 3], [2, 10, 22]));
  assert.not.ok(isAtLeast([2, 9, 99], [2, 10, 0]));
  assert.not.ok(isAtLeast([1, 99, 99], [2, 0, 0]));
  assert.is(versionText([2, 10, 22]), '2.10.22');
});

version.run();
