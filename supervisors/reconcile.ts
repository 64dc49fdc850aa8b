/**
 * Our books of the customers' money against the payment vendor's, order by order: both lie in the order of the orders'
 * ids, so a page of each is merged and memory stays bounded. What differs is looked at once more before it is reported:
 * the vendor may know something that is only on its way to us.
 */
import { setImmediate } from 'node:timers/promises';
import type { PaymentBooks } from '../actors/gateways.ts';
import type { Clock, ShardStore } from '../actors/kernel/ports.ts';
import { type OrderState, orderAddress } from '../actors/order.ts';
import { compareBooks, type Finding } from '../actors/payment/reconcile.ts';
import { type PaymentState, paymentAddress } from '../actors/payment.ts';
import type { AggregateIds } from '../storage/aggregateIds.ts';
import { type AnyDecider, recall } from './memory.ts';

export type { Finding } from '../actors/payment/reconcile.ts';

export type Reconciliation = {
  readonly findings: readonly Finding[];
  /** Orders that were compared. */
  readonly examined: number;
  /** The last order compared, when there may be more after it. */
  readonly next: string | null;
};

/**
 * Compares the books of at most `limit` orders, in the order of their ids, after the given one.
 * @throws what the vendor's books throw when they can't be read
 */
export type Reconcile = (page: { readonly after?: string; readonly limit: number }) => Promise<Reconciliation>;

/** News that are on their way need moments. */
const RECHECK_MS = 500;
const ORDER_PREFIX = 'ord_';

export type ReconcileOptions = {
  readonly books: PaymentBooks;
  readonly store: Pick<ShardStore, 'load'>;
  readonly aggregateIds: AggregateIds;
  readonly deciders: Readonly<Record<string, AnyDecider>>;
  readonly clock: Pick<Clock, 'delay'>;
  /** Real time before a difference is looked at once more, in ms. */
  readonly recheckMs?: number;
};

export function createReconcile({ recheckMs = RECHECK_MS, ...options }: ReconcileOptions): Reconcile {
  const { books, store, aggregateIds, deciders, clock } = options;

  function stateOf<State>(type: 'order' | 'payment', id: string): State {
    const decider = deciders[type];
    if (!decider) throw new Error(`no decider of type ${type}`);
    const address = type === 'order' ? orderAddress(id) : paymentAddress(id);
    return recall(store, decider, address, () => []).state as State;
  }

  /** What the shop knows is read before what the vendor knows: whatever we have booked, the vendor has done already. */
  async function findingsOf(orderId: string): Promise<readonly Finding[]> {
    const order = stateOf<OrderState>('order', orderId);
    const payment = stateOf<PaymentState>('payment', orderId);
    const ended = order.status !== 'unknown' && order.end !== null;
    return compareBooks({ payment, ended }, await books.account(orderId));
  }

  async function confirmed(suspicions: readonly Finding[]): Promise<readonly Finding[]> {
    await new Promise<void>((resolve) => clock.delay(recheckMs, resolve));
    const before = new Set(suspicions.map(nameOf));
    const again: Finding[] = [];
    for (const orderId of new Set(suspicions.map((finding) => finding.orderId))) {
      again.push(...(await findingsOf(orderId)));
    }
    return again.filter((finding) => before.has(nameOf(finding)));
  }

  return async ({ after, limit }) => {
    const page = { limit, ...(after !== undefined && { after }) };
    const ours = aggregateIds('payment', { ...page, prefix: ORDER_PREFIX });
    const theirs = (await books.accounts(page)).map(({ orderId }) => orderId);
    const ids = upToHorizon(ours, theirs, limit);
    const suspicions: Finding[] = [];
    for (const orderId of ids) {
      // Lets others in between: a page is many reads.
      await setImmediate();
      suspicions.push(...(await findingsOf(orderId)));
    }
    const findings = suspicions.length === 0 ? [] : await confirmed(suspicions);
    const more = ours.length === limit || theirs.length === limit;
    return { findings, examined: ids.length, next: (more && ids.at(-1)) || null };
  };
}

function nameOf({ code, orderId, key = '' }: Finding): string {
  return `${code} ${orderId} ${key}`;
}

/** The ids of both, up to where both are known. */
function upToHorizon(ours: readonly string[], theirs: readonly string[], limit: number): string[] {
  const ends = [ours, theirs].flatMap((ids) => (ids.length === limit ? ids.slice(-1) : []));
  const all = [...new Set([...ours, ...theirs])].sort(byKey);
  return all.filter((id) => ends.every((end) => byKey(id, end) <= 0)).slice(0, limit);
}

/** As the keys that begin with them are sorted. */
function byKey(one: string, other: string): number {
  return `${one}/` < `${other}/` ? -1 : one === other ? 0 : 1;
}
