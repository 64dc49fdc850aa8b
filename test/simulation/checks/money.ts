/** What must hold at the payment vendor, whose books nobody at the shop can change (I6). */
import type { Authorization, LedgerEntry } from '../../../transport/payment/ledger.ts';
import { orderOf } from '../../../transport/payment/ledger.ts';
import { WITHOUT_MONEY } from '../../history/statuses.ts';

type Account = {
  readonly captured: number;
  readonly refunded: number;
  readonly live: number;
  readonly captures: number;
};

const NOTHING: Account = { captured: 0, refunded: 0, live: 0, captures: 0 };

function accountsOf(entries: Iterable<LedgerEntry>): ReadonlyMap<string, Account> {
  const accounts = new Map<string, Account>();
  for (const entry of entries) {
    if (entry.kind !== 'authorization') continue;
    const order = orderOf(entry.key);
    accounts.set(order, added(accounts.get(order) ?? NOTHING, entry));
  }
  return accounts;
}

function added(account: Account, { outcome, followUps }: Authorization): Account {
  let { captured, refunded, captures, live } = account;
  let open = outcome?.outcome === 'authorized';
  for (const { outcome: done } of followUps) {
    if (done.outcome === 'captured') {
      captured += done.amount.amount;
      captures += 1;
    }
    if (done.outcome === 'refunded') refunded += done.amount.amount;
    if (done.outcome === 'captured' || done.outcome === 'voided') open = false;
  }
  if (open) live += 1;
  return { captured, refunded, captures, live };
}

export function moneyViolations(entries: Iterable<LedgerEntry>): string[] {
  return [...accountsOf(entries)].flatMap(([order, { captured, refunded, captures }]) => [
    ...(captures > 1 && refunded === 0 ? [`I6: ${order} was captured ${captures} times`] : []),
    ...(refunded > captured ? [`I6: ${order} was given back ${refunded} of ${captured}`] : []),
  ]);
}

/** An operator sees that something of the money is open, by the order's status or beside it. */
const LEFT_TO_OPERATORS = new Set(['refund-pending', 'manual-review']);

export type ShownOrder = {
  readonly id: string;
  readonly status: string;
  readonly payment: Readonly<Record<'captured' | 'refunded', Amount>> & {
    readonly openRefund?: { readonly amount: Amount; readonly escalated: boolean };
  };
};
type Amount = { readonly amount: number };

/** At rest the shop and its vendor say the same of each order, and nothing is kept of one that nobody gets (I6). */
export function bookViolations(orders: readonly ShownOrder[], entries: Iterable<LedgerEntry>): string[] {
  const accounts = accountsOf(entries);
  return orders.flatMap(({ id, status, payment }) => {
    if (LEFT_TO_OPERATORS.has(status)) return [];
    const { captured, refunded, live } = accounts.get(id) ?? NOTHING;
    const found: string[] = [];
    // A refund that was given up may have got through after all.
    const { openRefund } = payment;
    const mayBeBack = openRefund?.escalated ? openRefund.amount.amount : 0;
    const unshown = refunded - payment.refunded.amount;
    if (payment.captured.amount !== captured || unshown < 0 || unshown > mayBeBack) {
      const shown = `${payment.captured.amount} taken and ${payment.refunded.amount} given back`;
      found.push(`I6: ${id} shows ${shown}, the vendor ${captured} and ${refunded}`);
    }
    if (WITHOUT_MONEY.has(status) && (captured !== refunded || live > 0)) {
      found.push(`I6: ${id} is ${status}, and the vendor has ${captured - refunded} of it and ${live} authorizations`);
    }
    return found;
  });
}
