/** What the saga hears and says. */
import type { InventoryCommand, StockAnswer } from '../inventoryItem.ts';
import type { Address } from '../kernel/address.ts';
import type { Money } from '../kernel/money.ts';
import type { OrderRequest, SagaNews } from '../order.ts';
import type { PaymentAnswer, PaymentCommand } from '../payment.ts';
import type { ShipmentAnswer, ShipmentCommand } from '../shipment.ts';
import type { BackorderChoice } from './events.ts';

export const sagaAddress = (orderId: string): Address<'order-saga'> => ({ type: 'order-saga', id: orderId });

/** From the operator, through the edge; recorded with who and why. */
export type SagaOperatorCommand =
  /** Lets a held order go on: one that waits for its review, or one that stopped because an outcome wasn't known. */
  | { readonly type: 'ReleaseHold'; readonly by: string; readonly why: string }
  | { readonly type: 'CancelByOperator'; readonly by: string; readonly why: string }
  /** Starts a held order anew, or repeats the compensations that failed. */
  | { readonly type: 'RetrySaga'; readonly by: string; readonly why: string }
  /** What could not be undone was settled by hand: the order goes on to its end without it. */
  | { readonly type: 'SkipCompensation'; readonly by: string; readonly why: string }
  /** Gives back a part of what was captured, or with `null` all that is left of it. */
  | { readonly type: 'RefundByOperator'; readonly by: string; readonly why: string; readonly amount: Money | null };

export type SagaEdgeCommand =
  | SagaOperatorCommand
  // Whoever may is asked by the edge: the customer, or staff for the customer.
  | { readonly type: 'ChooseBackorder'; readonly by: string; readonly choice: BackorderChoice }
  | { readonly type: 'ProvidePaymentMethod'; readonly by: string; readonly token: string };

export type SagaTimerCommand =
  /** Nothing of what is asked has been answered in time; `attempt` is the highest number among the asked. */
  | { readonly type: 'StepTimedOut'; readonly step: string; readonly attempt: number }
  | { readonly type: 'SagaTimedOut' }
  | { readonly type: 'ReviewOverdue' }
  /** The customer has not said whether to wait; or the delivery has not come for long. */
  | { readonly type: 'BackorderOverdue' }
  /** The time for giving another payment method is over. */
  | { readonly type: 'PaymentMethodOverdue' };

export type SagaAnswer = StockAnswer | PaymentAnswer | ShipmentAnswer;

export type SagaCommand = OrderRequest | SagaAnswer | SagaEdgeCommand | SagaTimerCommand;

export type StockRequest = Extract<
  InventoryCommand,
  { type: 'ReserveStock' | 'CommitReservation' | 'ReleaseReservation' }
>;
export type PaymentRequest = Extract<
  PaymentCommand,
  { type: 'AuthorizePayment' | 'CapturePayment' | 'VoidPayment' | 'RefundPayment' | 'SettleRefundByHand' }
>;
export type ShipmentRequest = Extract<ShipmentCommand, { type: 'RequestShipment' | 'CancelShipment' }>;

export type SagaSend =
  | { readonly to: Address<'order'>; readonly message: SagaNews }
  | { readonly to: Address<'stock'>; readonly message: StockRequest }
  | { readonly to: Address<'payment'>; readonly message: PaymentRequest }
  | { readonly to: Address<'shipment'>; readonly message: ShipmentRequest };

/** The answer to the edge. */
export type SagaReply = { readonly orderId: string; readonly status: string };
