/**
 * Where connections come in. In each turn of the event loop libuv (1.52) takes one connection of a listening socket: with
 * turns of 40 ms, as under load, a thousand clients that come at once would wait for 40 s. So several sockets listen on the
 * port, where the system can do that, and the system shares out who comes.
 */
import type { Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer, type ListenOptions, type Server, type Socket } from 'node:net';

/** At once, however they came in; one more is closed. */
const MAX_CONNECTIONS = 10_000;
const SOCKETS = process.platform === 'linux' ? 32 : 1;
/** Connections that may wait to be taken; the system may allow fewer. Beyond that a client knocks again only after seconds. */
const BACKLOG = 4_096;

export type Bound = { readonly host: string; readonly port: number; readonly url: string };

export type Doors = {
  /** @throws what the system says when the port can't be had, as when somebody else listens on it */
  open(host: string, port: number): Promise<Bound>;
  /** Takes nobody in any more; resolves when the last one is answered, or cut off after `timeoutMs`. */
  close(timeoutMs: number): Promise<void>;
};

export function createDoors(server: HttpServer, maxConnections = MAX_CONNECTIONS): Doors {
  let inside = 0;
  // Before the server's own listener, which takes whatever it is told of.
  server.prependListener('connection', (socket: Socket) => {
    inside += 1;
    socket.once('close', () => (inside -= 1));
    if (inside > maxConnections) socket.destroy();
  });
  const others = Array.from({ length: SOCKETS - 1 }, () =>
    createServer({ allowHalfOpen: true, noDelay: true }, (socket) => void server.emit('connection', socket)),
  );
  const all: readonly Server[] = [server, ...others];
  return {
    async open(host, port) {
      const shared = { host, backlog: BACKLOG, ...(SOCKETS > 1 && { reusePort: true }) };
      // Another node of the same user, who shares its port as well, would get half of our requests.
      if (port !== 0) await isFree(host, port);
      const bound = await listen(server, { ...shared, port });
      await Promise.all(others.map((other) => listen(other, { ...shared, port: bound })));
      return { host, port: bound, url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}` };
    },
    async close(timeoutMs) {
      if (!server.listening) return;
      const cut = setTimeout(() => server.closeAllConnections(), timeoutMs);
      const closed = all.map((each) => new Promise<void>((resolve) => void each.close(() => resolve())));
      server.closeIdleConnections();
      await Promise.all(closed);
      clearTimeout(cut);
    },
  };
}

async function isFree(host: string, port: number): Promise<void> {
  const probe = createServer();
  await listen(probe, { host, port });
  await new Promise<void>((resolve) => void probe.close(() => resolve()));
}

function listen(server: Server, options: ListenOptions): Promise<number> {
  return new Promise((resolve, refuse) => {
    server.once('error', refuse);
    server.listen(options, () => {
      server.off('error', refuse);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
