/**
 * Waiting for stock. What can't be reserved but is expected is registered at the stock items, first come, first served;
 * everything else goes back meanwhile and is reserved again when the stock has come, so an order that nobody has paid for
 * keeps nothing from those who would buy it now. What has come is kept while other lines are still missing: each line is
 * waited for once, so waiting comes to an end.
 *
 * A delivery that is far away is asked about: the customer waits or cancels. The place in the queue is kept meanwhile.
 */
import { reserve } from './advance.ts';
import { liveReservations, reservationsOf } from './routing.ts';
import type { Saga, StepOf } from './state.ts';
import type { Turn } from './turn.ts';

/** Asks the stock for what was planned, once everything else is undone. */
export function registerBackorders(turn: Turn): void {
  turn.setTimer('saga', turn.context.policy.saga.timeoutMs);
  for (const { line, warehouse } of turn.saga.backorder?.lines ?? []) {
    const quantity = turn.saga.lines[line - 1]?.quantity ?? 0;
    reserve(turn, line, { warehouse, quantity }, true);
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

/** When everything that it waits for should have come. */
export function expectedAt({ saga, context }: Turn): number {
  return Math.max(...liveReservations(saga).map((step) => step.expectedAt ?? context.now));
}

const DAY_MS = 24 * 60 * 60_000;

/** `lost`: something that was waited for, or had come already, is gone. */
export function backorderStanding(saga: Saga): 'waiting' | 'arrived' | 'lost' {
  const lines = saga.backorder?.lines ?? [];
  const newest = lines.map(({ line }): StepOf<'reserve'> | undefined => reservationsOf(saga, line).at(-1));
  const live = new Set(liveReservations(saga).map(({ id }) => id));
  if (newest.some((step) => step === undefined || !live.has(step.id))) return 'lost';
  return newest.every((step) => step?.status === 'succeeded') ? 'arrived' : 'waiting';
}
