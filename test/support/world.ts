/**
 * All aggregates of one cart and its order, talking to each other in memory: messages are delivered late, twice and in any
 * order, timers fire, gateways answer what they like, and the edge interferes. A seed gives the same walk.
 */
import { type Address, addressKey } from '../../actors/kernel/address.ts';
import type { Decider, Typed, Versioned } from '../../actors/kernel/decider.ts';
import { money } from '../../actors/kernel/money.ts';
import { defaultPolicy, type Policy } from '../../actors/policy.ts';
import { type AggregateType, shop } from '../../actors/shop.ts';
import { ids, samples } from './samples.ts';
import { T0 } from './spec.ts';

type AnyDecider = Decider<unknown, Typed, Versioned, Policy>;
type Message = { readonly to: Address; readonly message: Typed; readonly from?: Address };
type Timer = { readonly to: Address; readonly at: number; readonly message: Typed };

const MAX_STEPS = 400;
const deciders: Record<string, AnyDecider> = shop;
const at = (type: AggregateType): Address => ({ type, id: ids[type] });
const edge = (type: AggregateType, message: Typed): Message => ({ to: at(type), message });

/** The way to an order; after it the edge may do any of `disturbances`. */
const opening: Message[] = [
  edge('email-claim', samples['email-claim'].HoldEmail),
  edge('customer', samples.customer.RegisterCustomer),
  edge('stock', samples.stock.ReceiveStock),
  edge('cart', samples.cart.CreateCart),
  edge('cart', samples.cart.AddItem),
];
