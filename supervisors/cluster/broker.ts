/** Everything that a node has of its broker, opened in the order in which it depends on each other. */
import type { Following, Heartbeat, LogPosition, SharedLog } from '../../actors/kernel/clusterPorts.ts';
import { decodeWire, encodeWire } from '../../storage/wireCodec.ts';
import { createNatsCalls, type NatsCalls } from '../../transport/nats/calls.ts';
import { type CheckpointShelf, openCheckpoints } from '../../transport/nats/checkpoints.ts';
import type { BrokerConnection } from '../../transport/nats/connection.ts';
import { answerDiscovery, type DiscoveryOptions } from '../../transport/nats/discovery.ts';
import { createNatsInbox, type NatsInbox } from '../../transport/nats/inbox.ts';
import type { ClusterSettings } from '../../transport/nats/settings.ts';
import { openSharedLog, trimLog } from '../../transport/nats/sharedLog.ts';
import { openSharedLedger } from '../../transport/nats/vendor/sharedLedger.ts';
import type { SimulatorLedger } from '../../transport/payment/ledger.ts';
import type { Ground } from '../home.ts';
import { version } from '../version.ts';

export type Broker = {
  readonly log: SharedLog;
  readonly inbox: NatsInbox;
  readonly calls: Omit<NatsCalls, 'served'>;
  readonly settings: ClusterSettings;
  readonly ledger: SimulatorLedger;
  readonly self: Pick<Heartbeat, 'node' | 'version' | 'address'>;
  readonly connection: Pick<BrokerConnection, 'connected' | 'lastContact' | 'close'>;
  /** Where the nodes put their checkpoints. @throws what `openCheckpoints` throws */
  shelf(): Promise<CheckpointShelf>;
  /** Nothing of the shard's log up to the position is needed any more. @throws what `trimLog` throws */
  trim(shard: number, upTo: LogPosition): Promise<void>;
  /** Lets an operator find this node with the broker's own tool. */
  answerDiscovery(about: Pick<DiscoveryOptions, 'incarnation' | 'startedAt'>): Following;
  /** Nothing was ever written to any of the logs, nor does anybody bring a shop. */
  readonly isNew: boolean;
};

/** @throws what `ensureStream` throws; GatewayUnavailable when the vendor's books can't be reached */
export async function openBroker(
  { config, clock, entries, logger }: Ground,
  connection: BrokerConnection,
  settings: ClusterSettings,
): Promise<Broker> {
  const { CLUSTER: cluster, REPLICAS: replicas, SHARDS: shards, NODE_NAME: node, HOST, PORT } = config;
  const link = { broker: connection, cluster, replicas, logger };
  const wire = { encode: encodeWire, decode: decodeWire };
  const log = await openSharedLog({ ...link, shards, wire, now: clock.now });
  const ledger = await openSharedLedger({ link: connection, cluster, replicas, entries });
  const ends = await Promise.all(Array.from({ length: shards }, (_, shard) => log.end(shard)));
  const calls = createNatsCalls(link);
  const self = { node, version, address: `http://${HOST}:${PORT}` };
  return {
    log,
    inbox: createNatsInbox(link),
    calls,
    settings,
    ledger,
    self,
    connection,
    shelf: () => openCheckpoints(connection, { cluster, replicas }),
    trim: (shard, upTo) => trimLog(connection.manager, cluster, shard, upTo),
    answerDiscovery: (about) => answerDiscovery({ ...link, ...self, ...about, calls }),
    isNew: settings.brought !== true && ends.every((end) => end === 0),
  };
}
