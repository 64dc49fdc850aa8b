/**
 * Order: what the customer sees of a purchase. It decides nothing about stock or money: it starts and cancels its saga,
 * and listens to the saga, the payment and the parcels.
 *
 * - Words that arrive late or twice change nothing: each speaker numbers its own, and only a newer one counts.
 * - The status is derived from facts (order/state.ts). News of a payment are recorded for ever, but no news move an order
 *   that has ended.
 * - Delivered only when every piece is; the last delivery, also that of a reshipment, starts the return window.
 */
import type { Address } from './kernel/address.ts';
import { assertNever } from './kernel/assertNever.ts';
import {
  type Context,
  type Decider,
  type Decision,
  noChange,
  type Rejection,
  reject,
  type TimerChange,
} from './kernel/decider.ts';
import type { Money } from './kernel/money.ts';
import { problemOf } from './order/draft.ts';
import type { Awaiting, OrderEvent, OrderOutcome } from './order/events.ts';
import { handedOver, isSettled, lastDelivery, liveShipments, parcelStatus } from './order/parcels.ts';
import { evolveOrder, initialOrder, type Order, type OrderState, type OrderStatus } from './order/state.ts';
import { sagaAddress } from './orderSaga/messages.ts';
import type { PaymentNews } from './payment.ts';
import type { Policy } from './policy.ts';
import type { OrderDraft, ShopContext } from './shared.ts';
import type { ShipmentNews } from './shipment.ts';

export type { OrderEvent } from './order/events.ts';
export type { Order, OrderState, OrderStatus } from './order/state.ts';

export const orderAddress = (orderId: string): Address<'order'> => ({ type: 'order', id: orderId });

const customerOrdersAddress = (customerId: string): Address<'customer-orders'> => ({
  type: 'customer-orders',
  id: customerId,
});

export type OrderEdgeCommand =
  /** From the edge (express) or from a completed checkout. Repeats are answered with the order that exists. */
  | { readonly type: 'PlaceOrder'; readonly draft: OrderDraft }
  /** A customer only its own, within policy.order.customerCancelMs, until hand-over; staff until hand-over. */
  | {
      readonly type: 'CancelOrder';
      readonly by: { readonly role: 'customer' | 'staff'; readonly id: string };
      readonly reason: string;
    }
  /** By an operator; the customer never sees it. */
  | { readonly type: 'AddNote'; readonly by: string; readonly text: string };

/** What the saga tells the order. `seq` orders it: what was said earlier and arrives later is ignored. */
export type SagaNews = {
  readonly seq: number;
} /** With where the customer does what is asked, if that isn't here, and until when. */ & (
  | {
      readonly type: 'HoldOrder';
      readonly reason: string;
      readonly awaiting: Awaiting;
      readonly url?: string;
      readonly expiresAt?: number;
      readonly expectedAt?: number;
    }
  | { readonly type: 'ReleaseOrder' }
  | { readonly type: 'ConfirmOrder' }
  | { readonly type: 'BeginFulfilment' }
  /**
   * The saga ended without fulfilling; again whenever what is left to do changes. `manual`: a compensation failed and
   * needs the operator; `refundPending`: of all compensations only the refund is left.
   */
  | {
      readonly type: 'EndOrder';
      readonly outcome: OrderOutcome;
      readonly reason: string;
      readonly manual: boolean;
      readonly refundPending: boolean;
    }
  /** The cancellation came too late: the carrier has the goods. */
  | { readonly type: 'RefuseCancellation'; readonly reason: string }
);

export type OrderTimerCommand = { readonly type: 'CloseOrder' };

export type OrderCommand = OrderEdgeCommand | SagaNews | PaymentNews | ShipmentNews | OrderTimerCommand;

