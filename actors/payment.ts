/**
 * The money of one order: authorized, captured, voided and paid back through the payment gateway.
 *
 * Invariant I6: captured ≤ authorized and refunded ≤ captured; at most one capture per order; once the saga has undone
 * the payment nothing is held and captured − refunded = 0, whatever the gateway turns out to have done. Every call has
 * a key that derives from the order, so that repeating it is safe; a call whose outcome is unknown is enquired first.
 * The parts: messages (what is asked and answered), events, state (the facts), evolve, taking (authorize, capture),
 * undoing (void, expiry), refunds, disputes, results (what the gateway says), reconcile (against the vendor's books).
 */
import { assertNever } from './kernel/assertNever.ts';
import type { Decider, Decision } from './kernel/decider.ts';
import { onDispute } from './payment/disputes.ts';
import type { PaymentEvent } from './payment/events.ts';
import { evolve } from './payment/evolve.ts';
import type { PaymentCommand, PaymentSend } from './payment/messages.ts';
import { noteOverdue, refund, retryRefund, settleByHand } from './payment/refunds.ts';
import { enquireAgain, onResult, useKept } from './payment/results.ts';
import { initial, type PaymentState } from './payment/state.ts';
import { authorize, capture } from './payment/taking.ts';
import { begin, type Turn, tellChanges } from './payment/turn.ts';
import { answerCancellations, expireAuthorization, voidPayment } from './payment/undoing.ts';
import type { Policy } from './policy.ts';
import type { ShopContext } from './shared.ts';

export type { PaymentEvent } from './payment/events.ts';
export {
  type PaymentAnswer,
  type PaymentCommand,
  type PaymentNews,
  type PaymentSend,
  type PaymentStatus,
  paymentAddress,
} from './payment/messages.ts';
export {
  type PaymentFigures,
  type PaymentState,
  paymentFigures,
  paymentStatus,
} from './payment/state.ts';

function decide(
  state: PaymentState,
  command: PaymentCommand,
  context: ShopContext,
): Decision<PaymentEvent, PaymentSend, PaymentCommand> {
  const turn = begin(state, context);
  handle(turn, command);
  useKept(turn);
  answerCancellations(turn);
  tellChanges(turn, state);
  const { events, sends, timers } = turn;
  return { events, sends, timers };
}

function handle(turn: Turn, command: PaymentCommand) {
  switch (command.type) {
    case 'AuthorizePayment':
      return authorize(turn, command);
    case 'CapturePayment':
      return capture(turn, command);
    case 'VoidPayment':
      return voidPayment(turn, command);
    case 'RefundPayment':
      return refund(turn, command);
    case 'SettleRefundByHand':
      return settleByHand(turn, command);
    case 'PaymentGatewayResult':
      return onResult(turn, command);
    case 'EnquireAgain':
      return enquireAgain(turn, command.key);
    case 'PaymentDisputeNews':
      return onDispute(turn, command);
    case 'RetryRefund':
      return retryRefund(turn, command.refundId);
    case 'NoteRefundOverdue':
      return noteOverdue(turn, command.refundId);
    case 'ExpireAuthorization':
      return expireAuthorization(turn);
    default:
      return assertNever(command);
  }
}

export const paymentDecider: Decider<PaymentState, PaymentCommand, PaymentEvent, Policy> = {
  type: 'payment',
  partitionKey: (orderId) => orderId,
  initial,
  decide,
  evolve,
};
