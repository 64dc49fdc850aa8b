/** A node's figures about its cluster for Prometheus. Read when somebody asks; labels are shards and a few fixed words. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Checkpoint } from '../../transport/nats/checkpoints.ts';
import type { NodeStatus } from '../nodeStatus.ts';
import { entriesSince } from './checkpoints.ts';

export type ClusterSources = {
  readonly status: () => NodeStatus;
  readonly calls: () => {
    readonly asked: number;
    readonly askFailures: number;
    readonly served: number;
    readonly serveFailures: number;
  };
  /** Since the start. */
  readonly failedAppends: () => { readonly fenced: number; readonly refused: number };
  /** Of the shards that are open here. */
  readonly inboxes: () => readonly { readonly shard: number; readonly unanswered: number }[];
  /** By shard that is open here: messages at the broker that are not answered durably. Empty when it does not tell. */
  readonly inboxLags: () => Promise<ReadonlyMap<number, number>>;
  /** On the node that makes them. */
  readonly checkpoint: () => Checkpoint | undefined;
  /** In ms since the epoch. */
  readonly now: () => number;
};

type Row = { readonly labels?: Readonly<Record<string, string>>; readonly value: number };

type Rows = () => readonly Row[] | Promise<readonly Row[]>;

export function registerClusterFigures(registry: Registry, sources: ClusterSources): void {
  const { status, calls, failedAppends, inboxes, inboxLags, checkpoint, now } = sources;
  const gauge = (name: string, help: string, rows: Rows, ...labelNames: string[]): void => {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        const found = await rows();
        this.reset();
        for (const { labels = {}, value } of found) this.set(labels, value);
      },
    });
  };
  const total = (name: string, help: string, rows: () => readonly Row[], ...labelNames: string[]): void => {
    new Counter({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        for (const { labels = {}, value } of rows()) this.inc(labels, value);
      },
    });
  };
  const count = (holds: (shard: NodeStatus['shards'][number], me: string) => boolean): readonly Row[] => {
    const { me, shards } = status();
    return [{ value: shards.filter((shard) => holds(shard, me)).length }];
  };
  gauge('holdfast_shards_owned', 'Shards that this node owns', () => count(({ owner }, me) => owner === me));
  gauge('holdfast_shards_wanted', 'Shards that this node should own', () => count(({ wanted }, me) => wanted === me));
  gauge('holdfast_shards_serving', 'Shards that this node answers for', () => count(({ serving }) => serving));
  gauge('holdfast_shards_ownerless', 'Shards that no live node owns', () => count(({ owner }) => owner === undefined));
  gauge(
    'holdfast_nodes',
    'Nodes of the cluster by what they say, as this node hears them',
    () => byState(status()),
    'state',
  );
  gauge(
    'holdfast_log_lag',
    'Log entries by which this node is behind the owner of the shard',
    () => status().shards.flatMap(({ shard, lag }) => (lag === undefined ? [] : [{ ...of(shard), value: lag }])),
    'shard',
  );
  gauge(
    'holdfast_inbox_unanswered',
    'Messages of other shards that were read here and are not answered durably',
    () => inboxes().map(({ shard, unanswered }) => ({ ...of(shard), value: unanswered })),
    'shard',
  );
  gauge(
    'holdfast_inbox_lag',
    'Messages of other shards that the broker keeps and that are not answered durably',
    async () => [...(await inboxLags())].map(([shard, value]) => ({ ...of(shard), value })),
    'shard',
  );
  const ofCheckpoint = (figure: (newest: Checkpoint) => number): readonly Row[] => {
    const newest = checkpoint();
    return newest ? [{ value: figure(newest) }] : [];
  };
  gauge('holdfast_checkpoint_age_seconds', 'Age of the newest checkpoint, on the node that makes them', () =>
    ofCheckpoint(({ at }) => Math.max(0, now() - at) / 1_000),
  );
  gauge('holdfast_checkpoint_entries', 'Log entries since the newest checkpoint, on the node that makes them', () =>
    ofCheckpoint((newest) => entriesSince(newest, status().shards)),
  );
  gauge('holdfast_broker_connected', 'Whether the connection to the broker is up', () => [
    { value: status().broker?.connected === true ? 1 : 0 },
  ]);
  gauge('holdfast_broker_contact_age_seconds', 'Age of the newest round trip to the broker', () => [
    { value: (status().broker?.contactAgeMs ?? 0) / 1_000 },
  ]);
  total('holdfast_shard_claims_total', 'Claims that this node has tried', () => [{ value: status().counts.claims }]);
  total('holdfast_shards_lost_total', 'Shards that were taken from this node, or whose claim was of no use', () => [
    { value: status().counts.lost },
  ]);
  total(
    'holdfast_shard_moves_total',
    'Shards handed over in peace',
    () => [
      { labels: { direction: 'out' }, value: status().counts.released },
      { labels: { direction: 'in' }, value: status().counts.received },
    ],
    'direction',
  );
  total('holdfast_append_failures_total', 'Appends that did not happen', () => by('reason', failedAppends()), 'reason');
  total(
    'holdfast_calls_total',
    'Calls between nodes',
    () => by('side', { asked: calls().asked, served: calls().served }),
    'side',
  );
  total(
    'holdfast_call_failures_total',
    'Calls between nodes without an answer to what was asked',
    () => by('side', { asked: calls().askFailures, served: calls().serveFailures }),
    'side',
  );
}

const of = (shard: number) => ({ labels: { shard: String(shard) } });

function by(label: string, values: Readonly<Record<string, number>>): readonly Row[] {
  return Object.entries(values).map(([name, value]) => ({ labels: { [label]: name }, value }));
}

function byState({ nodes }: NodeStatus): readonly Row[] {
  const counts = { joining: 0, active: 0, draining: 0, dead: 0 };
  for (const { state } of nodes) counts[state] += 1;
  return by('state', counts);
}
