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
  | UntoldNews
  /** How far a copy of a shared ledger follows it, and which one: when it was created. */
  | { readonly kind: 'position'; readonly key: string; readonly created: string; readonly sequence: number };

/** Keys that don't begin with an order's id lie behind all that do. */
export const REFERENCE_PREFIX = '~reference/';
export const NEWS_PREFIX = '~news/';
export const POSITION_KEY = '~position';

/** Keys begin with their order's id and a slash: this is the order. */
export function orderOf(key: string): string {
  return key.slice(0, Math.max(0, key.indexOf('/')));
}

/** What the vendor knows of one order, as it was when the visit began: reads don't show what is put meanwhile. */
export interface OrderEntries {
  get(key: string): LedgerEntry | undefined;
  /** By key. */
  authorizations(): readonly Authorization[];
  /** Replaces what has the same key. A reference may be put, and is found by `referred` from then on. */
  put(...entries: readonly LedgerEntry[]): void;
  remove(key: string): void;
  /** What was read, or was not found, must hold: no change that began before comes after this visit. */
  confirm(): void;
}

/** Where the vendor remembers: for one process, or for all that talk to the same vendor. */
export interface SimulatorLedger {
  /**
   * Lets `visit` read one order's entries and change them, as if nobody else were there: what it puts and removes is done
   * as a whole or, when somebody was faster, not at all, and `visit` runs again on what is there then. It may run several
   * times, so it does nothing else. Resolves with what it returned once that is written.
   * @throws what `visit` throws; GatewayUnavailable when nothing was written, GatewayTimeout when it may have been
   */
  change<Result>(orderId: string, visit: (order: OrderEntries) => Result): Promise<Result>;
  /** The key of the authorization that a reference leads to. */
  referred(reference: string): Promise<string | undefined>;
  /** At most `limit` entries by key, after the given one, those of orders before all others. */
  after(key: string, limit: number): Promise<readonly LedgerEntry[]>;
}

export function authorizationAt(order: Pick<OrderEntries, 'get'>, key: string): Authorization | undefined {
  const entry = order.get(key);
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
