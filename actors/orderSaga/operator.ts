/** What people do to a saga: customers cancel, operators release, retry and cancel. */
import { assertNever } from '../kernel/assertNever.ts';
import { type Rejection, reject } from '../kernel/decider.ts';
import type { Undoing } from './events.ts';
import { release, undo } from './flow.ts';
import type { SagaCommand, SagaOperatorCommand } from './messages.ts';
import { isConfirmed, stuckSteps } from './state.ts';
import type { Turn } from './turn.ts';

export function isOperatorCommand(command: SagaCommand): command is SagaOperatorCommand {
  return command.type === 'ReleaseHold' || command.type === 'CancelByOperator' || command.type === 'RetrySaga';
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
  const { phase } = turn.saga;
  const ending = phase.status === 'compensating' && phase.goal !== 'on-hold' && phase.goal !== 'retry';
  if (phase.status === 'aborted') return false;
  if (!ending) undo(turn, { goal: 'cancelled', ...undoing });
  return true;
}

/** The rejection, if it can't be done now. */
export function operate(turn: Turn, command: SagaOperatorCommand): Rejection | undefined {
  const { by, why } = command;
  const { phase } = turn.saga;
  switch (command.type) {
    case 'ReleaseHold':
      if (phase.status !== 'waiting' || phase.awaiting !== 'review') {
        return notNow(turn, 'saga.not-in-review', 'Releasing');
      }
      release(turn, by, why);
      return undefined;
    case 'CancelByOperator':
      return cancel(turn, { reason: why, by, why }) ? undefined : notNow(turn, 'saga.ended', 'Cancelling');
    case 'RetrySaga':
      return retry(turn, by, why) ? undefined : notNow(turn, 'saga.not-waiting', 'Retrying');
    default:
      return assertNever(command);
  }
}

/** Repeats what is stuck, then starts a held order anew; in a completed one it asks for the parcels again. */
function retry(turn: Turn, by: string, why: string): boolean {
  const { phase } = turn.saga;
  const stuck = stuckSteps(turn.saga);
  const held = phase.status === 'waiting' && phase.awaiting === 'operator';
  if (phase.status === 'aborted' && stuck.length > 0) {
    undo(turn, { goal: phase.outcome, reason: phase.reason, by, why });
  } else if (held && stuck.length > 0 && !isConfirmed(turn.saga)) {
    undo(turn, { goal: 'retry', reason: phase.reason, by, why });
  } else if (held || phase.status === 'completed') {
    for (const step of stuck) turn.compensate(step, why);
    release(turn, by, why);
  } else {
    return false;
  }
  return true;
}
