/** What a node knows about itself and its shards: the same whether it is alone or one of several. */
import type { ShardStore } from '../actors/kernel/ports.ts';
import type { ClusterView } from './cluster/clusterView.ts';
import type { Ground } from './home.ts';
import type { Node } from './node.ts';
import { version } from './version.ts';

export type NodeStatus = ClusterView & {
  readonly mode: 'embedded' | 'cluster';
  readonly cluster?: string;
  /** The age is that of the newest round trip. */
  readonly broker?: { readonly connected: boolean; readonly contactAgeMs: number };
};

/** Of a node that is alone and has all shards from start to stop. */
export function aloneStatus(
  { config: { NODE_NAME: me, HOST, PORT, SHARDS } }: Ground,
  store: ShardStore,
  incarnation: string,
  ready: boolean,
): NodeStatus {
  const shards = Array.from({ length: SHARDS }, (_, shard) => {
    const head = store.head(shard);
    return { shard, epoch: head?.epoch ?? 1, position: head?.n ?? 0 };
  });
  const self = { node: me, incarnation, version, address: `http://${HOST}:${PORT}`, shards };
  return {
    mode: 'embedded',
    me,
    state: 'active',
    ready,
    nodes: [{ ...self, state: 'active', heardMsAgo: 0 }],
    shards: shards.map((each) => ({
      ...each,
      phase: 'owning',
      owner: me,
      wanted: me,
      lag: 0,
      serving: true,
      caughtUp: true,
    })),
    counts: { claims: 0, lost: 0, released: 0, received: 0 },
  };
}

type Health = {
  readonly live: boolean;
  readonly ready: boolean;
  readonly detail: Readonly<Record<string, unknown>>;
};

/** For load balancers and for people who wonder why they send nothing. */
export function healthOf(status: NodeStatus, { liveActors, backlog }: Pick<Node, 'liveActors' | 'backlog'>): Health {
  const { me, mode, cluster, state, ready, shards, broker } = status;
  const count = (holds: (shard: NodeStatus['shards'][number]) => boolean): number => shards.filter(holds).length;
  const detail = {
    node: me,
    mode,
    ...(cluster !== undefined && { cluster }),
    state,
    shards: {
      all: shards.length,
      owned: count(({ owner }) => owner === me),
      wanted: count(({ wanted }) => wanted === me),
      serving: count(({ serving }) => serving),
      catchingUp: count(({ caughtUp }) => !caughtUp),
    },
    ...(broker && { broker }),
    liveActors,
    backlog,
  };
  return { live: true, ready, detail };
}
