/** Everything that a node has of its broker, opened in the order in which it depends on each other. */
import type { Heartbeat, SharedLog } from '../../actors/kernel/clusterPorts.ts';
import { decodeWire, encodeWire } from '../../storage/wireCodec.ts';
import { createNatsCalls, type NatsCalls } from '../../transport/nats/calls.ts';
import type { BrokerConnection } from '../../transport/nats/connection.ts';
import { createNatsInbox, type NatsInbox } from '../../transport/nats/inbox.ts';
import type { ClusterSettings } from '../../transport/nats/settings.ts';
import { openSharedLog } from '../../transport/nats/sharedLog.ts';
import { openSharedLedger } from '../../transport/nats/vendor/sharedLedger.ts';
import type { SimulatorLedger } from '../../transport/payment/ledger.ts';
import type { Ground } from '../home.ts';
import { version } from '../version.ts';

export type Broker = {
  readonly log: SharedLog;
  readonly inbox: NatsInbox;
  readonly calls: NatsCalls;
  readonly settings: ClusterSettings;
  readonly ledger: SimulatorLedger;
  readonly self: Pick<Heartbeat, 'node' | 'version' | 'address'>;
  readonly connection: BrokerConnection;
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
  return {
    log,
    inbox: createNatsInbox(link),
    calls: createNatsCalls(link),
    settings,
    ledger,
    self: { node, version, address: `http://${HOST}:${PORT}` },
    connection,
    isNew: settings.brought !== true && ends.every((end) => end === 0),
  };
}
