/** What a payment is asked and what it answers. */
import type { PaymentDisputeNews, PaymentGatewayRequest, PaymentGatewayResult } from '../gateways.ts';
import type { Address } from '../kernel/address.ts';
import type { Money } from '../kernel/money.ts';

/** One payment per order: the id is the order's. */
export const paymentAddress = (orderId: string): Address<'payment'> => ({ type: 'payment', id: orderId });

export type PaymentCommand =
  // from the saga
  /**
   * `attempt` counts from 1. The same one again is answered with what became of it; a higher one starts over after a
   * decline, an expired authorization or a void.
   */
  | { readonly type: 'AuthorizePayment'; readonly attempt: number; readonly amount: Money; readonly token: string }
  /** Of that attempt's authorization only; one of an attempt that is over is answered with PaymentCaptureFailed. */
  | { readonly type: 'CapturePayment'; readonly attempt: number; readonly amount: Money }
  /**
   * Undoes every attempt up to `attempt` whatever became of it: voids it, refunds what was captured meanwhile, or leaves a
   * tombstone. A late repeat must not touch a newer attempt: the operator may have started the order anew in between.
   */
  | { readonly type: 'VoidPayment'; readonly attempt: number; readonly reason: string }
  /** Pays back up to `amount` of what was captured; `refundId` makes it effectively once. */
  | { readonly type: 'RefundPayment'; readonly refundId: string; readonly amount: Money; readonly reason: string }
  /** An operator has paid it back in another way: it is not asked for any more, and never by another refund. */
  | {
      readonly type: 'SettleRefundByHand';
      readonly refundId: string;
      readonly amount: Money;
      readonly reason: string;
    }
  // from the gateway
  | PaymentGatewayResult
  | PaymentDisputeNews
  // timers
  | { readonly type: 'EnquireAgain'; readonly key: string }
  | { readonly type: 'RetryRefund'; readonly refundId: string }
  | { readonly type: 'NoteRefundOverdue'; readonly refundId: string }
  | { readonly type: 'ExpireAuthorization' };

export type Of<Type extends PaymentCommand['type']> = Extract<PaymentCommand, { type: Type }>;

/** What the payment tells the saga. */
export type PaymentAnswer =
  | { readonly type: 'PaymentAuthorized'; readonly attempt: number; readonly expiresAt: number }
  | { readonly type: 'PaymentDeclined'; readonly attempt: number; readonly reason: string; readonly retriable: boolean }
  | { readonly type: 'PaymentActionRequired'; readonly attempt: number; readonly url: string }
  | { readonly type: 'PaymentCaptured'; readonly attempt: number; readonly amount: Money }
  /** `unresolved`: given up on, it may still turn out to have been captured. */
  | {
      readonly type: 'PaymentCaptureFailed';
      readonly attempt: number;
      readonly reason: string;
      readonly unresolved?: true;
    }
  /** Nothing of the customer's money is held or kept any more by attempts up to `attempt`, the one that was asked about. */
  | { readonly type: 'PaymentVoided'; readonly attempt: number }
  | { readonly type: 'AuthorizationExpired'; readonly attempt: number }
  | { readonly type: 'PaymentRefunded'; readonly refundId: string; readonly amount: Money }
  /** Retries are used up: the operator must act. Also for the refund that undoes a capture (`<orderId>/void`). */
  | { readonly type: 'RefundEscalated'; readonly refundId: string; readonly reason: string }
  /** Nothing of it will happen by itself: to be asked for again. */
  | {
      readonly type: 'RefundRefused';
      readonly refundId: string;
      readonly code: 'payment.disputed';
      readonly reason: string;
    }
  /** The customer's bank wants this much back, has got it, or has not. */
  | {
      readonly type: 'PaymentDisputed';
      readonly disputeId: string;
      readonly amount: Money;
      readonly status: 'open' | 'won' | 'lost';
    }
  /** Refunds that were refused meanwhile can be asked for again. */
  | { readonly type: 'PaymentDisputeEnded'; readonly disputeId: string };

/** What the payment tells the order, for its customer's eyes; `seq` orders it, an older one is ignored. */
export type PaymentNews = {
  readonly type: 'PaymentChanged';
  readonly seq: number;
  readonly status: PaymentStatus;
  readonly authorized: Money;
  readonly captured: Money;
  /** What went back, by refunds and by disputes that were lost. */
  readonly refunded: Money;
  /** The part of it that was taken back by disputes. */
  readonly chargedBack?: Money;
  /** What is still to be paid back. `escalated`: some of it waits for the operator. */
  readonly openRefund?: { readonly amount: Money; readonly escalated: boolean };
};

export type PaymentStatus =
  | 'pending'
  | 'requires-action'
  | 'authorized'
  | 'partially-captured'
  | 'captured'
  | 'partially-refunded'
  | 'refunded'
  | 'voided'
  | 'failed'
  | 'disputed'
  | 'cancelled-before-start';

export type PaymentSend =
  | { readonly to: Address<'order-saga'>; readonly message: PaymentAnswer }
  | { readonly to: Address<'order'>; readonly message: PaymentNews }
  | { readonly to: Address<'gateway'>; readonly message: PaymentGatewayRequest };

/** One thing asked of the gateway. */
export type Operation =
  | { readonly kind: 'authorize' | 'capture' | 'void'; readonly attempt: number }
  | { readonly kind: 'refund'; readonly refundId: string };

/**
 * The vendor's idempotency key: asking twice with it is asking once. A vendor answers a key that failed with the same
 * failure for ever, so each further round, of a void or refund that surely failed, has a key of its own.
 */
export function keyOf(orderId: string, operation: Operation, round = 1): string {
  const id = operation.kind === 'refund' ? operation.refundId : operation.attempt;
  return `${orderId}/${operation.kind}${round === 1 ? '' : `.${round}`}-${id}`;
}

/** What a key of this order stands for; undefined for a key that is not ours. */
export function operationOf(
  orderId: string,
  key: string,
): { readonly operation: Operation; readonly round: number } | undefined {
  if (!key.startsWith(`${orderId}/`)) return undefined;
  const [, kind, number = '1', id = ''] =
    /^(authorize|capture|void|refund)(?:\.([1-9]\d{0,8}))?-(.+)$/s.exec(key.slice(orderId.length + 1)) ?? [];
  const round = Number(number);
  if (kind === 'refund') return { operation: { kind, refundId: id }, round };
  if (!/^[1-9]\d{0,8}$/.test(id)) return undefined;
  const attempt = Number(id);
  return kind === 'authorize' || kind === 'capture' || kind === 'void'
    ? { operation: { kind, attempt }, round }
    : undefined;
}
