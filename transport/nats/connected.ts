/** Waiting out a lost connection. What is published while there is none is thrown away by the client or comes too late. */
import { setTimeout as pause } from 'node:timers/promises';
import type { NatsConnection } from 'nats';

const POLL_MS = 25;

/** The client knows nothing about its broker while it has none. */
export function isConnected(nc: NatsConnection): boolean {
  return nc.info !== undefined && !nc.isClosed();
}

/** Resolves once the connection is up, closed for good, `until` (monotonic ms) has passed, or the signal aborts. */
export async function untilConnected(nc: NatsConnection, until: number, signal?: AbortSignal): Promise<void> {
  while (!isConnected(nc) && !nc.isClosed() && !signal?.aborted && performance.now() < until) await pause(POLL_MS);
}
