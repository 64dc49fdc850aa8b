/** One cluster under load, hurt in one way after another; at the end its books are checked at every node. */
import { setTimeout as pause } from 'node:timers/promises';
import { createSeededIds } from '../../supervisors/ids.ts';
import { type Client, createClient } from '../support/client.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { startBalancer } from './balancer.ts';
import { findViolations, type Start } from './checker.ts';
import { allReady, type FaultName, inflict, type Pains } from './faults.ts';
import { startLoad } from './load.ts';
import { type Felt, felt } from './measure.ts';
import { observe } from './observe.ts';

const PLENTY = 100_000;
const SKUS = ['CHAOS-1', 'CHAOS-2', 'CHAOS-3', 'CHAOS-4', 'CHAOS-5', 'CHAOS-6', 'CHAOS-7', 'CHAOS-8'];
const SCARCE = 'CHAOS-SCARCE';
const FEW = 25;
const WAREHOUSE = 'wh-east';
/** Single shards may move when nodes find their way back one after the other. */
const MAX_MOVED = 4;

export type CampaignOptions = {
  readonly nodes: number;
  readonly brokers: number;
  readonly faults: readonly FaultName[];
  readonly pains: Pains;
  readonly customers: number;
  /** After which a client gives a try up. */
  readonly patienceMs: number;
  readonly seed: number;
  /** Without a fault: twice before the first, then after each. */
  readonly calmMs: number;
  /** Told after each fault. */
  readonly progress: (round: Round) => void;
};

export type Round = Felt & {
  readonly fault: FaultName;
  /** Until everything ran again, in ms. */
  readonly tookMs: number;
  /** Shards that were taken over meanwhile, by whomever. */
  readonly takeovers: number;
};

export type Campaign = {
  readonly calm: Felt;
  readonly rounds: readonly Round[];
  readonly orders: number;
  readonly violations: readonly string[];
};

export async function runCampaign(options: CampaignOptions): Promise<Campaign> {
  const { nodes, brokers, faults } = options;
  const cluster = await startCluster({ nodes, brokers, severable: faults.includes('cut') });
  try {
    return await hurt(cluster, options);
  } finally {
    await cluster.close();
  }
}

async function hurt(cluster: Cluster, options: CampaignOptions): Promise<Campaign> {
  const { faults, pains, calmMs, progress } = options;
  const { random } = createSeededIds(options.seed, () => 0);
  await allReady(cluster);
  const client = createClient(cluster.nodes[0]?.url ?? '');
  const staff = await client.staff();
  const start = await stockUp(client, staff);
  const customers: { name: string; token: string }[] = [];
  for (let index = 1; index <= options.customers; index += 1) {
    customers.push({ name: `customer-${index}`, token: await client.guest() });
  }
  const balancer = startBalancer(() => cluster.nodes, random);
  const { patienceMs } = options;
  const shelf = { skus: SKUS, scarce: SCARCE, warehouse: WAREHOUSE };
  const load = startLoad({ balancer, customers, staff, ...shelf, patienceMs, random });
  const { history } = load;
  // What has just started is slower, and still spreads its shards.
  await pause(calmMs);
  const begun = performance.now();
  await pause(calmMs);
  const hurtSince = performance.now();
  const rounds: Round[] = [];
  for (const fault of faults) {
    const from = performance.now();
    const before = takeovers(cluster);
    await inflict(fault, { cluster, pains, random });
    const tookMs = performance.now() - from;
    await pause(calmMs);
    const round = { fault, tookMs, takeovers: takeovers(cluster) - before, ...felt(history, from, performance.now()) };
    rounds.push(round);
    progress(round);
  }
  await load.finish();
  await balancer.stop();
  const nodes = cluster.nodes.filter(({ isUp }) => isUp);
  const tokens = new Map(customers.map(({ name, token }) => [name, token]));
  const seen = await observe({ nodes, history, tokens, staff, skus: [...SKUS, SCARCE] });
  const violations = [...findViolations(history, start, seen), ...rounds.flatMap(massMoves)];
  return { calm: felt(history, begun, hurtSince), rounds, orders: history.placed.length, violations };
}

const takeovers = ({ nodes }: Cluster): number => nodes.reduce((sum, node) => sum + node.takeovers, 0);

/** Nodes that are all well keep their shards when their brokers aren't. */
function massMoves({ fault, takeovers: moved }: Round): string[] {
  return fault.startsWith('broker-') && moved > MAX_MOVED ? [`${moved} shards moved because of ${fault}`] : [];
}

/** A few products with more than anybody orders, and one with less. */
async function stockUp(client: Client, token: string): Promise<Start> {
  const received = new Map<string, number>();
  for (const sku of [...SKUS, SCARCE]) {
    const path = `/v1/admin/products/${sku}`;
    const details = { name: sku, description: 'To be fought for.', category: 'Chaos', tags: [] };
    const created = await succeed(client, 'PUT', path, { token, body: details });
    const price = { amount: 1_250, currency: 'USD' };
    const headers = { 'if-match': created.headers.get('etag') ?? '' };
    await succeed(client, 'PUT', `${path}/price`, { token, headers, body: price });
    const quantity = sku === SCARCE ? FEW : PLENTY;
    const body = { warehouse: WAREHOUSE, quantity };
    await succeed(client, 'POST', `/v1/admin/stock/${sku}/receive`, { token, key: `start-${sku}`, body });
    received.set(sku, quantity);
  }
  return { received };
}

async function succeed(client: Client, ...[method, path, options]: Parameters<Client['call']>) {
  const answer = await client.call(method, path, options);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer;
}
