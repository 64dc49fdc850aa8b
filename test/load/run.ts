/** A shop under load: one round and a crash, or rounds for as long as a soak lasts. Each round's history is checked. */
import { setTimeout as pause } from 'node:timers/promises';
import { tryOnce } from '../chaos/requests.ts';
import { checkHistory, type Verdict } from '../history/check.ts';
import { createRecorder, type History, type StartStock } from '../history/exchange.ts';
import { observe, recorded, type Send } from '../history/observe.ts';
import { createClient } from '../support/client.ts';
import { seededRandom } from '../support/timeline.ts';
import { type Measured, runClients } from './clients.ts';
import { type Grown, watchGrowth } from './growth.ts';
import type { LoadOptions } from './options.ts';
import { errorsIn, type Level, levelsOf } from './service.ts';
import { createProducts, FEW, type LoadedShop, operatorOf, PLENTY, type Shelf, startShop, WAREHOUSE } from './shop.ts';

const STAFF = 'staff';
const SIGNING_UP = 32;
/** Of a client; longer than any node's own deadline. */
const PATIENCE_MS = 15_000;
const SAMPLE_MS = 5_000;
/** What this workload brings about on purpose: too late to cancel, what belongs to others, what isn't for sale any more. */
const REFUSALS = ['order.unknown', 'order.not-cancellable', 'order.too-late-to-cancel'];
const SHOWN = 20;

export type Round = {
  readonly seconds: number;
  readonly orders: number;
  readonly verdict: Verdict;
  /** Tries that failed, by why. */
  readonly errors: Readonly<Record<string, number>>;
};

export type LoadRun = {
  readonly nodes: number;
  readonly clients: number;
  readonly rounds: readonly Round[];
  readonly levels: readonly Level[];
  readonly grown: readonly Grown[];
};

export async function runLoad(options: LoadOptions, progress: (text: string) => void): Promise<LoadRun> {
  const shop = await startShop(options.nodes);
  try {
    const operator = await operatorOf(shop);
    const shelf = await createProducts(operator.client, operator.token);
    return await loaded({ shop, shelf, operator: operator.token, options, progress });
  } finally {
    await shop.close();
  }
}

type World = {
  readonly shop: LoadedShop;
  readonly shelf: Shelf;
  readonly operator: string;
  readonly options: LoadOptions;
  readonly progress: (text: string) => void;
};

async function loaded(world: World): Promise<LoadRun> {
  const { shop, options, progress } = world;
  const { nodes, clients, soakMs, roundMs } = options;
  const watch = watchGrowth(shop);
  const watching = new AbortController();
  const watched = soakMs === undefined ? Promise.resolve() : sampleUntil(watching.signal, watch.sample);
  const rounds: Round[] = [];
  const until = performance.now() + (soakMs ?? 0);
  let start: readonly StartStock[] = [];
  let newest: Ended;
  do {
    newest = await oneRound(world, rounds.length, start);
    start = newest.stock;
    rounds.push(newest.round);
    const { orders, verdict } = newest.round;
    progress(`round ${rounds.length}: ${orders} orders, ${verdict.violations.length} violations`);
    for (const { code, text } of verdict.violations.slice(0, SHOWN)) progress(`  ${code}: ${text}`);
    if (verdict.violations.length > 0) for (const line of shop.failures()) progress(`  ${line}`);
  } while (performance.now() + roundMs < until);
  watching.abort();
  await watched;
  const lost = soakMs === undefined ? lostIn(newest.round.verdict) : undefined;
  const { measured, history } = newest;
  const levels = levelsOf({ measured, history, ...(lost !== undefined && { lost }) });
  return { nodes, clients, rounds, levels, grown: soakMs === undefined ? [] : watch.grown() };
}

const lostIn = ({ violations }: Verdict): number =>
  new Set(violations.filter(({ code }) => code === 'order.lost').map(({ text }) => text.split(' ')[0])).size;

