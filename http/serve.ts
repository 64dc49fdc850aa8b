/** One node with its edge, from configuration to graceful stop. */
import { setTimeout } from 'node:timers/promises';
import { type Logger, pino } from 'pino';
import { StoreInUse } from '../storage/database.ts';
import { developmentSecret, StoreMismatch } from '../storage/dataFolder.ts';
import { startClusterNode } from '../supervisors/cluster/start.ts';
import { type Config, ConfigError, readConfig } from '../supervisors/config.ts';
import { type Holdfast, startHoldfast } from '../supervisors/holdfast.ts';
import { seedDemo } from '../supervisors/seed.ts';
import { createEdge, type Edge } from './edge.ts';
import { ensureOperator } from './operator.ts';

const DEVELOPMENT_OPERATOR = 'operator@example.com';

/** Starts as the environment says; ends the process with status 1 and the reason when it can't. */
export async function serve(): Promise<void> {
  try {
    const config = readConfig(process.env);
    const logger = createLogger(config);
    const shop = await openShop(config, logger);
    const edge = createEdgeOf(config, shop, logger);
    stopOnSignals({ shop, edge, logger, pauseMs: config.STOP_PAUSE_MS });
    const { products, password } = await prepare(config, shop, edge);
    const { url } = await edge.start().catch((error: unknown) => {
      // It was made by this start and can't be shown by the next.
      if (password !== undefined) process.stdout.write(`${operatorLine(config, password)}\n`);
      throw unusable('HOST, PORT', error);
    });
    logger.info({ url, shards: config.SHARDS, dataDir: config.DATA_DIR, clock: config.CLOCK }, 'Holdfast is ready');
    if (config.NODE_ENV === 'development') process.stdout.write(banner(url, config, products, password));
  } catch (error) {
    die(error);
  }
}

/** What the settings, the folder or the broker are to blame for is said in one line; anything else with where it happened. */
function die(error: unknown): never {
  const own = error instanceof ConfigError || error instanceof StoreMismatch || error instanceof StoreInUse;
  const expected = own || (error instanceof Error && 'retryable' in error);
  process.stderr.write(`${expected ? error.message : error instanceof Error ? error.stack : error}\n`);
  process.exit(1);
}

async function openShop(config: Config, logger: Logger): Promise<Holdfast> {
  try {
    return config.NATS_URL === undefined ? startHoldfast(config, logger) : await startClusterNode(config, logger, die);
  } catch (error) {
    throw unusable('DATA_DIR', error);
  }
}

/** What is well-formed and yet can't be used on this machine is named like any other wrong value. */
function unusable(settings: string, error: unknown): unknown {
  const refused = error instanceof Error && 'code' in error && /^(E[A-Z]+|SQLITE_\w+)$/.test(String(error.code));
  return refused ? new ConfigError(`wrong configuration:\n  ${settings}: ${error.message}`) : error;
}

function createLogger(config: Config): Logger {
  const readable = config.NODE_ENV === 'development' && process.stdout.isTTY;
  return pino({
    level: config.LOG_LEVEL,
    base: { node: config.NODE_NAME },
    ...(readable && { transport: { target: 'pino-pretty', options: { ignore: 'pid,node' } } }),
  });
}

function createEdgeOf(config: Config, shop: Holdfast, logger: Logger): Edge {
  const made = () => (config.AUTH_JWKS_URL ? undefined : developmentSecret(config.DATA_DIR));
  const auth = config.AUTH_SECRET ?? shop.authSecret ?? made();
  return createEdge({
    shop,
    policy: shop.policy,
    ids: shop.ids,
    logger,
    registry: shop.telemetry.registry,
    secrets: {
      ids: shop.idSecret,
      ...(auth !== undefined && { auth }),
      ...(config.AUTH_JWKS_URL !== undefined && { jwksUrl: config.AUTH_JWKS_URL }),
    },
    config: {
      host: config.HOST,
      port: config.PORT,
      trustedHops: config.TRUST_PROXY,
      requestsPerMinute: config.RATE_LIMIT,
    },
  });
}

/** What a first start makes: the operator's account, and in development something to sell. */
async function prepare(config: Config, shop: Holdfast, edge: Edge): Promise<{ products: number; password?: string }> {
  const { OPERATOR_EMAIL, OPERATOR_PASSWORD, NODE_ENV } = config;
  const seed = config.SEED ?? (NODE_ENV === 'development' && shop.isNew ? 'demo' : 'none');
  const products = seed === 'demo' ? await seedDemo(shop) : 0;
  shop.prepared();
  if (OPERATOR_EMAIL === undefined && NODE_ENV === 'production') return { products };
  const { generatedPassword } = await ensureOperator(edge.services, {
    email: OPERATOR_EMAIL ?? DEVELOPMENT_OPERATOR,
    ...(OPERATOR_PASSWORD !== undefined && { password: OPERATOR_PASSWORD }),
  });
  return { products, ...(generatedPassword !== undefined && { password: generatedPassword }) };
}

function banner(url: string, config: Config, products: number, password: string | undefined): string {
  const lines = [
    '',
    `  Holdfast  ${url}`,
    '',
    ...(products > 0 ? [`  ${products} demo products are on sale`] : []),
    `  Read and try the API   ${url}/docs`,
    ...(password === undefined ? [] : [operatorLine(config, password)]),
    '',
    `  Try:  curl '${url}/v1/products?q=tea&limit=3'`,
    '',
    '',
  ];
  return lines.join('\n');
}

function operatorLine({ OPERATOR_EMAIL }: Config, password: string): string {
  return `  Operator (shown once)  ${OPERATOR_EMAIL ?? DEVELOPMENT_OPERATOR}  ${password}`;
}

type Stopping = {
  readonly shop: Holdfast;
  readonly edge: Edge;
  readonly logger: Logger;
  readonly pauseMs: number;
};

/** First signal: finish what is under way, lose nothing. Second: leave at once, as a crash would; nothing is lost either. */
function stopOnSignals({ shop, edge, logger, pauseMs }: Stopping): void {
  let stopping = false;
  const onSignal = async (signal: NodeJS.Signals): Promise<void> => {
    if (stopping) process.exit(1);
    stopping = true;
    logger.info({ signal, pauseMs }, 'stopping: no new requests, those under way are finished');
    edge.leave();
    // While others take its shards over, and balancers notice, it goes on answering.
    await Promise.all([shop.drain?.(), setTimeout(pauseMs)]);
    await edge.stop();
    await shop.stop();
    logger.info('stopped');
    process.exit(0);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}
