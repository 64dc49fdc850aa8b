/**
 * Moving pieces to another warehouse of the same SKU. They leave one item in the decision that sends the message and
 * come into the other in the one that answers it, each once by the transfer's id; in between the sender shows them as in
 * transit, until it hears that they have arrived.
 */
import { noChange, reject } from '../kernel/decider.ts';
import { recentGet } from '../kernel/recent.ts';
import { tableGet } from '../kernel/table.ts';
import type { ShopContext } from '../shared.ts';
import { insufficient, invalidQuantity, isPieces, type StockDecision } from './decision.ts';
import { type Of, stockAddress } from './messages.ts';
import type { InventoryState } from './state.ts';

export function transfer(
  { sku, warehouse, available }: InventoryState,
  { to, quantity }: Of<'TransferStock'>,
  { id: transferId }: ShopContext,
): StockDecision {
  if (!isPieces(quantity)) return invalidQuantity(quantity);
  if (to === warehouse) {
    const detail = `The pieces are in ${warehouse} already.`;
    return reject(422, 'stock.same-warehouse', 'Nowhere to go', detail);
  }
  if (quantity > available) return insufficient(available, quantity);
  return {
    events: [{ type: 'StockTransferredOut', v: 1, transferId, to, quantity }],
    sends: [
      {
        to: stockAddress(sku, to),
        message: { type: 'ReceiveTransfer', transferId, from: warehouse, quantity },
      },
    ],
  };
}

export function receiveTransfer(
  { sku, arrived }: InventoryState,
  { transferId, from, quantity }: Of<'ReceiveTransfer'>,
  { policy }: ShopContext,
): StockDecision {
  const keep = policy.stock.tombstones;
  return {
    events: recentGet(arrived, transferId)
      ? []
      : [{ type: 'StockTransferredIn', v: 1, transferId, from, quantity, keep }],
    sends: [{ to: stockAddress(sku, from), message: { type: 'ConfirmTransfer', transferId } }],
  };
}

export function confirmTransfer({ departed }: InventoryState, { transferId }: Of<'ConfirmTransfer'>): StockDecision {
  const quantity = tableGet(departed, transferId);
  if (quantity === undefined) return noChange;
  return { events: [{ type: 'StockTransferConfirmed', v: 1, transferId, quantity }] };
}
