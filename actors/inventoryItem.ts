/**
 * The stock of one SKU in one warehouse. One serial decision checks and reserves, so nothing is sold that is not there.
 *
 * Invariant I5: available + reserved + committed + picked = received − shipped + adjusted, and no bucket is negative.
 * Everything is keyed by reservation id, never by quantity, so a message that is late or repeated changes nothing twice.
 * A reservation ends shipped, released, expired or refused; what ended is remembered in a bounded memory, so that a
 * message that was overtaken by the end gets the right answer.
 */

import {
  type InventoryCommand,
  type InventorySend,
  MAX_STOCK_MOVEMENT,
  type Of,
  type SagaAddress,
  type StockAnswer,
  splitId,
} from './inventoryItem/messages.ts';
import {
  evolve,
  type InventoryEvent,
  type InventoryState,
  initial,
  type Reservation,
  stockFigures,
} from './inventoryItem/state.ts';
import { assertNever } from './kernel/assertNever.ts';
import { type Decider, type Decision, noChange, reject, type TimerChange } from './kernel/decider.ts';
import { recentGet } from './kernel/recent.ts';
import { tableGet } from './kernel/table.ts';
import type { Policy } from './policy.ts';
import type { ShopContext } from './shared.ts';

export { type InventoryCommand, type InventorySend, type StockAnswer, stockAddress } from './inventoryItem/messages.ts';
export { type InventoryEvent, type InventoryState, type StockFigures, stockFigures } from './inventoryItem/state.ts';

type StockDecision = Decision<InventoryEvent, InventorySend, InventoryCommand>;

// what the saga asks

type Answered = { readonly events: readonly InventoryEvent[]; readonly sends: readonly InventorySend[] };

function answer(saga: SagaAddress, message: StockAnswer, events: readonly InventoryEvent[] = []): Answered {
  return { events, sends: [{ to: saga, message }] };
}

const expiryOf = (reservationId: string) => `expire:${reservationId}`;

function expireAt(reservationId: string, at: number): TimerChange<InventoryCommand> {
  return { set: expiryOf(reservationId), at, message: { type: 'ExpireReservation', reservationId } };
}

function reserve(state: InventoryState, command: Of<'ReserveStock'>, context: ShopContext): StockDecision {
  const { reservationId, quantity, saga } = command;
  const { available } = state;
  const refused: StockAnswer = { type: 'StockRefused', reservationId, available };
  const known = tableGet(state.reservations, reservationId);
  if (known) return answer(saga, { type: 'StockReserved', reservationId, expiresAt: known.expiresAt });
  const ended = recentGet(state.ended, reservationId);
  if (ended === 'shipped') return answer(saga, { type: 'StockReserved', reservationId, expiresAt: context.now });
  if (ended !== undefined) return answer(saga, refused);

  if (!isPieces(quantity) || quantity > available) {
    const keep = context.policy.stock.tombstones;
    return answer(saga, refused, [{ type: 'ReservationRejected', v: 1, reservationId, quantity, available, keep }]);
  }
  const expiresAt = context.now + context.policy.stock.reservationMs;
  return {
    ...answer(saga, { type: 'StockReserved', reservationId, expiresAt }, [
      { type: 'StockReserved', v: 1, reservationId, quantity, sagaId: saga.id, expiresAt },
      ...lowStock(state, available - quantity, context.policy),
    ]),
    timers: [expireAt(reservationId, expiresAt)],
  };
}

function commit(state: InventoryState, command: Of<'CommitReservation'>): StockDecision {
  const { reservationId, saga } = command;
  const committed: StockAnswer = { type: 'StockCommitted', reservationId };
  const reservation = tableGet(state.reservations, reservationId);
  if (reservation?.status === 'held') {
    const { quantity } = reservation;
    return {
      ...answer(saga, committed, [{ type: 'ReservationCommitted', v: 1, reservationId, quantity }]),
      timers: [{ clear: expiryOf(reservationId) }],
    };
  }
  const ended = recentGet(state.ended, reservationId);
  if (reservation || ended === 'shipped') return answer(saga, committed);
  const reason = ended === 'expired' || ended === 'released' ? ended : 'unknown';
  return answer(saga, { type: 'StockCommitRefused', reservationId, reason });
}

function release(state: InventoryState, command: Of<'ReleaseReservation'>, context: ShopContext): StockDecision {
  const { reservationId, saga } = command;
  const keep = context.policy.stock.tombstones;
  const released: StockAnswer = { type: 'StockReleased', reservationId };
  const reservation = tableGet(state.reservations, reservationId);
  if (reservation) {
    const { quantity, status } = reservation;
    return {
      ...answer(saga, released, [{ type: 'ReservationReleased', v: 1, reservationId, quantity, from: status, keep }]),
      timers: status === 'held' ? [{ clear: expiryOf(reservationId) }] : [],
    };
  }
  if (recentGet(state.ended, reservationId) !== undefined) return answer(saga, released);
  return answer(saga, released, [{ type: 'ReservationPrevented', v: 1, reservationId, keep }]);
}

