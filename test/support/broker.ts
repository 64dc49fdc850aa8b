/** Brokers for tests: real ones in folders that go with them, and fake ones that say what they are told to. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import type { BrokerLogger } from '../../transport/nats/connection.ts';
import { type Broker, type BrokerOptions, startBroker } from '../../transport/nats/server/broker.ts';
import { type Brokers, startBrokers } from '../../transport/nats/server/brokers.ts';

const WAIT_DEADLINE_MS = 30_000;
const POLL_MS = 10;

export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), 'holdfast-broker-'));

/** A broker that is gone, with its folder, once `use` has ended. */
export async function withBroker<T>(
  use: (broker: Broker) => Promise<T>,
  options: Omit<BrokerOptions, 'folder'> = {},
): Promise<T> {
  const folder = temporaryFolder();
  try {
    const broker = await startBroker({ folder, ...options });
    try {
      return await use(broker);
    } finally {
      await broker.kill();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export async function withBrokers<T>(count: number, use: (brokers: Brokers) => Promise<T>): Promise<T> {
  const folder = temporaryFolder();
  try {
    const brokers = await startBrokers(count, { folder });
    try {
      return await use(brokers);
    } finally {
      await Promise.all(brokers.all.map((broker) => broker.kill()));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Waits until the condition holds; fails with what was waited for. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + WAIT_DEADLINE_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not in ${WAIT_DEADLINE_MS / 1_000} s: ${what}`);
    await pause(POLL_MS);
  }
}

export type LoggedLine = { readonly level: 'info' | 'warn' | 'error'; readonly text: string };

export function rememberingLogger(): BrokerLogger & { readonly lines: readonly LoggedLine[] } {
  const lines: LoggedLine[] = [];
  const remember =
    (level: LoggedLine['level']) =>
    (_fields: object, text: string): void =>
      void lines.push({ level, text });
  return { lines, info: remember('info'), warn: remember('warn'), error: remember('error') };
}

export type FakeBroker = {
  readonly url: string;
  /** Pings that wait for `answerHeld`; all of them once `hold` was called. */
  readonly held: number;
  hold(): void;
  /** Answers those that wait now, and goes on holding. */
  answerHeld(): void;
  release(): void;
};

/** Speaks as much of the protocol as connecting takes, and says that it is of that version. */
export async function withFakeBroker<T>(version: string, use: (broker: FakeBroker) => Promise<T>): Promise<T> {
  const sockets = new Set<Socket>();
  const info = { server_id: 'fake', version, headers: true, jetstream: true, max_payload: 1_048_576 };
  const held: Socket[] = [];
  let holding = false;
  const answer = (socket: Socket, line: string): void => {
    if (line === 'PING' && holding) held.push(socket);
    else if (line === 'PING') socket.write('PONG\r\n');
    const asked = /^H?PUB \$JS\.API\.INFO (\S+)/.exec(line);
    // The client's only subscription is the one for answers.
    if (asked !== null) socket.write(`MSG ${asked[1]} 1 2\r\n{}\r\n`);
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.write(`INFO ${JSON.stringify(info)}\r\n`);
    createInterface({ input: socket }).on('line', (line) => answer(socket, line));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const answerHeld = (): void => {
    for (const socket of held.splice(0)) socket.write('PONG\r\n');
  };
  try {
    return await use({
      url: `nats://127.0.0.1:${address.port}`,
      get held() {
        return held.length;
      },
      hold() {
        holding = true;
      },
      answerHeld,
      release() {
        holding = false;
        answerHeld();
      },
    });
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}
