/**
 * What the edge knows of whoever orders and the order itself doesn't say. It travels in the draft, so that deciding about
 * a review stays pure and can be replayed.
 */
import type { Money } from '../actors/kernel/money.ts';
import { type NetworkAddressCommand, networkAddress, type OrdersFromReply } from '../actors/networkAddress.ts';
import type { OrderStatus } from '../actors/order.ts';
import type { ReviewFacts } from '../actors/shared.ts';
import { ask } from './calls.ts';
import type { Call } from './route.ts';

/** Of the customer's orders the newest are looked at. */
const LOOKED_AT = 50;

/** Whether an order with this status was paid, to the end: others say nothing for the customer. */
const PROVES: { readonly [Status in OrderStatus]: boolean } = {
  placed: false,
  'on-hold': false,
  backordered: false,
  confirmed: true,
  fulfilling: true,
  'partially-shipped': true,
  shipped: true,
  'partially-delivered': true,
  delivered: true,
  'delivery-failed': true,
  cancelling: false,
  cancelled: false,
  'out-of-stock': false,
  'payment-failed': false,
  'refund-pending': false,
  'manual-review': false,
  closed: true,
};

/** @param total when it is known: of orders that no rule of theirs concerns nobody asks whether they are the first */
export async function reviewFacts(call: Call, orderId: string, total?: Money): Promise<ReviewFacts> {
  const { firstOrderAbove, ordersPerAddress } = call.policy.review;
  const concerned = firstOrderAbove !== null && (total === undefined || total.amount > firstOrderAbove);
  return {
    firstOrder: concerned && !(await hasPaidBefore(call, orderId)),
    ordersFromAddress: ordersPerAddress === null ? 0 : await ordersFromAddress(call, orderId),
  };
}

async function hasPaidBefore({ shop, principal }: Call, orderId: string): Promise<boolean> {
  const orders = await shop.customerOrders(principal.sub, { limit: LOOKED_AT });
  return orders.some((order) => order.orderId !== orderId && PROVES[order.status]);
}

/** Of this machine and of private networks nothing is kept: their addresses tell nobody apart. */
async function ordersFromAddress(call: Call, orderId: string): Promise<number> {
  const { network, isPrivate } = call.client;
  if (isPrivate) return 0;
  const address = networkAddress(call.keys.addressHash(network));
  const command: NetworkAddressCommand = { type: 'NoteOrderFrom', orderId };
  const { value } = await ask<OrdersFromReply>(call, address, command, 'source');
  return value.orders;
}
