/** The caches of a node: bounded in number and age, counted, and listed for the operator. Ages follow business time. */
import { LRUCache } from 'lru-cache';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Cache } from '../actors/kernel/ports.ts';

export type CacheLimits<Value> = {
  /** What all entries may weigh; the least recently used are forgotten first. */
  readonly max: number;
  readonly ttlMs: number;
  /** What an entry weighs, from 1; without it they weigh 1. */
  readonly weigh?: (value: Value) => number;
};

export type CacheFigures = {
  readonly name: string;
  readonly entries: number;
  readonly ttlMs: number;
  readonly hits: number;
  readonly misses: number;
};

export type Caches = {
  create<Value extends object>(name: string, limits: CacheLimits<Value>): Cache<Value>;
  /** Of all of them, in the order of creation. */
  figures(): readonly CacheFigures[];
};

export function createCaches(now: () => number, registry: Registry): Caches {
  const all: (() => CacheFigures)[] = [];
  const figures = (): CacheFigures[] => all.map((read) => read());
  const lookups = new Counter({
    name: 'holdfast_cache_lookups_total',
    help: 'Lookups in a cache, by whether it had the answer',
    labelNames: ['cache', 'result'],
    registers: [registry],
  });
  new Gauge({
    name: 'holdfast_cache_entries',
    help: 'Entries of a cache',
    labelNames: ['cache'],
    registers: [registry],
    collect() {
      for (const { name, entries } of figures()) this.set({ cache: name }, entries);
    },
  });
  return {
    figures,
    create<Value extends object>(name: string, { max, ttlMs, weigh = () => 1 }: CacheLimits<Value>): Cache<Value> {
      const known = new LRUCache<string, Value>({
        maxSize: max,
        sizeCalculation: (value) => Math.max(1, weigh(value)),
        ttl: ttlMs,
        // Otherwise it looks at the clock once per ms of real time.
        ttlResolution: 0,
        perf: { now },
      });
      const counts = { hits: 0, misses: 0 };
      all.push(() => ({ name, entries: known.size, ttlMs, ...counts }));
      const counted = (result: 'hit' | 'miss'): void => {
        counts[result === 'hit' ? 'hits' : 'misses']++;
        lookups.inc({ cache: name, result });
      };
      return {
        get(key) {
          const value = known.get(key);
          counted(value ? 'hit' : 'miss');
          return value;
        },
        set: (key, value) => void known.set(key, value),
        forget: (key) => void known.delete(key),
        clear: () => known.clear(),
      };
    },
  };
}
