/** The answer to whoever places an order, by a checkout or at once: the same for both, and for their repeats. */

import type { Order, OrderState } from '../../actors/order/state.ts';
import { orderAddress } from '../../actors/order.ts';
import { firstVersion, notYet } from '../calls.ts';
import type { Answer, Call } from '../route.ts';
import type { Versioned } from '../shop.ts';
import { hasLeftPlaced, orderView } from '../views/order.ts';

const MS_PER_SECOND = 1_000;

export async function placedAnswer(call: Call, orderId: string, replayed: boolean): Promise<Answer> {
  const { wait } = call;
  const left = wait === undefined ? undefined : await leftPlaced(call, orderId, wait);
  const shown = left ?? (await firstVersion<OrderState>(call, orderAddress(orderId), 1, isOrder));
  if (!shown || shown.state.status === 'unknown') throw notYet('order');
  return {
    status: 202,
    body: orderView(shown.state, shown.version),
    version: shown.version,
    replayed,
    headers: { Location: `/v1/orders/${orderId}`, ...(wait !== undefined && { 'Preference-Applied': `wait=${wait}` }) },
    orderId,
  };
}

function leftPlaced(call: Call, orderId: string, wait: number): Promise<Versioned<OrderState> | undefined> {
  const until = Math.min(call.deadline, call.shop.clock.monotonic() + wait * MS_PER_SECOND);
  const left = (state: OrderState) => isOrder(state) && hasLeftPlaced(state);
  return firstVersion<OrderState>(call, orderAddress(orderId), 1, left, until);
}

export function isOrder(state: OrderState): state is Order {
  return state.status !== 'unknown';
}
