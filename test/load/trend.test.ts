import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { seededRandom } from '../support/timeline.ts';
import { type Sample, trendOf } from './trend.ts';

const trend = suite('trend');
const BOUND = { share: 0.1, least: 5 };

const samples = (count: number, valueAt: (index: number) => number): Sample[] =>
  Array.from({ length: count }, (_, index) => ({ atMs: index * 5_000, value: valueAt(index) }));

trend('what leaks grows, however noisy it is', () => {
  const random = seededRandom(1);
  const leak = trendOf(
    samples(60, (index) => 200 + index + 40 * random()),
    BOUND,
  );
  assert.ok(leak?.grows);
  assert.ok(leak.perHour > 400 && leak.perHour < 1_100, `${leak.perHour} an hour`);
});

trend('what only goes up and down does not', () => {
  const random = seededRandom(2);
  assert.not(
    trendOf(
      samples(60, () => 200 + 80 * random()),
      BOUND,
    )?.grows,
  );
  assert.not(
    trendOf(
      samples(60, (index) => 200 + 10 * (index % 7)),
      BOUND,
    )?.grows,
    'a saw of collections',
  );
  assert.not(
    trendOf(
      samples(60, (index) => 300 - index),
      BOUND,
    )?.grows,
  );
});

trend('what fills at first and then stays does not', () => {
  assert.not(
    trendOf(
      samples(60, (index) => Math.min(300, 100 + index * 15)),
      BOUND,
    )?.grows,
  );
});

trend('a few odd samples do not decide', () => {
  const odd = samples(60, (index) => (index % 20 === 19 ? 5_000 : 200));
  assert.not(trendOf(odd, BOUND)?.grows);
});

trend('what grows by less than the bound does not', () => {
  assert.not(
    trendOf(
      samples(60, (index) => 200 + index / 4),
      BOUND,
    )?.grows,
  );
  assert.not(
    trendOf(
      samples(60, (index) => index / 20),
      BOUND,
    )?.grows,
    'little of next to nothing',
  );
});

trend('few samples tell nothing', () => {
  assert.is(
    trendOf(
      samples(9, (index) => index * 100),
      BOUND,
    ),
    undefined,
  );
});

trend.run();
