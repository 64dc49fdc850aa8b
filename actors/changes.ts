/** What a customer hears of when a cart or an order of theirs changes: which one, and how it is now. */
import type { CartState, KnownCart } from './cart/state.ts';
import type { OrderEvent, OrderShipment } from './order/events.ts';
import type { Order, OrderState } from './order/state.ts';

/** `version` and `at` (ms since the epoch) are of the cart or the order. */
type Changed<Kind extends string> = { readonly kind: Kind; readonly version: number; readonly at: number };

export type Change =
  | (Changed<'cart'> & { readonly cart: KnownCart })
  | (Changed<'order'> & { readonly order: Order })
  | (Changed<'shipment'> & { readonly orderId: string; readonly shipment: OrderShipment });

type Moment = Pick<Changed<string>, 'version' | 'at'>;

export function cartChanges(after: CartState, moment: Moment): readonly Change[] {
  return after.status === 'none' ? [] : [{ kind: 'cart', ...moment, cart: after }];
}

/** What operators write for each other is not the customer's. */
export function orderChanges(
  events: readonly OrderEvent[],
  before: OrderState,
  after: OrderState,
  moment: Moment,
): readonly Change[] {
  if (after.status === 'unknown' || events.every(({ type }) => type === 'OrderNoteAdded')) return [];
  const { orderId } = after;
  const earlier = before.status === 'unknown' ? {} : before.shipments;
  const shipments = Object.entries(after.shipments)
    .filter(([id, shipment]) => shown(shipment) !== shown(earlier[id]))
    .map(([, shipment]): Change => ({ kind: 'shipment', ...moment, orderId, shipment }));
  return [{ kind: 'order', ...moment, order: after }, ...shipments];
}

function shown(shipment: OrderShipment | undefined): string {
  if (!shipment) return '';
  const { status, carrier, trackingNumber, attempts, deliveredAt, replacedBy } = shipment;
  return JSON.stringify([status, carrier, trackingNumber, attempts, deliveredAt, replacedBy]);
}
