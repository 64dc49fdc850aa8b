/**
 * Clients of all kinds, each of which repeats a request until it is answered, at another node each time, and writes down
 * what it was told. Nothing is left unanswered at the end, so the checker can demand equality.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { expressOrder } from '../support/client.ts';
import type { ClusterNode } from '../support/cluster.ts';
import type { Balancer } from './balancer.ts';
import { createHistory, type History, type Line } from './history.ts';
import { type Ask, isPassing, type Told, tryOnce } from './requests.ts';

const RETRY_MS = 100;
/** Clients with an unanswered request at the end insist for so long, then they complain. */
const LAST_PATIENCE_MS = 60_000;
/** Between two actions of one client, at most: the load is steady, not the highest possible. */
const THINK_MS = 300;
const PAYMENTS = ['tok_success', 'tok_success', 'tok_success', 'tok_success', 'tok_decline', 'tok_capture_fails'];

export type LoadOptions = {
  readonly balancer: Balancer;
  readonly customers: readonly { readonly name: string; readonly token: string }[];
  readonly staff: string;
  readonly skus: readonly string[];
  readonly scarce: string;
  readonly warehouse: string;
  /** After which a client gives a try up. */
  readonly patienceMs: number;
  readonly random: () => number;
};

export type Load = {
  readonly history: History;
  /** Starts nothing new; resolves when whatever was begun is answered, or has been waited for for too long. */
  finish(): Promise<void>;
};

type Known = { readonly orderId: string; readonly ask: Ask };

export function startLoad(options: LoadOptions): Load {
  const { balancer, customers, staff, skus, scarce, warehouse, patienceMs, random } = options;
  const history = createHistory();
  const run = `${Date.now().toString(36)}${Math.floor(random() * 1e6)}`;
  let going = true;
  let lastTry = Number.POSITIVE_INFINITY;
  let numbers = 0;
  const one = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;

  /** Until it is answered. */
  async function insist(kind: string, ask: Ask): Promise<{ told: Told; node: ClusterNode }> {
    const from = performance.now();
    let node = balancer.pick();
    for (let tries = 1; ; tries += 1) {
      const begun = performance.now();
      const told = await tryOnce(node.url, ask, patienceMs);
      const until = performance.now();
      const answered = !isPassing(told);
      history.attempts.push({ node: node.name, from: begun, until, outcome: answered ? 'ok' : told.outcome });
      if (answered) {
        history.requests.push({ kind, from, until, tries });
        return { told, node };
      }
      if (until > lastTry) {
        history.surprises.push(`nobody answered ${ask.method} ${ask.path} in ${tries} tries, the last ${told.outcome}`);
        return { told, node };
      }
      await pause(RETRY_MS);
      node = balancer.pick(node.name);
    }
  }

  function surprise(kind: string, { outcome, text }: Told): void {
    history.surprises.push(`${kind} was answered ${outcome}: ${text.slice(0, 300)}`);
  }

  function basket(): Line[] {
    const first = one(skus);
    const second = random() < 0.15 ? scarce : one(skus);
    const lines = [{ sku: first, quantity: 1 + Math.floor(random() * 3) }];
    return second === first ? lines : [...lines, { sku: second, quantity: 1 }];
  }

  async function order(customer: string, token: string): Promise<Known | undefined> {
    const lines = basket();
    const key = `${run}-${++numbers}`;
    const body = expressOrder(lines, one(PAYMENTS));
    const ask = { method: 'POST', path: '/v1/orders', token, key, body };
    const { told, node } = await insist('order', ask);
    if (told.status !== 202) {
      surprise('an order', told);
      return undefined;
    }
    const { id, version } = JSON.parse(told.text) as { id: string; version: number };
    history.placed.push({ customer, key, lines, body, orderId: id, answer: told.text, node: node.name });
    history.sightings.push({ client: customer, of: id, version, node: node.name });
    return { orderId: id, ask };
  }

  async function look(customer: string, token: string, orderId: string): Promise<void> {
    const { told, node } = await insist('look', { method: 'GET', path: `/v1/orders/${orderId}`, token });
    if (told.status !== 200) return surprise(`a look at ${orderId}`, told);
    const { version } = JSON.parse(told.text) as { version: number };
    history.sightings.push({ client: customer, of: orderId, version, node: node.name });
  }

  async function repeat({ orderId, ask }: Known): Promise<void> {
    const { told } = await insist('repeat', ask);
    const first = history.placed.find((placed) => placed.orderId === orderId);
    if (told.status !== 202 || told.text !== first?.answer) surprise(`the repeated order ${orderId}`, told);
  }

  async function cancel(token: string, orderId: string): Promise<void> {
    const path = `/v1/orders/${orderId}/cancel`;
    const ask = { method: 'POST', path, token, key: `${run}-${++numbers}`, body: { reason: 'Changed my mind.' } };
    const { told } = await insist('cancel', ask);
    if (told.status === 202) history.cancelled.add(orderId);
    else if (told.status !== 409) surprise(`cancelling ${orderId}`, told);
  }

  async function shop({ name, token }: LoadOptions['customers'][number]): Promise<void> {
    let mine: Known | undefined;
    while (going) {
      const dice = random();
      if (!mine || dice < 0.5) mine = (await order(name, token)) ?? mine;
      else if (dice < 0.8) await look(name, token, mine.orderId);
      else if (dice < 0.9) await repeat(mine);
      else await cancel(token, mine.orderId);
      await pause(random() * THINK_MS);
    }
  }

  async function keepStock(): Promise<void> {
    while (going) {
      const sku = one(skus);
      const receive = random() < 0.5;
      const pieces = receive ? 1 + Math.floor(random() * 20) : -1;
      const ask = {
        method: 'POST',
        path: `/v1/admin/stock/${sku}/${receive ? 'receive' : 'adjust'}`,
        token: staff,
        key: `${run}-${++numbers}`,
        body: receive ? { warehouse, quantity: pieces } : { warehouse, delta: pieces, reason: 'Counted again.' },
      };
      const { told, node } = await insist('stock', ask);
      if (told.status === 200) {
        const { version } = JSON.parse(told.text) as { version: number };
        history.stock.push({ sku, kind: receive ? 'receive' : 'adjust', pieces });
        history.sightings.push({ client: 'staff', of: `stock of ${sku}`, version, node: node.name });
      } else surprise(`stock of ${sku}`, told);
      await pause(random() * THINK_MS);
    }
  }

  const loops = [...customers.map(shop), keepStock()];
  return {
    history,
    async finish() {
      going = false;
      lastTry = performance.now() + LAST_PATIENCE_MS;
      await Promise.all(loops);
    },
  };
}
