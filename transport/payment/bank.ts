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
  find(reference: string): BankRequest | undefined;
  /** The customer's word; the first one counts, and what it was is answered ever after. */
  decide(reference: string, approve: boolean): BankRequest | undefined;
  /**
   * Disputes as much of what is kept of an order's payment, all of it unless an amount is given. The same id is the same
   * dispute. Undefined when so much is not kept.
   */
  dispute(
    orderId: string,
    dispute: { readonly id: string; readonly amount?: Money; readonly reason: string },
  ): DisputedPayment | undefined;
  /** The first end counts, and is answered ever after. */
  resolve(disputeId: string, outcome: 'won' | 'lost'): DisputedPayment | undefined;
  /** What was not taken yet, oldest first; at most `limit`. */
  untold(limit: number): readonly UntoldNews[];
  taken(news: UntoldNews): void;
}

type Untold = Pick<UntoldNews, 'message' | 'orderId'>;

export function createSimulatedBank(ledger: SimulatorLedger, clock: Pick<Clock, 'now'>): SimulatedBank {
  function referred(reference: string): Authorization | undefined {
    const entry = ledger.get(`${REFERENCE_PREFIX}${reference}`);
    return entry?.kind === 'reference' ? authorizationAt(ledger, entry.authorizationKey) : undefined;
  }

  function news({ message, orderId }: Untold): UntoldNews {
    const what = message.type === 'PaymentDisputeNews' ? `${message.disputeId}/${message.stage}` : message.key;
    return { kind: 'news', key: `${NEWS_PREFIX}${what}`, orderId, message };
  }

  function authorizationsOf(orderId: string): Authorization[] {
    const found: Authorization[] = [];
    for (let key = `${orderId}/`; ; ) {
      const [entry] = ledger.after(key, 1);
      if (!entry?.key.startsWith(`${orderId}/`)) return found;
      if (entry.kind === 'authorization') found.push(entry);
      key = entry.key;
    }
  }

  return {
    find(reference) {
      const entry = referred(reference);
      return entry && requestOf(entry);
    },

    decide(reference, approve) {
      const entry = referred(reference);
      if (entry?.outcome?.outcome !== 'requires-action') return entry && requestOf(entry);
      const { key, request } = entry;
      const result = approve
        ? authorized(key, clock.now())
        : ({ outcome: 'declined', reason: 'the customer declined it at the bank' } as const);
      const decided = { ...entry, outcome: result };
      const message = { type: 'PaymentGatewayResult', operation: 'GatewayAuthorize', key, result } as const;
      ledger.put(decided, news({ message, orderId: request.orderId }));
      return requestOf(decided);
    },

    dispute(orderId, { id, amount, reason }) {
      const all = authorizationsOf(orderId);
      const known = all.flatMap(({ disputes = [] }) => disputes).find((dispute) => dispute.id === id);
      if (known) return { ...known, orderId };
      const entry = all.find((each) => keptOf(each).amount > 0);
      if (!entry) return undefined;
      const kept = keptOf(entry);
      const disputed = amount ?? kept;
      if (disputed.currency !== kept.currency || disputed.amount <= 0 || compare(disputed, kept) > 0) return undefined;
      const dispute: Dispute = { id, amount: disputed, reason, at: clock.now(), status: 'open' };
      const message = { type: 'PaymentDisputeNews', disputeId: id, amount: disputed, reason, stage: 'opened' } as const;
      ledger.put(
        { ...entry, disputes: [...(entry.disputes ?? []), dispute] },
        { kind: 'reference', key: `${REFERENCE_PREFIX}${id}`, authorizationKey: entry.key },
        news({ message, orderId }),
      );
      return { ...dispute, orderId };
    },

    resolve(disputeId, outcome) {
      const entry = referred(disputeId);
      const dispute = entry?.disputes?.find(({ id }) => id === disputeId);
      if (!entry || !dispute) return undefined;
      const { orderId } = entry.request;
      if (dispute.status !== 'open') return { ...dispute, orderId };
      const ended: Dispute = { ...dispute, status: outcome };
      const { amount, reason } = dispute;
      const message = { type: 'PaymentDisputeNews', disputeId, amount, reason, stage: outcome } as const;
      const disputes = entry.disputes?.map((each) => (each.id === disputeId ? ended : each)) ?? [];
      ledger.put({ ...entry, disputes }, news({ message, orderId }));
      return { ...ended, orderId };
    },

    untold: (limit) => ledger.after(NEWS_PREFIX, limit).filter((entry) => entry.kind === 'news'),
    taken: ({ key }) => ledger.remove(key),
  };
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
