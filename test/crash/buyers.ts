/** Buyers who never give up: each order is asked for under its key until it is answered, whatever dies meanwhile. */
import { type Answer, type Client, createClient, expressOrder } from '../support/client.ts';

export type Purchase = {
  readonly key: string;
  readonly body: ReturnType<typeof expressOrder>;
  readonly orderId: string;
  /** The first answer that a client saw. */
  // biome-ignore lint/suspicious/noExplicitAny: the answer is compared, not understood
  readonly answer: any;
};

export type Buyers = {
  /** What was acknowledged so far. */
  readonly purchases: readonly Purchase[];
  /** Answers that weren't 202, a cut connection, 429 or 503. */
  readonly surprises: readonly string[];
  /** Stops starting new orders; resolves when every one that was begun is answered. */
  finish(): Promise<void>;
};

export type BuyersOptions = {
  /** Where the shop is now; changes with each restart. */
  readonly url: () => string;
  readonly token: string;
  readonly skus: readonly string[];
  readonly buyers: number;
  readonly random: () => number;
};

const TOKENS = ['tok_success', 'tok_success', 'tok_success', 'tok_success', 'tok_decline', 'tok_capture_fails'];
const PAUSE_MS = 20;

export function startBuyers({ url, token, skus, buyers, random }: BuyersOptions): Buyers {
  const purchases: Purchase[] = [];
  const surprises: string[] = [];
  let going = true;
  let numbers = 0;
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;

  async function buy(): Promise<void> {
    const key = `buyer-${++numbers}`;
    const first = pick(skus);
    const lines = [{ sku: first, quantity: 1 + Math.floor(random() * 3) }];
    const second = pick(skus);
    if (second !== first && random() < 0.5) lines.push({ sku: second, quantity: 1 });
    const body = expressOrder(lines, pick(TOKENS));
    for (;;) {
      const answer = await attempt(createClient(url()), key, body);
      if (answer?.status === 202) {
        purchases.push({ key, body, orderId: answer.body['id'] as string, answer: answer.body });
        return;
      }
      if (answer && answer.status !== 503) {
        surprises.push(`${answer.status} ${JSON.stringify(answer.body)}`);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  async function attempt(client: Client, key: string, body: Purchase['body']): Promise<Answer | undefined> {
    try {
      return await client.call('POST', '/v1/orders', { token, key, body });
    } catch {
      return undefined;
    }
  }

  const loops = Array.from({ length: buyers }, async () => {
    while (going) await buy();
  });
  return {
    purchases,
    surprises,
    async finish() {
      going = false;
      await Promise.all(loops);
    },
  };
}
