/** What a shard's owner tells whoever runs its actors. */
import type { Claim } from '../../actors/kernel/clusterPorts.ts';

/** What runs the shard's actors. */
export interface ShardHost {
  /** The shard decides from now on; the tables hold everything before the claim. */
  open(shard: number, claim: Claim): void;
  /**
   * The shard stops deciding. With `flush` what is decided is made durable first; without, this node has lost the shard and
   * must forget it. Called once for each open.
   */
  close(shard: number, how: { readonly flush: boolean }): Promise<void>;
}
