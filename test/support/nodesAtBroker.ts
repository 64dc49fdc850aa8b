/** Connections to a broker, as several nodes have them. */
import { type BrokerConnection, connectBroker } from '../../transport/nats/connection.ts';
import { rememberingLogger } from './broker.ts';

export async function withNodes<T>(
  url: string,
  count: number,
  use: (nodes: readonly BrokerConnection[]) => Promise<T>,
): Promise<T> {
  const nodes: BrokerConnection[] = [];
  try {
    for (let number = 1; number <= count; number++) {
      nodes.push(await connectBroker({ url, name: `node-${number}`, logger: rememberingLogger() }));
    }
    return await use(nodes);
  } finally {
    await Promise.all(nodes.map((node) => node.close()));
  }
}
