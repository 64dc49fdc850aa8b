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
import type { CheckoutCommand, CheckoutSend, CheckoutTimerCommand, CompletedReply } from './checkout/messages.ts';
import {
  type CheckoutEvent,
  type CheckoutState,
  type CheckoutStep,
  evolveCheckout,
  type OpenCheckout,
  stepOf,
} from './checkout/state.ts';
import { bodyOf, cartAddress, cartOf, orderOf } from './ids.ts';
import { assertNever } from './kernel/assertNever.ts';
import { type Decider, type Decision, noChange, type Rejection, reject, type TimerChange } from './kernel/decider.ts';
import { zero } from './kernel/money.ts';
import { problemOf } from './order/draft.ts';
import { orderAddress } from './order.ts';
import type { Policy, ShippingMethod } from './policy.ts';
import { draftOf, type PriceChange, shippingPrice } from './pricing.ts';
import { type PostalAddress, type ShopContext, sameAddress } from './shared.ts';

export type {
  CheckoutCommand,
  CheckoutEdgeCommand,
  CheckoutNews,
  CheckoutSend,
  CheckoutTimerCommand,
  CompletedReply,
} from './checkout/messages.ts';
export { type CheckoutEvent, type CheckoutState, checkoutTotals, stepOf } from './checkout/state.ts';

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
  const { id, round, customerId, lines, discount, tax, address, billingAddress, addressCheck } = checkout;
  const { shipping, token, priceChanges } = checkout;
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
      { to: cartAddress(cartId), message: { type: 'CheckedOut', orderId, round } },
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
  evolve: evolveCheckout,
};
