/**
 * A payment vendor for models: strict about money, the same key is the same operation for ever. How it behaves is the
 * caller's choice for each request; what it did is in its books, which are the truth that a payment is compared with.
 */
import type {
  PaymentDisputeNews,
  PaymentGatewayOutcome,
  PaymentGatewayRequest,
  PaymentGatewayResult,
} from '../../actors/gateways.ts';
import { assertNever } from '../../actors/kernel/assertNever.ts';
import { type Money, money } from '../../actors/kernel/money.ts';
import { defaultPolicy } from '../../actors/policy.ts';

/**
 * `lost`: never executed, no answer. `silent`: executed, no answer. `late`: executed after it was given up on, then told
 * by webhook. `refuse`: refused for good.
 */
export type Mood = 'fine' | 'refuse' | 'unavailable' | 'lost' | 'silent' | 'late';

type Authorization = {
  key: string;
  amount: Money;
  expiresAt: number;
  voided: boolean;
  captured: number;
  refunded: number;
  /** Taken back by the customer's bank for good. */
  lost: number;
  dispute?: Omit<PaymentDisputeNews, 'stage'>;
};
type Operation = Exclude<PaymentGatewayRequest, { type: 'GatewayEnquire' }>;

export class Vendor {
  readonly authorizations: Authorization[] = [];
  captures = 0;
  #disputes = 0;
  readonly #outcomes = new Map<string, PaymentGatewayOutcome>();
  readonly #late: Operation[] = [];

  /** The answer to one request; undefined when the caller must treat it as timed out, too. */
  answer(request: PaymentGatewayRequest, mood: Mood, now: number): PaymentGatewayResult {
    return {
      type: 'PaymentGatewayResult',
      operation: request.type,
      key: request.key,
      result: this.#result(request, mood, now),
    };
  }

  /** Executes what was late and tells it by webhook. */
  webhooks(now: number): PaymentGatewayResult[] {
    return this.#late.splice(0).map((request) => this.answer(request, 'fine', now));
  }

  /** The customer's bank wants back up to this much of what is kept; undefined when nothing is, or it does already. */
  dispute(upTo: number): PaymentDisputeNews | undefined {
    const kept = (a: Authorization) => a.captured - a.refunded - a.lost;
    const authorization = this.authorizations.find((a) => kept(a) > 0 && !a.dispute);
    if (!authorization) return undefined;
    const amount = money(Math.min(upTo, kept(authorization)), authorization.amount.currency);
    const disputeId = `dp_${++this.#disputes}`;
    authorization.dispute = { type: 'PaymentDisputeNews', disputeId, amount, reason: 'fraudulent' };
    return { ...authorization.dispute, stage: 'opened' };
  }

  /** The open dispute ends. */
  resolve(stage: 'won' | 'lost'): PaymentDisputeNews | undefined {
    const authorization = this.authorizations.find(({ dispute }) => dispute);
    if (!authorization?.dispute) return undefined;
    const { dispute } = authorization;
    delete authorization.dispute;
    if (stage === 'lost') authorization.lost += dispute.amount.amount;
    return { ...dispute, stage };
  }

  /** What of the customer's money is held or kept by attempts up to this one. */
  holds(through: number, now: number): number {
    return this.authorizations
      .filter(({ key }) => Number(key.slice(key.lastIndexOf('-') + 1)) <= through)
      .reduce(
        (sum, a) => sum + (this.#isLive(a, now) ? a.amount.amount - a.captured : 0) + a.captured - a.refunded - a.lost,
        0,
      );
  }

  #isLive({ voided, expiresAt, captured, amount }: Authorization, now: number): boolean {
    return !voided && now < expiresAt && captured < amount.amount;
  }

  #result(request: PaymentGatewayRequest, mood: Mood, now: number): PaymentGatewayOutcome {
    const timedOut = { outcome: 'unknown', reason: 'timed out' } as const;
    if (mood === 'unavailable') return { outcome: 'unavailable', reason: 'no connection' };
    if (request.type === 'GatewayEnquire') {
      if (mood === 'lost' || mood === 'silent') return timedOut;
      return this.#outcomes.get(request.key) ?? { outcome: 'not-found' };
    }
    if (mood === 'lost') return timedOut;
    if (mood === 'late') {
      this.#late.push(request);
      return timedOut;
    }
    const known = this.#outcomes.get(request.key);
    const outcome = known ?? (mood === 'refuse' ? this.#refuse(request) : this.#execute(request, now));
    this.#outcomes.set(request.key, outcome);
    return mood === 'silent' ? timedOut : outcome;
  }

  #refuse({ type }: Operation): PaymentGatewayOutcome {
    return { outcome: type === 'GatewayAuthorize' ? 'declined' : 'failed', reason: 'refused' };
  }

  #execute(request: Operation, now: number): PaymentGatewayOutcome {
    const failed = { outcome: 'failed', reason: 'not possible' } as const;
    const of = (id: string) => this.authorizations[Number(id.slice(id.indexOf('_') + 1))];
    switch (request.type) {
      case 'GatewayAuthorize': {
        const { key, amount } = request;
        const expiresAt = now + defaultPolicy.payment.authorizationMs;
        this.authorizations.push({ key, amount, expiresAt, voided: false, captured: 0, refunded: 0, lost: 0 });
        return { outcome: 'authorized', authorizationId: `auth_${this.authorizations.length - 1}`, expiresAt };
      }
      case 'GatewayCapture': {
        const authorization = of(request.authorizationId);
        const { amount } = request.amount;
        if (!authorization || !this.#isLive(authorization, now) || authorization.captured > 0) return failed;
        if (amount > authorization.amount.amount) return failed;
        authorization.captured = amount;
        this.captures += 1;
        return {
          outcome: 'captured',
          captureId: request.authorizationId.replace('auth', 'cap'),
          amount: request.amount,
        };
      }
      case 'GatewayVoid': {
        const authorization = of(request.authorizationId);
        if (!authorization || !this.#isLive(authorization, now)) return failed;
        authorization.voided = true;
        return { outcome: 'voided' };
      }
      case 'GatewayRefund': {
        const authorization = of(request.captureId);
        const { amount, currency } = request.amount;
        if (!authorization || authorization.dispute || amount <= 0) return failed;
        if (authorization.refunded + authorization.lost + amount > authorization.captured) return failed;
        authorization.refunded += amount;
        return { outcome: 'refunded', refundId: `re_${request.key}`, amount: money(amount, currency) };
      }
      default:
        return assertNever(request);
    }
  }
}
