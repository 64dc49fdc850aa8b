/** What happened to a payment, one event per fact about the money or about what was asked of the gateway. */
import type { PaymentGatewayOutcome } from '../gateways.ts';
import type { Money } from '../kernel/money.ts';
import type { Operation } from './messages.ts';

type Numbered = { readonly attempt: number };

export type PaymentEvent = { readonly v: 1 } & (
  | (Numbered & {
      readonly type: 'PaymentInitiated';
      readonly amount: Money;
      readonly personal: { readonly token: string };
    })
  /** The gateway knows an attempt that we don't want (any more) and never asked for here. */
  | (Numbered & { readonly type: 'StrayAttemptFound'; readonly amount: Money })
  | (Numbered & { readonly type: 'PaymentActionRequired'; readonly url: string })
  | (Numbered & { readonly type: 'PaymentAuthorized'; readonly authorizationId: string; readonly expiresAt: number })
  /** `unresolved`: the saga was told so, but it may still turn out to have been authorized. */
  | (Numbered & {
      readonly type: 'PaymentFailed';
      readonly reason: string;
      readonly retriable: boolean;
      readonly unresolved: boolean;
    })
  | (Numbered & { readonly type: 'AuthorizationExpired' })
  | (Numbered & { readonly type: 'VoidRequested' })
  | (Numbered & { readonly type: 'VoidFailed'; readonly reason: string })
  | (Numbered & { readonly type: 'AuthorizationVoided' })
  | (Numbered & { readonly type: 'CaptureRequested'; readonly amount: Money })
  | (Numbered & { readonly type: 'PaymentCaptured'; readonly captureId: string; readonly amount: Money })
  | (Numbered & { readonly type: 'CaptureFailed'; readonly reason: string; readonly unresolved: boolean })
  /** The saga wants every attempt up to `through` undone; they are refused from now on. */
  | {
      readonly type: 'CancellationRequested';
      readonly reason: string;
      readonly through: number;
      readonly currency: string;
    }
  /** Nothing is held or kept by attempts up to this one. */
  | (Numbered & { readonly type: 'PaymentVoided' })
  /** `waiting`: for a capture whose outcome is still open. */
  | (Numbered & {
      readonly type: 'RefundRequested';
      readonly refundId: string;
      readonly amount: Money;
      readonly reason: string;
      readonly waiting: boolean;
    })
  /** `keySpent`: the vendor refused it, so the next round needs another key. */
  | {
      readonly type: 'RefundFailed';
      readonly refundId: string;
      readonly reason: string;
      readonly keySpent: boolean;
    }
  | (Numbered & { readonly type: 'RefundCompleted'; readonly refundId: string; readonly amount: Money })
  | { readonly type: 'RefundEscalated'; readonly refundId: string; readonly reason: string }
  /** By an operator, in another way. With an attempt and an amount if the refund had never been accepted here. */
  | {
      readonly type: 'RefundSettledByHand';
      readonly refundId: string;
      readonly reason: string;
      readonly attempt?: number;
      readonly amount?: Money;
    }
  /** It takes longer than the shop wants its refunds to take. */
  | { readonly type: 'RefundOverdueNoted'; readonly refundId: string }
  | {
      readonly type: 'ChargebackOpened';
      readonly disputeId: string;
      readonly amount: Money;
      readonly reason: string;
    }
  /** `lost`: the amount is back with the customer. */
  | { readonly type: 'ChargebackResolved'; readonly disputeId: string; readonly outcome: 'won' | 'lost' }
  /** The call timed out: it may or may not have happened. */
  | { readonly type: 'OutcomeUnknown'; readonly operation: Operation; readonly reason: string }
  /** It was not executed, and will be asked for again. */
  | { readonly type: 'GatewayUnavailable'; readonly operation: Operation; readonly reason: string }
  | { readonly type: 'GatewayAskedAgain'; readonly operation: Operation; readonly how: 'repeat' | 'renew' | 'enquire' }
  /** Asked for in vain as often as we may: an operator has to look it up. */
  | { readonly type: 'OutcomeEscalated'; readonly operation: Operation; readonly reason: string }
  /** It came before what it belongs to. */
  | { readonly type: 'ResultKept'; readonly operation: Operation; readonly result: PaymentGatewayOutcome }
  | { readonly type: 'KeptResultUsed'; readonly operation: Operation }
);
