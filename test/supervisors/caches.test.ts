import { Registry } from 'prom-client';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createCaches } from '../../supervisors/caches.ts';

const caches = suite('caches');

function open(limits: { max: number; ttlMs: number; weigh?: (value: { weight: number }) => number }) {
  const time = { now: 1_000 };
  const all = createCaches(() => time.now, new Registry());
  return { time, all, cache: all.create<{ weight: number }>('things', limits) };
}

caches('remember for their time of the business clock, counted from when a value was set', () => {
  const { time, cache } = open({ max: 10, ttlMs: 100 });
  const value = { weight: 1 };
  cache.set('a', value);
  time.now += 60;
  assert.is(cache.get('a'), value);
  time.now += 40;
  assert.is(cache.get('a'), value, 'looking at it makes it no younger');
  time.now += 1;
  assert.is(cache.get('a'), undefined);
});

caches('forget one, or all', () => {
  const { cache } = open({ max: 10, ttlMs: 100 });
  for (const key of ['a', 'b', 'c']) cache.set(key, { weight: 1 });
  cache.forget('a');
  assert.equal([cache.get('a'), cache.get('b')], [undefined, { weight: 1 }]);
  cache.clear();
  assert.equal([cache.get('b'), cache.get('c')], [undefined, undefined]);
});

caches('are bounded by weight; what was used longest ago goes first', () => {
  const { all, cache } = open({ max: 10, ttlMs: 100, weigh: ({ weight }) => weight });
  cache.set('a', { weight: 4 });
  cache.set('b', { weight: 4 });
  cache.get('a');
  cache.set('c', { weight: 0 });
  cache.set('d', { weight: 4 });
  assert.equal([cache.get('a')?.weight, cache.get('b'), cache.get('d')?.weight], [4, undefined, 4]);
  cache.set('huge', { weight: 11 });
  assert.is(cache.get('huge'), undefined);
  assert.is(all.figures()[0]?.entries, 3);
});

caches('count what they knew and what not, each for itself', () => {
  const { all, cache } = open({ max: 10, ttlMs: 100 });
  all.create('others', { max: 1, ttlMs: 5 }).get('x');
  cache.set('a', { weight: 1 });
  cache.get('a');
  cache.get('a');
  cache.get('b');
  assert.equal(all.figures(), [
    { name: 'things', entries: 1, ttlMs: 100, hits: 2, misses: 1 },
    { name: 'others', entries: 0, ttlMs: 5, hits: 0, misses: 1 },
  ]);
});

caches.run();
