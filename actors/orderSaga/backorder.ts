/**
 * Waiting for stock. What can't be reserved but is expected is registered at the stock items, first come, first served;
 * everything else goes back meanwhile and is reserved again when the stock has come, so an order that nobody has paid for
 * keeps nothing from those who would buy it now. What has come is kept while other lines are still missing: each line is
 * waited for once, so waiting comes to an end.
 *
 * One warehouse promises a line; it queues at all others as well, and the first that has all of it serves it, wherever a
 * delivery arrives. The other places are given up at once. A line that only several warehouses have together goes on
 * waiting, until the promised delivery comes or an operator, who is shown it when that is late, starts the order anew.
 *
 * A delivery that is far away is asked about: the customer waits or cancels. The place in the queue is kept meanwhile.
 */
import { reserve } from './advance.ts';
import { liveReservations } from './routing.ts';
import type { Saga, Step, StepOf } from './state.ts';
import type { Turn } from './turn.ts';

/** Asks the stock for what was planned, once everything else is undone. */
export function registerBackorders(turn: Turn): void {
  turn.setTimer('saga', turn.context.policy.saga.timeoutMs);
  for (const { line, warehouse } of turn.saga.backorder?.lines ?? []) {
    const quantity = turn.saga.lines[line - 1]?.quantity ?? 0;
    reserve(turn, line, { warehouse, quantity }, { wait: true });
  }
}

/** All that is missing is registered: from now on time is of no matter, but the operator's and the customer's patience. */
export function holdForStock(turn: Turn): void {
  const { now, policy } = turn.context;
  const { choiceAfterMs, choiceMs, patienceMs } = policy.backorder;
  const at = expectedAt(turn);
  turn.clearTimer('saga');
  if (turn.saga.backorder?.choice === null && at - now > choiceAfterMs) {
    const reason = `The delivery is expected in more than ${Math.floor(choiceAfterMs / DAY_MS)} days.`;
    turn.record({ type: 'SagaHeld', v: 1, awaiting: 'backorder-choice', reason });
    turn.setTimer('backorder', choiceMs);
    turn.tell({ type: 'HoldOrder', awaiting: 'backorder-choice', reason, expectedAt: at, expiresAt: now + choiceMs });
    return;
  }
  const reason = 'Not everything is in stock; a delivery is expected.';
  turn.record({ type: 'SagaHeld', v: 1, awaiting: 'stock', reason });
  turn.setTimer('backorder', Math.max(0, at - now) + patienceMs);
  turn.tell({ type: 'HoldOrder', awaiting: 'stock', reason, expectedAt: at });
}

/** When everything that it still waits for should have come, each line from where it comes first. */
export function expectedAt({ saga, context: { now } }: Turn): number {
  const lines = (saga.backorder?.lines ?? []).map(({ line }) => placesOf(saga, line));
  const missing = lines.filter((places) => places.length > 0 && !places.some(hasCome));
  if (missing.length === 0) return now;
  return Math.max(...missing.map((places) => Math.min(...places.map((place) => place.expectedAt ?? now))));
}

const DAY_MS = 24 * 60 * 60_000;

/** `lost`: something that was waited for, or had come already, is gone. */
export function backorderStanding(saga: Saga): 'waiting' | 'arrived' | 'lost' {
  const lines = (saga.backorder?.lines ?? []).map(({ line }) => placesOf(saga, line));
  if (lines.some((places) => places.length === 0)) return 'lost';
  return lines.every((places) => places.some(hasCome)) ? 'arrived' : 'waiting';
}

/** Where a line waits, or the one place where it has come. */
function placesOf(saga: Saga, line: number): StepOf<'reserve'>[] {
  return liveReservations(saga).filter(({ work }) => work.line === line && work.wait === true);
}

const hasCome = ({ status }: Step): boolean => status === 'succeeded';

/** One place has all of the line, or lost it: it waits nowhere else any more. Two that have it at once give one back. */
export function leaveOtherQueues(turn: Turn, { id, work }: Step): void {
  if (work.kind !== 'reserve' || !work.wait) return;
  for (const place of placesOf(turn.saga, work.line)) {
    if (place.id !== id) turn.compensate(place, 'Another warehouse has it.');
  }
}
