/** Shared logs over real brokers, for tests: each node with a connection of its own. */

import type { SharedLog } from '../../actors/kernel/clusterPorts.ts';
import { decodeWire, encodeWire } from '../../storage/wireCodec.ts';
import { type BrokerConnection, type BrokerCredentials, connectBroker } from '../../transport/nats/connection.ts';
import { openSharedLog } from '../../transport/nats/sharedLog.ts';
import type { SharedLogsUnderTest } from '../transport/sharedLogContract.ts';
import { rememberingLogger } from './broker.ts';

export type BrokerNode = { readonly log: SharedLog; readonly broker: BrokerConnection };

export type BrokerLogs = {
  readonly cluster: string;
  /** What followers told operators. */
  readonly said: () => string;
  node(url?: string): Promise<BrokerNode>;
  /** That many, started at the same time; with the ways to close them for a contract. */
  contract(nodes: number): Promise<SharedLogsUnderTest>;
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
  const logs: BrokerLogs = {
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
    async contract(nodes) {
      const started = await Promise.allSettled(Array.from({ length: nodes }, () => logs.node()));
      const ready = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      const failure = started.find((each) => each.status === 'rejected');
      if (failure) {
        await logs.close();
        throw failure.reason;
      }
      const tooLarge = ready[0]?.broker.nats.info?.max_payload ?? 0;
      const node = (): SharedLog => {
        const next = ready.shift();
        if (!next) throw new Error(`the contract uses more than ${nodes} nodes`);
        return next.log;
      };
      return { node, tooLarge, until: (awaited) => awaited, close: logs.close };
    },
    async close() {
      for (const { nats } of connections) await nats.close();
    },
  };
  return logs;
}
