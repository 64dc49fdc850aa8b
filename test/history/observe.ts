/**
 * Reads the outcome of a history from every node, as a client of the public interface, once nothing is under way any more.
 * Whatever it asks becomes part of the history.
 */
import { type Answer, type Ask, type History, NO_ANSWER, type Recorder } from './exchange.ts';
import { factsOf, isAcknowledged, type OrderView, type Placing } from './facts.ts';
import { groupBy } from './groups.ts';
import { WITHOUT_MONEY } from './statuses.ts';

const PARALLEL = 8;
const RETRY_MS = 200;
/** Longer than the shop itself waits for a step or for a whole order (5 min): after that somebody is known to have to act. */
const SETTLE_DEADLINE_MS = 360_000;
const ANSWER_DEADLINE_MS = 30_000;
/** The shop itself goes on with these. `confirmed` may last only a moment, and only at rest it counts. */
const MOVING: ReadonlySet<string> = new Set(['placed', 'confirmed', 'cancelling']);

/** One try of a request. Without an answer it resolves with `NO_ANSWER`. */
export type Send = (client: string, node: string, ask: Ask) => Promise<Answer>;

export type Observing = {
  readonly recorder: Recorder;
  /** Not recorded by itself. */
  readonly send: Send;
  readonly nodes: readonly string[];
  /** Clients that may have placed orders. */
  readonly clients: readonly string[];
  /** Somebody who may read stock, sagas and the shop's own checks. */
  readonly staff: string;
  readonly skus: readonly string[];
  /** Every history and repeated request at every node, or each at one of them; orders, lists and stock are read at all. */
  readonly everything?: boolean;
  /** Whether the shop's own checks are asked: they look at all that was ever stored. */
  readonly complaints?: boolean;
  /** Monotonic, in ms. */
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<void>;
};

/** A send that writes down what it asks and is told. */
export function recorded(recorder: Recorder, send: Send): Send {
  return async (client, node, ask) => {
    const answered = recorder.begin(client, node, ask);
    const answer = await send(client, node, ask).catch((error: unknown) => {
      answered(NO_ANSWER);
      throw error;
    });
    answered(answer);
    return answer;
  };
}

/** No answer, or one that says "later": worth another try. */
export const isPassing = ({ status }: Answer): boolean => status === 0 || status === 503 || status === 429;

/** Waits at the first node until all has settled, then looks at all of it at every node. */
export async function observe(observing: Observing): Promise<History> {
  const { recorder, nodes, now } = observing;
  const [first] = nodes;
  if (first === undefined) throw new Error('there is no node to ask');
  const until = now() + SETTLE_DEADLINE_MS;
  const owners = await ownersAt(observing, first);
  await eachOf([...owners], ([id, owner]) => settled(observing, first, owner, id, until));
  await nothingReserved(observing, first, until);
  recorder.settled();
  const placings = acknowledged(recorder.history());
  for (const [index] of nodes.entries()) await observeNode(observing, index, placings);
  return recorder.history();
}

const ownersOf = (placings: readonly Placing[]): Map<string, string> =>
  new Map(placings.flatMap(({ exchange, order }) => (order ? [[order.id, exchange.client] as const] : [])));

/** One of each request that was acknowledged. */
function acknowledged(history: History): readonly Placing[] {
  const placings = factsOf(history).placings.filter(({ order }) => order);
  return [...groupBy(placings, ({ request }) => request).values()].flatMap(([first]) => first ?? []);
}

/** Whose orders there are, also those that nobody was told of. */
async function ownersAt(observing: Observing, node: string): Promise<Map<string, string>> {
  const owners = ownersOf(acknowledged(observing.recorder.history()));
  await eachOf(observing.clients, async (client) => {
    for (const id of await listOf(observing, client, node)) owners.set(id, client);
  });
  return owners;
}

