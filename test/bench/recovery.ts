/** How long a server that was killed under load takes to be ready again, and whether it kept what it had acknowledged. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Server } from '../support/server.ts';
import { createBuyers, orderIdOf, type Placed, refusal } from './buyers.ts';
import { type Outcome, outcomeOf } from './express.ts';
import { createHttp } from './http.ts';
import { startBenchServer, stopServer, writeAheadBytes } from './server.ts';

const KILLS = 3;
const LOAD_MS = 2_000;
const WAIT_SECONDS = 10;

export type Recovery = {
  /** After a graceful stop, for comparison. */
  readonly plainReadyMs: number;
  readonly kills: readonly {
    readonly readyMs: number;
    readonly acknowledged: number;
    readonly writeAheadBytes: number;
  }[];
  readonly outcome: Outcome;
};

export async function recovery(folder: string, skus: readonly string[], inFlight: number): Promise<Recovery> {
  let server = await startBenchServer(folder);
  const plainReadyMs = server.readyMs;
  const placed: Placed[] = [];
  const kills: Recovery['kills'][number][] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    const before = placed.length;
    await loadUntilKilled(server, skus, inFlight, placed);
    const written = writeAheadBytes(folder);
    server = await startBenchServer(folder);
    kills.push({ readyMs: server.readyMs, acknowledged: placed.length - before, writeAheadBytes: written });
  }
  const http = createHttp(server.url, inFlight);
  const outcome = await outcomeOf(http, placed);
  http.close();
  await stopServer(server);
  return { plainReadyMs, kills, outcome };
}

/** The closed loop of express orders, cut off in the middle. */
async function loadUntilKilled(
  server: Server,
  skus: readonly string[],
  inFlight: number,
  placed: Placed[],
): Promise<void> {
  const http = createHttp(server.url, inFlight);
  const buyers = await createBuyers(http, skus);
  let killed = false;
  const clients = Array.from({ length: inFlight }, async () => {
    while (!killed) {
      const { answer, token } = await buyers.place(WAIT_SECONDS);
      if (refusal(answer) === undefined) placed.push({ orderId: orderIdOf(answer), token });
    }
  });
  const ended = Promise.allSettled(clients);
  await pause(LOAD_MS);
  killed = true;
  await server.kill('SIGKILL');
  await ended;
  http.close();
}