/** What the order tells the saga. */
export type OrderRequest =
  | { readonly type: 'StartSaga'; readonly draft: OrderDraft }
  | { readonly type: 'CancelSaga'; readonly by: string; readonly reason: string }
  /** All its money is back and nothing of it is on its way any more; `settled` are the parcels that there were. */
  | { readonly type: 'EndRefunded'; readonly settled: readonly string[] };

/** What the order tells the index of its customer; `seq` orders it, an older one is ignored. */
export type OrderNews = {
  readonly type: 'NoteOrder';
  readonly orderId: string;
  readonly seq: number;
  readonly status: OrderStatus;
  readonly total: Money;
  readonly placedAt: number;
};

export type OrderSend =
  | { readonly to: Address<'order-saga'>; readonly message: OrderRequest }
  | { readonly to: Address<'customer-orders'>; readonly message: OrderNews };

/** The answer to the edge. */
export type OrderReply = { readonly orderId: string; readonly status: OrderStatus };

type OrderDecision = Decision<OrderEvent, OrderSend, OrderTimerCommand>;
type AcceptedDecision = Exclude<OrderDecision, { rejection: Rejection }>;
type OrderTimers = readonly TimerChange<OrderTimerCommand>[];

/** They are part of the order's state. */
const MAX_NOTES = 100;

/** How long a close is put off while money of the order is being disputed or still to be paid back. */
const CLOSE_AGAIN_MS = 24 * 60 * 60 * 1_000;

/** Records what happened, with what follows from it for the order as a whole. `arrived`: a parcel was delivered just now. */
function changed(
  before: Order,
  happened: OrderEvent,
  { now, policy }: ShopContext,
  { sends = [], arrived = false }: { readonly sends?: readonly OrderSend[]; readonly arrived?: boolean } = {},
): AcceptedDecision {
  const next = evolveOrder(before, happened);
  const moved = next.status !== before.status;
  const milestone = moved || (arrived && next.status === 'delivered') ? milestoneOf(next, now) : undefined;
  const after = milestone === undefined ? next : evolveOrder(next, milestone);
  const over = isOver(after) && !isOver(before) ? [endFor(after)] : [];
  return {
    events: milestone === undefined ? [happened] : [happened, milestone],
    sends: [...sends, ...(moved ? [noteFor(after)] : []), ...over],
    timers: closeTimer(
      before,
      after,
      milestone !== undefined,
      (after.deliveredAt ?? now) + policy.order.returnWindowMs,
    ),
  };
}

function milestoneOf({ status, shipments }: Order, now: number): OrderEvent | undefined {
  if (status === 'shipped' || status === 'partially-shipped') {
    return { type: 'OrderShipped', v: 1, complete: status === 'shipped' };
  }
  if (status === 'delivered' || status === 'partially-delivered') {
    const deliveredAt = lastDelivery(shipments) ?? now;
    return { type: 'OrderDelivered', v: 1, complete: status === 'delivered', deliveredAt };
  }
  return status === 'delivery-failed' ? { type: 'OrderDeliveryFailed', v: 1 } : undefined;
}

/** The return window opens when all is delivered, anew when a later parcel is, and shuts while a reshipment is on its way. */
function closeTimer(before: Order, after: Order, opens: boolean, at: number): OrderTimers {
  if (after.status === 'delivered') return opens ? [{ set: 'close', at, message: { type: 'CloseOrder' } }] : [];
  return before.status === 'delivered' ? [{ clear: 'close' }] : [];
}

function noteFor(order: Order): OrderSend {
  const { orderId, revision, status, totals, placedAt } = order;
  return {
    to: customerOrdersAddress(order.customerId),
    message: { type: 'NoteOrder', orderId, seq: revision, status, total: totals.total, placedAt },
  };
}

/** Not delivered, never will be, and paid back in full: there is nothing more to do for anybody. */
function isOver({ end, stage, cancellation, lines, shipments, payment }: Order): boolean {
  if (end !== null || stage === 'closed' || cancellation !== null) return false;
  if (payment.status !== 'refunded' || payment.openRefund !== undefined) return false;
  return parcelStatus(lines, shipments) === 'delivery-failed' && isSettled(shipments);
}

