/** What people do to a saga: customers cancel, pay anew and choose whether to wait, operators release, retry and cancel. */
import { assertNever } from '../kernel/assertNever.ts';
import { type Rejection, reject } from '../kernel/decider.ts';
import { holdForStock } from './backorder.ts';
import type { BackorderChoice, Repair, Undoing } from './events.ts';
import { proceed, release, undo } from './flow.ts';
import type { SagaCommand, SagaEdgeCommand } from './messages.ts';
import { isGivenBack, refundByOperator, retryRefunds, settleByHand, skipRefunds, stuckRefunds } from './refunds.ts';
import { refundIdOf } from './requests.ts';
import { isAskingToPay, isBackordered, isConfirmed, isEnding, type Saga, stuckSteps } from './state.ts';
import type { Turn } from './turn.ts';

const EDGE_COMMANDS: { readonly [Type in SagaEdgeCommand['type']]: true } = {
  ReleaseHold: true,
  CancelByOperator: true,
  RetrySaga: true,
  SkipCompensation: true,
  RefundByOperator: true,
  ProvidePaymentMethod: true,
  ChooseBackorder: true,
};

export function isEdgeCommand(command: SagaCommand): command is SagaEdgeCommand {
  return Object.hasOwn(EDGE_COMMANDS, command.type);
}

export function unknownSaga(orderId: string): Rejection {
  return reject(404, 'saga.unknown', 'Unknown saga', `No order ${orderId} is being fulfilled.`).rejection;
}

function notNow(turn: Turn, code: string, what: string): Rejection {
  const { status } = turn.saga.phase;
  return reject(409, code, 'Not possible now', `${what} is not possible while the saga is ${status}.`).rejection;
}

/** Cancels unless the order has ended or is ending; an order that is only being held is cancelled instead. */
export function cancel(turn: Turn, undoing: Omit<Undoing, 'goal'>): boolean {
  if (turn.saga.phase.status === 'aborted') return false;
  if (!isEnding(turn.saga)) undo(turn, { goal: 'cancelled', ...undoing });
  return true;
}

/** The rejection, if it can't be done now. */
export function operate(turn: Turn, command: SagaEdgeCommand): Rejection | undefined {
  switch (command.type) {
    case 'ReleaseHold':
      if (isForFree(turn.saga)) return alreadyRefunded(turn.saga.orderId);
      return letGoOn(turn, command) ? undefined : notNow(turn, 'saga.not-held', 'Releasing');
    case 'CancelByOperator': {
      const { by, why } = command;
      return cancel(turn, { reason: why, by, why }) ? undefined : notNow(turn, 'saga.ended', 'Cancelling');
    }
    case 'RetrySaga':
      if (isForFree(turn.saga)) return alreadyRefunded(turn.saga.orderId);
      return retry(turn, command) ? undefined : notNow(turn, 'saga.not-waiting', 'Retrying');
    case 'SkipCompensation':
      return skip(turn, command) ? undefined : notNow(turn, 'saga.nothing-stuck', 'Skipping');
    case 'RefundByOperator':
      return refundByOperator(turn, command);
    case 'ProvidePaymentMethod':
      return payAnew(turn, command);
    case 'ChooseBackorder':
      return chooseBackorder(turn, command);
    default:
      return assertNever(command);
  }
}

/** Past its review; or anew, when it stopped because nobody knew what had become of something. */
function letGoOn(turn: Turn, { by, why }: Repair): boolean {
  const { phase } = turn.saga;
  if (phase.status !== 'waiting') return false;
  if (phase.awaiting === 'operator') return retry(turn, { by, why });
  if (phase.awaiting !== 'review') return false;
  release(turn, by, why);
  return true;
}

