/**
 * What the simulated vendor remembers. An authorization holds everything that was done to it, so that one `put` keeps
 * its sums right whenever the process dies; every other operation's key only leads to its authorization.
 */
import type {
  PaymentDisputeNews,
  PaymentGatewayOutcome,
  PaymentGatewayRequest,
  PaymentGatewayResult,
} from '../../actors/gateways.ts';
import { add, type Money, sum, zero } from '../../actors/kernel/money.ts';

type Request<Type extends PaymentGatewayRequest['type']> = Extract<PaymentGatewayRequest, { type: Type }>;
export type AuthorizeRequest = Request<'GatewayAuthorize'>;
/** What can be done to an authorization. */
export type FollowUpRequest = Request<'GatewayCapture'> | Request<'GatewayVoid'> | Request<'GatewayRefund'>;

type FollowUp = {
  readonly request: FollowUpRequest;
  readonly at: number;
  readonly outcome: PaymentGatewayOutcome;
};

export type Authorization = {
  readonly kind: 'authorization';
  readonly key: string;
  readonly request: AuthorizeRequest;
  readonly at: number;
  /** Attempts that were answered "unavailable" before there was an outcome. */
  readonly refusals: number;
  /** Absent while nothing was executed. */
  readonly outcome?: PaymentGatewayOutcome;
  /** In order; one per key. */
  readonly followUps: readonly FollowUp[];
  /** Absent before the first. */
  readonly disputes?: readonly Dispute[];
};

export type Dispute = {
  readonly id: string;
  readonly amount: Money;
  readonly reason: string;
  readonly at: number;
  readonly status: 'open' | 'won' | 'lost';
};

/** What the vendor has to tell and nobody has taken yet. */
export type UntoldNews = {
  readonly kind: 'news';
  readonly key: string;
  readonly orderId: string;
  readonly message: PaymentGatewayResult | PaymentDisputeNews;
};

export type LedgerEntry =
  | Authorization
  /** Leads from what people at the bank know to what it is about. */
  | { readonly kind: 'reference'; readonly key: string; readonly authorizationKey: string }
  | { readonly kind: 'follow-up'; readonly key: string; readonly authorizationKey: string }
  | UntoldNews;

/** Keys that don't begin with an order's id lie behind all that do. */
export const REFERENCE_PREFIX = '~reference/';
export const NEWS_PREFIX = '~news/';

/** Plain JSON by key; `put` replaces, all of what it is given or nothing. */
export interface SimulatorLedger {
  get(key: string): LedgerEntry | undefined;
  put(...entries: readonly LedgerEntry[]): void;
  remove(key: string): void;
  all(): Iterable<LedgerEntry>;
  /** By key, after the given one; at most `limit`. */
  after(key: string, limit: number): readonly LedgerEntry[];
}

export function createMemoryLedger(): SimulatorLedger {
  const entries = new Map<string, LedgerEntry>();
  return {
    get: (key) => entries.get(key),
    put: (...all) => {
      for (const entry of all) entries.set(entry.key, entry);
    },
    remove: (key) => {
      entries.delete(key);
    },
    all: () => entries.values(),
    after: (key, limit) =>
      [...entries.values()]
        .filter((entry) => entry.key > key)
        .sort((a, b) => (a.key < b.key ? -1 : 1))
        .slice(0, limit),
  };
}

export function authorizationAt(ledger: SimulatorLedger, key: string): Authorization | undefined {
  const entry = ledger.get(key);
  return entry?.kind === 'authorization' ? entry : undefined;
}

export type Amounts = {
  readonly captured: Money;
  readonly refunded: Money;
  /** Taken back by the customer's bank. */
  readonly lost: Money;
  /** Nothing more can be captured. */
  readonly voided: boolean;
};

/** What came of an authorization so far; `captureId` narrows the refunds to those of one capture. */
export function amountsOf(authorization: Authorization, captureId?: string): Amounts {
  const nothing = zero(authorization.request.amount.currency);
  const lost = (authorization.disputes ?? []).filter(({ status }) => status === 'lost');
  let amounts: Amounts = {
    captured: nothing,
    refunded: nothing,
    lost: sum(
      nothing.currency,
      lost.map(({ amount }) => amount),
    ),
    voided: false,
  };
  for (const { request, outcome } of authorization.followUps) {
    if (outcome.outcome === 'captured') {
      amounts = { ...amounts, captured: add(amounts.captured, outcome.amount) };
    } else if (outcome.outcome === 'voided') {
      amounts = { ...amounts, voided: true };
    } else if (
      outcome.outcome === 'refunded' &&
      (captureId === undefined || (request.type === 'GatewayRefund' && request.captureId === captureId))
    ) {
      amounts = { ...amounts, refunded: add(amounts.refunded, outcome.amount) };
    }
  }
  return amounts;
}
