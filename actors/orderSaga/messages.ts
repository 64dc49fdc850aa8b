// CONTRACT (to be completed; names are agreed with the order, stock, payment, shipment and the edge)

import type { StockAnswer } from '../inventoryItem.ts';
import type { Address } from '../kernel/address.ts';
import type { OrderRequest } from '../order.ts';
import type { PaymentAnswer } from '../payment.ts';
import type { ShipmentAnswer } from '../shipment.ts';

export const sagaAddress = (orderId: string): Address<'order-saga'> => ({ type: 'order-saga', id: orderId });

export type SagaCommand =
  | OrderRequest
  | StockAnswer
  | PaymentAnswer
  | ShipmentAnswer
  // operator, through the edge
  | { readonly type: 'ReleaseHold'; readonly by: string; readonly why: string }
  | { readonly type: 'CancelByOperator'; readonly by: string; readonly why: string }
  | { readonly type: 'RetrySaga'; readonly by: string; readonly why: string }
  // timers
  | { readonly type: 'StepTimedOut'; readonly step: string; readonly attempt: number }
  | { readonly type: 'SagaTimedOut' }
  | { readonly type: 'ReviewOverdue' };
