/**
 * OrderSaga: takes one order from placed to fulfilled over stock, payment and shipments, or undoes all of it.
 *
 * - Every step is written to the ledger before it runs, with all that its compensation needs; no entry ever leaves it.
 *   Whatever may exist outside ends undone, or stuck in front of the operator.
 * - reserve → authorize (→ review) → commit → capture → confirmed → ship → completed; back in reverse order.
 * - Unanswered steps are asked again with the same ids; given up, they count as "may have happened".
 * - Before the money is here trouble leads back (undone, then held for the operator or ended); after it, only a
 *   cancellation does, and none once the carrier has a parcel.
 */
import { assertNever } from '../kernel/assertNever.ts';
import { type Decider, type Decision, noChange } from '../kernel/decider.ts';
import { orderAddress } from '../order.ts';
import type { Policy } from '../policy.ts';
import type { OrderDraft, ShopContext } from '../shared.ts';
import { hearPayment, hearShipment, hearStock } from './answers.ts';
import type { SagaEvent } from './events.ts';
import { endRefunded, proceed } from './flow.ts';
import type { SagaCommand, SagaReply, SagaSend, SagaTimerCommand } from './messages.ts';
import { cancel, isEdgeCommand, operate, unknownSaga } from './operator.ts';
import { rulesMatched } from './review.ts';
import { candidatesFor } from './routing.ts';
import { evolveSaga, initialSaga, type Saga, type SagaState, started } from './state.ts';
import {
  onBackorderOverdue,
  onPaymentMethodOverdue,
  onReviewOverdue,
  onSagaTimedOut,
  onStepTimedOut,
} from './timeouts.ts';
import { Turn } from './turn.ts';

export type { SagaEvent } from './events.ts';
export type { SagaCommand, SagaSend } from './messages.ts';
export type { Saga, SagaState } from './state.ts';

type SagaDecision = Decision<SagaEvent, SagaSend, SagaTimerCommand>;

function start(orderId: string, draft: OrderDraft, context: ShopContext): SagaDecision {
  const { lines, totals, shippingMethod, paymentToken, address } = draft;
  const event = {
    type: 'SagaStarted',
    v: 1,
    lines: lines.map(({ sku, quantity }) => ({ sku, quantity })),
    total: totals.total,
    shippingMethod,
    candidates: candidatesFor(draft, context.policy),
    confirmBy: context.now + context.policy.saga.timeoutMs,
    review: rulesMatched(draft, context.policy),
    personal: { address, paymentToken },
  } as const;
  const turn = new Turn(started(orderId, event), context);
  turn.setTimer('saga', context.policy.saga.timeoutMs);
  proceed(turn);
  return { events: [event, ...turn.events], sends: turn.sends, timers: turn.timers };
}

function decisionOf({ events, sends, timers }: Turn, reply?: SagaReply): SagaDecision {
  return { events, sends, timers, reply };
}

/** Before its start a saga hears only of its cancellation: whatever else comes is of no saga of ours. */
function beforeStart(orderId: string, command: SagaCommand, context: ShopContext): SagaDecision {
  if (command.type === 'StartSaga') return start(orderId, command.draft, context);
  if (isEdgeCommand(command)) return { rejection: unknownSaga(orderId) };
  if (command.type !== 'CancelSaga') return noChange;
  const end = { outcome: 'cancelled', reason: command.reason, manual: false, refundPending: false } as const;
  return {
    events: [{ type: 'SagaAborted', v: 1, ...end }],
    sends: [{ to: orderAddress(orderId), message: { type: 'EndOrder', seq: 1, ...end } }],
  };
}

function afterStart(saga: Saga, command: SagaCommand, context: ShopContext): SagaDecision {
  const turn = new Turn(saga, context);
  if (isEdgeCommand(command)) {
    const rejection = operate(turn, command);
    if (rejection !== undefined) return { rejection };
    const reply: SagaReply = { orderId: saga.orderId, status: turn.saga.phase.status };
    return decisionOf(turn, reply);
  }
  switch (command.type) {
    case 'StartSaga':
      break;
    case 'CancelSaga':
      cancel(turn, { reason: command.reason, by: command.by, why: '' });
      break;
    case 'EndRefunded':
      endRefunded(turn, command.settled);
      break;
    case 'StepTimedOut':
      onStepTimedOut(turn, command.attempt);
      break;
    case 'SagaTimedOut':
      onSagaTimedOut(turn);
      break;
    case 'ReviewOverdue':
      onReviewOverdue(turn);
      break;
    case 'BackorderOverdue':
      onBackorderOverdue(turn);
      break;
    case 'PaymentMethodOverdue':
      onPaymentMethodOverdue(turn);
      break;
    case 'StockReserved':
    case 'StockRefused':
    case 'StockBackordered':
    case 'StockCommitted':
    case 'StockCommitRefused':
    case 'StockReleased':
    case 'StockExpired':
      hearStock(turn, command);
      break;
    case 'ShipmentAccepted':
    case 'ShipmentFailed':
    case 'ShipmentCancelled':
    case 'ShipmentCancelRefused':
    case 'ReshipParcel':
    case 'ParcelFound':
      hearShipment(turn, command);
      break;
    default:
      hearPayment(turn, command);
  }
  return decisionOf(turn);
}

function decide(state: SagaState, command: SagaCommand, context: ShopContext): SagaDecision {
  switch (state.status) {
    case 'unknown':
      return beforeStart(state.orderId, command, context);
    case 'cancelled-before-start':
      return isEdgeCommand(command) ? { rejection: unknownSaga(state.orderId) } : noChange;
    case 'started':
      return afterStart(state, command, context);
    default:
      return assertNever(state);
  }
}

export const sagaDecider: Decider<SagaState, SagaCommand, SagaEvent, Policy> = {
  type: 'order-saga',
  stateVersion: 2,
  partitionKey: (id) => id,
  initial: initialSaga,
  decide,
  evolve: evolveSaga,
};
