import type { NodeStatus } from '../shop.ts';

type ShardStatus = NodeStatus['shards'][number];

export function clusterView(status: NodeStatus, inboxLags: ReadonlyMap<number, number>) {
  const { mode, cluster, me, ready, broker, nodes, shards, counts } = status;
  return {
    mode,
    cluster: cluster ?? null,
    node: me,
    ready,
    broker: broker ? { connected: broker.connected, contactMsAgo: Math.round(broker.contactAgeMs) } : null,
    nodes: nodes.map(nodeView).sort((one, other) => (one.id < other.id ? -1 : 1)),
    shards: shards.map((shard) => shardView(shard, inboxLags.get(shard.shard) ?? null)),
    counts,
  };
}

function nodeView({ node: id, state, version, incarnation, address, heardMsAgo, shards }: NodeStatus['nodes'][number]) {
  // A dead node's last word is no ownership any more.
  const owned = state === 'dead' ? [] : shards.filter(({ epoch }) => epoch !== undefined).map(({ shard }) => shard);
  return { id, state, version, incarnation, address, heardMsAgo: Math.round(heardMsAgo), shards: owned };
}

function shardView(shard: ShardStatus, inboxLag: number | null) {
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
    inboxLag,
  };
}
