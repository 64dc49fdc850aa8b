/**
 * Cart: what one visitor or customer means to buy. To every other principal it doesn't exist.
 *
 * - Name and price come from the catalog. A price is frozen when its SKU is added; touched after the freeze, the line takes
 *   the current price, and remembers the one its buyer agreed to until the checkout has shown both.
 * - Clearing empties the lines and the cart stays usable: "Cleared" is Active without lines.
 * - Changing a line during checkout takes the cart back to Active and cancels that checkout. Refusing would lock a buyer
 *   who went one page back out of the own cart until the checkout expires.
 * - Each checkout has a round, so that news of an earlier one moves nothing. A completed one ends the cart in whatever
 *   state it is: the order exists, and the same things must not be bought twice.
 * - A guest's cart is abandoned some time after its last change; while a checkout is open the abandonment waits.
 * - A guest's cart ends merged when a customer's cart takes it over: cart/merge.ts.
 */
import {
  abandonAt,
  type CartDecision,
  changed,
  endedCart,
  priceRefreshed,
  unknownCart,
  warned,
} from './cart/change.ts';
import { give, mergeRefused, requestMerge, sendBackUnordered, takeBack, takeOver } from './cart/merge.ts';
import type { CartCommand, CheckoutStartedReply, LineRequest } from './cart/messages.ts';
import {
  type CartEvent,
  type CartState,
  evolveCart,
  initialCart,
  isOpen,
  type KnownCart,
  type OpenCart,
} from './cart/state.ts';
import {
  type CartLine,
  type CartWarning,
  priceChangesOf,
  refreshOf,
  repriced,
  stockWarnings,
  warningsNow,
  withLine,
} from './cartLines.ts';
import { type CatalogFacts, sellable } from './catalogFacts.ts';
import type { CheckoutCommand, CheckoutNews } from './checkout.ts';
import { bodyOf, checkoutAddress, checkoutOf } from './ids.ts';
import { assertNever } from './kernel/assertNever.ts';
import { type Decider, noChange, reject } from './kernel/decider.ts';
import type { Policy } from './policy.ts';
import type { PriceChange } from './pricing.ts';
import type { ShopContext } from './shared.ts';

export type {
  CartCommand,
  CartEdgeCommand,
  CartReply,
  CartSend,
  CartTimerCommand,
  CheckoutStartedReply,
  MergeReply,
} from './cart/messages.ts';

export type { CartEvent, CartState } from './cart/state.ts';

const emptyCart = () => reject(422, 'cart.empty', 'Empty cart', 'There is nothing in this cart to check out.');
const unknownLine = (sku: string) => reject(404, 'cart.line-unknown', 'Not in the cart', `${sku} is not in this cart.`);
const quantityLimit = (max: number) =>
  reject(422, 'cart.quantity-limit', 'Quantity out of range', `A cart takes 1 to ${max} of one product.`);
const tooManySkus = (max: number) =>
  reject(422, 'cart.too-many-skus', 'Cart is full', `A cart takes at most ${max} different products.`);

function create(
  state: CartState,
  { customerId, guest }: Extract<CartCommand, { type: 'CreateCart' }>,
  { now, policy }: ShopContext,
): CartDecision {
  if (state.status !== 'none') {
    return state.customerId === customerId ? { events: [], reply: warned([]) } : unknownCart();
  }
  return {
    events: [{ type: 'CartCreated', v: 1, customerId, guest, currency: policy.currency, at: now }],
    timers: guest ? [abandonAt(now + policy.cart.guestExpiryMs)] : [],
    reply: warned([]),
  };
}

