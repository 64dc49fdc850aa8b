/**
 * What people do at the simulated vendor, and the shop only hears of: a customer approves a payment at the bank, a bank
 * disputes one. What there is to tell is written together with what was done and stays until it is taken.
 */
import { compare, type Money, subtract } from '../../actors/kernel/money.ts';
import type { Clock } from '../../actors/kernel/ports.ts';
import {
  type Authorization,
  amountsOf,
  authorizationAt,
  type Dispute,
  NEWS_PREFIX,
  type OrderEntries,
  orderOf,
  REFERENCE_PREFIX,
  type SimulatorLedger,
  type UntoldNews,
} from './ledger.ts';
import { authorized } from './simulator.ts';

export type BankRequest = {
  readonly orderId: string;
  readonly amount: Money;
  readonly status: 'waiting' | 'approved' | 'declined';
};

export type DisputedPayment = Dispute & { readonly orderId: string };

export interface SimulatedBank {
  find(reference: string): Promise<BankRequest | undefined>;
  /** The customer's word; the first one counts, and what it was is answered ever after. */
  decide(reference: string, approve: boolean): Promise<BankRequest | undefined>;
  /**
   * Disputes as much of what is kept of an order's payment, all of it unless an amount is given. The same id is the same
   * dispute. Undefined when so much is not kept.
   */
  dispute(orderId: string, dispute: DisputeRequest): Promise<DisputedPayment | undefined>;
  /** The first end counts, and is answered ever after. */
  resolve(disputeId: string, outcome: 'won' | 'lost'): Promise<DisputedPayment | undefined>;
  /** What was not taken yet, by key; at most `limit`. */
  untold(limit: number): Promise<readonly UntoldNews[]>;
  taken(news: UntoldNews): Promise<void>;
}

type DisputeRequest = { readonly id: string; readonly amount?: Money; readonly reason: string };

export function createSimulatedBank(ledger: SimulatorLedger, clock: Pick<Clock, 'now'>): SimulatedBank {
  async function atReferred<Result>(
    reference: string,
    visit: (entry: Authorization, order: OrderEntries) => Result,
  ): Promise<Result | undefined> {
    const key = await ledger.referred(reference);
    if (key === undefined) return undefined;
    return ledger.change(orderOf(key), (order) => {
      const entry = authorizationAt(order, key);
      return entry && visit(entry, order);
    });
  }

  return {
    find: (reference) => atReferred(reference, requestOf),
    decide: (reference, approve) => atReferred(reference, (entry, order) => decide(order, entry, approve, clock.now())),
    dispute: (orderId, request) => ledger.change(orderId, (order) => dispute(order, orderId, request, clock.now())),
    resolve: (disputeId, outcome) => atReferred(disputeId, (entry, order) => resolve(order, entry, disputeId, outcome)),
    untold: async (limit) => (await ledger.after(NEWS_PREFIX, limit)).filter((entry) => entry.kind === 'news'),
    taken: ({ key, orderId }) => ledger.change(orderId, (order) => order.remove(key)),
  };
}

function decide(order: OrderEntries, entry: Authorization, approve: boolean, now: number): BankRequest {
  if (entry.outcome?.outcome !== 'requires-action') return requestOf(entry);
  const { key, request } = entry;
  const result = approve
    ? authorized(key, now)
    : ({ outcome: 'declined', reason: 'the customer declined it at the bank' } as const);
  const decided = { ...entry, outcome: result };
  const message = { type: 'PaymentGatewayResult', operation: 'GatewayAuthorize', key, result } as const;
  order.put(decided, newsOf(request.orderId, message));
  return requestOf(decided);
}

function dispute(
  order: OrderEntries,
  orderId: string,
  { id, amount, reason }: DisputeRequest,
  now: number,
): DisputedPayment | undefined {
  const all = order.authorizations();
  const known = all.flatMap(({ disputes = [] }) => disputes).find((each) => each.id === id);
  if (known) return { ...known, orderId };
  const entry = all.find((each) => keptOf(each).amount > 0);
  if (!entry) return undefined;
  const kept = keptOf(entry);
  const disputed = amount ?? kept;
  if (disputed.currency !== kept.currency || disputed.amount <= 0 || compare(disputed, kept) > 0) return undefined;
  const opened: Dispute = { id, amount: disputed, reason, at: now, status: 'open' };
  order.put(
    { ...entry, disputes: [...(entry.disputes ?? []), opened] },
    { kind: 'reference', key: `${REFERENCE_PREFIX}${id}`, authorizationKey: entry.key },
    newsOf(orderId, { type: 'PaymentDisputeNews', disputeId: id, amount: disputed, reason, stage: 'opened' }),
  );
  return { ...opened, orderId };
}

function resolve(
  order: OrderEntries,
  entry: Authorization,
  disputeId: string,
  outcome: 'won' | 'lost',
): DisputedPayment | undefined {
  const found = entry.disputes?.find(({ id }) => id === disputeId);
  if (!found) return undefined;
  const { orderId } = entry.request;
  if (found.status !== 'open') return { ...found, orderId };
  const ended: Dispute = { ...found, status: outcome };
  const { amount, reason } = found;
  const disputes = entry.disputes?.map((each) => (each.id === disputeId ? ended : each)) ?? [];
  order.put(
    { ...entry, disputes },
    newsOf(orderId, { type: 'PaymentDisputeNews', disputeId, amount, reason, stage: outcome }),
  );
  return { ...ended, orderId };
}

function newsOf(orderId: string, message: UntoldNews['message']): UntoldNews {
  const what = message.type === 'PaymentDisputeNews' ? `${message.disputeId}/${message.stage}` : message.key;
  return { kind: 'news', key: `${NEWS_PREFIX}${what}`, orderId, message };
}

function requestOf({ request, outcome }: Authorization): BankRequest {
  const waiting = outcome?.outcome === 'requires-action';
  const status = waiting ? 'waiting' : outcome?.outcome === 'authorized' ? 'approved' : 'declined';
  return { orderId: request.orderId, amount: request.amount, status };
}

/** What is captured, not back with the customer and not disputed already. */
function keptOf(authorization: Authorization): Money {
  const { captured, refunded, lost } = amountsOf(authorization);
  const open = (authorization.disputes ?? []).filter(({ status }) => status === 'open');
  return open.reduce((kept, { amount }) => subtract(kept, amount), subtract(subtract(captured, refunded), lost));
}