async function observeNode(observing: Observing, index: number, placings: readonly Placing[]): Promise<void> {
  const { staff, skus, nodes, everything = true, complaints = true } = observing;
  const node = nodes[index] ?? '';
  const isHere = (turn: number): boolean => everything || turn % nodes.length === index;
  const owners = ownersOf(placings);
  await eachOf(observing.clients, async (client) => {
    for (const id of await listOf(observing, client, node)) owners.set(id, client);
  });
  await eachOf([...[...owners].entries()], async ([turn, [id, owner]]) => {
    await insist(observing, owner, node, get(`/v1/orders/${id}`));
    if (isHere(turn)) await insist(observing, owner, node, get(`/v1/orders/${id}/timeline`));
  });
  await eachOf(
    [...placings.entries()],
    async ([
      turn,
      {
        exchange: { client, method, path, key, body },
      },
    ]) => {
      if (key !== undefined && isHere(turn)) await insist(observing, client, node, { method, path, key, body });
    },
  );
  await eachOf(skus, async (sku) => {
    await insist(observing, staff, node, get(`/v1/admin/stock/${sku}`));
  });
  if (!complaints) return;
  await pagesOf(observing, staff, node, '/v1/admin/check?deep=true', '&');
  await pagesOf(observing, staff, node, '/v1/admin/payments/reconciliation', '?');
}

const get = (path: string): Ask => ({ method: 'GET', path });

async function listOf(observing: Observing, client: string, node: string): Promise<readonly string[]> {
  const pages = await pagesOf(observing, client, node, '/v1/orders?limit=100', '&');
  return pages.flatMap((text) => (JSON.parse(text) as { data: readonly { id: string }[] }).data.map(({ id }) => id));
}

async function pagesOf(observing: Observing, client: string, node: string, path: string, glue: string) {
  const pages: string[] = [];
  for (let cursor = ''; ; ) {
    const answer = await insist(observing, client, node, get(`${path}${cursor}`));
    if (!isAcknowledged(answer)) throw new Error(`${path} at ${node}: ${answer.status} ${answer.text}`);
    pages.push(answer.text);
    const { page } = JSON.parse(answer.text) as { readonly page: { readonly next: string | null } };
    if (page.next === null) return pages;
    cursor = `${glue}cursor=${encodeURIComponent(page.next)}`;
  }
}

async function settled(observing: Observing, node: string, owner: string, id: string, until: number): Promise<void> {
  for (;;) {
    const answer = await insist(observing, owner, node, get(`/v1/orders/${id}`));
    if (!isAcknowledged(answer) || observing.now() > until) return;
    const order = JSON.parse(answer.text) as ShownOrder;
    if (!MOVING.has(order.status) && !(await isUndoing(observing, node, order))) return;
    await observing.pause(RETRY_MS);
  }
}

type Amount = { readonly amount: number };
type ShownOrder = Pick<OrderView, 'id' | 'status'> & {
  readonly payment: { readonly captured: Amount; readonly refunded: Amount };
};

/** An order is shown as held as soon as it is, while what it has taken is still on its way back. */
async function isUndoing(observing: Observing, node: string, { id, status, payment }: ShownOrder): Promise<boolean> {
  if (WITHOUT_MONEY.has(status)) return payment.captured.amount !== payment.refunded.amount;
  if (status !== 'on-hold') return false;
  const saga = await insist(observing, observing.staff, node, get(`/v1/admin/sagas/${id}`));
  return saga.status === 200 && (JSON.parse(saga.text) as { status: string }).status === 'compensating';
}

/** Reservations of orders that have ended go back a moment later. */
async function nothingReserved(observing: Observing, node: string, until: number): Promise<void> {
  for (const sku of observing.skus) {
    for (;;) {
      const { status, text } = await insist(observing, observing.staff, node, get(`/v1/admin/stock/${sku}`));
      if (status !== 200 || observing.now() > until) break;
      const { warehouses } = JSON.parse(text) as { readonly warehouses: readonly { readonly reserved: number }[] };
      if (warehouses.every(({ reserved }) => reserved === 0)) break;
      await observing.pause(RETRY_MS);
    }
  }
}

/** The first answer that isn't "later", or the last one before the deadline. */
async function insist(observing: Observing, client: string, node: string, ask: Ask): Promise<Answer> {
  const { recorder, send, now, pause } = observing;
  const until = now() + ANSWER_DEADLINE_MS;
  const asking = recorded(recorder, send);
  for (;;) {
    const answer = await asking(client, node, ask);
    if (!isPassing(answer) || now() > until) return answer;
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
