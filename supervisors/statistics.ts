/** The shop's numbers, counted at most once in a while: counting looks at every order. */
import type { Clock } from '../actors/kernel/ports.ts';
import type { Policy } from '../actors/policy.ts';
import type { Db } from '../storage/database.ts';
import { createStatistics, type Statistics } from '../storage/statistics.ts';
import type { Caches } from './caches.ts';

export type CountedStatistics = Statistics & {
  /** In ms since the epoch. */
  readonly countedAt: number;
};

export function rememberedStatistics(
  db: Db,
  clock: Clock,
  { statistics: { cacheMs } }: Policy,
  caches: Caches,
): () => CountedStatistics {
  const count = createStatistics(db);
  const remembered = caches.create<CountedStatistics>('statistics', { max: 1, ttlMs: cacheMs });
  return () => {
    const known = remembered.get('all');
    if (known) return known;
    const counted = { countedAt: clock.now(), ...count() };
    remembered.set('all', counted);
    return counted;
  };
}
