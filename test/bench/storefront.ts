/** The whole way of a guest through the shop, request by request. */
import { randomUUID } from 'node:crypto';
import { ADDRESS } from '../support/client.ts';
import { type Buyers, captureFailure, connectionFailure, refusal } from './buyers.ts';
import type { Answer, Http, SendOptions } from './http.ts';
import { createLatencies, type Latencies, type Percentiles } from './latency.ts';
import { closedLoop, type LoadFigures, type Window } from './load.ts';
import type { Probe } from './usage.ts';

const WAIT_SECONDS = 10;

export type StorefrontRun = {
  readonly load: LoadFigures;
  readonly steps: Readonly<Record<string, Percentiles>>;
  readonly orders: number;
};

/** A request of a flow was refused; the message is the reason. */
class Refused extends Error {
  override readonly name = 'Refused';
}

export async function storefront(
  http: Http,
  buyers: Buyers,
  inFlight: number,
  window: Window,
  probe: Probe,
): Promise<StorefrontRun> {
  const steps = new Map<string, Latencies>();
  const begin = performance.now() + window.warmUpMs;
  let orders = 0;

  async function step(name: string, run: () => Promise<Answer>): Promise<Answer> {
    const latencies = steps.get(name) ?? createLatencies();
    steps.set(name, latencies);
    const started = performance.now();
    const answer = await run();
    const refused = refusal(answer);
    if (refused !== undefined) throw new Refused(`${name}: ${refused}`);
    if (started >= begin) latencies.record(performance.now() - started);
    return answer;
  }

  async function flow(): Promise<string | undefined> {
    try {
      const { body } = await step('guest session', () => http.send('POST', '/v1/sessions/guest'));
      const { token } = body as { token: string };
      const answer = await buy(step, http, buyers, token);
      orders += 1;
      return await captureFailure(http, answer, token);
    } catch (error) {
      return error instanceof Refused ? error.message : connectionFailure(error);
    }
  }

  const load = await closedLoop(inFlight, window, probe, flow);
  return { load, orders, steps: Object.fromEntries([...steps].map(([name, each]) => [name, each.percentiles()])) };
}

type Step = (name: string, run: () => Promise<Answer>) => Promise<Answer>;

async function buy(step: Step, http: Http, buyers: Buyers, token: string): Promise<Answer> {
  const send = (name: string, method: string, path: string, options: SendOptions): Promise<Answer> =>
    step(name, () => http.send(method, path, { token, ...options }));
  const cart = idOf(await send('create cart', 'POST', '/v1/carts', { body: {} }));
  for (const sku of buyers.twoSkus()) {
    await send('add line', 'POST', `/v1/carts/${cart}/lines`, { body: { sku, quantity: 1 } });
  }
  const checkout = idOf(await send('start checkout', 'POST', `/v1/carts/${cart}/checkout`, { body: {} }));
  const path = `/v1/checkouts/${checkout}`;
  await send('set address', 'PUT', `${path}/address`, { body: ADDRESS });
  await send('set method', 'PUT', `${path}/shipping-method`, { body: { method: 'standard' } });
  await send('set payment', 'PUT', `${path}/payment`, { body: { token: 'tok_success' } });
  return send('complete', 'POST', `${path}/complete`, { body: {}, key: randomUUID(), wait: WAIT_SECONDS });
}

function idOf({ body }: Answer): string {
  return (body as { id: string }).id;
}
