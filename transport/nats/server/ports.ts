/** Free ports for servers that are killed and come back on the same port. */
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const FIRST = 10_000;
const LAST = 32_000;
const MAX_TRIES = 50;
const OUTGOING = '/proc/sys/net/ipv4/ip_local_port_range';

/** So many different ports of 127.0.0.1 that nobody listened on a moment ago. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  const end = firstOutgoing();
  for (let tries = 0; tries < MAX_TRIES * count && ports.size < count; tries += 1) {
    const port = randomInt(FIRST, end);
    if (!ports.has(port) && (await isFree(port))) ports.add(port);
  }
  if (ports.size < count) throw new Error(`no ${count} free ports between ${FIRST} and ${end}`);
  return [...ports];
}

/**
 * Where the ports begin that this system takes for outgoing connections: while a server is down, such a connection could
 * take its port, and a client that tries to reach it could even connect to itself.
 */
function firstOutgoing(): number {
  try {
    const first = Number.parseInt(readFileSync(OUTGOING, 'utf8'), 10);
    return first > FIRST ? Math.min(first, LAST) : LAST;
  } catch {
    return LAST;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
