/** What a stock item is asked and what it answers. */
import type { Address } from '../kernel/address.ts';

// ids

export const stockAddress = (sku: string, warehouse: string): Address<'stock'> => ({
  type: 'stock',
  id: `${sku}@${warehouse}`,
});

/** A warehouse id has no `@`; a SKU may. */
export function splitId(id: string): { readonly sku: string; readonly warehouse: string } {
  const at = id.lastIndexOf('@');
  return at < 0 ? { sku: id, warehouse: '' } : { sku: id.slice(0, at), warehouse: id.slice(at + 1) };
}

// commands

export type SagaAddress = Address<'order-saga'>;

export type InventoryCommand =
  // from the saga; the answer goes to `saga`
  | {
      readonly type: 'ReserveStock';
      readonly reservationId: string;
      readonly quantity: number;
      readonly saga: SagaAddress;
    }
  | { readonly type: 'CommitReservation'; readonly reservationId: string; readonly saga: SagaAddress }
  /**
   * Gives a held, committed or picked reservation back, until it has left the house; for an unknown one it leaves a
   * tombstone that refuses a later reserve.
   */
  | { readonly type: 'ReleaseReservation'; readonly reservationId: string; readonly saga: SagaAddress }
  // from the shipment (no answer)
  | { readonly type: 'PickReservation'; readonly reservationId: string }
  | { readonly type: 'ShipReservation'; readonly reservationId: string }
  // timer
  | { readonly type: 'ExpireReservation'; readonly reservationId: string }
  // edge, staff
  | { readonly type: 'ReceiveStock'; readonly quantity: number; readonly reference?: string }
  | { readonly type: 'AdjustStock'; readonly delta: number; readonly reason: string }
  | { readonly type: 'RestockReturned'; readonly quantity: number; readonly returnId: string };

export type Of<Type extends InventoryCommand['type']> = Extract<InventoryCommand, { type: Type }>;

/** What a stock item tells the saga. */
export type StockAnswer =
  | { readonly type: 'StockReserved'; readonly reservationId: string; readonly expiresAt: number }
  | { readonly type: 'StockRefused'; readonly reservationId: string; readonly available: number }
  | { readonly type: 'StockCommitted'; readonly reservationId: string }
  /** A commit came too late: the reservation is expired, released or unknown. */
  | {
      readonly type: 'StockCommitRefused';
      readonly reservationId: string;
      readonly reason: 'expired' | 'released' | 'unknown';
    }
  | { readonly type: 'StockReleased'; readonly reservationId: string }
  | { readonly type: 'StockExpired'; readonly reservationId: string };

export type InventorySend = { readonly to: SagaAddress; readonly message: StockAnswer };

/** The largest number of pieces that one receipt, restock or adjustment may move. */
export const MAX_STOCK_MOVEMENT = 1_000_000;
