/** What has happened to the fulfilment of one order: its steps, their compensations, its holds and its end. */
import type { Expected } from '../inventoryItem/messages.ts';
import type { Money } from '../kernel/money.ts';
import type { Awaiting } from '../order/events.ts';
import type { ShippingMethod } from '../policy.ts';
import type { PostalAddress } from '../shared.ts';
import type { ReviewRule } from './review.ts';

/**
 * What a step does. It holds every id that asking, asking again and undoing need, so StepStarted registers the
 * compensation before the step runs. Lines are numbered from 1.
 */
export type Work =
  | {
      readonly kind: 'reserve';
      readonly line: number;
      /** Which of the candidate warehouses, from 0. */
      readonly route: number;
      readonly reservationId: string;
      readonly sku: string;
      readonly quantity: number;
      readonly warehouse: string;
      /** It waits for the delivery that is expected there. */
      readonly wait?: true;
      /** When another warehouse promises it: it waits there as well, for whichever gets it first. */
      readonly promisedAt?: number;
    }
  | { readonly kind: 'authorize'; readonly attempt: number }
  | {
      readonly kind: 'commit';
      readonly line: number;
      readonly reservationId: string;
      readonly sku: string;
      readonly warehouse: string;
    }
  | { readonly kind: 'capture'; readonly attempt: number }
  | {
      readonly kind: 'ship';
      readonly shipmentId: string;
      readonly warehouse: string;
      readonly lines: readonly { readonly sku: string; readonly quantity: number; readonly reservationId: string }[];
    }
  // what is sent once more; `replaces` is the shipment whose goods these are
  | {
      readonly kind: 'reship-reserve';
      readonly replaces: string;
      /** All lines are tried together, from 1. */
      readonly attempt: number;
      readonly route: number;
      readonly reservationId: string;
      readonly sku: string;
      readonly quantity: number;
      readonly warehouse: string;
    }
  | {
      readonly kind: 'reship-commit';
      readonly replaces: string;
      readonly reservationId: string;
      readonly sku: string;
      readonly warehouse: string;
    }
  | {
      readonly kind: 'reship';
      readonly replaces: string;
      readonly shipmentId: string;
      readonly warehouse: string;
      readonly lines: readonly { readonly sku: string; readonly quantity: number; readonly reservationId: string }[];
    };

export type BackorderLine = { readonly line: number; readonly warehouse: string; readonly expectedAt: number };
export type BackorderChoice = 'wait' | 'cancel';

export type StepKind = Work['kind'];

/** `refunded`: nothing of it reached its customer and all the money is back; for the customer it is cancelled. */
export type EndOutcome = 'cancelled' | 'out-of-stock' | 'payment-failed' | 'refunded';

/**
 * Where a compensation leads: to an end, to a hold (for the operator, or for the customer to pay anew), to waiting for
 * stock, or to a new start.
 */
export type Goal = EndOutcome | 'on-hold' | 'payment-method' | 'backorder' | 'retry';

/** Why everything is undone, who asked for it (`saga`: nobody) and for which reason of theirs. */
export type Undoing = {
  readonly goal: Goal;
  readonly reason: string;
  readonly by: string;
  readonly why: string;
};

/** Which operator did it, and why. */
export type Repair = { readonly by: string; readonly why: string };

