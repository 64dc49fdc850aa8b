/** What `npm run cluster` is to start, from its arguments and the environment: looked through before anything is started. */
import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ConfigError, readConfig } from '../../supervisors/config.ts';
import { freePorts } from '../../transport/nats/server/ports.ts';
import { nodeUrl } from '../nodeClient.ts';

const DEFAULT_FOLDER = './data/cluster';
const DEFAULT_NODES = 3;
const MAX_NODES = 16;
const BROKER_COUNTS: readonly number[] = [1, 3, 5];
/** Each of several brokers is `broker-1` and so on, and its folder has that name. */
const BROKER_FOLDER = /^broker-\d+$/;
/** The launcher's own business: a value from outside would mean something that it can't keep. */
const OWN_SETTINGS: Readonly<Record<string, string>> = {
  NATS_URL: 'npm run cluster starts brokers of its own; to use others, start each node by npm start',
  NATS_CREDS: 'the brokers that npm run cluster starts know no users',
  NODE_NAME: 'the nodes are named node-1, node-2 and so on',
};

export const USAGE = `Usage: npm run cluster -- [--nodes 3] [--brokers 1]

  --nodes    how many nodes, 1 to ${MAX_NODES}; they listen on PORT (3000), the next one on PORT + 1 and so on; PORT=0: on free ports
  --brokers  how many nats-servers keep each log: 1, 3 or 5; fixed once there is data

Everything is in DATA_DIR (${DEFAULT_FOLDER}). The nodes take the same environment variables as npm start.`;

export type Environment = Readonly<Record<string, string | undefined>>;

export type NodePlan = {
  readonly name: string;
  readonly url: string;
  /** All but NATS_URL, which is known once the brokers run. */
  readonly environment: Environment;
};

export type ClusterPlan = {
  /** Of everything that the cluster stores. */
  readonly folder: string;
  readonly brokers: number;
  readonly nodes: readonly NodePlan[];
};

type Arguments = { readonly help: boolean; readonly nodes: number; readonly brokers?: number };

/** @throws ConfigError with what can't be understood and how it is meant to be */
export function readArguments(given: readonly string[]): Arguments {
  const texts = { nodes: { type: 'string' }, brokers: { type: 'string' }, help: { type: 'boolean' } } as const;
  const { values } = parsed(() => parseArgs({ args: [...given], options: texts }));
  const nodes = values.nodes === undefined ? DEFAULT_NODES : wholeNumber(values.nodes);
  if (nodes === undefined || nodes < 1 || nodes > MAX_NODES) throw wrongUse(`--nodes: must be 1 to ${MAX_NODES}`);
  if (values.brokers === undefined) return { help: values.help ?? false, nodes };
  const brokers = wholeNumber(values.brokers);
  if (brokers === undefined || !BROKER_COUNTS.includes(brokers)) throw wrongUse('--brokers: must be 1, 3 or 5');
  return { help: values.help ?? false, nodes, brokers };
}

function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw wrongUse(error instanceof Error ? error.message : String(error));
  }
}

const wholeNumber = (text: string): number | undefined => (/^\d{1,3}$/.test(text) ? Number(text) : undefined);
const wrongUse = (reason: string): ConfigError => new ConfigError(`${reason}\n\n${USAGE}`);

/** @throws ConfigError naming each wrong setting, a port that is taken, or data that were made with other brokers */
export async function planCluster(
  { nodes, brokers: asked }: Arguments,
  environment: Environment,
): Promise<ClusterPlan> {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const problems = Object.entries(OWN_SETTINGS).filter(([name]) => given[name] !== undefined);
  if (problems.length > 0) {
    const lines = problems.map(([name, reason]) => `\n  ${name}: ${reason}`);
    throw new ConfigError(`wrong configuration:${lines.join('')}`);
  }
  const folder = given['DATA_DIR'] ?? DEFAULT_FOLDER;
  const brokers = brokersOf(folder, asked);
  const { HOST, PORT } = readConfig(environmentOf(1, { given, folder, brokers, port: given['PORT'] ?? '' }));
  const ports = PORT === 0 ? await freePorts(nodes) : Array.from({ length: nodes }, (_, index) => PORT + index);
  const taken: string[] = [];
  for (const [index, port] of ports.entries()) {
    const reason = await cannotListen(port, HOST);
    if (reason !== undefined) taken.push(`\n  port ${port} of node-${index + 1}: ${reason}`);
  }
  if (taken.length > 0)
    throw new ConfigError(`PORT=<first one> or PORT=0 (free ones) gives the nodes other ports:${taken.join('')}`);
  return {
    folder,
    brokers,
    nodes: ports.map((port, index) => ({
      name: `node-${index + 1}`,
      url: nodeUrl(HOST, port),
      environment: environmentOf(index + 1, { given, folder, brokers, port: String(port) }),
    })),
  };
}

type Common = {
  readonly given: Environment;
  readonly folder: string;
  readonly brokers: number;
  readonly port: string;
};

function environmentOf(number: number, { given, folder, brokers, port }: Common): Environment {
  const name = `node-${number}`;
  const replicas = given['REPLICAS'] ?? String(brokers);
  if (Number(replicas) > brokers) {
    throw new ConfigError(`wrong configuration:\n  REPLICAS: ${replicas} need as many brokers: --brokers ${replicas}`);
  }
  // The address is a stand-in for what is known later, so that the settings can be looked through as a whole.
  const cluster = { NATS_URL: 'nats://127.0.0.1', REPLICAS: replicas, NODE_NAME: name };
  return { ...given, ...cluster, PORT: port, DATA_DIR: join(folder, name) };
}

/** Where brokers have kept data, those are needed: each log lives on a majority of them. */
function brokersOf(folder: string, asked: number | undefined): number {
  const there = existsSync(folder) ? readdirSync(folder).filter((name) => BROKER_FOLDER.test(name)).length : 0;
  if (there === 0) return asked ?? 1;
  if (asked !== undefined && asked !== there) {
    throw new ConfigError(
      `--brokers: the cluster in ${folder} was made with ${there}; leave it out, or give another DATA_DIR`,
    );
  }
  return there;
}

/** Why nobody can listen there; undefined when that is possible. */
function cannotListen(port: number, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve('code' in error && error.code === 'EADDRINUSE' ? 'taken' : error.message));
    if (port > 65_535) resolve('there are no ports above 65535');
    else server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}
