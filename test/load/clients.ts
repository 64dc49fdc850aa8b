/**
 * Many clients, each with one order under way at a time. Each waits for what becomes of its order, then looks around: reads,
 * repeats, cancels, and tries to see what belongs to others. A request that is not answered is sent again, to another node.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Answer, type Ask, markerOf, type Recorder } from '../history/exchange.ts';
import { isPassing, recorded, type Send } from '../history/observe.ts';
import { expressOrder } from '../support/client.ts';

/** The longest that the interface allows. */
const WAIT_SECONDS = 10;
const RETRY_MS = 200;
const POLL_MS = 250;
const PAYMENTS = ['tok_success', 'tok_success', 'tok_success', 'tok_success', 'tok_decline', 'tok_capture_fails'];
/** An order that is still not decided after that is not waited for any more. */
const ORDER_PATIENCE_MS = 60_000;
/** Whoever gets no answer for that long gives up, and the history has a request without an answer. */
const REQUEST_PATIENCE_MS = 60_000;
/** Within which all of them come. */
const ARRIVAL_MS = 1_000;
const SCARCE_SHARE = 0.02;

export type Timed = {
  readonly kind: 'order' | 'read' | 'change';
  readonly ms: number;
  readonly tries: number;
  /** Tries that failed: no answer, or that the shop could not. */
  readonly failed: number;
  readonly answered: boolean;
};

/** From the first try until the client saw what becomes of its order; undefined when it gave up. */
export type OrderTime = { readonly ms: number | undefined };

export type Measured = { readonly requests: Timed[]; readonly orders: OrderTime[] };

export type ClientsOptions = {
  readonly recorder: Recorder;
  readonly send: Send;
  readonly nodes: readonly string[];
  readonly clients: readonly string[];
  readonly skus: readonly string[];
  readonly scarce: string;
  /** On average. */
  readonly thinkMs: number;
  readonly random: () => number;
  /** Of all keys of this round. */
  readonly prefix: string;
};

/** Resolves when the time is up and whatever was begun has ended. */
export async function runClients(options: ClientsOptions, forMs: number): Promise<Measured> {
  const measured: Measured = { requests: [], orders: [] };
  const until = performance.now() + forMs;
  const known: Known[] = [];
  const each = options.clients.map(async (client, index) => {
    // Nobody's shop gets all its customers in the same millisecond.
    await pause((index / options.clients.length) * ARRIVAL_MS);
    const shopper = createShopper(options, client, measured, known);
    while (performance.now() < until) {
      await shopper.order();
      await shopper.lookAround();
      if (options.thinkMs > 0) await pause(2 * options.thinkMs * options.random());
    }
  });
  await Promise.all(each);
  return measured;
}

type Known = { readonly id: string; readonly owner: string; readonly ask: Ask };

function createShopper(options: ClientsOptions, client: string, measured: Measured, known: Known[]) {
  const { recorder, send, nodes, skus, scarce, random, prefix } = options;
  const asking = recorded(recorder, send);
  const one = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  let orders = 0;
  let mine: Known | undefined;

  async function insist(kind: Timed['kind'], ask: Ask): Promise<Answer> {
    const from = performance.now();
    let index = Math.floor(random() * nodes.length);
    for (let tries = 1; ; tries += 1) {
      const answer = await asking(client, nodes[index] ?? '', ask);
      const ms = performance.now() - from;
      const answered = !isPassing(answer);
      if (answered || ms > REQUEST_PATIENCE_MS) {
        measured.requests.push({ kind, ms, tries, failed: answered ? tries - 1 : tries, answered });
        return answer;
      }
      await pause(RETRY_MS);
      index = (index + 1) % nodes.length;
    }
  }

  async function order(): Promise<void> {
    const from = performance.now();
    const body = bodyOf();
    const key = `${prefix}-${client}-${++orders}`;
    const plain = { method: 'POST', path: '/v1/orders', key, body };
    const placed = await insist('order', { ...plain, wait: WAIT_SECONDS });
    if (placed.status !== 202) {
      measured.orders.push({ ms: undefined });
      return;
    }
    const { id } = JSON.parse(placed.text) as { readonly id: string };
    mine = { id, owner: client, ask: plain };
    known.push(mine);
    const decided = await decidedBy(placed, id, from + ORDER_PATIENCE_MS);
    measured.orders.push({ ms: decided ? performance.now() - from : undefined });
  }

  function bodyOf() {
    const first = one(skus);
    const second = random() < SCARCE_SHARE ? scarce : one(skus);
    const lines = [{ sku: first, quantity: 1 + Math.floor(random() * 3) }];
    const { address, ...rest } = expressOrder(
      second === first ? lines : [...lines, { sku: second, quantity: 1 }],
      one(PAYMENTS),
    );
    return { ...rest, address: { ...address, name: `Buyer ${markerOf(client)}` } };
  }

  async function decidedBy(placed: Answer, id: string, until: number): Promise<boolean> {
    for (let latest = placed; ; ) {
      if (latest.status !== 200 && latest.status !== 202) return false;
      if ((JSON.parse(latest.text) as { readonly status: string }).status !== 'placed') return true;
      if (performance.now() > until) return false;
      await pause(POLL_MS);
      latest = await insist('read', { method: 'GET', path: `/v1/orders/${id}` });
    }
  }

  async function lookAround(): Promise<void> {
    if (!mine) return;
    const path = `/v1/orders/${mine.id}`;
    const dice = random();
    if (dice < 0.3) await insist('read', { method: 'GET', path });
    else if (dice < 0.45) await insist('read', { method: 'GET', path: `${path}/timeline` });
    else if (dice < 0.6) await insist('read', { method: 'GET', path: '/v1/orders?limit=100' });
    else if (dice < 0.7) await insist('change', mine.ask);
    else if (dice < 0.8) {
      const body = { reason: 'Changed my mind.' };
      await insist('change', { method: 'POST', path: `${path}/cancel`, key: `${mine.ask.key}-cancel`, body });
    } else if (dice < 0.85) {
      const other = one(known);
      if (other.owner !== client) await insist('read', { method: 'GET', path: `/v1/orders/${other.id}` });
    }
  }

  return { order, lookAround };
}
