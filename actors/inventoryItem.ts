/**
 * The stock of one SKU in one warehouse. One serial decision checks and reserves, so nothing is sold that is not there.
 *
 * Invariant I5: available + reserved + committed + picked = received − shipped + adjusted, and no bucket is negative.
 * Everything is keyed by reservation id, never by quantity, so a message that is late or repeated changes nothing twice.
 * A reservation ends shipped, released, expired or refused; what ended is remembered in a bounded memory, so that a
 * message that was overtaken by the end gets the right answer. The parts: messages, state, alerts (low stock), staff,
 * transfers, backorders.
 */

import { withAlerts } from './inventoryItem/alerts.ts';
import { allocate, freePieces, promise, waitingFor } from './inventoryItem/backorders.ts';
import { isPieces, type StockDecision } from './inventoryItem/decision.ts';
import type { InventoryCommand, InventorySend, Of, SagaAddress, StockAnswer } from './inventoryItem/messages.ts';
import { splitId } from './inventoryItem/messages.ts';
import {
  adjust,
  clearExpected,
  expect,
  quarantine,
  receive,
  releaseQuarantine,
  restock,
} from './inventoryItem/staff.ts';
import {
  evolve,
  type InventoryEvent,
  type InventoryState,
  initial,
  type Reservation,
  stockFigures,
} from './inventoryItem/state.ts';
import { confirmTransfer, receiveTransfer, transfer } from './inventoryItem/transfers.ts';
import { assertNever } from './kernel/assertNever.ts';
import { type Decider, noChange, type TimerChange } from './kernel/decider.ts';
import { recentGet } from './kernel/recent.ts';
import { tableGet } from './kernel/table.ts';
import type { Policy } from './policy.ts';
import type { ShopContext } from './shared.ts';

export { type InventoryCommand, type InventorySend, type StockAnswer, stockAddress } from './inventoryItem/messages.ts';
export { type InventoryEvent, type InventoryState, type StockFigures, stockFigures } from './inventoryItem/state.ts';

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
  const { reservationId, quantity, saga, wait, promisedAt } = command;
  const available = freePieces(state);
  const isFull = state.backorders.length >= context.policy.backorder.maxWaiting;
  const expected = isFull ? null : promise(state);
  const refused: StockAnswer = { type: 'StockRefused', reservationId, available, ...(expected && { expected }) };
  const known = tableGet(state.reservations, reservationId);
  if (known) return answer(saga, { type: 'StockReserved', reservationId, expiresAt: known.expiresAt });
  const waiting = waitingFor(state, reservationId);
  if (waiting) return answer(saga, { type: 'StockBackordered', reservationId, expectedAt: waiting.expectedAt });
  const ended = recentGet(state.ended, reservationId);
  if (ended === 'shipped') return answer(saga, { type: 'StockReserved', reservationId, expiresAt: context.now });
  if (ended !== undefined) return answer(saga, refused);

  if (!isPieces(quantity) || quantity > available) {
    const promised = expected && quantity <= expected.quantity ? expected.at : undefined;
    const expectedAt = isFull ? undefined : (promisedAt ?? promised);
    if (wait && isPieces(quantity) && expectedAt !== undefined) {
      const waiting = { reservationId, quantity, sagaId: saga.id, expectedAt };
      return answer(saga, { type: 'StockBackordered', reservationId, expectedAt }, [
        { type: 'BackorderRegistered', v: 1, ...waiting, ...(promisedAt !== undefined && { elsewhere: true }) },
      ]);
    }
    const keep = context.policy.stock.tombstones;
    return answer(saga, refused, [{ type: 'ReservationRejected', v: 1, reservationId, quantity, available, keep }]);
  }
  // Who was ready to wait is still waiting for other lines.
  const { stock, backorder } = context.policy;
  const expiresAt = context.now + (wait ? backorder.holdMs : stock.reservationMs);
  return {
    ...answer(saga, { type: 'StockReserved', reservationId, expiresAt }, [
      { type: 'StockReserved', v: 1, reservationId, quantity, sagaId: saga.id, expiresAt },
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
  const waiting = waitingFor(state, reservationId);
  if (waiting) {
    const { quantity } = waiting;
    return answer(saga, released, [
      { type: 'BackorderCleared', v: 1, reservationId, quantity, outcome: 'released', keep },
    ]);
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

/** What staff does is answered with the figures after it. */
const STAFF: ReadonlySet<InventoryCommand['type']> = new Set<InventoryCommand['type']>([
  'ReceiveStock',
  'AdjustStock',
  'RestockReturned',
  'TransferStock',
  'QuarantineStock',
  'ReleaseQuarantine',
  'ExpectDelivery',
  'ClearExpected',
]);

function decide(state: InventoryState, command: InventoryCommand, context: ShopContext): StockDecision {
  const decision = handle(state, command, context);
  if ('rejection' in decision && decision.rejection) return decision;
  const { events, sends = [], timers = [] } = decision;
  const moved = withAlerts(state, events, context.policy);
  const allocated = allocate(moved.state, context);
  return {
    events: [...moved.events, ...allocated.events],
    sends: [...sends, ...allocated.sends],
    timers: [...timers, ...allocated.timers],
    ...(STAFF.has(command.type) && { reply: stockFigures(allocated.state) }),
  };
}

function handle(state: InventoryState, command: InventoryCommand, context: ShopContext): StockDecision {
  switch (command.type) {
    case 'ReserveStock':
      return reserve(state, command, context);
    case 'CommitReservation':
      return commit(state, command);
    case 'ReleaseReservation':
      return release(state, command, context);
    case 'ExpireReservation':
      return expire(state, command, context);
    case 'AllocateBackorders':
      return noChange;
    case 'PickReservation':
      return pick(state, command.reservationId);
    case 'ShipReservation':
      return ship(state, command.reservationId, context);
    case 'ReceiveStock':
      return receive(command);
    case 'AdjustStock':
      return adjust(state, command);
    case 'RestockReturned':
      return restock(state, command, context);
    case 'TransferStock':
      return transfer(state, command, context);
    case 'ReceiveTransfer':
      return receiveTransfer(state, command, context);
    case 'ConfirmTransfer':
      return confirmTransfer(state, command);
    case 'QuarantineStock':
      return quarantine(state, command);
    case 'ReleaseQuarantine':
      return releaseQuarantine(state, command);
    case 'ExpectDelivery':
      return expect(state, command, context);
    case 'ClearExpected':
      return clearExpected(state);
    default:
      return assertNever(command);
  }
}

export const inventoryDecider: Decider<InventoryState, InventoryCommand, InventoryEvent, Policy> = {
  type: 'stock',
  stateVersion: 3,
  partitionKey: (id) => splitId(id).sku,
  initial,
  decide,
  evolve,
};
