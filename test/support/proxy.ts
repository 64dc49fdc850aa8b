/** A way to a broker that can be cut, so that what is under way gets lost without either side knowing at once. */
import { createServer, connect as dial, type Socket } from 'node:net';

export type Proxy = {
  readonly url: string;
  /** What is sent from now on goes nowhere, and no side is told. */
  swallow(): void;
  /** Ends all connections; new ones work. */
  drop(): void;
  close(): void;
};

export async function startProxy(port: number): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let swallowing = false;
  const server = createServer((near) => {
    const far = dial(port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => swallowing || to.write(chunk));
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const drop = (): void => {
    for (const socket of sockets) socket.destroy();
    swallowing = false;
  };
  return {
    url: `nats://127.0.0.1:${address.port}`,
    swallow() {
      swallowing = true;
    },
    drop,
    close() {
      drop();
      server.close();
    },
  };
}
