/** A way to a broker that can be cut or made slow, so that what is under way gets lost without either side knowing at once. */
import { createServer, connect as dial, type Socket } from 'node:net';

export type Proxy = {
  readonly url: string;
  /** What is sent from now on goes nowhere, and no side is told. */
  swallow(): void;
  /** Goes on as if nothing had been lost. */
  pass(): void;
  /** What a node sent and was swallowed, in chunks. */
  readonly swallowed: number;
  /** What is sent from now on arrives so much later, in ms, each way; 0 ends it. */
  slow(ms: number): void;
  /** Ends all connections; new ones work. */
  drop(): void;
  close(): void;
};

export async function startProxy(port: number): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let swallowing = false;
  let swallowed = 0;
  let delayMs = 0;
  const server = createServer((near) => {
    const far = dial(port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      const forward = inOrder(to);
      from.on('data', (chunk) => {
        if (!swallowing) forward(chunk, delayMs);
        else if (from === near) swallowed += 1;
      });
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
    pass() {
      swallowing = false;
    },
    get swallowed() {
      return swallowed;
    },
    slow(ms) {
      delayMs = ms;
    },
    drop,
    close() {
      drop();
      server.close();
    },
  };
}

/** Passes chunks on late, and none of them before one that came earlier. */
function inOrder(to: Socket): (chunk: Buffer, delayMs: number) => void {
  const waiting: { readonly chunk: Buffer; readonly at: number }[] = [];
  const deliver = (): void => {
    while (waiting[0] && waiting[0].at <= performance.now()) {
      const due = waiting.shift();
      if (due && !to.destroyed) to.write(due.chunk);
    }
    if (waiting[0]) setTimeout(deliver, waiting[0].at - performance.now()).unref();
  };
  return (chunk, delayMs) => {
    if (delayMs === 0 && waiting.length === 0) {
      to.write(chunk);
      return;
    }
    waiting.push({ chunk, at: performance.now() + delayMs });
    if (waiting.length === 1) setTimeout(deliver, delayMs).unref();
  };
}
