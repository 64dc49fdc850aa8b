/** One decision in the making: what was recorded so far, what it leads to, and the state as of now. */
import type { TimerChange } from '../kernel/decider.ts';
import type { ShopContext } from '../shared.ts';
import {
  orderOfShipment,
  type ShipmentAnswer,
  type ShipmentCommand,
  type ShipmentNews,
  type ShipmentSend,
} from './messages.ts';
import { evolve, type ShipmentEvent, type ShipmentState } from './state.ts';

export type Draft = {
  state: ShipmentState;
  readonly context: ShopContext;
  readonly events: ShipmentEvent[];
  readonly sends: ShipmentSend[];
  readonly timers: TimerChange<ShipmentCommand>[];
};

export function begin(state: ShipmentState, context: ShopContext): Draft {
  return { state, context, events: [], sends: [], timers: [] };
}

export function record(draft: Draft, event: ShipmentEvent) {
  draft.events.push(event);
  draft.state = evolve(draft.state, event);
}

export function tell(draft: Draft, message: ShipmentAnswer) {
  draft.sends.push({ to: { type: 'order-saga', id: orderOfShipment(draft.state.id) }, message });
}

/** Tells the order what its customer can see of it, once per decision. */
export function tellChanges(draft: Draft, before: ShipmentState) {
  const { id, events } = draft.state;
  const seen = visible(draft.state);
  if (seen === undefined || JSON.stringify(visible(before)) === JSON.stringify(seen)) return;
  const message: ShipmentNews = { type: 'ShipmentChanged', shipmentId: id, seq: events, ...seen };
  draft.sends.push({ to: { type: 'order', id: orderOfShipment(id) }, message });
}

function visible(state: ShipmentState): Omit<ShipmentNews, 'type' | 'shipmentId' | 'seq'> | undefined {
  const { request, status, carrier, trackingNumber, attempts, deliveredAt, replacedBy, alert } = state;
  if (!request) return undefined;
  const { lines, warehouse, replaces } = request;
  return {
    status,
    lines: lines.map(({ sku, quantity }) => ({ sku, quantity })),
    warehouse,
    attempts,
    ...(carrier !== null && { carrier }),
    ...(trackingNumber !== null && { trackingNumber }),
    ...(deliveredAt !== null && { deliveredAt }),
    ...(replaces !== null && { replaces }),
    ...(replacedBy !== null && { replacedBy }),
    ...(alert !== null && { alert }),
  };
}
