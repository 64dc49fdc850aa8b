import type { Logger } from 'pino';
import { connectBroker } from '../../transport/nats/connection.ts';
import { type Config, configuredPolicy } from '../config.ts';
import { assembleHoldfast, type Holdfast } from '../holdfast.ts';
import { openGround } from '../home.ts';
import { version } from '../version.ts';
import { openBroker } from './broker.ts';
import { createClusterHome } from './clusterHome.ts';
import { fromCheckpoint } from './fromCheckpoint.ts';
import { joinCluster } from './join.ts';
import { shareShop } from './shareShop.ts';

/**
 * Starts a node that shares its shop with others, over the broker of NATS_URL. It owns shards some moments later.
 * @param end is called when this node must not go on: another one has its name
 * @throws StoreMismatch, StoreInUse; what `connectBroker`, `joinCluster` and `openBroker` throw: each says what to do
 */
export async function startClusterNode(config: Config, logger: Logger, end: (error: Error) => void): Promise<Holdfast> {
  const { NATS_URL = '', NATS_CREDS, NODE_NAME, REPLICAS } = config;
  const connection = await connectBroker({
    url: NATS_URL,
    ...(NATS_CREDS !== undefined && { credentials: { credsFile: NATS_CREDS } }),
    name: NODE_NAME,
    replicas: REPLICAS,
    logger,
  });
  try {
    const joined = await joinCluster(connection, config, { version, now: Date.now() });
    const { settings } = joined;
    const folder = await fromCheckpoint(connection, config, joined, logger);
    const ground = openGround(config, logger, configuredPolicy(config), folder);
    const broker = await openBroker(ground, connection, settings);
    await shareShop(ground, broker, connection);
    return assembleHoldfast(ground, createClusterHome(ground, broker, end));
  } catch (error) {
    await connection.close();
    throw error;
  }
}
