/** What happened to a stock item, and what it is after that. */
import { assertNever } from '../kernel/assertNever.ts';
import { emptyRecent, type Recent, recentAdd } from '../kernel/recent.ts';
import { emptyTable, type Table, tableDelete, tableGet, tableSet } from '../kernel/table.ts';
import { type Expected, splitId } from './messages.ts';

export type { Expected } from './messages.ts';

// events

/** How many ended reservations (or restocked returns, or transfers) to remember, as the policy was when this one ended. */
type Remembered = { readonly keep: number };

export type InventoryEvent = { readonly v: 1 } & (
  | { readonly type: 'StockReceived'; readonly quantity: number; readonly reference?: string }
  | {
      readonly type: 'StockReserved';
      readonly reservationId: string;
      readonly quantity: number;
      readonly sagaId: string;
      readonly expiresAt: number;
    }
  | ({
      readonly type: 'ReservationRejected';
      readonly reservationId: string;
      readonly quantity: number;
      readonly available: number;
    } & Remembered)
  | ({ readonly type: 'BackorderRegistered' } & Backorder)
  /** `allocated`: it is reserved now. `released`: nobody wants it any more. */
  | ({
      readonly type: 'BackorderCleared';
      readonly reservationId: string;
      readonly quantity: number;
      readonly outcome: 'allocated' | 'released';
    } & Remembered)
  | { readonly type: 'ReservationCommitted'; readonly reservationId: string; readonly quantity: number }
  | ({
      readonly type: 'ReservationReleased';
      readonly reservationId: string;
      readonly quantity: number;
      readonly from: Reservation['status'];
    } & Remembered)
  /** The release came first: the reserve that it overtook will be refused. */
  | ({ readonly type: 'ReservationPrevented'; readonly reservationId: string } & Remembered)
  | ({ readonly type: 'ReservationExpired'; readonly reservationId: string; readonly quantity: number } & Remembered)
  | { readonly type: 'StockPicked'; readonly reservationId: string; readonly quantity: number }
  | ({ readonly type: 'StockShipped'; readonly reservationId: string; readonly quantity: number } & Remembered)
  /** Of the pieces that came back, `quarantined` are to be looked at first. */
  | ({
      readonly type: 'StockRestocked';
      readonly quantity: number;
      readonly quarantined?: number;
      readonly returnId: string;
    } & Remembered)
  | { readonly type: 'StockAdjusted'; readonly delta: number; readonly reason: string }
  | {
      readonly type: 'StockTransferredOut';
      readonly transferId: string;
      readonly to: string;
      readonly quantity: number;
    }
  /** The other warehouse has them. */
  | { readonly type: 'StockTransferConfirmed'; readonly transferId: string; readonly quantity: number }
  | ({
      readonly type: 'StockTransferredIn';
      readonly transferId: string;
      readonly from: string;
      readonly quantity: number;
    } & Remembered)
  | { readonly type: 'StockQuarantined'; readonly quantity: number; readonly reason: string }
  | { readonly type: 'QuarantineReleased'; readonly quantity: number; readonly reason?: string }
  | { readonly type: 'DeliveryExpected'; readonly quantity: number; readonly at: number }
  | { readonly type: 'ExpectationCleared' }
  | { readonly type: 'LowStockReached'; readonly available: number; readonly threshold: number }
  /** Replenished above the threshold: the alert is armed again. */
  | { readonly type: 'LowStockEnded'; readonly available: number; readonly threshold: number }
);

// state

export type Reservation = {
  readonly status: 'held' | 'committed' | 'picked';
  readonly quantity: number;
  readonly sagaId: string;
  /** Until when it is held; a committed one doesn't expire. */
  readonly expiresAt: number;
};

/** A reservation that waits for pieces. */
export type Backorder = {
  readonly reservationId: string;
  readonly quantity: number;
  readonly sagaId: string;
  readonly expectedAt: number;
  /** Another warehouse promises it, so it takes nothing of what can be promised here. */
  readonly elsewhere?: true;
};

export type EndedReservation = 'released' | 'expired' | 'shipped' | 'refused';

export type StockFigures = {
  readonly available: number;
  readonly reserved: number;
  readonly committed: number;
  readonly picked: number;
  readonly received: number;
  readonly shipped: number;
  /** Everything that changed the count and is none of the others: corrections, transfers in less those out, less the quarantine. */
  readonly adjusted: number;
  readonly quarantined: number;
  readonly transferredIn: number;
  readonly transferredOut: number;
  /** Of what was sent to other warehouses: not known to have arrived. */
  readonly inTransit: number;
  /** Pieces that orders wait for; not part of the count. */
  readonly backordered: number;
};

export type InventoryState = StockFigures & {
  readonly sku: string;
  readonly warehouse: string;
  /** Low stock was announced and not replenished since. */
  readonly low: boolean;
  readonly reservations: Table<Reservation>;
  readonly ended: Recent<EndedReservation>;
  readonly restocked: Recent<true>;
  readonly expected: Expected | null;
  /** Who waits, in the order in which they get something. */
  readonly backorders: readonly Backorder[];
  /** Transfers that left and are not known to have arrived: pieces by id. */
  readonly departed: Table<number>;
  readonly arrived: Recent<true>;
};

export function initial(id: string): InventoryState {
  return {
    ...splitId(id),
    available: 0,
    reserved: 0,
    committed: 0,
    picked: 0,
    received: 0,
    shipped: 0,
    adjusted: 0,
    quarantined: 0,
    transferredIn: 0,
    transferredOut: 0,
    inTransit: 0,
    backordered: 0,
    low: false,
    reservations: emptyTable,
    ended: emptyRecent,
    restocked: emptyRecent,
    expected: null,
    backorders: [],
    departed: emptyTable,
    arrived: emptyRecent,
  };
}

