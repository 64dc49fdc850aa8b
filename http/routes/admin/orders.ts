/** All orders, by what has become of them; and one order, now or in the past. */
import { z } from 'zod';
import type { OrderState } from '../../../actors/order/state.ts';
import { orderAddress } from '../../../actors/order.ts';
import { sagaAddress } from '../../../actors/orderSaga/messages.ts';
import type { SagaState } from '../../../actors/orderSaga/state.ts';
import { decodeCursor, encodeCursor, scopeOf } from '../../cursor.ts';
import { notFound } from '../../problem.ts';
import { type Route, route } from '../../route.ts';
import { idParams } from '../../schemas/common.ts';
import {
  adminOrderListSchema,
  adminOrderSchema,
  adminOrdersQuery,
  asOfQuery,
  FAILURES,
} from '../../schemas/queries.ts';
import type { AsOf, OrderFilter } from '../../shop.ts';
import { notesView, repairsView } from '../../views/notes.ts';
import { orderView } from '../../views/order.ts';
import { foundOrderView, sagaSummaryView } from '../../views/queries.ts';
import { time } from '../../views/time.ts';
import { isOrder } from '../placed.ts';

const tag = 'Operators: orders';
const access = { scope: 'orders' } as const;

const position = z.strictObject({ at: z.number(), orderId: z.string() });

const listOrders = route({
  method: 'get',
  path: '/v1/admin/orders',
  tag,
  summary: 'Orders by status, what they wait for, SKU, customer, time, or what has happened to them; newest first',
  access,
  query: adminOrdersQuery,
  responses: { 200: { description: 'One page.', schema: adminOrderListSchema } },
  handler: async ({ shop, query }) => {
    const { limit, cursor } = query;
    const filter = filterOf(query);
    const scope = scopeOf('admin-orders', filter);
    const after = cursor === undefined ? undefined : decodeCursor(cursor, scope, position);
    const { orders, next } = await shop.operators.findOrders({ filter, limit, after });
    const data = orders.map((order) => foundOrderView(order, filter.fact));
    return { status: 200, body: { data, page: { next: next && encodeCursor(scope, next) } } };
  },
});

function filterOf(query: z.output<typeof adminOrdersQuery>): OrderFilter {
  const { status, awaiting, sku, customer, from, to } = query;
  const fact = query.event ?? (query.failed && FAILURES[query.failed]);
  return {
    ...(status !== undefined && { status }),
    ...(awaiting !== undefined && { awaiting }),
    ...(sku !== undefined && { sku }),
    ...(customer !== undefined && { customer }),
    ...(fact !== undefined && { fact }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
  };
}

const getOrder = route({
  method: 'get',
  path: '/v1/admin/orders/{id}',
  tag,
  summary: 'One order with its notes, its repairs and its saga, as it is or as it was',
  access,
  params: idParams,
  query: asOfQuery,
  responses: { 200: { description: 'The order, and its saga at the same time.', schema: adminOrderSchema } },
  handler: async (call) => {
    const { id } = call.params;
    const { inspection } = call.shop.operators;
    const when = asOfOf(call.query) ?? { at: Number.MAX_SAFE_INTEGER };
    const found = await inspection.asOf<OrderState>(orderAddress(id), when);
    if (!found || !isOrder(found.state)) throw notFound('order');
    const saga = await inspection.asOf<SagaState>(sagaAddress(id), 'at' in when ? when : { at: found.at });
    const body = {
      ...orderView(found.state, found.version),
      customerId: found.state.customerId,
      changedAt: time(found.at),
      notes: notesView(found.state),
      repairs: repairsView(await call.shop.history(sagaAddress(id)), saga?.version ?? 0),
      saga: saga === undefined ? null : sagaSummaryView(saga),
    };
    return { status: 200, body, version: found.version, orderId: id };
  },
});

/** The moment of the past that a query names; undefined for now. */
export function asOfOf({ version, at }: z.output<typeof asOfQuery>): AsOf | undefined {
  if (version !== undefined) return { version };
  return at === undefined ? undefined : { at };
}

export const adminOrderRoutes: readonly Route[] = [listOrders, getOrder];
