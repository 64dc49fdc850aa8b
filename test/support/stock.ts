/** A stock item whose invariant is checked after every event. */
import * as assert from 'uvu/assert';
import {
  type InventoryCommand,
  type InventoryState,
  inventoryDecider,
  stockFigures,
} from '../../actors/inventoryItem.ts';

export const ITEM = 'SKU-1@wh-east';
export const saga = { type: 'order-saga', id: 'ord_1' } as const;

/** I5: no oversell, no leak. */
export function assertI5(state: InventoryState): void {
  const { adjusted, ...buckets } = stockFigures(state);
  const { available, reserved, committed, picked, received, shipped } = buckets;
  assert.is(available + reserved + committed + picked, received - shipped + adjusted);
  for (const bucket of Object.values(buckets)) assert.ok(Number.isInteger(bucket) && bucket >= 0);
}

export const checkedInventory: typeof inventoryDecider = {
  ...inventoryDecider,
  evolve(state, event) {
    const next = inventoryDecider.evolve(state, event);
    assertI5(next);
    return next;
  },
};

export const receive = (quantity: number): InventoryCommand => ({ type: 'ReceiveStock', quantity });
export const reserve = (reservationId: string, quantity = 1): InventoryCommand => ({
  type: 'ReserveStock',
  reservationId,
  quantity,
  saga,
});
export const commit = (reservationId: string): InventoryCommand => ({ type: 'CommitReservation', reservationId, saga });
export const release = (reservationId: string): InventoryCommand => ({
  type: 'ReleaseReservation',
  reservationId,
  saga,
});
export const pick = (reservationId: string): InventoryCommand => ({ type: 'PickReservation', reservationId });
export const ship = (reservationId: string): InventoryCommand => ({ type: 'ShipReservation', reservationId });
export const expire = (reservationId: string): InventoryCommand => ({ type: 'ExpireReservation', reservationId });
export const transferOut = (quantity: number, to = 'wh-west'): InventoryCommand => ({
  type: 'TransferStock',
  to,
  quantity,
});
export const quarantine = (quantity: number): InventoryCommand => ({
  type: 'QuarantineStock',
  quantity,
  reason: 'wet',
});
export const expectDelivery = (quantity: number, at: number): InventoryCommand => ({
  type: 'ExpectDelivery',
  quantity,
  at,
});
