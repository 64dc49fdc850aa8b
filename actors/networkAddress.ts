/**
 * NetworkAddress: how many orders came from one network address of late, for the review of orders. Its id is a keyed hash
 * of the address, so that nobody who reads the store learns one.
 *
 * - An order counts once, however often it is noted.
 * - Only the last hour (policy.review.addressWindowMs) is remembered, and of that the newest entries.
 */
import type { Address } from './kernel/address.ts';
import type { Decider, Decision } from './kernel/decider.ts';
import type { Policy } from './policy.ts';
import type { ShopContext } from './shared.ts';

/** More than any limit that makes sense; whoever orders more often than that is above it anyway. */
const MAX_REMEMBERED = 1_000;

export const networkAddress = (hash: string): Address<'network-address'> => ({ type: 'network-address', id: hash });

/** From the edge, before the order is placed. */
export type NetworkAddressCommand = { readonly type: 'NoteOrderFrom'; readonly orderId: string };

export type NetworkAddressEvent = {
  readonly type: 'OrderFromNoted';
  readonly v: 1;
  readonly orderId: string;
  readonly at: number;
  /** What is older is forgotten. */
  readonly since: number;
};

export type NetworkAddressState = { readonly orders: readonly { readonly orderId: string; readonly at: number }[] };

/** How many orders came from there of late, this one included. */
export type OrdersFromReply = { readonly orders: number };

function evolve({ orders }: NetworkAddressState, { orderId, at, since }: NetworkAddressEvent): NetworkAddressState {
  const recent = orders.filter((order) => order.at > since).slice(1 - MAX_REMEMBERED);
  return { orders: [...recent, { orderId, at }] };
}

function decide(
  state: NetworkAddressState,
  { orderId }: NetworkAddressCommand,
  { now, policy }: ShopContext,
): Decision<NetworkAddressEvent> {
  const since = now - policy.review.addressWindowMs;
  const known = state.orders.some((order) => order.orderId === orderId);
  const event: NetworkAddressEvent = { type: 'OrderFromNoted', v: 1, orderId, at: now, since };
  const after = known ? state : evolve(state, event);
  const reply: OrdersFromReply = { orders: after.orders.filter(({ at }) => at > since).length };
  return { events: known ? [] : [event], reply };
}

export const networkAddressDecider: Decider<NetworkAddressState, NetworkAddressCommand, NetworkAddressEvent, Policy> = {
  type: 'network-address',
  partitionKey: (hash) => hash,
  initial: () => ({ orders: [] }),
  decide,
  evolve,
};