function expire(state: InventoryState, command: Of<'ExpireReservation'>, context: ShopContext): StockDecision {
  const { reservationId } = command;
  const reservation = tableGet(state.reservations, reservationId);
  if (reservation?.status !== 'held') return noChange;
  const { quantity, sagaId, expiresAt } = reservation;
  // The clock of the node that fires may be behind the clock of the one that set the timer.
  if (context.now < expiresAt) return { events: [], timers: [expireAt(reservationId, expiresAt)] };
  const keep = context.policy.stock.tombstones;
  return answer({ type: 'order-saga', id: sagaId }, { type: 'StockExpired', reservationId }, [
    { type: 'ReservationExpired', v: 1, reservationId, quantity, keep },
  ]);
}

// what the warehouse did: facts, so earlier steps that were not heard of are implied

function pick(state: InventoryState, reservationId: string): StockDecision {
  const reservation = tableGet(state.reservations, reservationId);
  if (!reservation || reservation.status === 'picked') return noChange;
  return { events: untilPicked(reservationId, reservation), timers: [{ clear: expiryOf(reservationId) }] };
}

function ship(state: InventoryState, reservationId: string, context: ShopContext): StockDecision {
  const reservation = tableGet(state.reservations, reservationId);
  if (!reservation) return noChange;
  const { quantity } = reservation;
  const keep = context.policy.stock.tombstones;
  return {
    events: [...untilPicked(reservationId, reservation), { type: 'StockShipped', v: 1, reservationId, quantity, keep }],
    timers: [{ clear: expiryOf(reservationId) }],
  };
}

function untilPicked(reservationId: string, { status, quantity }: Reservation): InventoryEvent[] {
  const committed: InventoryEvent = { type: 'ReservationCommitted', v: 1, reservationId, quantity };
  const picked: InventoryEvent = { type: 'StockPicked', v: 1, reservationId, quantity };
  return status === 'held' ? [committed, picked] : status === 'committed' ? [picked] : [];
}

// what staff does

function isPieces(quantity: number): boolean {
  return Number.isInteger(quantity) && quantity >= 1 && quantity <= MAX_STOCK_MOVEMENT;
}

const invalidQuantity = (quantity: number) =>
  reject(
    422,
    'stock.quantity-invalid',
    'The quantity is not possible',
    `Expected 1 to ${MAX_STOCK_MOVEMENT} whole pieces, got ${quantity}.`,
  );

/** One alert on the way down through the threshold; only replenishing arms it again, not a reservation that comes back. */
function lowStock(state: InventoryState, available: number, policy: Policy): InventoryEvent[] {
  const threshold = policy.stock.lowStockThreshold;
  const crossed = state.available > threshold && available <= threshold;
  return crossed && !state.low ? [{ type: 'LowStockReached', v: 1, available, threshold }] : [];
}

function replenished(state: InventoryState, available: number, policy: Policy): InventoryEvent[] {
  const threshold = policy.stock.lowStockThreshold;
  return state.low && available > threshold ? [{ type: 'LowStockEnded', v: 1, available, threshold }] : [];
}

function withFigures(state: InventoryState, events: readonly InventoryEvent[]): StockDecision {
  return { events, reply: stockFigures(events.reduce(evolve, state)) };
}

function receive(state: InventoryState, command: Of<'ReceiveStock'>, { policy }: ShopContext) {
  const { quantity, reference } = command;
  if (!isPieces(quantity)) return invalidQuantity(quantity);
  return withFigures(state, [
    { type: 'StockReceived', v: 1, quantity, ...(reference === undefined ? {} : { reference }) },
    ...replenished(state, state.available + quantity, policy),
  ]);
}

function restock(state: InventoryState, command: Of<'RestockReturned'>, { policy }: ShopContext) {
  const { quantity, returnId } = command;
  if (!isPieces(quantity)) return invalidQuantity(quantity);
  if (recentGet(state.restocked, returnId)) return withFigures(state, []);
  return withFigures(state, [
    { type: 'StockRestocked', v: 1, quantity, returnId, keep: policy.stock.tombstones },
    ...replenished(state, state.available + quantity, policy),
  ]);
}

function adjust(state: InventoryState, command: Of<'AdjustStock'>, { policy }: ShopContext) {
  const { delta, reason } = command;
  if (!isPieces(Math.abs(delta))) return invalidQuantity(delta);
  const available = state.available + delta;
  if (available < 0) {
    const detail = `${state.available} available pieces can't be adjusted by ${delta}.`;
    return reject(422, 'stock.adjustment-negative', 'Stock would become negative', detail);
  }
  const alerts = delta < 0 ? lowStock(state, available, policy) : replenished(state, available, policy);
  return withFigures(state, [{ type: 'StockAdjusted', v: 1, delta, reason }, ...alerts]);
}

function decide(state: InventoryState, command: InventoryCommand, context: ShopContext): StockDecision {
  switch (command.type) {
    case 'ReserveStock':
      return reserve(state, command, context);
    case 'CommitReservation':
      return commit(state, command);
    case 'ReleaseReservation':
      return release(state, command, context);
    case 'ExpireReservation':
      return expire(state, command, context);
    case 'PickReservation':
      return pick(state, command.reservationId);
    case 'ShipReservation':
      return ship(state, command.reservationId, context);
    case 'ReceiveStock':
      return receive(state, command, context);
    case 'AdjustStock':
      return adjust(state, command, context);
    case 'RestockReturned':
      return restock(state, command, context);
    default:
      return assertNever(command);
  }
}

export const inventoryDecider: Decider<InventoryState, InventoryCommand, InventoryEvent, Policy> = {
  type: 'stock',
  partitionKey: (id) => splitId(id).sku,
  initial,
  decide,
  evolve,
};
