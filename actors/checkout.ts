/**
 * Checkout: the steps from a cart to an order: address, shipping method, payment, complete. No step is skipped, each may be
 * done again until completion. To every principal but the cart's it doesn't exist.
 *
 * - It holds the cart's lines as they were when it began. One checkout per cart; beginning again, after it lapsed or the
 *   cart changed, is its next round, and messages of an earlier round move nothing, in whatever order they come.
 * - Completing is final and makes one order, whose id derives from the checkout's: pressed again, from anywhere, it gives
 *   the same answer.
 * - The prices that the cart promised hold for one more price freeze, however often a step is done again: then it is over.
 * - Address and payment token are kept only while it is open: the order has them afterwards.
 */
import { bodyOf, cartAddress, cartOf, orderOf } from './ids.ts';
import type { Address } from './kernel/address.ts';
import { assertNever } from './kernel/assertNever.ts';
import { type Decider, type Decision, noChange, type Rejection, reject, type TimerChange } from './kernel/decider.ts';
import { type Money, zero } from './kernel/money.ts';
import { problemOf } from './order/draft.ts';
import { type OrderCommand, orderAddress } from './order.ts';
import type { Policy, ShippingMethod } from './policy.ts';
import { draftOf, type PriceChange, type PricedLine, shippingPrice, totalsOf } from './pricing.ts';
import {
  type AddressVerdict,
  type PostalAddress,
  type ReviewFacts,
  type ShelfStock,
  type ShopContext,
  sameAddress,
  type Totals,
} from './shared.ts';

/** `customerId` is always the token's subject. */
export type CheckoutEdgeCommand =
  | { readonly type: 'SetAddress'; readonly customerId: string; readonly address: PostalAddress }
  /** What an address service says of an address that was set before it was asked. */
  | {
      readonly type: 'NoteAddressCheck';
      readonly customerId: string;
      readonly address: PostalAddress;
      readonly check: AddressVerdict;
    }
  | { readonly type: 'SetShippingMethod'; readonly customerId: string; readonly method: ShippingMethod }
  | {
      readonly type: 'SetPayment';
      readonly customerId: string;
      readonly token: string;
      readonly billingAddress?: PostalAddress;
    }
  | {
      readonly type: 'CompleteCheckout';
      readonly customerId: string;
      readonly acceptPriceChanges: boolean;
      readonly facts?: ReviewFacts;
      /** A hint for choosing the warehouses. */
      readonly stock?: readonly ShelfStock[];
    };

export type CheckoutTimerCommand = { readonly type: 'ExpireCheckout' };

export type CheckoutCommand =
  // from the cart
  | {
      readonly type: 'BeginCheckout';
      readonly round: number;
      readonly customerId: string;
      readonly currency: string;
      readonly lines: readonly PricedLine[];
      readonly priceChanges: readonly PriceChange[];
    }
  | { readonly type: 'CancelCheckout'; readonly round: number }
  | CheckoutEdgeCommand
  | CheckoutTimerCommand;

/** What the checkout tells its cart. */
export type CheckoutNews =
  | { readonly type: 'CheckedOut'; readonly orderId: string }
  | { readonly type: 'CheckoutLapsed'; readonly round: number };

export type CheckoutSend =
  | { readonly to: Address<'order'>; readonly message: Extract<OrderCommand, { type: 'PlaceOrder' }> }
  | { readonly to: Address<'cart'>; readonly message: CheckoutNews };

/** `expiresAt`: when it lapses without a further step, in ms since the epoch. */
type Step<Type extends string> = { readonly type: Type; readonly v: 1; readonly expiresAt: number };

export type CheckoutEvent =
  | (Step<'CheckoutBegan'> & {
      readonly round: number;
      readonly customerId: string;
      readonly lines: readonly PricedLine[];
      readonly priceChanges: readonly PriceChange[];
      readonly discount: Money;
      readonly tax: Money;
      /** Until when its prices hold, in ms since the epoch; the first checkouts had no such end. */
      readonly pricesUntil?: number;
    })
  | (Step<'AddressSet'> & { readonly personal: { readonly address: PostalAddress } })
  | { readonly type: 'AddressChecked'; readonly v: 1; readonly personal: { readonly addressCheck: AddressVerdict } }
  | (Step<'MethodSet'> & { readonly method: ShippingMethod; readonly price: Money })
  | (Step<'PaymentSet'> & { readonly personal: { readonly token: string; readonly billingAddress?: PostalAddress } })
  | { readonly type: 'PriceChangeAcknowledged'; readonly v: 1; readonly priceChanges: readonly PriceChange[] }
  | { readonly type: 'CheckoutCompleted'; readonly v: 1; readonly orderId: string }
  | {
      readonly type: 'CheckoutExpired';
      readonly v: 1;
      readonly round: number;
      readonly reason: 'timeout' | 'cart-changed';
    };

