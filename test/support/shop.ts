/** A whole shop in this process: real SQLite in a temporary folder, real HTTP on a free port, the demo catalog. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import type { Policy } from '../../actors/policy.ts';
import { createEdge, type Edge } from '../../http/edge.ts';
import { ensureOperator } from '../../http/operator.ts';
import { type Config, readConfig } from '../../supervisors/config.ts';
import { type Holdfast, type Replacements, startHoldfast } from '../../supervisors/holdfast.ts';
import { seedDemo } from '../../supervisors/seed.ts';
import { type Client, createClient } from './client.ts';
import { OPERATOR } from './server.ts';

export type TestShop = Client & {
  readonly url: string;
  readonly shop: Holdfast;
  readonly edge: Edge;
  /** Where its data is: its own temporary folder, unless DATA_DIR names another. */
  readonly folder: string;
  /** Moves business time on (virtual clock only). */
  advance(ms: number): Promise<void>;
  /** Waits for a condition over the public interface. */
  // biome-ignore lint/suspicious/noExplicitAny: bodies are whatever the server says
  until(path: string, token: string, holds: (body: any) => boolean): Promise<any>;
  close(): Promise<void>;
};

export type TestShopOptions = {
  readonly env?: Readonly<Record<string, string>>;
  readonly seed?: boolean;
  readonly policy?: Policy;
  readonly edge?: Partial<Parameters<typeof createEdge>[0]['config']>;
  readonly replacements?: Replacements;
};

export const AUTH_SECRET = 'a secret for tests, nowhere else';
const UNTIL_MS = 15_000;
/** Cheap on purpose: tests sign in often. */
const PASSWORD_COST = { logN: 4, r: 8, p: 1 };

export async function startShop(options: TestShopOptions = {}): Promise<TestShop> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-shop-'));
  const config: Config = readConfig({ NODE_ENV: 'test', DATA_DIR: folder, AUTH_SECRET, ...options.env });
  const logger = pino({ level: process.env['TEST_LOG'] ?? 'silent' });
  const shop = startHoldfast(config, logger, options.policy, options.replacements);
  return serveShop(shop, config, logger, { ...options, folders: [folder] });
}

type Serving = Pick<TestShopOptions, 'seed' | 'edge'> & {
  /** Removed at the end. */
  readonly folders: readonly string[];
};

/** Puts the edge before a node that runs. */
export async function serveShop(
  shop: Holdfast,
  config: Config,
  logger: Logger,
  { seed = true, edge: edgeOptions, folders }: Serving,
): Promise<TestShop> {
  const edge = createEdge({
    shop,
    policy: shop.policy,
    ids: shop.ids,
    logger,
    registry: shop.telemetry.registry,
    secrets: { ids: shop.idSecret, auth: AUTH_SECRET },
    config: {
      host: '127.0.0.1',
      port: config.NATS_URL === undefined ? 0 : config.PORT,
      passwordCost: PASSWORD_COST,
      trustedHops: config.TRUST_PROXY,
      ...edgeOptions,
    },
  });
  if (seed) await seedDemo(shop);
  await ensureOperator(edge.services, OPERATOR);
  const { url } = await edge.start();
  const client = createClient(url);
  return {
    ...client,
    url,
    shop,
    edge,
    folder: config.DATA_DIR,
    async advance(ms) {
      if (!shop.advanceClock) throw new Error('this shop has a real clock');
      await shop.advanceClock(ms);
    },
    async until(path, token, holds) {
      const deadline = performance.now() + UNTIL_MS;
      for (;;) {
        const { body } = await client.call('GET', path, { token });
        if (holds(body)) return body;
        if (performance.now() > deadline) throw new Error(`still: ${JSON.stringify(body)}`);
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    async close() {
      await edge.stop();
      await shop.stop();
      for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    },
  };
}
