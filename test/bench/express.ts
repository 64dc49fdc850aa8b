/** Express orders: as many as 64 clients get captured, and the latency of accepting them at a fixed rate. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Buyers, captureFailure, connectionFailure, orderIdOf, type Placed, refusal } from './buyers.ts';
import type { Answer, Http } from './http.ts';
import { createLatencies, type Percentiles } from './latency.ts';
import { closedLoop, type LoadFigures, openLoop, type Window } from './load.ts';
import type { Probe } from './usage.ts';

const WAIT_SECONDS = 10;
const DRAIN_DEADLINE_MS = 60_000;
const DRAIN_PARALLEL = 32;
/** Looking costs the server something, too: seldom. */
const DRAIN_PAUSE_MS = 1_000;
const TIMELINES = 500;

export type ExpressRun = { readonly load: LoadFigures; readonly placed: readonly Placed[] };

/** Latency is placed → captured. */
export async function expressClosed(
  http: Http,
  buyers: Buyers,
  inFlight: number,
  window: Window,
  probe: Probe,
): Promise<ExpressRun> {
  const placed: Placed[] = [];
  const load = await closedLoop(inFlight, window, probe, async () => {
    try {
      const { answer, token } = await buyers.place(WAIT_SECONDS);
      note(placed, answer, token);
      return await captureFailure(http, answer, token);
    } catch (error) {
      return connectionFailure(error);
    }
  });
  return { load, placed };
}

/** Latency is intended send → 202; what became of the orders is looked at afterwards. */
export async function expressOpen(buyers: Buyers, rate: number, window: Window, probe: Probe): Promise<ExpressRun> {
  const placed: Placed[] = [];
  const load = await openLoop(rate, window, probe, async () => {
    try {
      const { answer, token } = await buyers.place();
      note(placed, answer, token);
      return refusal(answer);
    } catch (error) {
      return connectionFailure(error);
    }
  });
  return { load, placed };
}

function note(placed: Placed[], answer: Answer, token: string): void {
  if (refusal(answer) === undefined) placed.push({ orderId: orderIdOf(answer), token });
}

export type Outcome = {
  readonly accepted: number;
  readonly captured: number;
  /** Accepted orders that weren't captured yet when the load had ended. */
  readonly backlog: number;
  readonly drainMs: number;
  /** Placed → captured by the order's own timeline, of a sample. */
  readonly captureMs: Percentiles;
  /** What the others are instead, and how many. */
  readonly others: Readonly<Record<string, number>>;
};

/** Looks at every order until it is captured or has ended otherwise, the newest first; gives up after a minute. */
export async function outcomeOf(http: Http, placed: readonly Placed[]): Promise<Outcome> {
  const started = performance.now();
  const others: Record<string, number> = {};
  let captured = 0;
  let backlog: number | undefined;
  let open = [...placed].reverse();
  while (open.length > 0) {
    const late = performance.now() - started > DRAIN_DEADLINE_MS;
    const states = await inParallel(open, (order) => paymentOf(http, order));
    const next: Placed[] = [];
    states.forEach((state, index) => {
      const order = open[index];
      if (state === 'captured') captured += 1;
      else if (order && !late && (state === 'pending' || state === 'authorized')) next.push(order);
      else others[state] = (others[state] ?? 0) + 1;
    });
    backlog ??= next.length;
    open = next;
    if (open.length > 0) await pause(DRAIN_PAUSE_MS);
  }
  const drainMs = performance.now() - started;
  const captureMs = await captureTimes(http, placed);
  return { accepted: placed.length, captured, backlog: backlog ?? 0, drainMs, captureMs, others };
}

async function captureTimes(http: Http, placed: readonly Placed[]): Promise<Percentiles> {
  const step = Math.ceil(placed.length / TIMELINES);
  const sample = placed.filter((_, index) => index % step === 0);
  const latencies = createLatencies();
  await inParallel(sample, async ({ orderId, token }) => {
    const { body } = await http.send('GET', `/v1/orders/${orderId}/timeline`, { token });
    const { data } = body as { data: readonly { readonly at: string; readonly type: string }[] };
    const at = (wanted: string): number => Date.parse(data.find(({ type }) => type === wanted)?.at ?? '');
    const ms = at('payment.captured') - at('order.placed');
    if (Number.isFinite(ms)) latencies.record(ms);
  });
  return latencies.percentiles();
}

async function paymentOf(http: Http, { orderId, token }: Placed): Promise<string> {
  const answer = await http.send('GET', `/v1/orders/${orderId}`, { token });
  return refusal(answer) ?? (answer.body as { payment: { status: string } }).payment.status;
}

async function inParallel<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const queue = [...items.entries()].reverse();
  const workers = Array.from({ length: DRAIN_PARALLEL }, async () => {
    for (let entry = queue.pop(); entry !== undefined; entry = queue.pop()) results[entry[0]] = await work(entry[1]);
  });
  await Promise.all(workers);
  return results;
}
