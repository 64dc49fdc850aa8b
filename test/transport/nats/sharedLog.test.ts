import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from 'nats';
import { suite } from 'uvu';
import type { SharedLog } from '../../../actors/kernel/clusterPorts.ts';
import { decodeWire, encodeWire } from '../../../storage/wireCodec.ts';
import { type Broker, startBroker } from '../../../transport/nats/server/broker.ts';
import { openSharedLog } from '../../../transport/nats/sharedLog.ts';
import { sharedLogContract } from '../sharedLogContract.ts';

const log = suite('shared log on one broker');

let broker: Broker;
let clusters = 0;
const folder = mkdtempSync(join(tmpdir(), 'holdfast-shared-log-'));

log.before(async () => {
  broker = await startBroker({ folder });
});
log.after(async () => {
  await broker.stop();
  rmSync(folder, { recursive: true, force: true });
});

type Nodes = {
  readonly cluster: string;
  /** With a connection of its own. */
  node(): Promise<SharedLog>;
  connections: readonly NatsConnection[];
  readonly said: readonly string[];
  close(): Promise<void>;
};

/** Logs of their own on the broker that all tests share. */
function openNodes(): Nodes {
  const cluster = `test${clusters++}`;
  const connections: NatsConnection[] = [];
  const said: string[] = [];
  const say = (_fields: object, text: string): void => void said.push(text);
  return {
    cluster,
    connections,
    said,
    async node() {
      const connection = await connect({ servers: broker.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
      connections.push(connection);
      return openSharedLog({
        broker: { nats: connection, manager: await jetstreamManager(connection) },
        cluster,
        shards: 2,
        replicas: 1,
        wire: { encode: encodeWire, decode: decodeWire },
        now: () => 0,
        logger: { warn: say, error: say },
      });
    },
    async close() {
      for (const connection of connections) await connection.close();
    },
  };
}

sharedLogContract(log, 'one broker', async () => {
  const nodes = openNodes();
  const ready = await Promise.all(Array.from({ length: 6 }, nodes.node));
  return {
    node: () => ready.shift() as SharedLog,
    tooLarge: nodes.connections[0]?.info?.max_payload ?? 0,
    until: (awaited) => awaited,
    close: nodes.close,
  };
});

log.run();
