/** Asks each node, once the dust has settled, for all that the checker wants to know. */
import { setTimeout as pause } from 'node:timers/promises';
import { checkShop } from '../support/check.ts';
import { createClient } from '../support/client.ts';
import type { ClusterNode } from '../support/cluster.ts';
import type { NodeSeen, SeenOrder, SeenStock } from './checker.ts';
import type { History, PlacedOrder } from './history.ts';
import { type Ask, isPassing, type Told, tryOnce } from './requests.ts';

const PARALLEL = 8;
const RETRY_MS = 200;
const MOVING = new Set(['placed', 'confirmed', 'cancelling']);
const SETTLE_DEADLINE_MS = 60_000;
const ANSWER_DEADLINE_MS = 30_000;

export type Observing = {
  readonly nodes: readonly ClusterNode[];
  readonly history: History;
  /** By the name of the customer. */
  readonly tokens: ReadonlyMap<string, string>;
  readonly staff: string;
  readonly skus: readonly string[];
};

type PublicOrder = {
  readonly id: string;
  readonly status: string;
  readonly version: number;
  readonly totals: { readonly total: { readonly amount: number } };
  readonly payment: { readonly captured: { readonly amount: number }; readonly refunded: { readonly amount: number } };
};

/** Waits at the first node until the orders have settled, then looks at all of them at every node. */
export async function observe(observing: Observing): Promise<readonly NodeSeen[]> {
  const [first] = observing.nodes;
  if (!first) return [];
  const until = performance.now() + SETTLE_DEADLINE_MS;
  await eachOf(observing.history.placed, (placed) => settled(first, observing, placed, until));
  await nothingReserved(first, observing, until);
  const seen: NodeSeen[] = [];
  for (const node of observing.nodes) seen.push(await observeNode(node, observing));
  return seen;
}

async function settled(
  node: ClusterNode,
  { tokens, staff }: Observing,
  { orderId, customer }: PlacedOrder,
  until: number,
): Promise<void> {
  for (;;) {
    const order = await orderOf(node, tokens.get(customer), orderId);
    if (order === undefined || performance.now() > until) return;
    if (!MOVING.has(order.status) && !(await isUndoing(node, staff, order))) return;
    await pause(RETRY_MS);
  }
}

/** An order is shown as held as soon as it is, while what it has taken is still on its way back. */
async function isUndoing(node: ClusterNode, staff: string, { id, status, payment }: PublicOrder): Promise<boolean> {
  if (status === 'cancelled' || status === 'out-of-stock') return payment.captured.amount !== payment.refunded.amount;
  if (status !== 'on-hold') return false;
  const told = await answered(node, { method: 'GET', path: `/v1/admin/sagas/${id}`, token: staff });
  return told.status === 200 && (JSON.parse(told.text) as { status: string }).status === 'compensating';
}

/** Reservations of orders that have ended go back a moment later. */
async function nothingReserved(node: ClusterNode, { skus, staff }: Observing, until: number): Promise<void> {
  for (;;) {
    const stock = await stockOf(node, skus, staff);
    if (stock.every(({ reserved }) => reserved === 0) || performance.now() > until) return;
    await pause(RETRY_MS);
  }
}

async function stockOf(node: ClusterNode, skus: readonly string[], token: string): Promise<readonly SeenStock[]> {
  const stock: SeenStock[] = [];
  await eachOf(skus, async (sku) => {
    const { text } = await answered(node, { method: 'GET', path: `/v1/admin/stock/${sku}`, token });
    const { warehouses } = JSON.parse(text) as { warehouses: readonly Omit<SeenStock, 'sku'>[] };
    stock.push(...warehouses.map((row) => ({ ...row, sku })));
  });
  return stock;
}

async function observeNode(node: ClusterNode, observing: Observing): Promise<NodeSeen> {
  const { history, tokens, staff, skus } = observing;
  const orders = new Map<string, SeenOrder>();
  const repeats = new Map<string, string>();
  await eachOf(history.placed, async ({ orderId, key, customer, body }) => {
    const token = tokens.get(customer);
    const order = await orderOf(node, token, orderId);
    if (order) orders.set(orderId, seenOrder(order));
    const again = { method: 'POST', path: '/v1/orders', token, key, body };
    repeats.set(key, (await answered(node, again)).text);
  });
  const lists = new Map<string, readonly string[]>();
  await eachOf([...tokens], async ([customer, token]) => {
    lists.set(customer, await listOf(node, token));
  });
  const stock = await stockOf(node, skus, staff);
  return { node: node.name, orders, repeats, lists, stock, complaints: await complaintsOf(node, staff) };
}

function seenOrder({ id, status, version, totals, payment }: PublicOrder): SeenOrder {
  const { captured, refunded } = payment;
  return { id, status, version, total: totals.total.amount, captured: captured.amount, refunded: refunded.amount };
}

async function orderOf(node: ClusterNode, token: string | undefined, id: string): Promise<PublicOrder | undefined> {
  const told = await answered(node, { method: 'GET', path: `/v1/orders/${id}`, token });
  if (told.status === 404) return undefined;
  if (told.status !== 200) throw new Error(`${id} at ${node.name}: ${told.outcome}`);
  return JSON.parse(told.text) as PublicOrder;
}

type Page = { readonly data: readonly { readonly id: string }[]; readonly page: { readonly next: string | null } };

async function listOf(node: ClusterNode, token: string): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let cursor = ''; ; ) {
    const told = await answered(node, { method: 'GET', path: `/v1/orders?limit=100${cursor}`, token });
    if (told.status !== 200) throw new Error(`a list at ${node.name}: ${told.outcome}`);
    const { data, page } = JSON.parse(told.text) as Page;
    ids.push(...data.map(({ id }) => id));
    if (page.next === null) return ids;
    cursor = `&cursor=${page.next}`;
  }
}

type Difference = { readonly code: string; readonly orderId: string; readonly detail: string };

async function complaintsOf(node: ClusterNode, staff: string): Promise<readonly string[]> {
  const { serious } = await checkShop(createClient(node.url), staff);
  const complaints = serious.map(({ level, code, text }) => `${level} ${code}: ${text}`);
  for (let cursor = ''; ; ) {
    const path = `/v1/admin/payments/reconciliation${cursor}`;
    const told = await answered(node, { method: 'GET', path, token: staff });
    if (told.status !== 200) return [...complaints, `the vendor's books: ${told.outcome}`];
    const { data, page } = JSON.parse(told.text) as { data: readonly Difference[]; page: Page['page'] };
    complaints.push(...data.map(({ code, orderId, detail }) => `${code} ${orderId}: ${detail}`));
    if (page.next === null) return complaints;
    cursor = `?cursor=${page.next}`;
  }
}

/** The first answer that isn't "later", or the last one before the deadline. */
async function answered(node: ClusterNode, ask: Ask): Promise<Told> {
  const until = performance.now() + ANSWER_DEADLINE_MS;
  for (;;) {
    const told = await tryOnce(node.url, ask);
    if (!isPassing(told) || performance.now() > until) return told;
    await pause(RETRY_MS);
  }
}

async function eachOf<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const queue = [...items];
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
    }),
  );
}