function endFor({ orderId, shipments }: Order): OrderSend {
  return { to: sagaAddress(orderId), message: { type: 'EndRefunded', settled: Object.keys(shipments) } };
}

function replyOf(order: Order): OrderReply {
  return { orderId: order.orderId, status: order.status };
}

function place(state: OrderState, draft: OrderDraft, { now, policy }: ShopContext): OrderDecision {
  if (state.status !== 'unknown') return { events: [], reply: replyOf(state) };
  const problem = problemOf(draft, policy);
  if (problem !== undefined) return { rejection: problem };
  const { customerId, cartId, currency, lines, totals, shippingMethod, address, billingAddress, addressCheck } = draft;
  const order = { customerId, ...(cartId === undefined ? {} : { cartId }), currency, lines, totals, shippingMethod };
  const personal = {
    address,
    ...(billingAddress !== undefined && { billingAddress }),
    ...(addressCheck !== undefined && { addressCheck }),
  };
  const event: OrderEvent = { type: 'OrderPlaced', v: 1, ...order, placedAt: now, personal };
  const placed = evolveOrder(state, event);
  const start: OrderSend = { to: sagaAddress(state.orderId), message: { type: 'StartSaga', draft } };
  return { events: [event], sends: [start, noteFor(placed)], reply: replyOf(placed) };
}

function cancel(
  order: Order,
  { by, reason }: Extract<OrderCommand, { type: 'CancelOrder' }>,
  context: ShopContext,
): OrderDecision {
  const { now, policy } = context;
  if (by.role === 'customer' && by.id !== order.customerId) return unknownOrder();
  if (order.end?.outcome === 'cancelled' || order.cancellation !== null) return { events: [], reply: replyOf(order) };
  if (order.end !== null || order.stage === 'closed') {
    return reject(409, 'order.not-cancellable', 'Not cancellable', `The order is ${order.status}.`);
  }
  if (handedOver(order.shipments)) return tooLate('The carrier already has it.');
  if (by.role === 'customer' && now - order.placedAt > policy.order.customerCancelMs) {
    return tooLate('The time for cancelling it is over.');
  }
  const who = `${by.role}:${by.id}`;
  const sends: OrderSend[] = [{ to: sagaAddress(order.orderId), message: { type: 'CancelSaga', by: who, reason } }];
  const decision = changed(order, { type: 'OrderCancelRequested', v: 1, by: who, reason }, context, { sends });
  return { ...decision, reply: { orderId: order.orderId, status: 'cancelling' } satisfies OrderReply };
}

function addNote(
  order: Order,
  { by, text }: Extract<OrderCommand, { type: 'AddNote' }>,
  context: ShopContext,
): OrderDecision {
  if ((order.notes?.length ?? 0) >= MAX_NOTES) {
    return reject(409, 'order.too-many-notes', 'Too many notes', `An order has at most ${MAX_NOTES} notes.`);
  }
  const note: OrderEvent = { type: 'OrderNoteAdded', v: 1, at: context.now, by, personal: { text } };
  return { ...changed(order, note, context), reply: replyOf(order) };
}

function tooLate(detail: string): { readonly rejection: Rejection } {
  return reject(409, 'order.too-late-to-cancel', 'Too late to cancel', detail);
}

function unknownOrder(): { readonly rejection: Rejection } {
  return reject(404, 'order.unknown', 'Unknown order', 'There is no such order.');
}

function hear(order: Order, news: SagaNews, context: ShopContext): OrderDecision {
  if (order.stage === 'closed' || (order.end !== null && news.type !== 'EndOrder')) return noChange;
  if (news.type === 'RefuseCancellation') {
    // It answers the cancellation, whatever the saga has said since.
    if (order.cancellation === null || news.seq <= order.refusalSeq) return noChange;
  } else if (news.seq <= order.sagaSeq) {
    return noChange;
  }
  return changed(order, heard(news), context);
}

