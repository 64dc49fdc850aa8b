/**
 * Clients of all kinds, each of which repeats a request until it is answered, at another node each time. Whatever they ask
 * and are told is written down for the checker.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Answer, type Ask, markerOf } from '../history/exchange.ts';
import { isPassing, type Send } from '../history/observe.ts';
import { ADDRESS, expressOrder } from '../support/client.ts';
import type { Balancer } from './balancer.ts';
import type { Request } from './measure.ts';

const RETRY_MS = 100;
/** Clients with an unanswered request at the end insist for so long, then they complain. */
const LAST_PATIENCE_MS = 60_000;
/** Between two actions of one client, at most: the load is steady, not the highest possible. */
const THINK_MS = 300;
const PAYMENTS = ['tok_success', 'tok_success', 'tok_success', 'tok_success', 'tok_decline', 'tok_capture_fails'];
const SHOWN = 300;
const STAFF = 'staff';

export type LoadOptions = {
  readonly balancer: Balancer;
  readonly send: Send;
  /** By name. */
  readonly customers: readonly string[];
  readonly skus: readonly string[];
  readonly scarce: string;
  readonly warehouse: string;
  readonly random: () => number;
};

export type Load = {
  readonly requests: readonly Request[];
  /** Orders that a client knows of, oldest first. */
  readonly orders: readonly string[];
  /** Answers that these clients should not get, whatever the checker says of them. */
  readonly surprises: string[];
  /** Starts nothing new; resolves when whatever was begun is answered, or has been waited for for too long. */
  finish(): Promise<void>;
};

/** An order, and how it was asked for. */
type Known = { readonly id: string; readonly ask: Ask };

export function startLoad(options: LoadOptions): Load {
  const { balancer, send, customers, skus, scarce, warehouse, random } = options;
  const requests: Request[] = [];
  const orders: string[] = [];
  const surprises: string[] = [];
  const run = `${Date.now().toString(36)}${Math.floor(random() * 1e6)}`;
  let going = true;
  let lastTry = Number.POSITIVE_INFINITY;
  let numbers = 0;
  const nextKey = (): string => `${run}-${++numbers}`;
  const one = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;

  /** Until it is answered. */
  async function insist(client: string, kind: string, ask: Ask): Promise<Answer> {
    const from = performance.now();
    let node = balancer.pick();
    for (let tries = 1; ; tries += 1) {
      const answer = await send(client, node.name, ask);
      const until = performance.now();
      if (!isPassing(answer)) {
        requests.push({ kind, from, until, tries });
        return answer;
      }
      if (until > lastTry) {
        surprises.push(`nobody answered ${ask.method} ${ask.path} in ${tries} tries, the last ${answer.status}`);
        return answer;
      }
      await pause(RETRY_MS);
      node = balancer.pick(node.name);
    }
  }

  /** The answer, if it is one of those that make sense. */
  async function expect(client: string, kind: string, ask: Ask, statuses: readonly number[]): Promise<Answer> {
    const answer = await insist(client, kind, ask);
    if (!statuses.includes(answer.status)) {
      surprises.push(`${kind}: ${ask.method} ${ask.path} was answered ${answer.status} ${answer.text.slice(0, SHOWN)}`);
    }
    return answer;
  }

  function basket(): { sku: string; quantity: number }[] {
    const first = one(skus);
    const second = random() < 0.15 ? scarce : one(skus);
    const lines = [{ sku: first, quantity: 1 + Math.floor(random() * 3) }];
    return second === first ? lines : [...lines, { sku: second, quantity: 1 }];
  }

  const addressOf = (name: string) => ({ ...ADDRESS, name: `${ADDRESS.name} ${markerOf(name)}` });

  function known(ask: Ask, { status, text }: Answer): Known | undefined {
    if (status !== 202) return undefined;
    const { id } = JSON.parse(text) as { id: string };
    orders.push(id);
    return { id, ask };
  }

  async function order(name: string): Promise<Known | undefined> {
    const body = { ...expressOrder(basket(), one(PAYMENTS)), address: addressOf(name) };
    const ask = { method: 'POST', path: '/v1/orders', key: nextKey(), body };
    return known(ask, await expect(name, 'order', ask, [202]));
  }

  /** Request by request. Where clocks jump a checkout may be too old before it is through. */
  async function checkOut(name: string): Promise<Known | undefined> {
    const step = async (method: string, path: string, body: unknown): Promise<{ ask: Ask; answer: Answer }> => {
      const ask = { method, path, body, key: nextKey() };
      return { ask, answer: await expect(name, 'checkout', ask, [200, 201, 202, 204, 409, 410]) };
    };
    const idOf = ({ answer: { status, text } }: { answer: Answer }): string | undefined =>
      status < 300 ? (JSON.parse(text) as { id: string }).id : undefined;
    const cart = idOf(await step('POST', '/v1/carts', {}));
    for (const line of basket()) await step('POST', `/v1/carts/${cart}/lines`, line);
    const checkout = idOf(await step('POST', `/v1/carts/${cart}/checkout`, {}));
    if (checkout === undefined) return undefined;
    const path = `/v1/checkouts/${checkout}`;
    await step('PUT', `${path}/address`, addressOf(name));
    await step('PUT', `${path}/shipping-method`, { method: 'standard' });
    await step('PUT', `${path}/payment`, { token: one(PAYMENTS) });
    const { ask, answer } = await step('POST', `${path}/complete`, {});
    return known(ask, answer);
  }

  const look = (name: string, id: string) => expect(name, 'look', { method: 'GET', path: `/v1/orders/${id}` }, [200]);

  async function cancel(name: string, id: string): Promise<void> {
    const body = { reason: 'Changed my mind.' };
    const ask = { method: 'POST', path: `/v1/orders/${id}/cancel`, key: nextKey(), body };
    await expect(name, 'cancel', ask, [202, 409]);
  }

  async function shop(name: string): Promise<void> {
    let mine: Known | undefined;
    while (going) {
      const dice = random();
      if (!mine || dice < 0.4) mine = (await order(name)) ?? mine;
      else if (dice < 0.5) mine = (await checkOut(name)) ?? mine;
      else if (dice < 0.8) await look(name, mine.id);
      else if (dice < 0.9) await expect(name, 'repeat', mine.ask, [202]);
      else await cancel(name, mine.id);
      await pause(random() * THINK_MS);
    }
  }

  async function keepStock(): Promise<void> {
    while (going) {
      const path = `/v1/admin/stock/${one(skus)}`;
      const receive = random() < 0.5;
      const body = receive
        ? { warehouse, quantity: 1 + Math.floor(random() * 20) }
        : { warehouse, delta: -1, reason: 'Counted again.' };
      const ask = { method: 'POST', path: `${path}/${receive ? 'receive' : 'adjust'}`, key: nextKey(), body };
      await expect(STAFF, 'stock', ask, [200]);
      await pause(random() * THINK_MS);
      await expect(STAFF, 'stock', { method: 'GET', path }, [200]);
      await pause(random() * THINK_MS);
    }
  }

  const loops = [...customers.map(shop), keepStock()];
  return {
    requests,
    orders,
    surprises,
    async finish() {
      going = false;
      lastTry = performance.now() + LAST_PATIENCE_MS;
      await Promise.all(loops);
    },
  };
}
