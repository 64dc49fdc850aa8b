/** What operators and metrics see of the cluster, as this node sees it. */
import type { Heartbeat, LogPosition } from '../../actors/kernel/clusterPorts.ts';
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
  /** Entries that the standby is behind, by what both said last; absent unless both are heard. */
  readonly standbyLag?: number;
  readonly epoch?: number;
  /** How far this node's tables are. */
  readonly position: LogPosition;
  /** Entries that this node is behind what the owner said last; absent while nobody owns the shard. */
  readonly lag?: number;
  /** It is this node's, and may be answered from its memory. */
  readonly serving: boolean;
  /** This node's tables have once held everything that was in the log after the start. */
  readonly caughtUp: boolean;
};

export type ClusterView = {
  readonly me: string;
  readonly state: Heartbeat['state'];
  /** Every shard that this node should own is open here, and its tables have caught up once. */
  readonly ready: boolean;
  readonly nodes: readonly MemberView[];
  readonly shards: readonly ShardView[];
  readonly counts: Readonly<OwnershipCounts>;
};

export function shardView(owner: ShardOwner, place: WantedPlace, me: string, membership: Membership): ShardView {
  const { shard, phase, position, title } = owner;
  const holder = title && !title.released && membership.alive(title.node) ? title.node : undefined;
  const lag = holder === me ? 0 : lagBehind(shard, position, holder, membership);
  const standbyLag = lagOfStandby(shard, position, { place, holder, me }, membership);
  return {
    shard,
    phase,
    ...(holder !== undefined && { owner: holder }),
    ...(place.owner !== undefined && { wanted: place.owner }),
    ...(place.standby !== undefined && { standby: place.standby }),
    ...(title && { epoch: title.epoch }),
    ...(standbyLag !== undefined && { standbyLag }),
    position,
    ...(lag !== undefined && { lag }),
    serving: owner.mayServe,
    caughtUp: owner.caughtUp,
  };
}

const saidPosition = (membership: Membership, node: string, shard: number): LogPosition | undefined =>
  membership.heard(node)?.shards.find((each) => each.shard === shard)?.position;

function lagBehind(
  shard: number,
  position: LogPosition | undefined,
  holder: string | undefined,
  membership: Membership,
): number | undefined {
  const end = holder === undefined ? undefined : saidPosition(membership, holder, shard);
  return end === undefined || position === undefined ? undefined : Math.max(0, end - position);
}

function lagOfStandby(
  shard: number,
  own: LogPosition,
  { place: { standby }, holder, me }: { place: WantedPlace; holder: string | undefined; me: string },
  membership: Membership,
): number | undefined {
  if (standby === undefined) return undefined;
  const position = standby === me ? own : saidPosition(membership, standby, shard);
  if (holder !== me) return lagBehind(shard, position, holder, membership);
  return position === undefined ? undefined : Math.max(0, own - position);
}
