import type { NewestCheckpoint, NodeStatus } from '../shop.ts';
import { time } from './time.ts';

type ShardStatus = NodeStatus['shards'][number];

/** @param now in ms since the epoch */
export function clusterView(
  status: NodeStatus,
  inboxLags: ReadonlyMap<number, number>,
  checkpoint: NewestCheckpoint | undefined,
  now: number,
) {
  const { mode, cluster, me, ready, broker, nodes, shards, counts } = status;
  return {
    mode,
    cluster: cluster ?? null,
    node: me,
    ready,
    broker: broker ? { connected: broker.connected, contactMsAgo: Math.round(broker.contactAgeMs) } : null,
    nodes: nodes.map(nodeView).sort((one, other) => (one.id < other.id ? -1 : 1)),
    shards: shards.map((each) => ({
      ...shardView(each),
      checkpoint: checkpoint?.positions[each.shard] ?? null,
      inboxLag: inboxLags.get(each.shard) ?? null,
    })),
    checkpoint: checkpoint
      ? { at: time(checkpoint.at), ageMs: Math.max(0, now - checkpoint.at), entriesSince: checkpoint.entriesSince }
      : null,
    counts,
  };
}

function nodeView({ node: id, state, version, incarnation, address, heardMsAgo, shards }: NodeStatus['nodes'][number]) {
  // A dead node's last word is no ownership any more.
  const owned = state === 'dead' ? [] : shards.filter(({ epoch }) => epoch !== undefined).map(({ shard }) => shard);
  return { id, state, version, incarnation, address, heardMsAgo: Math.round(heardMsAgo), shards: owned };
}

function shardView(shard: ShardStatus) {
  const { shard: id, owner, wanted, standby, standbyLag, epoch, phase, position, lag } = shard;
  return {
    id,
    owner: owner ?? null,
    wanted: wanted ?? null,
    standby: standby === undefined ? null : { id: standby, lag: standbyLag ?? null },
    epoch: epoch ?? null,
    phase,
    position,
    lag: lag ?? null,
  };
}