/** Repeats what is stuck, then starts a held order anew; in a completed one it asks for the parcels again. */
function retry(turn: Turn, { by, why }: Repair): boolean {
  const { phase } = turn.saga;
  const stuck = stuckSteps(turn.saga);
  const held = phase.status === 'waiting' && phase.awaiting === 'operator';
  if (stuckRefunds(turn.saga).length > 0) {
    retryRefunds(turn, by, why);
    // A completed order has nothing else to repeat.
    if (stuck.length === 0 && (!held || isGivenBack(turn.saga))) return true;
  }
  if (phase.status === 'aborted' && stuck.length > 0) {
    undo(turn, { goal: phase.outcome, reason: phase.reason, by, why });
  } else if (held && stuck.length > 0 && !isConfirmed(turn.saga)) {
    undo(turn, { goal: 'retry', reason: phase.reason, by, why });
  } else if (isBackordered(turn.saga)) {
    undo(turn, { goal: 'retry', reason: why, by, why });
  } else if (held || phase.status === 'completed') {
    for (const step of stuck) turn.compensate(step, why);
    if (!isGivenBack(turn.saga)) release(turn, by, why);
  } else {
    return false;
  }
  return true;
}

/** To go on would do nothing but send goods whose money is back with the customer. */
function isForFree(saga: Saga): boolean {
  const { phase } = saga;
  const sends = phase.status === 'completed' || (phase.status === 'waiting' && phase.awaiting === 'operator');
  return sends && isGivenBack(saga) && stuckSteps(saga).length + stuckRefunds(saga).length === 0;
}

export function alreadyRefunded(orderId: string): Rejection {
  const detail = `All that was paid for order ${orderId} has been given back: its goods are not sent once more.`;
  return reject(409, 'order.refunded', 'Already refunded', detail).rejection;
}

/** What is stuck counts as undone from now on; whatever else is under way goes on. */
function skip(turn: Turn, { by, why }: Repair): boolean {
  const stuck = stuckSteps(turn.saga);
  if (stuck.length === 0 && stuckRefunds(turn.saga).length === 0) return false;
  for (const { id, work, undone } of stuck) {
    turn.record({ type: 'StepSkipped', v: 1, step: id, by, why });
    if (work.kind !== 'capture') continue;
    settleByHand(turn, refundIdOf(turn.saga.orderId, work.attempt, undone), turn.saga.total, why);
  }
  skipRefunds(turn, by, why);
  proceed(turn);
  return true;
}

/**
 * A new round with another payment method. The same one once more, while the customer doesn't know yet that it has
 * arrived, is answered like the first.
 */
function payAnew(turn: Turn, { by, token }: { readonly by: string; readonly token: string }): Rejection | undefined {
  const { phase, paymentRequest, paymentToken } = turn.saga;
  if (!isAskingToPay(turn.saga)) {
    const repeated = paymentRequest?.answered === true && token === paymentToken && phase.status !== 'aborted';
    return repeated ? undefined : notAsked(turn.saga.orderId);
  }
  turn.record({ type: 'PaymentMethodGiven', v: 1, by, personal: { paymentToken: token } });
  turn.clearTimer('payment');
  // While the first payment is still being undone the order need not ask any longer.
  if (phase.status === 'compensating') turn.tell({ type: 'ReleaseOrder' });
  const reason = 'Another payment method was given.';
  undo(turn, { goal: 'retry', reason, by, why: '' });
  return undefined;
}

type Chosen = { readonly by: string; readonly choice: BackorderChoice };

/** The same choice once more is answered like the first. */
function chooseBackorder(turn: Turn, { by, choice }: Chosen): Rejection | undefined {
  const { phase, backorder, orderId } = turn.saga;
  if (phase.status !== 'waiting' || phase.awaiting !== 'backorder-choice') {
    if (backorder?.choice === choice) return undefined;
    const detail = `Order ${orderId} does not ask whether to wait.`;
    return reject(409, 'order.backorder-not-asked', 'Nothing to choose', detail).rejection;
  }
  turn.record({ type: 'BackorderChosen', v: 1, by, choice });
  if (choice === 'wait') holdForStock(turn);
  else undo(turn, { goal: 'cancelled', reason: 'The customer does not want to wait.', by, why: '' });
  return undefined;
}

function notAsked(orderId: string): Rejection {
  const detail = `Order ${orderId} does not wait for another payment method.`;
  return reject(409, 'order.payment-not-asked', 'No payment method asked for', detail).rejection;
}