function addItem(cart: OpenCart, { sku, quantity, product }: LineRequest, context: ShopContext): CartDecision {
  const { maxSkus, maxQuantity } = context.policy.cart;
  const facts = sellable(sku, product, cart.currency);
  if ('rejection' in facts) return facts;
  const line = cart.lines.find((candidate) => candidate.sku === sku);
  const wanted = (line?.quantity ?? 0) + quantity;
  if (!isQuantity(quantity, maxQuantity) || wanted > maxQuantity) return quantityLimit(maxQuantity);
  if (!line && cart.lines.length >= maxSkus) return tooManySkus(maxSkus);
  const refresh = line && refreshOf(line, facts, context.now, context.policy.cart.priceFreezeMs);
  const unitPrice = refresh || !line ? facts.price : line.unitPrice;
  const added: CartEvent = {
    type: 'ItemAdded',
    v: 1,
    line: { sku, name: facts.name, quantity, unitPrice },
    at: context.now,
  };
  return changed(cart, refresh ? [refresh] : [], [added], stockWarnings(facts, wanted), context);
}

function setQuantity(cart: OpenCart, { sku, quantity, product }: LineRequest, context: ShopContext): CartDecision {
  const { maxQuantity, priceFreezeMs } = context.policy.cart;
  const line = cart.lines.find((candidate) => candidate.sku === sku);
  if (!line) return unknownLine(sku);
  const facts = sellable(sku, product, cart.currency);
  if ('rejection' in facts) return facts;
  if (!isQuantity(quantity, maxQuantity)) return quantityLimit(maxQuantity);
  const refresh = refreshOf(line, facts, context.now, priceFreezeMs);
  const set: CartEvent[] =
    quantity === line.quantity ? [] : [{ type: 'ItemQuantityChanged', v: 1, sku, quantity, at: context.now }];
  return changed(cart, refresh ? [refresh] : [], set, stockWarnings(facts, quantity), context);
}

function isQuantity(quantity: number, max: number): boolean {
  return Number.isInteger(quantity) && quantity >= 1 && quantity <= max;
}

function removeItem(cart: OpenCart, sku: string, context: ShopContext): CartDecision {
  const known = cart.lines.some((line) => line.sku === sku);
  return changed(cart, [], known ? [{ type: 'ItemRemoved', v: 1, sku, at: context.now }] : [], [], context);
}

function clear(cart: OpenCart, context: ShopContext): CartDecision {
  return changed(cart, [], cart.lines.length > 0 ? [{ type: 'CartCleared', v: 1, at: context.now }] : [], [], context);
}

function startCheckout(cart: OpenCart, prices: readonly CatalogFacts[], context: ShopContext): CartDecision {
  const { now, policy } = context;
  const { priceFreezeMs } = policy.cart;
  const lookUp = (sku: string) => prices.find((price) => price.sku === sku) ?? null;
  const warnings = warningsNow(cart, lookUp, now, priceFreezeMs);
  if (cart.status === 'checking-out') return { events: [], reply: started(cart.id, cart.round, warnings) };
  if (cart.lines.length === 0) return emptyCart();

  const refreshes: PriceChange[] = [];
  for (const line of cart.lines) {
    const facts = sellable(line.sku, lookUp(line.sku), cart.currency);
    if ('rejection' in facts) return facts;
    const refresh = refreshOf(line, facts, now, priceFreezeMs);
    if (refresh) refreshes.push(refresh);
  }
  const lines = refreshes.reduce(
    (current, { sku, new: price }) => withLine(current, sku, (line) => repriced(line, price, now)),
    cart.lines,
  );
  const round = cart.round + 1;
  return {
    events: [
      ...refreshes.map((refresh) => priceRefreshed(refresh, now)),
      { type: 'CheckoutStarted', v: 1, round, at: now },
    ],
    sends: [{ to: checkoutAddress(checkoutOf(cart.id)), message: beginCheckout(cart, lines, round) }],
    timers: cart.guest ? [abandonAt(now + policy.cart.guestExpiryMs)] : [],
    reply: started(cart.id, round, warnings),
  };
}

function started(cartId: string, round: number, warnings: readonly CartWarning[]): CheckoutStartedReply {
  return { warnings, checkoutId: checkoutOf(cartId), round };
}

