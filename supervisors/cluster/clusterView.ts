/** What operators and metrics see of the cluster, as this node sees it. */
import type { LogPosition } from '../../actors/kernel/clusterPorts.ts';
import type { Membership, MemberView } from './membership.ts';
import type { WantedPlace } from './rendezvous.ts';
import type { OwnershipCounts, ShardOwner } from './shardOwner.ts';

export type ShardView = {
  readonly shard: number;
  /** What this node does about it. */
  readonly phase: ShardOwner['phase'];
  /** Who holds it by the log, if that node lives and hasn't released it. */
  readonly owner?: string;
  /** Who should own it, by the live nodes. */
  readonly wanted?: string;
  readonly standby?: string;
  readonly epoch?: number;
  /** How far this node's tables are. */
  readonly position: LogPosition;
  /** Entries that this node is behind what the owner said last; absent while nobody owns the shard. */
  readonly lag?: number;
};

export type ClusterView = {
  readonly me: string;
  /** Every shard that this node should own is open here, and its tables have caught up once. */
  readonly ready: boolean;
  readonly nodes: readonly MemberView[];
  readonly shards: readonly ShardView[];
  readonly counts: Readonly<OwnershipCounts>;
};

export function shardView(owner: ShardOwner, place: WantedPlace, me: string, membership: Membership): ShardView {
  const { shard, phase, position, title } = owner;
  const holder = title && !title.released && membership.alive(title.node) ? title.node : undefined;
  const lag = lagBehind(owner, holder, me, membership);
  return {
    shard,
    phase,
    ...(holder !== undefined && { owner: holder }),
    ...(place.owner !== undefined && { wanted: place.owner }),
    ...(place.standby !== undefined && { standby: place.standby }),
    ...(title && { epoch: title.epoch }),
    position,
    ...(lag !== undefined && { lag }),
  };
}

function lagBehind(
  { shard, position }: ShardOwner,
  holder: string | undefined,
  me: string,
  membership: Membership,
): number | undefined {
  if (holder === undefined) return undefined;
  if (holder === me) return 0;
  const standing = membership.heard(holder)?.shards.find((each) => each.shard === shard);
  return standing && Math.max(0, standing.position - position);
}