type Contents = {
  readonly id: string;
  readonly round: number;
  readonly customerId: string;
  readonly lines: readonly PricedLine[];
  readonly priceChanges: readonly PriceChange[];
  readonly discount: Money;
  readonly tax: Money;
  readonly shipping: { readonly method: ShippingMethod; readonly price: Money } | null;
  readonly expiresAt: number;
};
type OpenCheckout = Contents & {
  readonly status: 'open';
  readonly pricesUntil?: number;
  readonly address: PostalAddress | null;
  /** Of the address. */
  readonly addressCheck?: AddressVerdict;
  readonly token: string | null;
  readonly billingAddress?: PostalAddress;
};

export type CheckoutState =
  /** `round` above 0: the cancellation of that round came before its beginning. */
  | { readonly status: 'none'; readonly id: string; readonly round: number }
  | OpenCheckout
  | (Contents & { readonly status: 'expired' })
  | (Contents & { readonly status: 'completed'; readonly orderId: string });

export type CheckoutStep = 'address' | 'shipping-method' | 'payment' | 'complete';
export type CompletedReply = { readonly orderId: string };

type CheckoutDecision = Decision<CheckoutEvent, CheckoutSend, CheckoutTimerCommand>;

const unknownCheckout = () => reject(404, 'checkout.unknown', 'Unknown checkout', 'There is no such checkout.');
const expired = () =>
  reject(409, 'checkout.expired', 'Checkout expired', 'This checkout is over; start it again from the cart.');
const completed = (orderId: string) =>
  reject(409, 'checkout.completed', 'Checkout completed', `This checkout became order ${orderId}.`);
const stepMissing = (step: CheckoutStep) =>
  reject(409, 'checkout.step-missing', 'Step missing', `The step "${step}" comes first.`);

function priceChanged(changes: readonly PriceChange[]): { readonly rejection: Rejection } {
  const title = 'Prices have changed';
  const detail =
    'Prices changed since the items were added; complete with acceptPriceChanges to agree to the new ones.';
  const errors = changes.map(({ sku, old, new: price }) => ({
    pointer: '/acceptPriceChanges',
    code: 'checkout.price-changed',
    detail: `${sku}: ${old.amount} → ${price.amount} ${price.currency} (minor units)`,
  }));
  return { rejection: { code: 'checkout.price-changed', title, detail, status: 409, errors } };
}

/** What comes next. */
export function stepOf({ address, shipping, token }: OpenCheckout): CheckoutStep {
  if (address === null) return 'address';
  if (shipping === null) return 'shipping-method';
  return token === null ? 'payment' : 'complete';
}

/** Without a shipping method yet, shipping is zero. */
export function checkoutTotals({ lines, discount, tax, shipping }: Contents): Totals {
  return totalsOf(lines, { discount, tax, shipping: shipping?.price ?? zero(discount.currency) });
}

function evolve(state: CheckoutState, event: CheckoutEvent): CheckoutState {
  if (event.type === 'CheckoutBegan') {
    const { type: _type, v: _v, ...began } = event;
    return { status: 'open', id: state.id, ...began, address: null, shipping: null, token: null };
  }
  if (event.type === 'CheckoutExpired') {
    return state.status === 'none' ? { ...state, round: event.round } : closed(state, event.round);
  }
  if (state.status !== 'open') return state;
  switch (event.type) {
    case 'AddressSet': {
      const { addressCheck: _replaced, ...kept } = state;
      return { ...kept, ...event.personal, expiresAt: event.expiresAt };
    }
    case 'AddressChecked':
      return { ...state, ...event.personal };
    case 'MethodSet':
      return { ...state, shipping: { method: event.method, price: event.price }, expiresAt: event.expiresAt };
    case 'PaymentSet': {
      const { billingAddress: _replaced, ...kept } = state;
      return { ...kept, ...event.personal, expiresAt: event.expiresAt };
    }
    case 'PriceChangeAcknowledged':
      return { ...state, priceChanges: [] };
    case 'CheckoutCompleted':
      return { ...closed(state, state.round), status: 'completed', orderId: event.orderId };
    default:
      return assertNever(event);
  }
}

