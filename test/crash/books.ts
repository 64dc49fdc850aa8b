/**
 * Checks a shop's books from outside: what clients were told against what the public interface says now, and the
 * vendor's own ledger. Returns what is wrong, in words.
 */
import { join } from 'node:path';
import { openKeyedStore } from '../../storage/keyedStore.ts';
import { amountsOf, type LedgerEntry } from '../../transport/payment/ledger.ts';
import type { Client } from '../support/client.ts';
import type { Purchase } from './buyers.ts';

const FULFILLED = new Set(['confirmed', 'fulfilling', 'shipped', 'delivered']);
const ENDED = new Set([
  'payment-failed',
  'out-of-stock',
  'cancelled',
  'closed',
  'on-hold',
  'manual-review',
  'refund-pending',
]);
const PARALLEL = 16;

export type Books = { readonly findings: readonly string[]; readonly fulfilled: number; readonly ended: number };

type Tokens = { readonly token: string; readonly staff: string };

export type BooksOptions = {
  readonly client: Client;
  readonly token: string;
  readonly staff: string;
  readonly purchases: readonly Purchase[];
  readonly skus: readonly string[];
};

/** Waits until every order has settled, as long as `deadlineMs`, then checks. */
export async function checkBooks(
  { client, token, staff, purchases, skus }: BooksOptions,
  deadlineMs: number,
): Promise<Books> {
  const findings: string[] = [];
  const sold = new Map<string, number>();
  let fulfilled = 0;
  let ended = 0;
  const until = performance.now() + deadlineMs;
  await eachOf(purchases, async ({ orderId, key, body, answer }) => {
    const order = await settledOrder(client, { token, staff }, orderId, until);
    if (!order) {
      findings.push(`${orderId} was acknowledged and doesn't exist`);
      return;
    }
    const { captured, refunded } = order.payment;
    const kept = captured.amount - refunded.amount;
    if (FULFILLED.has(order.status)) {
      fulfilled += 1;
      if (kept !== order.totals.total.amount) findings.push(`${orderId} is ${order.status} with ${kept} captured`);
      for (const line of order.lines) sold.set(line.sku, (sold.get(line.sku) ?? 0) + line.quantity);
    } else if (ENDED.has(order.status)) {
      ended += 1;
      if (kept !== 0) findings.push(`${orderId} is ${order.status} with ${kept} captured`);
    } else {
      findings.push(`${orderId} is still ${order.status}`);
    }
    const again = await client.call('POST', '/v1/orders', { token, key, body });
    if (again.status !== 202 || again.headers.get('idempotent-replayed') !== 'true') {
      findings.push(`${key} repeated: ${again.status}, replayed ${again.headers.get('idempotent-replayed')}`);
    } else if (JSON.stringify(again.body) !== JSON.stringify(answer)) {
      findings.push(`${key} repeated: another answer`);
    }
  });
  for (const sku of skus) findings.push(...(await stockFindings(client, staff, sku, sold.get(sku) ?? 0)));
  return { findings, fulfilled, ended };
}

// biome-ignore lint/suspicious/noExplicitAny: the public order, read by member
async function settledOrder(client: Client, { token, staff }: Tokens, orderId: string, until: number): Promise<any> {
  for (;;) {
    const { status, body } = await client.call('GET', `/v1/orders/${orderId}`, { token });
    if (status === 404) return undefined;
    const transient = body.status === 'placed' || body.status === 'confirmed' || body.status === 'cancelling';
    const settled = !transient && !(body.status === 'on-hold' && (await isUndoing(client, staff, orderId)));
    if (settled || performance.now() > until) return body;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** An order is shown as held as soon as it is, while what it has taken is still on its way back. */
async function isUndoing(client: Client, staff: string, orderId: string): Promise<boolean> {
  const { body } = await client.call('GET', `/v1/admin/sagas/${orderId}`, { token: staff });
  return body.status === 'compensating';
}

async function stockFindings(client: Client, staff: string, sku: string, sold: number): Promise<string[]> {
  const { body } = await client.call('GET', `/v1/admin/stock/${sku}`, { token: staff });
  const findings: string[] = [];
  let committed = 0;
  for (const row of body.warehouses) {
    const held = row.available + row.reserved + row.committed + row.picked;
    if (held !== row.received - row.shipped + row.adjusted) findings.push(`${sku}@${row.warehouse} doesn't add up`);
    if (row.reserved !== 0) findings.push(`${sku}@${row.warehouse} still has ${row.reserved} reserved`);
    committed += row.committed + row.picked + row.shipped;
  }
  if (committed !== sold) findings.push(`${sku}: ${committed} committed for ${sold} sold`);
  return findings;
}

/** Reads the simulated vendor's file: at most one capture per order, and nothing kept for what wasn't fulfilled. */
export function vendorFindings(folder: string, keptByOrder: ReadonlyMap<string, number>): string[] {
  const ledger = openKeyedStore<LedgerEntry>(join(folder, 'payment-simulator.sqlite'));
  const findings: string[] = [];
  const seen = new Map<string, number>();
  for (const entry of ledger.all()) {
    if (entry.kind !== 'authorization') continue;
    const { captured, refunded, voided } = amountsOf(entry);
    const { orderId } = entry.request;
    seen.set(orderId, (seen.get(orderId) ?? 0) + captured.amount - refunded.amount);
    const captures = entry.followUps.filter(({ outcome }) => outcome.outcome === 'captured');
    if (captures.length > 1) findings.push(`${orderId} was captured ${captures.length} times`);
    const live = entry.outcome?.outcome === 'authorized' && captures.length === 0 && !voided;
    if (live) findings.push(`${orderId} has a live authorization`);
  }
  for (const [orderId, kept] of keptByOrder) {
    if ((seen.get(orderId) ?? 0) !== kept)
      findings.push(`${orderId}: vendor kept ${seen.get(orderId) ?? 0}, shop ${kept}`);
  }
  for (const [orderId, kept] of seen) {
    if (kept !== 0 && !keptByOrder.has(orderId))
      findings.push(`${orderId}: vendor kept ${kept} for an order nobody saw`);
  }
  ledger.close();
  return findings;
}

async function eachOf<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const queue = [...items];
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
    }),
  );
}