function beginCheckout(
  { customerId, currency }: OpenCart,
  lines: readonly CartLine[],
  round: number,
): Extract<CheckoutCommand, { type: 'BeginCheckout' }> {
  const snapshot = lines.map(({ sku, name, quantity, unitPrice }) => ({ sku, name, quantity, unitPrice }));
  return { type: 'BeginCheckout', round, customerId, currency, lines: snapshot, priceChanges: priceChangesOf(lines) };
}

function checkedOut(state: CartState, { orderId, round }: Extract<CheckoutNews, { type: 'CheckedOut' }>): CartDecision {
  if (state.status === 'none') return unknownCart();
  if (state.status === 'checked-out') return noChange;
  const done: CartEvent = { type: 'CartCheckedOut', v: 1, orderId };
  const { events, sends } = sendBackUnordered(state, { ...state, status: 'checked-out', orderId }, round);
  return { events: [done, ...events], sends, timers: [{ clear: 'abandon' }] };
}

function checkoutLapsed(state: CartState, round: number): CartDecision {
  if (state.status === 'none') return unknownCart();
  if (state.status !== 'checking-out' || state.round !== round) return noChange;
  return { events: [{ type: 'CartReopened', v: 1, round, reason: 'lapsed' }] };
}

/** A timer that comes too early, because the cart changed or is being checked out, is set again. */
function abandon(state: CartState, { now, policy }: ShopContext): CartDecision {
  if (state.status === 'none') return unknownCart();
  if (!isOpen(state) || !state.guest) return noChange;
  const due = state.changedAt + policy.cart.guestExpiryMs;
  if (now < due) return { events: [], timers: [abandonAt(due)] };
  if (state.status === 'checking-out') return { events: [], timers: [abandonAt(now + policy.checkout.expiryMs)] };
  return { events: [{ type: 'CartAbandoned', v: 1 }] };
}

function own(state: CartState, customerId: string, act: (cart: KnownCart) => CartDecision): CartDecision {
  return state.status === 'none' || state.customerId !== customerId ? unknownCart() : act(state);
}

function ownOpen(state: CartState, customerId: string, act: (cart: OpenCart) => CartDecision): CartDecision {
  return own(state, customerId, (cart) => (isOpen(cart) ? act(cart) : endedCart(cart)));
}

function decide(state: CartState, command: CartCommand, context: ShopContext): CartDecision {
  switch (command.type) {
    case 'CreateCart':
      return create(state, command, context);
    case 'AddItem':
      return ownOpen(state, command.customerId, (cart) => addItem(cart, command, context));
    case 'SetItemQuantity':
      return ownOpen(state, command.customerId, (cart) => setQuantity(cart, command, context));
    case 'RemoveItem':
      return ownOpen(state, command.customerId, (cart) => removeItem(cart, command.sku, context));
    case 'ClearCart':
      return ownOpen(state, command.customerId, (cart) => clear(cart, context));
    case 'StartCheckout':
      return ownOpen(state, command.customerId, (cart) => startCheckout(cart, command.prices, context));
    case 'MergeCart':
      return own(state, command.customerId, (cart) => requestMerge(cart, command, context));
    case 'GiveCart':
      return give(state, command, context);
    case 'CartGiven':
      return takeOver(state, command, context);
    case 'CartNotGiven':
      return mergeRefused(state, command);
    case 'TakeCartBack':
      return takeBack(state, command.into, context);
    case 'CheckedOut':
      return checkedOut(state, command);
    case 'CheckoutLapsed':
      return checkoutLapsed(state, command.round);
    case 'AbandonCart':
      return abandon(state, context);
    default:
      return assertNever(command);
  }
}

export const cartDecider: Decider<CartState, CartCommand, CartEvent, Policy> = {
  type: 'cart',
  stateVersion: 2,
  partitionKey: bodyOf,
  initial: initialCart,
  decide,
  evolve: evolveCart,
};
