/** Who may see an order: its customer, and staff for orders. To everybody else it isn't there. */
import type { Order, OrderState } from '../../actors/order/state.ts';
import { orderAddress } from '../../actors/order.ts';
import { hasScope } from '../auth.ts';
import { read } from '../calls.ts';
import { notFound } from '../problem.ts';
import type { Call } from '../route.ts';
import { isOrder } from './placed.ts';

export async function visibleOrder(call: Call, orderId: string): Promise<{ state: Order; version: number }> {
  const found = await read<OrderState>(call, orderAddress(orderId));
  if (!found || !isOrder(found.state)) throw notFound('order');
  if (found.state.customerId !== call.principal.sub && !hasScope(call.principal, 'orders')) throw notFound('order');
  return { state: found.state, version: found.version };
}
