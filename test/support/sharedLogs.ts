/** Shared logs over real brokers, for tests: each node with a connection of its own. */

import type { SharedLog } from '../../actors/kernel/clusterPorts.ts';
import { decodeWire, encodeWire } from '../../storage/wireCodec.ts';
import { type BrokerConnection, type BrokerCredentials, connectBroker } from '../../transport/nats/connection.ts';
import { openSharedLog } from '../../transport/nats/sharedLog.ts';
import { rememberingLogger } from './broker.ts';

export type BrokerNode = { readonly log: SharedLog; readonly broker: BrokerConnection };

export type BrokerLogs = {
  readonly cluster: string;
  /** What followers told operators. */
  readonly said: () => string;
  node(url?: string): Promise<BrokerNode>;
  close(): Promise<void>;
};

export type BrokerLogsOptions = {
  readonly url: string;
  readonly replicas: number;
  readonly duplicateWindowMs?: number;
  readonly credentials?: BrokerCredentials;
};

let clusters = 0;

/** Logs that no other test has. */
export function openBrokerLogs({ url, credentials, ...options }: BrokerLogsOptions): BrokerLogs {
  const cluster = `test${clusters++}`;
  const logger = rememberingLogger();
  const connections: BrokerConnection[] = [];
  return {
    cluster,
    said: () => logger.lines.map(({ text }) => text).join('\n'),
    async node(through = url) {
      const broker = await connectBroker({
        url: through,
        name: cluster,
        logger,
        replicas: options.replicas,
        ...(credentials && { credentials }),
      });
      connections.push(broker);
      const wire = { encode: encodeWire, decode: decodeWire };
      const log = await openSharedLog({ broker, cluster, shards: 2, wire, now: () => 0, logger, ...options });
      return { log, broker };
    },
    async close() {
      for (const { nats } of connections) await nats.close();
    },
  };
}
