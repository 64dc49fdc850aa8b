/** A shop on a real cluster with customers and staff at work, and at the end the look into its books. */
import { createSeededIds } from '../../supervisors/ids.ts';
import { type Client, createClient } from '../support/client.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { startBalancer } from './balancer.ts';
import { findViolations, type Start } from './checker.ts';
import { allReady, type FaultWorld } from './faults.ts';
import type { History } from './history.ts';
import { startLoad } from './load.ts';
import { observe } from './observe.ts';
import { isPassing, tryOnce } from './requests.ts';

const PLENTY = 100_000;
const SKUS = ['CHAOS-1', 'CHAOS-2', 'CHAOS-3', 'CHAOS-4', 'CHAOS-5', 'CHAOS-6', 'CHAOS-7', 'CHAOS-8'];
const SCARCE = 'CHAOS-SCARCE';
const FEW = 25;
const WAREHOUSE = 'wh-east';
/** Of actors, the newest orders' are the likeliest to have work. */
const KILLED_AMONG = 10;
const KILL_PATIENCE_MS = 1_000;

export type SceneOptions = {
  readonly nodes: number;
  readonly brokers: number;
  readonly customers: number;
  /** After which a client gives a try up. */
  readonly patienceMs: number;
  readonly seed: number;
};

export type Scene = {
  readonly world: FaultWorld;
  readonly history: History;
  /** Shards that were taken over so far, by whomever. */
  takeovers(): number;
  /** Lets the clients finish, and asks every node for its books; what is wrong, in words. */
  judged(): Promise<readonly string[]>;
};

/** Everything is ended and removed when `play` is over, in whichever way. */
export async function onScene<Result>(options: SceneOptions, play: (scene: Scene) => Promise<Result>): Promise<Result> {
  const { nodes, brokers } = options;
  const cluster = await startCluster({ nodes, brokers, severable: true, settable: true, env: { CHAOS: 'on' } });
  try {
    return await play(await open(cluster, options));
  } finally {
    await cluster.close();
  }
}

async function open(cluster: Cluster, options: SceneOptions): Promise<Scene> {
  const { seed, customers: count, patienceMs } = options;
  // Faults are drawn apart from the clients' choices, whose number nobody knows before.
  const { random: drawn } = createSeededIds(seed, () => 0);
  const { random } = createSeededIds(seed + 1, () => 0);
  await allReady(cluster);
  const client = createClient(cluster.nodes[0]?.url ?? '');
  const staff = await client.staff();
  const start = await stockUp(client, staff);
  const customers: { name: string; token: string }[] = [];
  for (let index = 1; index <= count; index += 1) {
    customers.push({ name: `customer-${index}`, token: await client.guest() });
  }
  const balancer = startBalancer(() => cluster.nodes, random);
  const shelf = { skus: SKUS, scarce: SCARCE, warehouse: WAREHOUSE };
  const load = startLoad({ balancer, customers, staff, ...shelf, patienceMs, random });
  const { history } = load;
  const one = <Item>(items: readonly Item[]): Item | undefined => items[Math.floor(random() * items.length)];

  async function killActor(): Promise<void> {
    const order = one(history.placed.slice(-KILLED_AMONG))?.orderId ?? 'none';
    const actors = [`order/${order}`, `order-saga/${order}`, `payment/${order}`, `stock/${one(SKUS)}@${WAREHOUSE}`];
    const path = `/v1/admin/actors/${one(actors)}/kill`;
    const told = await tryOnce(balancer.pick().url, { method: 'POST', path, token: staff }, KILL_PATIENCE_MS);
    if (told.status !== 202 && !isPassing(told)) history.surprises.push(`${path}: ${told.outcome}`);
  }

  return {
    world: { cluster, random: drawn, killActor },
    history,
    takeovers: () => cluster.nodes.reduce((sum, node) => sum + node.takeovers, 0),
    async judged() {
      await load.finish();
      await balancer.stop();
      const nodes = cluster.nodes.filter(({ isUp }) => isUp);
      const tokens = new Map(customers.map(({ name, token }) => [name, token]));
      const seen = await observe({ nodes, history, tokens, staff, skus: [...SKUS, SCARCE] });
      const ends = cluster.nodes.flatMap(({ ownEnds }) => ownEnds);
      return [...ends, ...findViolations(history, start, seen)];
    },
  };
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
