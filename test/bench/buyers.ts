/** Who orders, and when an order counts: answered 2xx, and its money captured. */
import { randomUUID } from 'node:crypto';
import { expressOrder } from '../support/client.ts';
import type { Answer, Http } from './http.ts';

const GUESTS = 256;
const CAPTURE_PATIENCE_MS = 10_000;
const POLL_MS = 5;

type Order = { readonly id: string; readonly status: string; readonly payment: { readonly status: string } };

export type Placed = { readonly orderId: string; readonly token: string };

export type Buyers = {
  /** Places an express order of two products; `wait` in seconds asks for the answer after capture. */
  place(wait?: number): Promise<{ readonly answer: Answer; readonly token: string }>;
  twoSkus(): readonly [string, string];
};

export async function createBuyers(http: Http, skus: readonly string[]): Promise<Buyers> {
  const tokens = await Promise.all(Array.from({ length: GUESTS }, () => guestToken(http)));
  let orders = 0;

  function twoSkus(): readonly [string, string] {
    const first = Math.floor(Math.random() * skus.length);
    const second = (first + 1 + Math.floor(Math.random() * (skus.length - 1))) % skus.length;
    return [skus[first] ?? '', skus[second] ?? ''];
  }

  return {
    twoSkus,
    async place(wait) {
      const token = tokens[orders++ % tokens.length] ?? '';
      const body = expressOrder(twoSkus().map((sku) => ({ sku, quantity: 1 })));
      const options = { token, key: randomUUID(), body, ...(wait !== undefined && { wait }) };
      return { answer: await http.send('POST', '/v1/orders', options), token };
    },
  };
}

async function guestToken(http: Http): Promise<string> {
  const { status, body } = await http.send('POST', '/v1/sessions/guest');
  if (status !== 201) throw new Error(`no guest session: ${status}`);
  return (body as { token: string }).token;
}

/** Why an answer isn't a success; undefined when it is. */
export function refusal({ status, body }: Answer): string | undefined {
  if (status >= 200 && status < 300) return undefined;
  const code = typeof body === 'object' && body !== null && 'code' in body ? ` ${body.code}` : '';
  return `${status}${code}`;
}

export function orderIdOf({ body }: Answer): string {
  return (body as Order).id;
}

/** Why a task failed that threw. */
export function connectionFailure(error: unknown): string {
  return `connection: ${error instanceof Error && 'code' in error ? error.code : error}`;
}

/**
 * Waits until the order of an answer is captured, asking again while it still may be. Returns why it isn't. The answer
 * to `Prefer: wait` normally shows it already.
 */
export async function captureFailure(http: Http, answer: Answer, token: string): Promise<string | undefined> {
  const until = performance.now() + CAPTURE_PATIENCE_MS;
  for (let latest = answer; ; ) {
    const refused = refusal(latest);
    if (refused !== undefined) return refused;
    const { id, status, payment } = latest.body as Order;
    if (payment.status === 'captured') return undefined;
    if (payment.status !== 'pending' && payment.status !== 'authorized') return `order ${status}, ${payment.status}`;
    if (performance.now() > until) return `order still ${status}, ${payment.status}`;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    latest = await http.send('GET', `/v1/orders/${id}`, { token });
  }
}
