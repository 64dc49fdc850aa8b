/** What the saga does when nothing happens. */
import { expectedAt } from './backorder.ts';
import { hold, proceed, undo } from './flow.ts';
import { stepAttempts } from './requests.ts';
import { isAskingToPay, isBackordered, isConfirmed, isForward, type Step } from './state.ts';
import { pendingSteps, type Turn } from './turn.ts';

/** Asks again what was not answered; gives up on what was asked often enough. A step asked after the timer was set waits. */
export function onStepTimedOut(turn: Turn, attempt: number): void {
  const overdue = pendingSteps(turn.saga).filter(({ asked }) => asked <= attempt);
  if (overdue.length === 0) return;
  const running = overdue.filter(({ status }) => status === 'running');
  const givenUp = running.filter((step) => !askedAgain(turn, step));
  // A compensation is given more time than a step, so it is not overdue while steps are.
  if (running.length === 0) for (const step of overdue) compensateAgain(turn, step);
  turn.keepWaiting();
  if (givenUp.length === 0 || !isForward(turn.saga)) {
    proceed(turn);
    return;
  }
  const reason = `No answer: ${givenUp.map(({ id }) => id).join(', ')}`;
  if (isConfirmed(turn.saga)) {
    hold(turn, 'operator', reason);
    return;
  }
  undo(turn, { goal: 'on-hold', reason, by: 'saga', why: '' });
}

function askedAgain(turn: Turn, step: Step): boolean {
  if (step.asked < stepAttempts(step.work.kind, turn.context.policy)) {
    turn.askAgain(step);
    return true;
  }
  turn.record({ type: 'StepTimedOut', v: 1, step: step.id, final: true });
  return false;
}

function compensateAgain(turn: Turn, step: Step): void {
  const { phase } = turn.saga;
  if (step.asked < turn.context.policy.saga.compensationAttempts) {
    turn.compensate(step, 'reason' in phase ? phase.reason : 'Asked again.');
  } else {
    turn.record({ type: 'CompensationFailed', v: 1, step: step.id, reason: 'No answer.' });
  }
}

/** The customer is not to wait for ever: undone and shown to the operator. */
export function onSagaTimedOut(turn: Turn): void {
  const { saga } = turn;
  const atBank = saga.phase.status === 'waiting' && saga.phase.awaiting === 'payment';
  if ((isForward(saga) && !isConfirmed(saga)) || atBank) {
    undo(turn, { goal: 'on-hold', reason: 'It was not confirmed in time.', by: 'saga', why: '' });
  }
}

export function onReviewOverdue(turn: Turn): void {
  const { phase } = turn.saga;
  if (phase.status === 'waiting' && phase.awaiting === 'review' && !phase.overdue) {
    turn.record({ type: 'ReviewOverdueNoted', v: 1 });
  }
}

/** Nobody said whether to wait: that means no. A delivery that has not come is the operator's to look after. */
export function onBackorderOverdue(turn: Turn): void {
  const { phase } = turn.saga;
  if (phase.status !== 'waiting' || !isBackordered(turn.saga)) return;
  if (phase.awaiting === 'backorder-choice') {
    undo(turn, { goal: 'out-of-stock', reason: 'Nobody chose to wait in time.', by: 'saga', why: '' });
  } else if (!phase.overdue) {
    const reason = 'The delivery that it waits for has not come.';
    turn.record({ type: 'BackorderOverdueNoted', v: 1 });
    turn.tell({ type: 'HoldOrder', awaiting: 'operator', reason, expectedAt: expectedAt(turn) });
  }
}

export function onPaymentMethodOverdue(turn: Turn): void {
  if (!isAskingToPay(turn.saga)) return;
  undo(turn, { goal: 'payment-failed', reason: 'No other payment method was given in time.', by: 'saga', why: '' });
}