function closed(state: Exclude<CheckoutState, { status: 'none' }>, round: number): Contents & { status: 'expired' } {
  const { id, customerId, lines, priceChanges, discount, tax, shipping, expiresAt } = state;
  return { status: 'expired', id, round, customerId, lines, priceChanges, discount, tax, shipping, expiresAt };
}

function begin(
  state: CheckoutState,
  { round, customerId, currency, lines, priceChanges }: Extract<CheckoutCommand, { type: 'BeginCheckout' }>,
  { now, policy }: ShopContext,
): CheckoutDecision {
  if (state.status === 'completed' || round <= state.round) return noChange;
  const pricesUntil = now + policy.cart.priceFreezeMs;
  const expiresAt = Math.min(now + policy.checkout.expiryMs, pricesUntil);
  const [discount, tax] = [zero(currency), zero(currency)];
  const contents = { round, customerId, lines, priceChanges, discount, tax };
  return stepDone({ type: 'CheckoutBegan', v: 1, ...contents, pricesUntil, expiresAt });
}

/** From the cart, which is back in use. A round that has not begun yet is remembered as cancelled. */
function cancel(state: CheckoutState, round: number): CheckoutDecision {
  const over = state.status === 'open' ? round < state.round : round <= state.round;
  if (state.status === 'completed' || over) return noChange;
  return {
    events: [{ type: 'CheckoutExpired', v: 1, round, reason: 'cart-changed' }],
    timers: [{ clear: 'expire' }],
  };
}

/** A timer that comes too early, because a step was done meanwhile, is set again. */
function expire(state: CheckoutState, { now }: ShopContext): CheckoutDecision {
  if (state.status === 'none') return unknownCheckout();
  if (state.status !== 'open') return noChange;
  if (now < state.expiresAt) return { events: [], timers: [expireAt(state.expiresAt)] };
  const { id, round } = state;
  return {
    events: [{ type: 'CheckoutExpired', v: 1, round, reason: 'timeout' }],
    sends: [{ to: cartAddress(cartOf(id)), message: { type: 'CheckoutLapsed', round } }],
  };
}

function expireAt(at: number): TimerChange<CheckoutTimerCommand> {
  return { set: 'expire', at, message: { type: 'ExpireCheckout' } };
}

/** Lets its own principal act on an open checkout; one whose time is up waits only for its timer. */
function own(
  state: CheckoutState,
  customerId: string,
  { now }: ShopContext,
  act: (checkout: OpenCheckout) => CheckoutDecision,
): CheckoutDecision {
  if (state.status === 'none' || state.customerId !== customerId) return unknownCheckout();
  if (state.status === 'completed') return completed(state.orderId);
  return state.status === 'expired' || now >= state.expiresAt ? expired() : act(state);
}

function stepDone(event: Extract<CheckoutEvent, { expiresAt: number }>): CheckoutDecision {
  return { events: [event], timers: [expireAt(event.expiresAt)] };
}

/** When it lapses without another step after this one. */
function expiryOf({ pricesUntil }: OpenCheckout, { now, policy }: ShopContext): number {
  return Math.min(now + policy.checkout.expiryMs, pricesUntil ?? Number.POSITIVE_INFINITY);
}

function setAddress(checkout: OpenCheckout, address: PostalAddress, context: ShopContext): CheckoutDecision {
  const expiresAt = expiryOf(checkout, context);
  return stepDone({ type: 'AddressSet', v: 1, expiresAt, personal: { address } });
}

/** Not of an address that was replaced while it was checked. It is no step of the buyer's and gives no more time. */
function noteAddressCheck(
  { address: current }: OpenCheckout,
  { address, check }: Extract<CheckoutCommand, { type: 'NoteAddressCheck' }>,
): CheckoutDecision {
  if (current === null || !sameAddress(current, address)) return noChange;
  return { events: [{ type: 'AddressChecked', v: 1, personal: { addressCheck: check } }] };
}

