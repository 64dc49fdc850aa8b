/** Which shard an aggregate belongs to: fixed for the life of a store or cluster. */
import type { Address } from '../actors/kernel/address.ts';

/** FNV-1a over UTF-16 units: stable over versions and platforms, because every stored shard number depends on it. */
export function shardOf(partitionKey: string, shards: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < partitionKey.length; index++) {
    hash ^= partitionKey.charCodeAt(index);
    hash = Math.imul(hash, 0x01000193);
  }
  // The low bits of FNV mix poorly for similar keys; fold the high ones in.
  hash ^= hash >>> 15;
  return (hash >>> 0) % shards;
}

export type Placement = (address: Address) => number;
