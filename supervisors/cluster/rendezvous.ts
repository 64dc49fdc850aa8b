/**
 * Which node should own which shard: rendezvous hashing, so that every node finds the same answer from the same list of
 * nodes, and a node that comes or goes moves only the shards that it has or gets.
 */

export type WantedPlace = {
  readonly owner?: string;
  /** Takes over when the owner is gone. */
  readonly standby?: string;
};

/** The first and the second of the shard's ranking of these nodes; the order of the list doesn't matter. */
export function wantedPlace(shard: number, nodes: readonly string[]): WantedPlace {
  const [owner, standby] = nodes
    .map((node) => ({ node, weight: weightOf(node, shard) }))
    .sort((a, b) => b.weight - a.weight || (a.node < b.node ? -1 : 1));
  return {
    ...(owner !== undefined && { owner: owner.node }),
    ...(standby !== undefined && { standby: standby.node }),
  };
}

/** FNV-1a, then the final mixing of MurmurHash3: names that differ in one digit must give unrelated weights. */
function weightOf(node: string, shard: number): number {
  const text = `${node}/${shard}`;
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash ^= text.charCodeAt(index);
    hash = Math.imul(hash, 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
