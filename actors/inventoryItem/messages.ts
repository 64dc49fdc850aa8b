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
      /** If it isn't there: register it for the expected delivery, first come, first served. */
      readonly wait?: true;
      /** When another warehouse promises it: it waits here as well, even if nothing is expected here. */
      readonly promisedAt?: number;
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
  /** Pieces that came back, once per return; so many of them go into quarantine. */
  | {
      readonly type: 'RestockReturned';
      readonly quantity: number;
      readonly quarantined?: number;
      readonly returnId: string;
    }
  // timers
  | { readonly type: 'ExpireReservation'; readonly reservationId: string }
  | { readonly type: 'AllocateBackorders' }
  // edge, staff
  | { readonly type: 'ReceiveStock'; readonly quantity: number; readonly reference?: string }
  | { readonly type: 'AdjustStock'; readonly delta: number; readonly reason: string }
  /** Sends available pieces to another warehouse. The id of the transfer is the command's. */
  | { readonly type: 'TransferStock'; readonly to: string; readonly quantity: number }
  /** Takes available pieces out of sale without losing sight of them. */
  | { readonly type: 'QuarantineStock'; readonly quantity: number; readonly reason: string }
  | { readonly type: 'ReleaseQuarantine'; readonly quantity: number; readonly reason?: string }
  /** What the next delivery should bring, and when (ms since the epoch); the newest word counts. */
  | { readonly type: 'ExpectDelivery'; readonly quantity: number; readonly at: number }
  | { readonly type: 'ClearExpected' }
  | TransferMessage;

export type Of<Type extends InventoryCommand['type']> = Extract<InventoryCommand, { type: Type }>;

/** What the next delivery should bring, or what of it can be promised; `at` in ms since the epoch. */
export type Expected = { readonly quantity: number; readonly at: number };

/** What a stock item tells the saga. */
export type StockAnswer =
  | { readonly type: 'StockReserved'; readonly reservationId: string; readonly expiresAt: number }
  /** With what is free, and what can be promised of the expected delivery. */
  | {
      readonly type: 'StockRefused';
      readonly reservationId: string;
      readonly available: number;
      readonly expected?: Expected;
    }
  /** It waits for the delivery; once the pieces are there, StockReserved follows. */
  | { readonly type: 'StockBackordered'; readonly reservationId: string; readonly expectedAt: number }
  | { readonly type: 'StockCommitted'; readonly reservationId: string }
  /** A commit came too late: the reservation is expired, released or unknown. */
  | {
      readonly type: 'StockCommitRefused';
      readonly reservationId: string;
      readonly reason: 'expired' | 'released' | 'unknown';
    }
  | { readonly type: 'StockReleased'; readonly reservationId: string }
  | { readonly type: 'StockExpired'; readonly reservationId: string };

/** Between two warehouses of one SKU: the pieces, then the news that they have arrived. */
export type TransferMessage =
  | { readonly type: 'ReceiveTransfer'; readonly transferId: string; readonly from: string; readonly quantity: number }
  | { readonly type: 'ConfirmTransfer'; readonly transferId: string };

export type InventorySend =
  | { readonly to: SagaAddress; readonly message: StockAnswer }
  | { readonly to: Address<'stock'>; readonly message: TransferMessage };

/** The largest number of pieces that one receipt, restock, transfer or adjustment may move. */
export const MAX_STOCK_MOVEMENT = 1_000_000;
