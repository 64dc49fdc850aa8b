// CONTRACT (to be completed into the aggregate; names are agreed with the saga and the edge)
import type { Address } from './kernel/address.ts';

export const stockAddress = (sku: string, warehouse: string): Address<'stock'> => ({
  type: 'stock',
  id: `${sku}@${warehouse}`,
});

export type InventoryCommand =
  // from the saga; the answer goes to `saga`
  | { readonly type: 'ReserveStock'; readonly reservationId: string; readonly quantity: number; readonly saga: Address }
  | { readonly type: 'CommitReservation'; readonly reservationId: string; readonly saga: Address }
  /** Gives a held or committed reservation back; for an unknown one it leaves a tombstone that refuses a later reserve. */
  | { readonly type: 'ReleaseReservation'; readonly reservationId: string; readonly saga: Address }
  // from the shipment (no answer)
  | { readonly type: 'PickReservation'; readonly reservationId: string }
  | { readonly type: 'ShipReservation'; readonly reservationId: string }
  // timer
  | { readonly type: 'ExpireReservation'; readonly reservationId: string }
  // edge, staff
  | { readonly type: 'ReceiveStock'; readonly quantity: number; readonly reference?: string }
  | { readonly type: 'AdjustStock'; readonly delta: number; readonly reason: string }
  | { readonly type: 'RestockReturned'; readonly quantity: number; readonly returnId: string };

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