export function stockFigures(state: InventoryState): StockFigures {
  const { available, reserved, committed, picked, received, shipped, adjusted } = state;
  const { quarantined, transferredIn, transferredOut, inTransit, backordered } = state;
  const beside = { quarantined, transferredIn, transferredOut, inTransit, backordered };
  return { available, reserved, committed, picked, received, shipped, adjusted, ...beside };
}

function end(state: InventoryState, event: { reservationId: string } & Remembered, as: EndedReservation) {
  return {
    ...state,
    reservations: tableDelete(state.reservations, event.reservationId),
    ended: recentAdd(state.ended, event.reservationId, as, event.keep),
  };
}

const BUCKET_OF = { held: 'reserved', committed: 'committed', picked: 'picked' } as const;

export function evolve(state: InventoryState, event: InventoryEvent): InventoryState {
  switch (event.type) {
    case 'StockReceived':
      return {
        ...state,
        available: state.available + event.quantity,
        received: state.received + event.quantity,
        expected: stillExpected(state.expected, event.quantity),
      };
    case 'StockReserved': {
      const { reservationId, quantity, sagaId, expiresAt } = event;
      const held: Reservation = { status: 'held', quantity, sagaId, expiresAt };
      return {
        ...state,
        available: state.available - quantity,
        reserved: state.reserved + quantity,
        reservations: tableSet(state.reservations, reservationId, held),
      };
    }
    case 'ReservationRejected':
      return end(state, event, 'refused');
    case 'ReservationPrevented':
      return end(state, event, 'released');
    case 'BackorderRegistered': {
      const { type: _type, v: _v, ...backorder } = event;
      const backorders = [...state.backorders, backorder];
      return { ...state, backorders, backordered: state.backordered + event.quantity };
    }
    case 'BackorderCleared': {
      const cleared = {
        backorders: state.backorders.filter(({ reservationId }) => reservationId !== event.reservationId),
        backordered: state.backordered - event.quantity,
      };
      return { ...(event.outcome === 'released' ? end(state, event, 'released') : state), ...cleared };
    }
    case 'ReservationCommitted': {
      const { reserved, committed } = state;
      const moved = { reserved: reserved - event.quantity, committed: committed + event.quantity };
      return { ...state, ...moved, reservations: advance(state, event.reservationId, 'committed') };
    }
    case 'StockPicked': {
      const { committed, picked } = state;
      const moved = { committed: committed - event.quantity, picked: picked + event.quantity };
      return { ...state, ...moved, reservations: advance(state, event.reservationId, 'picked') };
    }
    case 'StockShipped': {
      const moved = { picked: state.picked - event.quantity, shipped: state.shipped + event.quantity };
      return { ...end(state, event, 'shipped'), ...moved };
    }
    case 'ReservationReleased': {
      const bucket = BUCKET_OF[event.from];
      const moved = { available: state.available + event.quantity, [bucket]: state[bucket] - event.quantity };
      return { ...end(state, event, 'released'), ...moved };
    }
    case 'ReservationExpired': {
      const moved = { available: state.available + event.quantity, reserved: state.reserved - event.quantity };
      return { ...end(state, event, 'expired'), ...moved };
    }
    case 'StockRestocked': {
      const { quantity, quarantined = 0 } = event;
      const back = { available: state.available + quantity, received: state.received + quantity };
      const kept = { ...corrected({ ...state, ...back }, -quarantined), quarantined: state.quarantined + quarantined };
      return { ...kept, restocked: recentAdd(state.restocked, event.returnId, true, event.keep) };
    }
    case 'StockAdjusted':
      return corrected(state, event.delta);
    case 'StockTransferredOut':
      return {
        ...corrected(state, -event.quantity),
        transferredOut: state.transferredOut + event.quantity,
        inTransit: state.inTransit + event.quantity,
        departed: tableSet(state.departed, event.transferId, event.quantity),
      };
    case 'StockTransferConfirmed': {
      const departed = tableDelete(state.departed, event.transferId);
      return { ...state, inTransit: state.inTransit - event.quantity, departed };
    }
    case 'StockTransferredIn':
      return {
        ...corrected(state, event.quantity),
        transferredIn: state.transferredIn + event.quantity,
        arrived: recentAdd(state.arrived, event.transferId, true, event.keep),
      };
    case 'StockQuarantined':
      return { ...corrected(state, -event.quantity), quarantined: state.quarantined + event.quantity };
    case 'QuarantineReleased':
      return { ...corrected(state, event.quantity), quarantined: state.quarantined - event.quantity };
    case 'DeliveryExpected':
      return { ...state, expected: { quantity: event.quantity, at: event.at } };
    case 'ExpectationCleared':
      return { ...state, expected: null };
    case 'LowStockReached':
      return { ...state, low: true };
    case 'LowStockEnded':
      return { ...state, low: false };
    default:
      return assertNever(event);
  }
}

function corrected(state: InventoryState, delta: number): InventoryState {
  return { ...state, available: state.available + delta, adjusted: state.adjusted + delta };
}

/** What came in was expected, as far as it goes. */
function stillExpected(expected: Expected | null, received: number): Expected | null {
  if (expected === null || expected.quantity <= received) return null;
  return { ...expected, quantity: expected.quantity - received };
}

function advance(state: InventoryState, reservationId: string, status: 'committed' | 'picked'): Table<Reservation> {
  const reservation = tableGet(state.reservations, reservationId);
  if (!reservation) return state.reservations;
  return tableSet(state.reservations, reservationId, { ...reservation, status });
}
