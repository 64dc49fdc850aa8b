/** A shop on a real cluster with customers and staff at work, and at the end the look into its books. */
import { setTimeout as pause } from 'node:timers/promises';
import { createSeededIds } from '../../supervisors/ids.ts';
import { checkHistory } from '../history/check.ts';
import { createRecorder, type StartStock } from '../history/exchange.ts';
import { isPassing, observe, recorded, type Send } from '../history/observe.ts';
import { type Client, createClient } from '../support/client.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { startBalancer } from './balancer.ts';
import { allReady, type FaultWorld } from './faults.ts';
import { startLoad } from './load.ts';
import type { Attempt, Measured } from './measure.ts';
import { tryOnce } from './requests.ts';

const PLENTY = 100_000;
const SKUS = ['CHAOS-1', 'CHAOS-2', 'CHAOS-3', 'CHAOS-4', 'CHAOS-5', 'CHAOS-6', 'CHAOS-7', 'CHAOS-8'];
const SCARCE = 'CHAOS-SCARCE';
const FEW = 25;
const WAREHOUSE = 'wh-east';
/** Of actors, the newest orders' are the likeliest to have work. */
const KILLED_AMONG = 10;
const KILL_PATIENCE_MS = 1_000;
const STAFF = 'staff';
const LOG_LINES = 10_000;
const IN_PLACE_MS = 60_000;

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
  readonly measured: Measured;
  /** The number that clients know of so far. */
  orders(): number;
  /** Shards that were taken over so far, by whomever. */
  takeovers(): number;
  /** Resolves once all that moves has arrived: each node knows of all that they live, and every shard is where it belongs. */
  inPlace(): Promise<void>;
  /** Lets the clients finish, and asks every node for its books; what is wrong, in words. */
  judged(): Promise<readonly string[]>;
  /** The newest lines of each node, by its name. */
  logs(): ReadonlyMap<string, readonly string[]>;
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
  const customers = Array.from({ length: count }, (_, index) => `customer-${index + 1}`);
  const tokens = new Map([[STAFF, staff]]);
  for (const name of customers) tokens.set(name, await client.guest());
  const recorder = createRecorder({ now: () => performance.now(), staff: [STAFF], start });
  const { attempts, trying } = sender(cluster, tokens);
  const send = recorded(recorder, trying(patienceMs));
  const balancer = startBalancer(() => cluster.nodes, random);
  const load = startLoad({ balancer, send, customers, skus: SKUS, scarce: SCARCE, warehouse: WAREHOUSE, random });
  const one = <Item>(items: readonly Item[]): Item | undefined => items[Math.floor(random() * items.length)];

  async function killActor(): Promise<void> {
    const order = one(load.orders.slice(-KILLED_AMONG)) ?? 'none';
    const actors = [`order/${order}`, `order-saga/${order}`, `payment/${order}`, `stock/${one(SKUS)}@${WAREHOUSE}`];
    const path = `/v1/admin/actors/${one(actors)}/kill`;
    const told = await tryOnce(balancer.pick().url, { method: 'POST', path, token: staff }, KILL_PATIENCE_MS);
    if (told.status !== 202 && !isPassing(told)) load.surprises.push(`${path}: ${told.outcome}`);
  }

  return {
    world: { cluster, random: drawn, killActor },
    measured: { requests: load.requests, attempts },
    orders: () => load.orders.length,
    takeovers: () => cluster.nodes.reduce((sum, node) => sum + node.takeovers, 0),
    async inPlace() {
      const up = cluster.nodes.filter(({ isUp }) => isUp);
      for (const node of up) {
        await eventually(
          `${node.name} sees every shard where it belongs`,
          async () => {
            const told = await tryOnce(node.url, { method: 'GET', path: '/v1/admin/cluster', token: staff });
            return told.status === 200 && isInPlace(JSON.parse(told.text), up.length);
          },
          IN_PLACE_MS,
        );
      }
    },
    logs: () => new Map(cluster.nodes.map(({ name, lastLines }) => [name, lastLines(LOG_LINES)])),
    async judged() {
      await load.finish();
      await balancer.stop();
      const history = await observe({
        recorder,
        send: trying(),
        nodes: cluster.nodes.filter(({ isUp }) => isUp).map(({ name }) => name),
        clients: customers,
        staff: STAFF,
        skus: [...SKUS, SCARCE],
        now: () => performance.now(),
        pause,
      });
      const { violations } = checkHistory(history);
      return [
        ...cluster.nodes.flatMap(({ ownEnds }) => ownEnds),
        ...load.surprises,
        ...violations.map(({ code, text }) => `${code}: ${text}`),
      ];
    },
  };
}

type View = {
  readonly nodes: readonly { readonly state: string }[];
  readonly shards: readonly { readonly owner: string | null; readonly wanted: string | null }[];
};

function isInPlace({ nodes, shards }: View, living: number): boolean {
  const active = nodes.filter(({ state }) => state === 'active').length;
  return active === living && shards.every(({ owner, wanted }) => owner !== null && owner === wanted);
}

/** Sends over HTTP, and keeps how each try went. */
function sender(cluster: Cluster, tokens: ReadonlyMap<string, string>) {
  const attempts: Attempt[] = [];
  const trying = (patienceMs?: number): Send => {
    return async (client, node, ask) => {
      const url = cluster.nodes.find(({ name }) => name === node)?.url ?? '';
      const from = performance.now();
      const told = await tryOnce(url, { ...ask, token: tokens.get(client) }, patienceMs);
      const outcome = isPassing(told) ? told.outcome : 'ok';
      attempts.push({ node, from, until: performance.now(), outcome });
      return told;
    };
  };
  return { attempts, trying };
}

/** A few products with more than anybody orders, and one with less. */
async function stockUp(client: Client, token: string): Promise<readonly StartStock[]> {
  const start: StartStock[] = [];
  for (const sku of [...SKUS, SCARCE]) {
    const path = `/v1/admin/products/${sku}`;
    const details = { name: sku, description: 'To be fought for.', category: 'Chaos', tags: [] };
    const created = await succeed(client, 'PUT', path, { token, body: details });
    const price = { amount: 1_250, currency: 'USD' };
    const headers = { 'if-match': created.headers.get('etag') ?? '' };
    await succeed(client, 'PUT', `${path}/price`, { token, headers, body: price });
    const received = sku === SCARCE ? FEW : PLENTY;
    const body = { warehouse: WAREHOUSE, quantity: received };
    await succeed(client, 'POST', `/v1/admin/stock/${sku}/receive`, { token, key: `start-${sku}`, body });
    start.push({ sku, received, adjusted: 0, sold: 0 });
  }
  return start;
}

async function succeed(client: Client, ...[method, path, options]: Parameters<Client['call']>) {
  const answer = await client.call(method, path, options);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer;
}
