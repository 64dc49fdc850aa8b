import { spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createFailPoints } from '../../supervisors/failPoints.ts';

const test = suite('fail points');

/** A process that passes two points three times each and says so, before each, synchronously. */
function runChild(config: string) {
  const source = `
    import { writeSync } from 'node:fs';
    import { createFailPoints } from ${JSON.stringify(new URL('../../supervisors/failPoints.ts', import.meta.url).href)};
    const failPoint = createFailPoints(process.env.FAIL_POINT);
    process.on('exit', () => writeSync(1, 'exit'));
    for (const round of [1, 2, 3]) {
      for (const name of ['before-append', 'before-send']) {
        writeSync(1, round + ' ' + name + '\\n');
        failPoint(name);
      }
    }`;
  const child = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', source], {
    env: { ...process.env, FAIL_POINT: config },
    encoding: 'utf8',
  });
  return { signal: child.signal, status: child.status, lines: child.stdout.split('\n') };
}

test('kill the process at the nth passing of the named point, no handler runs', () => {
  const { signal, lines } = runChild('before-send:2');
  assert.is(signal, 'SIGKILL');
  assert.equal(lines, ['1 before-append', '1 before-send', '2 before-append', '2 before-send', '']);
});

test('do nothing unless configured', () => {
  const { signal, status, lines } = runChild('');
  assert.is(signal, null);
  assert.is(status, 0);
  assert.is(lines.at(-1), 'exit');
});

test('refuse a configuration that they do not understand', () => {
  for (const config of ['before-lunch:1', 'toString:1', 'before-send', 'before-send:0', 'before-send:x', 'a:1:2']) {
    assert.throws(() => createFailPoints(config), /FAIL_POINT must be <name>:<nth>/, config);
  }
});

test.run();
