// CONTRACT (to be completed into the aggregate; names are agreed with the saga, the order and the edge)

import type { PaymentGatewayResult } from './gateways.ts';
import type { Address } from './kernel/address.ts';
import type { Money } from './kernel/money.ts';

/** One payment per order: the id is the order's. */
export const paymentAddress = (orderId: string): Address<'payment'> => ({ type: 'payment', id: orderId });

export type PaymentCommand =
  // from the saga
  | { readonly type: 'AuthorizePayment'; readonly attempt: number; readonly amount: Money; readonly token: string }
  | { readonly type: 'CapturePayment'; readonly amount: Money }
  /** Undoes the authorization whatever became of it: voids it, refunds what was captured meanwhile, or leaves a tombstone. */
  | { readonly type: 'VoidPayment'; readonly reason: string }
  /** Pays back up to `amount` of what was captured; `refundId` makes it effectively once. */
  | { readonly type: 'RefundPayment'; readonly refundId: string; readonly amount: Money; readonly reason: string }
  // from the gateway
  | PaymentGatewayResult
  // timers
  | { readonly type: 'EnquireAgain'; readonly key: string }
  | { readonly type: 'RetryRefund'; readonly refundId: string }
  | { readonly type: 'ExpireAuthorization' };

/** What the payment tells the saga. */
export type PaymentAnswer =
  | { readonly type: 'PaymentAuthorized'; readonly attempt: number; readonly expiresAt: number }
  | { readonly type: 'PaymentDeclined'; readonly attempt: number; readonly reason: string; readonly retriable: boolean }
  | { readonly type: 'PaymentActionRequired'; readonly attempt: number; readonly url: string }
  | { readonly type: 'PaymentCaptured'; readonly amount: Money }
  | { readonly type: 'PaymentCaptureFailed'; readonly reason: string }
  | { readonly type: 'PaymentVoided' }
  | { readonly type: 'AuthorizationExpired' }
  | { readonly type: 'PaymentRefunded'; readonly refundId: string; readonly amount: Money }
  /** Retries are used up: the operator must act. */
  | { readonly type: 'RefundEscalated'; readonly refundId: string; readonly reason: string };

/** What the payment tells the order, for its customer's eyes; `seq` orders it, an older one is ignored. */
export type PaymentNews = {
  readonly type: 'PaymentChanged';
  readonly seq: number;
  readonly status: PaymentStatus;
  readonly authorized: Money;
  readonly captured: Money;
  readonly refunded: Money;
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