function heard(news: SagaNews): OrderEvent {
  const { seq } = news;
  switch (news.type) {
    case 'HoldOrder': {
      const { type: _type, ...hold } = news;
      return { type: 'OrderHeld', v: 1, ...hold };
    }
    case 'ReleaseOrder':
      return { type: 'OrderReleased', v: 1, seq };
    case 'ConfirmOrder':
      return { type: 'OrderConfirmed', v: 1, seq };
    case 'BeginFulfilment':
      return { type: 'OrderFulfilmentBegun', v: 1, seq };
    case 'RefuseCancellation':
      return { type: 'OrderCancelRefused', v: 1, seq, reason: news.reason };
    case 'EndOrder': {
      const { reason, manual, refundPending } = news;
      return { type: ENDED[news.outcome], v: 1, seq, reason, manual, refundPending };
    }
    default:
      return assertNever(news);
  }
}

const ENDED = {
  cancelled: 'OrderCancelled',
  'out-of-stock': 'OrderOutOfStock',
  'payment-failed': 'OrderPaymentFailed',
} as const;

function noteShipment(order: Order, news: ShipmentNews, context: ShopContext): OrderDecision {
  const known = order.shipments[news.shipmentId];
  if (known !== undefined && news.seq <= known.seq) return noChange;
  const { type: _type, ...shipment } = news;
  const replaced = liveShipments({ ...order.shipments, [news.shipmentId]: shipment }).every(
    (live) => live.shipmentId !== news.shipmentId,
  );
  const arrived = !replaced && news.status === 'delivered' && known?.status !== 'delivered';
  return changed(order, { type: 'OrderShipmentChanged', v: 1, shipment }, context, { arrived });
}

function notePayment(order: Order, news: PaymentNews, context: ShopContext): OrderDecision {
  if (news.seq <= order.paymentSeq) return noChange;
  const { type: _type, seq, ...payment } = news;
  return changed(order, { type: 'OrderPaymentChanged', v: 1, seq, payment }, context);
}

function close(order: Order, context: ShopContext): OrderDecision {
  const { now, policy } = context;
  if (order.status !== 'delivered' || order.deliveredAt === null) return noChange;
  // A timer that was replaced in the meantime: the newer one will come.
  if (now < order.deliveredAt + policy.order.returnWindowMs) return noChange;
  if (order.payment.status === 'disputed' || order.payment.openRefund !== undefined) {
    return { events: [], timers: [{ set: 'close', at: now + CLOSE_AGAIN_MS, message: { type: 'CloseOrder' } }] };
  }
  return changed(order, { type: 'OrderClosed', v: 1 }, context);
}

function decide(state: OrderState, command: OrderCommand, context: Context<Policy>): OrderDecision {
  if (command.type === 'PlaceOrder') return place(state, command.draft, context);
  if (state.status === 'unknown') {
    const asked = command.type === 'CancelOrder' || command.type === 'AddNote';
    return asked ? unknownOrder() : noChange;
  }
  switch (command.type) {
    case 'AddNote':
      return addNote(state, command, context);
    case 'CancelOrder':
      return cancel(state, command, context);
    case 'HoldOrder':
    case 'ReleaseOrder':
    case 'ConfirmOrder':
    case 'BeginFulfilment':
    case 'EndOrder':
    case 'RefuseCancellation':
      return hear(state, command, context);
    case 'PaymentChanged':
      return notePayment(state, command, context);
    case 'ShipmentChanged':
      return noteShipment(state, command, context);
    case 'CloseOrder':
      return close(state, context);
    default:
      return assertNever(command);
  }
}

export const orderDecider: Decider<OrderState, OrderCommand, OrderEvent, Policy> = {
  type: 'order',
  partitionKey: (id) => id,
  initial: initialOrder,
  decide,
  evolve: evolveOrder,
};