async function sampleUntil(signal: AbortSignal, sample: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await sample();
    await pause(SAMPLE_MS, undefined, { signal }).catch(() => undefined);
  }
}

type Ended = {
  readonly round: Round;
  readonly measured: Measured;
  readonly history: History;
  readonly stock: readonly StartStock[];
};

/** With clients and a history of its own, so that what is remembered of a soak is bounded. */
async function oneRound(world: World, number: number, start: readonly StartStock[]): Promise<Ended> {
  const { shop, shelf, operator, options } = world;
  const names = shop.nodes.map(({ name }) => name);
  const clients = Array.from({ length: options.clients }, (_, index) => `c${number}-${index}`);
  const tokens = new Map([...(await signUp(shop, clients)), [STAFF, operator] as const]);
  const urls = (): Map<string, string> => new Map(shop.nodes.map(({ name, url }) => [name, url]));
  const send: Send = async (client, node, ask) => {
    const asked = { ...ask, token: tokens.get(client) };
    const { status, text, outcome } = await tryOnce(urls().get(node) ?? '', asked, PATIENCE_MS);
    return { status, text: status === 0 ? outcome : text };
  };
  const recorder = createRecorder({ now: () => performance.now(), staff: [STAFF], start });
  if (number === 0) await receive(recorded(recorder, send), names[0] ?? '', shelf);
  const random = seededRandom(options.seed + number);
  const shoppers = { recorder, send, nodes: names, clients, ...shelf, thinkMs: options.thinkMs, random };
  const begun = performance.now();
  const measured = await runClients({ ...shoppers, prefix: `r${number}` }, options.roundMs);
  const seconds = (performance.now() - begun) / 1_000;
  const isSoak = options.soakMs !== undefined;
  if (!isSoak) await shop.crash();
  const history = await observe({
    ...{ recorder, send, nodes: names, clients, staff: STAFF, skus: [...shelf.skus, shelf.scarce] },
    ...{ everything: false, complaints: !isSoak, now: () => performance.now(), pause },
  });
  const verdict = checkHistory(history, { refusals: REFUSALS });
  const round = { seconds, orders: verdict.covered.orders, verdict, errors: errorsIn(history) };
  return { round, measured, history, stock: stockAt(history) };
}

async function signUp({ nodes }: LoadedShop, names: readonly string[]): Promise<Map<string, string>> {
  const tokens = new Map<string, string>();
  const queue = [...names];
  const works = Array.from({ length: SIGNING_UP }, async (_, index) => {
    const client = createClient(nodes[index % nodes.length]?.url ?? '');
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) tokens.set(name, await client.guest());
  });
  await Promise.all(works);
  return tokens;
}

async function receive(asking: Send, node: string, { skus, scarce }: Shelf): Promise<void> {
  for (const sku of [...skus, scarce]) {
    const body = { warehouse: WAREHOUSE, quantity: sku === scarce ? FEW : PLENTY };
    const path = `/v1/admin/stock/${sku}/receive`;
    const { status, text } = await asking(STAFF, node, { method: 'POST', path, key: `start-${sku}`, body });
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
  }
}

type Row = Readonly<Record<'received' | 'adjusted' | 'committed' | 'picked' | 'shipped', number>>;

/** As it was read last: what the next round begins with. */
function stockAt({ exchanges }: History): readonly StartStock[] {
  const newest = new Map<string, StartStock>();
  for (const { method, path, status, text } of exchanges) {
    if (method !== 'GET' || status !== 200 || !path.startsWith('/v1/admin/stock/')) continue;
    const { sku, warehouses } = JSON.parse(text) as { readonly sku: string; readonly warehouses: readonly Row[] };
    const sum = (pick: (row: Row) => number): number => warehouses.reduce((total, row) => total + pick(row), 0);
    newest.set(sku, {
      sku,
      received: sum(({ received }) => received),
      adjusted: sum(({ adjusted }) => adjusted),
      sold: sum(({ committed, picked, shipped }) => committed + picked + shipped),
    });
  }
  return [...newest.values()];
}
