/** What operators see and do inside the nodes. Not of the shop's business: it is answered from memory, and a restart forgets it. */
import { type Address, addressKey } from '../actors/kernel/address.ts';
import type { Node } from './node.ts';
import type { Quarantined } from './quarantine.ts';
import { Unavailable } from './shop.ts';

const RETRY_AFTER_MS = 1_000;

export type InsideActor = {
  /** Held in memory. */
  readonly live: boolean;
  /** Messages waiting for it. */
  readonly mailbox: number;
  readonly quarantined: boolean;
};

export type QuarantineList = {
  readonly held: readonly Quarantined[];
  /** Nodes that did not say which actors they hold. */
  readonly silent: readonly string[];
};

export type DrainAnswer =
  /** It gives these shards to those nodes, from now on. */
  | { readonly kind: 'draining'; readonly shards: readonly number[]; readonly heirs: readonly string[] }
  | { readonly kind: 'unknown' }
  /** It can't be done, and why. */
  | { readonly kind: 'refused'; readonly reason: string };

/** Whichever node is asked. */
export type Operations = {
  /** @throws Unavailable */
  inside(address: Address): Promise<InsideActor>;
  /** Stops and restarts an actor as a crash of its own would; nothing happens when it isn't live. @throws Unavailable */
  kill(address: Address): Promise<void>;
  quarantined(): Promise<QuarantineList>;
  /** Has a node give its shards to the others and own none until its process starts again. @throws Unavailable */
  drainNode(name: string): Promise<DrainAnswer>;
  /** By shard: messages of its inbox that its records don't call answered, as far as that can be found out. */
  inboxLags(): Promise<ReadonlyMap<number, number>>;
  /** The newest copy of the shop that a node could begin with; undefined where there is none, or nobody tells. */
  checkpoint(): Promise<NewestCheckpoint | undefined>;
};

export type NewestCheckpoint = {
  /** In ms since the epoch. */
  readonly at: number;
  /** By shard: the log entry up to which it holds everything. */
  readonly positions: readonly number[];
  /** Log entries that came after it, as far as this node has them. */
  readonly entriesSince: number;
};

/** Of the shards that are open here. */
export type LocalOperations = Omit<Operations, 'drainNode' | 'inboxLags' | 'checkpoint'>;

export function createLocalOperations(node: Pick<Node, 'shardFor' | 'quarantined'>): LocalOperations {
  const shardOf = (address: Address) => {
    const shard = node.shardFor(address);
    if (shard) return shard;
    throw new Unavailable('the shard is not open here', RETRY_AFTER_MS, { moved: true });
  };
  return {
    async inside(address) {
      const shard = shardOf(address);
      const mailbox = shard.mailbox(address);
      const quarantined = shard.quarantine.holds(addressKey(address));
      return { live: mailbox !== undefined, mailbox: mailbox ?? 0, quarantined };
    },
    async kill(address) {
      shardOf(address).kill(address);
    },
    quarantined: async () => ({ held: node.quarantined, silent: [] }),
  };
}
