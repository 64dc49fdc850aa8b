/** Orders: placing one at once, and what became of it. */
import { z } from 'zod';
import { zero } from '../../actors/kernel/money.ts';
import type { OrderState } from '../../actors/order/state.ts';
import { type OrderCommand, orderAddress } from '../../actors/order.ts';
import { draftOf, shippingPrice } from '../../actors/pricing.ts';
import type { OrderDraft } from '../../actors/shared.ts';
import { hasScope } from '../auth.ts';
import { ask, read, stateAt } from '../calls.ts';
import { pricedLines } from '../catalogLines.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { checkedDelivery, delivery } from '../postal.ts';
import { notFound, Problem } from '../problem.ts';
import { reviewFacts } from '../reviewFacts.ts';
import { type Call, type Route, route } from '../route.ts';
import { cursorSchema, idParams, limitSchema } from '../schemas/common.ts';
import { cancelSchema, orderListSchema, orderSchema, placeOrderSchema, timelineSchema } from '../schemas/order.ts';
import { shelvesOf } from '../shelves.ts';
import type { OrderPage } from '../shop.ts';
import { orderRowView, orderView } from '../views/order.ts';
import { timelineView } from '../views/timeline.ts';
import { draftOrder } from './orderDraft.ts';
import { isOrder, placedAnswer } from './placed.ts';
import { visibleOrder } from './visibleOrder.ts';

const tag = 'Orders';

const placeOrder = route({
  method: 'post',
  path: '/v1/orders',
  tag,
  summary: 'Order in one request',
  access: 'any',
  idempotency: 'required',
  waits: true,
  body: placeOrderSchema,
  responses: { 202: { description: 'The order; Location names it.', schema: orderSchema } },
  example: {
    lines: [{ sku: 'TEA-GREEN-100', quantity: 2 }],
    address: {
      name: 'Ada Buyer',
      line1: '1 Main St',
      city: 'Newark',
      region: 'NJ',
      postalCode: '07102',
      country: 'US',
    },
    shippingMethod: 'standard',
    payment: { token: 'tok_success' },
  },
  handler: async (call) => {
    const orderId = call.keys.createdId('ord', call.requestId);
    const draft = await draftFor(call, orderId, call.body).catch((error: unknown) => existing(call, orderId, error));
    const command: OrderCommand = { type: 'PlaceOrder', draft };
    const placed = await ask(call, orderAddress(orderId), command);
    return placedAnswer(call, orderId, placed.replayed);
  },
});

async function draftFor(
  call: Call,
  orderId: string,
  { lines, address, billingAddress, shippingMethod, payment }: z.output<typeof placeOrderSchema>,
): Promise<OrderDraft> {
  const { policy, principal } = call;
  const none = zero(policy.currency);
  const stock = await shelvesOf(call, lines);
  const draft = draftOf({
    orderId,
    customerId: principal.sub,
    lines: pricedLines(call, lines),
    discount: none,
    tax: none,
    shipping: shippingPrice(shippingMethod, policy),
    shippingMethod,
    paymentToken: payment.token,
    ...(stock !== undefined && { stock }),
    ...(await checkedDelivery(call, address, '/address/addressId')),
    ...(billingAddress !== undefined && {
      billingAddress: await delivery(call, billingAddress, '/billingAddress/addressId'),
    }),
  });
  return { ...draft, facts: await reviewFacts(call, orderId, draft.totals.total) };
}

/**
 * What was for sale, or an address of the account, when the order was placed may be gone when the request is repeated.
 * Then the order that exists is asked for again as it is, and the runtime finds the first answer.
 */
async function existing(call: Call, orderId: string, refusal: unknown): Promise<OrderDraft> {
  const found = await read<OrderState>(call, orderAddress(orderId));
  if (!(refusal instanceof Problem) || !found || !isOrder(found.state)) throw refusal;
  const { customerId, currency, lines, totals, shippingMethod, address } = found.state;
  return { orderId, customerId, currency, lines, totals, shippingMethod, paymentToken: '', address };
}

const position = z.strictObject({ placedAt: z.number(), orderId: z.string() });

const listOrders = route({
  method: 'get',
  path: '/v1/orders',
  tag,
  summary: 'Your orders, newest first',
  access: 'any',
  lists: true,
  query: z.strictObject({ limit: limitSchema, cursor: cursorSchema }),
  responses: { 200: { description: 'One page.', schema: orderListSchema } },
  handler: async ({ shop, principal, query: { limit, cursor } }) => {
    const scope = `orders/${principal.sub}`;
    const page: OrderPage = {
      // One more than asked for tells whether there is a next page.
      limit: limit + 1,
      ...(cursor !== undefined && { after: decodeCursor(cursor, scope, position) }),
    };
    const rows = await shop.customerOrders(principal.sub, page);
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    const more = rows.length > limit && last !== undefined;
    const next = more ? encodeCursor(scope, { placedAt: last.placedAt, orderId: last.orderId }) : null;
    return { status: 200, body: { data: shown.map(orderRowView), page: { next } } };
  },
});

const getOrder = route({
  method: 'get',
  path: '/v1/orders/{id}',
  tag,
  summary: 'One order',
  access: 'any',
  conditional: true,
  params: idParams,
  responses: { 200: { description: 'The order as it is now.', schema: orderSchema } },
  handler: async (call) => {
    const { state, version } = await visibleOrder(call, call.params.id);
    return { status: 200, body: orderView(state, version), version, orderId: state.orderId };
  },
});

const getTimeline = route({
  method: 'get',
  path: '/v1/orders/{id}/timeline',
  tag,
  summary: 'What happened to an order',
  access: 'any',
  params: idParams,
  responses: { 200: { description: 'In order, oldest first.', schema: timelineSchema } },
  handler: async (call) => {
    const { state } = await visibleOrder(call, call.params.id);
    const data = timelineView(await call.shop.history(orderAddress(state.orderId)));
    return { status: 200, body: { orderId: state.orderId, status: state.status, data }, orderId: state.orderId };
  },
});

const cancelOrder = route({
  method: 'post',
  path: '/v1/orders/{id}/cancel',
  tag,
  summary: 'Cancel an order, as long as the carrier does not have it',
  access: 'any',
  ifMatch: 'honoured',
  params: idParams,
  body: cancelSchema,
  responses: { 202: { description: 'The order; what was taken is given back.', schema: orderSchema } },
  example: { reason: 'Ordered by mistake.' },
  handler: async (call) => {
    const { principal, params, body } = call;
    const role = hasScope(principal, 'orders') ? 'staff' : 'customer';
    const command = { type: 'CancelOrder', by: { role, id: principal.sub }, reason: body.reason };
    const cancelled = await ask(call, orderAddress(params.id), command);
    const state = await stateAt<OrderState>(call, orderAddress(params.id), cancelled);
    if (!isOrder(state)) throw notFound('order');
    const { version, replayed } = cancelled;
    return { status: 202, body: orderView(state, version), version, replayed, orderId: state.orderId };
  },
});

export const orderRoutes: readonly Route[] = [draftOrder, placeOrder, listOrders, getOrder, getTimeline, cancelOrder];