function setMethod(checkout: OpenCheckout, method: ShippingMethod, context: ShopContext): CheckoutDecision {
  if (checkout.address === null) return stepMissing('address');
  const expiresAt = expiryOf(checkout, context);
  return stepDone({ type: 'MethodSet', v: 1, expiresAt, method, price: shippingPrice(method, context.policy) });
}

function setPayment(
  checkout: OpenCheckout,
  { token, billingAddress }: Extract<CheckoutCommand, { type: 'SetPayment' }>,
  context: ShopContext,
): CheckoutDecision {
  if (checkout.address === null) return stepMissing('address');
  if (checkout.shipping === null) return stepMissing('shipping-method');
  const expiresAt = expiryOf(checkout, context);
  const personal = { token, ...(billingAddress !== undefined && { billingAddress }) };
  return stepDone({ type: 'PaymentSet', v: 1, expiresAt, personal });
}

/** What the order would refuse is refused here: a completed checkout has its order. */
function complete(
  checkout: OpenCheckout,
  { acceptPriceChanges, facts, stock }: Extract<CheckoutCommand, { type: 'CompleteCheckout' }>,
  { policy }: ShopContext,
): CheckoutDecision {
  const { id, customerId, lines, discount, tax, address, billingAddress, addressCheck, shipping, token, priceChanges } =
    checkout;
  if (address === null || shipping === null || token === null) return stepMissing(stepOf(checkout));
  if (priceChanges.length > 0 && !acceptPriceChanges) return priceChanged(priceChanges);
  const [orderId, cartId] = [orderOf(id), cartOf(id)];
  const draft = draftOf({
    orderId,
    customerId,
    cartId,
    lines,
    discount,
    tax,
    shipping: shipping.price,
    shippingMethod: shipping.method,
    paymentToken: token,
    address,
    ...(billingAddress !== undefined && { billingAddress }),
    ...(addressCheck !== undefined && { addressCheck }),
    ...(facts !== undefined && { facts }),
    ...(stock !== undefined && { stock }),
  });
  const rejection = problemOf(draft, policy);
  if (rejection) return { rejection };
  const reply: CompletedReply = { orderId };
  return {
    events: [
      ...(priceChanges.length > 0 ? [{ type: 'PriceChangeAcknowledged', v: 1, priceChanges } as const] : []),
      { type: 'CheckoutCompleted', v: 1, orderId },
    ],
    sends: [
      { to: orderAddress(orderId), message: { type: 'PlaceOrder', draft } },
      { to: cartAddress(cartId), message: { type: 'CheckedOut', orderId } },
    ],
    timers: [{ clear: 'expire' }],
    reply,
  };
}

function decide(state: CheckoutState, command: CheckoutCommand, context: ShopContext): CheckoutDecision {
  switch (command.type) {
    case 'BeginCheckout':
      return begin(state, command, context);
    case 'CancelCheckout':
      return cancel(state, command.round);
    case 'SetAddress':
      return own(state, command.customerId, context, (checkout) => setAddress(checkout, command.address, context));
    case 'NoteAddressCheck':
      return own(state, command.customerId, context, (checkout) => noteAddressCheck(checkout, command));
    case 'SetShippingMethod':
      return own(state, command.customerId, context, (checkout) => setMethod(checkout, command.method, context));
    case 'SetPayment':
      return own(state, command.customerId, context, (checkout) => setPayment(checkout, command, context));
    case 'CompleteCheckout':
      if (state.status === 'completed' && state.customerId === command.customerId) {
        return { events: [], reply: { orderId: state.orderId } satisfies CompletedReply };
      }
      return own(state, command.customerId, context, (checkout) => complete(checkout, command, context));
    case 'ExpireCheckout':
      return expire(state, context);
    default:
      return assertNever(command);
  }
}

export const checkoutDecider: Decider<CheckoutState, CheckoutCommand, CheckoutEvent, Policy> = {
  type: 'checkout',
  partitionKey: bodyOf,
  initial: (id) => ({ status: 'none', id, round: 0 }),
  decide,
  evolve,
};
