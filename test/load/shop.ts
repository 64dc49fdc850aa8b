/** The shop that is loaded: one node alone or some over one broker, real processes with folders that go with them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Broker, startBroker } from '../../transport/nats/server/broker.ts';
import { freePorts } from '../../transport/nats/server/ports.ts';
import { type Client, createClient } from '../support/client.ts';
import { type Server, startServer } from '../support/server.ts';

const READY_DEADLINE_MS = 120_000;
const REMOVE_TRIES = 5;
const FAILURE = /"level":(50|60)/;
const MAX_FAILURES = 20;
export const WAREHOUSE = 'wh-east';
export const PLENTY = 1_000_000;
export const FEW = 50;
const PRODUCTS = 40;
const AT_ONCE = 8;
const PRICE = 1_250;

export type LoadedNode = { readonly name: string; readonly url: string; readonly folder: string; readonly pid: number };

export type LoadedShop = {
  readonly nodes: readonly LoadedNode[];
  readonly broker?: Broker;
  /** The newest lines of the nodes' logs that tell of a failure. */
  failures(): readonly string[];
  /** SIGKILL for all nodes at once, then all are started again. */
  crash(): Promise<void>;
  close(): Promise<void>;
};

/** @param count 0 for a node alone @throws when a process isn't ready in time; nothing is left running then */
export async function startShop(count: number): Promise<LoadedShop> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-load-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: REMOVE_TRIES });
  process.on('exit', remove);
  const broker = count === 0 ? undefined : await startBroker({ folder: join(folder, 'broker') });
  const names = Array.from({ length: Math.max(1, count) }, (_, index) => `node-${index + 1}`);
  const ports = await freePorts(names.length);
  const servers = new Map<string, Server>();

  async function start(): Promise<void> {
    const started = names.map(async (name, index) => {
      const shared = broker && { NATS_URL: broker.url, NODE_NAME: name };
      const env = { LOG_LEVEL: 'warn', SEED: 'none', CLOCK: 'real', ...shared };
      const port = ports[index] ?? 0;
      servers.set(name, await startServer({ folder: join(folder, name), port, env, deadlineMs: READY_DEADLINE_MS }));
    });
    await Promise.all(started);
  }

  const failures: string[] = [];
  const collect = (): void => {
    for (const { log } of servers.values()) failures.push(...log.filter((line) => FAILURE.test(line)));
    failures.splice(0, failures.length - MAX_FAILURES);
  };

  async function kill(): Promise<void> {
    collect();
    await Promise.all([...servers.values()].map((server) => server.kill()));
  }

  async function close(): Promise<void> {
    await kill();
    await broker?.kill();
    process.off('exit', remove);
    remove();
  }

  try {
    await start();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    get nodes() {
      return [...servers].map(([name, { url, folder: own, pid }]) => ({ name, url, folder: own, pid }));
    },
    ...(broker && { broker }),
    failures: () => failures,
    async crash() {
      await kill();
      await start();
    },
    close,
  };
}

export type Shelf = { readonly skus: readonly string[]; readonly scarce: string };

/** Products with more than anybody orders, and one with less; their stock has still to be received. */
export async function createProducts(client: Client, token: string): Promise<Shelf> {
  const skus = Array.from({ length: PRODUCTS }, (_, index) => `LOAD-${index + 1}`);
  const scarce = 'LOAD-SCARCE';
  const queue = [...skus, scarce];
  const works = Array.from({ length: AT_ONCE }, async () => {
    for (let sku = queue.shift(); sku !== undefined; sku = queue.shift()) await createProduct(client, token, sku);
  });
  await Promise.all(works);
  return { skus, scarce };
}

async function createProduct(client: Client, token: string, sku: string): Promise<void> {
  const path = `/v1/admin/products/${sku}`;
  const details = { name: sku, description: 'To be ordered a lot.', category: 'Load', tags: [] };
  const created = await client.call('PUT', path, { token, body: details });
  const headers = { 'if-match': created.headers.get('etag') ?? '' };
  const priced = await client.call('PUT', `${path}/price`, {
    token,
    headers,
    body: { amount: PRICE, currency: 'USD' },
  });
  if (priced.status >= 300) throw new Error(`${path}: ${priced.status} ${JSON.stringify(priced.body)}`);
}

export async function operatorOf({ nodes }: LoadedShop): Promise<{ client: Client; token: string }> {
  const client = createClient(nodes[0]?.url ?? '');
  return { client, token: await client.staff() };
}