export type SagaEvent =
  | {
      readonly type: 'SagaStarted';
      readonly v: 1;
      readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
      readonly total: Money;
      readonly shippingMethod: ShippingMethod;
      /** Warehouses, nearest first. */
      readonly candidates: readonly string[];
      /** When it is held unless it is confirmed, in ms since the epoch. */
      readonly confirmBy?: number;
      /** Why a person looks at it before it is captured. */
      readonly review?: readonly ReviewRule[];
      readonly personal: { readonly address: PostalAddress; readonly paymentToken: string };
    }
  | { readonly type: 'StepStarted'; readonly v: 1; readonly step: string; readonly work: Work }
  | { readonly type: 'StepSucceeded'; readonly v: 1; readonly step: string }
  /** Nothing of it exists outside (any more). */
  | {
      readonly type: 'StepFailed';
      readonly v: 1;
      readonly step: string;
      readonly reason: string;
      /** Of a refused reservation: the pieces that the warehouse said it has, and what it can promise. */
      readonly available?: number;
      readonly expected?: Expected;
    }
  /** The stock has registered it and answers again when the pieces are there. */
  | { readonly type: 'StepDeferred'; readonly v: 1; readonly step: string; readonly expectedAt: number }
  /** What can't be reserved now, and where it is waited for instead. */
  | { readonly type: 'BackorderPlanned'; readonly v: 1; readonly lines: readonly BackorderLine[] }
  /** The customer has said whether to wait for a delivery that is far away. */
  | { readonly type: 'BackorderChosen'; readonly v: 1; readonly by: string; readonly choice: BackorderChoice }
  | { readonly type: 'BackorderOverdueNoted'; readonly v: 1 }
  /** `final`: asked for the last time; whether it happened is unknown. */
  | { readonly type: 'StepTimedOut'; readonly v: 1; readonly step: string; readonly final: boolean }
  | ({ readonly type: 'CompensationStarted'; readonly v: 1 } & Undoing)
  /** The running compensation leads elsewhere now: an order that is being held was cancelled. */
  | ({ readonly type: 'GoalChanged'; readonly v: 1 } & Undoing)
  | { readonly type: 'CompensationRequested'; readonly v: 1; readonly step: string }
  | { readonly type: 'StepCompensated'; readonly v: 1; readonly step: string }
  /** The carrier has the goods: the step stands. */
  | { readonly type: 'CompensationRefused'; readonly v: 1; readonly step: string; readonly reason: string }
  /** The operator has to see to it. */
  | { readonly type: 'CompensationFailed'; readonly v: 1; readonly step: string; readonly reason: string }
  /** The operator has settled by hand what could not be undone. */
  | ({ readonly type: 'StepSkipped'; readonly v: 1; readonly step: string } & Repair)
  /** An operator gives something back of an order that goes on. */
  | ({
      readonly type: 'OperatorRefundRequested';
      readonly v: 1;
      readonly refundId: string;
      readonly amount: Money;
    } & Repair)
  | ({ readonly type: 'OperatorRefundRetried'; readonly v: 1; readonly refundId: string } & Repair)
  | ({ readonly type: 'OperatorRefundSkipped'; readonly v: 1; readonly refundId: string } & Repair)
  /** `amount`: what was really given back. */
  | { readonly type: 'OperatorRefundDone'; readonly v: 1; readonly refundId: string; readonly amount: Money }
  | {
      readonly type: 'OperatorRefundStuck';
      readonly v: 1;
      readonly refundId: string;
      readonly reason: string;
      /** It can go on when the dispute has ended. */
      readonly disputed?: true;
    }
  | {
      readonly type: 'DisputeNoted';
      readonly v: 1;
      readonly disputeId: string;
      readonly amount: Money;
      readonly status: 'open' | 'won' | 'lost';
    }
  /** Nothing more will become of these: delivered, lost or back. */
  | { readonly type: 'ParcelsSettled'; readonly v: 1; readonly shipments: readonly string[] }
  | {
      readonly type: 'SagaHeld';
      readonly v: 1;
      readonly awaiting: Awaiting;
      readonly reason: string;
    }
  /** The customer is asked for another payment method: once in the life of an order. */
  | { readonly type: 'PaymentMethodAsked'; readonly v: 1; readonly reason: string; readonly expiresAt: number }
  | {
      readonly type: 'PaymentMethodGiven';
      readonly v: 1;
      readonly by: string;
      readonly personal: { readonly paymentToken: string };
    }
  | { readonly type: 'ReviewOverdueNoted'; readonly v: 1 }
  | {
      readonly type: 'SagaReleased';
      readonly v: 1;
      readonly by: string;
      readonly why: string;
      readonly confirmBy?: number;
    }
  | { readonly type: 'SagaCompleted'; readonly v: 1 }
  /** The goods of this shipment are to be sent once more. */
  | {
      readonly type: 'ReshipmentStarted';
      readonly v: 1;
      readonly shipmentId: string;
      readonly by: string;
      readonly why: string;
    }
  /** They are not: the shipment has arrived after all. */
  | { readonly type: 'ReshipmentDropped'; readonly v: 1; readonly shipmentId: string; readonly reason: string }
  | {
      readonly type: 'SagaAborted';
      readonly v: 1;
      readonly outcome: EndOutcome;
      readonly reason: string;
      /** A compensation is stuck; `refundPending`: only refunds are. */
      readonly manual: boolean;
      readonly refundPending: boolean;
    };
