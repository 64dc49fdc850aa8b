/**
 * CustomerOrders: the list of one customer's orders. The list itself is a read model in the customer's shard, fed by
 * `OrderNoted`; it keeps the highest `seq` of each order, so repeated and overtaken news change nothing there. The
 * aggregate itself holds no order, which keeps it small however much its customer buys.
 */
import type { Decider, Decision } from './kernel/decider.ts';
import type { OrderNews } from './order.ts';
import type { Policy } from './policy.ts';

export type CustomerOrdersCommand = OrderNews;
export type CustomerOrdersEvent = Omit<OrderNews, 'type'> & { readonly type: 'OrderNoted'; readonly v: 1 };
/** How many pieces of news were noted. */
export type CustomerOrdersState = { readonly noted: number };

function evolve(state: CustomerOrdersState, _event: CustomerOrdersEvent): CustomerOrdersState {
  return { noted: state.noted + 1 };
}

function decide(_state: CustomerOrdersState, command: CustomerOrdersCommand): Decision<CustomerOrdersEvent> {
  const { orderId, seq, status, total, placedAt } = command;
  return { events: [{ type: 'OrderNoted', v: 1, orderId, seq, status, total, placedAt }] };
}

export const customerOrdersDecider: Decider<CustomerOrdersState, CustomerOrdersCommand, CustomerOrdersEvent, Policy> = {
  type: 'customer-orders',
  partitionKey: (customerId) => customerId,
  initial: () => ({ noted: 0 }),
  decide,
  evolve,
};
