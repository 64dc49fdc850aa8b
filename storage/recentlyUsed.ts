import { LRUCache } from 'lru-cache';

/**
 * So many entries at most; the one that was not used for longest goes first. Grows as needed, where the library's `max` would
 * take all the memory at once.
 */
export function recentlyUsed<Key extends string, Value extends object | string | number>(
  entries: number,
): LRUCache<Key, Value> {
  return new LRUCache<Key, Value>({ maxSize: entries, sizeCalculation: () => 1 });
}
