/**
 * Merging a guest's cart into the customer's once its visitor has signed in. Two aggregates, mostly of two shards, so it
 * takes messages:
 *
 *   edge ── MergeCart ──▶ target ── GiveCart ──▶ source ── CartGiven or CartNotGiven ──▶ target
 *                         target ── TakeCartBack ──▶ source, when the target was ordered meanwhile, also if the
 *                                                            news of that come after the lines
 *
 * - The source gives itself to one target. The decision that ends it is the one that sends its lines away.
 * - The target takes over each source once, by its id, however often the lines arrive and whatever happened in between.
 * - Every message is in the commit that decided it, so a crash between two of them delays the rest and loses nothing.
 *   Asking again while no answer has come sends `GiveCart` again, which the source answers in the same way.
 * - A source is a guest's cart and a target never is: no cart is both, and a target that is over stays over. So a source that
 *   was taken back can't be in a target as well.
 * - Attempts are numbered, so that a late refusal of an earlier one isn't taken for that of the current one.
 */
import { type CartLine, type CartWarning, fitting } from '../cartLines.ts';
import { cartAddress } from '../ids.ts';
import { noChange, type Rejection, reject } from '../kernel/decider.ts';
import type { ShopContext } from '../shared.ts';
import { abandonAt, type CartDecision, changed, endedCart, unknownCart } from './change.ts';
import type { CartCommand, CartSend, MergeReply } from './messages.ts';
import {
  type CartEvent,
  type CartState,
  type EndedCart,
  isOpen,
  type KnownCart,
  type Merge,
  type OpenCart,
} from './state.ts';

type CommandOf<Type extends CartCommand['type']> = Extract<CartCommand, { type: Type }>;

const guestTarget = () =>
  reject(422, 'cart.merge-into-guest', 'Not an account’s cart', 'A cart is merged into the cart of an account.');
const notAGuests = () =>
  reject(422, 'cart.merge-not-guest', 'Not a guest’s cart', 'Only the cart of a guest is merged into another.');
const beingOrdered = () =>
  reject(
    409,
    'cart.checking-out',
    'Cart is being ordered',
    'That cart is being checked out; finish or leave it first.',
  );
const tooManyMerges = (max: number) =>
  reject(422, 'cart.too-many-merges', 'Too many merges', `A cart takes over at most ${max} others.`);

/** Target: from the edge. What is taken over already stays the answer, also once the cart is over. */
export function requestMerge(cart: KnownCart, { from }: CommandOf<'MergeCart'>, { policy }: ShopContext): CartDecision {
  const { merges = [], mergeAttempts = 0, id, customerId } = cart;
  const known = merges.find((merge) => merge.from === from);
  if (known?.status === 'done') return { events: [], reply: asked(known.attempt) };
  if (!isOpen(cart)) return endedCart(cart);
  if (cart.guest) return guestTarget();
  const attempt = known?.status === 'pending' ? known.attempt : mergeAttempts + 1;
  const give: CartSend = { to: cartAddress(from), message: { type: 'GiveCart', into: id, customerId, attempt } };
  if (known?.status === 'pending') return { events: [], sends: [give], reply: asked(attempt) };
  const { maxMerges } = policy.cart;
  if (merges.filter(({ status }) => status !== 'failed').length >= maxMerges) return tooManyMerges(maxMerges);
  return {
    events: [{ type: 'CartMergeRequested', v: 1, from, attempt }],
    sends: [give],
    reply: asked(attempt),
  };
}

function asked(attempt: number): MergeReply {
  return { attempt };
}

/** Source: gives its lines away, again if this target asks again, or says why not. */
export function give(state: CartState, command: CommandOf<'GiveCart'>, { now }: ShopContext): CartDecision {
  const { into, customerId, attempt } = command;
  const refusal = whyNotGiven(state, into, customerId);
  const answer = (message: Extract<CartSend, { to: { type: 'cart' } }>['message']): CartSend => ({
    to: cartAddress(into),
    message,
  });
  if (refusal || state.status === 'none') {
    const { rejection } = refusal ?? unknownCart();
    return { events: [], sends: [answer({ type: 'CartNotGiven', from: state.id, attempt, rejection })] };
  }
  const given = answer({ type: 'CartGiven', from: state.id, attempt, lines: state.lines });
  if (state.status === 'merged') return { events: [], sends: [given] };
  return {
    events: [{ type: 'CartMerged', v: 1, into, at: now }],
    sends: [given],
    timers: [{ clear: 'abandon' }],
  };
}

/** Somebody else's account's cart isn't there; who knows the id of a guest's cart may have it. */
function whyNotGiven(
  state: CartState,
  into: string,
  customerId: string,
): { readonly rejection: Rejection } | undefined {
  if (state.status === 'none') return unknownCart();
  if (!state.guest) return state.customerId === customerId ? notAGuests() : unknownCart();
  if (state.status === 'checking-out') return beingOrdered();
  if (isOpen(state) || (state.status === 'merged' && state.into === into)) return undefined;
  return endedCart(state);
}

/** Source: the target could not take it. */
export function takeBack(state: CartState, into: string, { now, policy }: ShopContext): CartDecision {
  if (state.status !== 'merged' || state.into !== into) return noChange;
  return {
    events: [{ type: 'CartMergeUndone', v: 1, into, at: now }],
    timers: [abandonAt(now + policy.cart.guestExpiryMs)],
  };
}

/** Target: the lines are here. A cart that was ordered meanwhile sends them back. */
export function takeOver(state: CartState, command: CommandOf<'CartGiven'>, context: ShopContext): CartDecision {
  const { from, attempt, lines } = command;
  const returned: CartSend = { to: cartAddress(from), message: { type: 'TakeCartBack', into: state.id } };
  if (state.status === 'none') return { events: [], sends: [returned] };
  const known = state.merges?.find((merge) => merge.from === from);
  if (known?.status === 'done') return noChange;
  if (!isOpen(state)) {
    const failed = mergeFailed(from, attempt, endedCart(state).rejection);
    return { events: known?.status === 'pending' ? [failed] : [], sends: [returned] };
  }
  return taking(state, from, known?.attempt ?? attempt, lines, context);
}

function taking(
  cart: OpenCart,
  from: string,
  attempt: number,
  lines: readonly CartLine[],
  context: ShopContext,
): CartDecision {
  const { taken, warnings } = fitting(cart, lines, context.policy.cart);
  const event: CartEvent = { type: 'CartTakenOver', v: 1, from, attempt, taken, warnings, at: context.now };
  // What brought nothing doesn't take the cart out of its checkout.
  return taken.length > 0 ? changed(cart, [], [event], [], context) : { events: [event] };
}

/** Target: the source won't. */
export function mergeRefused(state: CartState, command: CommandOf<'CartNotGiven'>): CartDecision {
  const { from, attempt, rejection } = command;
  const known = state.status === 'none' ? undefined : state.merges?.find((merge) => merge.from === from);
  if (known?.status !== 'pending' || known.attempt !== attempt) return noChange;
  return { events: [mergeFailed(from, attempt, rejection)] };
}

/** What was taken over after the ordered round had begun is not in the order, which nobody could know then. */
export function sendBackUnordered(
  { id, merges = [] }: KnownCart,
  ordered: EndedCart,
  round: number,
): { readonly events: readonly CartEvent[]; readonly sends: readonly CartSend[] } {
  const { rejection } = endedCart(ordered);
  const late = merges.filter((merge) => merge.status === 'done' && (merge.round ?? 0) >= round);
  return {
    events: late.map(({ from, attempt }) => mergeFailed(from, attempt, rejection)),
    sends: late.map(({ from }) => ({ to: cartAddress(from), message: { type: 'TakeCartBack', into: id } })),
  };
}

function mergeFailed(from: string, attempt: number, rejection: Rejection): CartEvent {
  return { type: 'CartMergeFailed', v: 1, from, attempt, rejection };
}

/** How an attempt ended: undefined while it hasn't. Failed attempts are forgotten when another merge begins. */
export function mergeOutcome(
  cart: KnownCart,
  from: string,
  attempt: number,
): { readonly warnings: readonly CartWarning[]; readonly rejection?: Rejection } | undefined {
  const { merges = [], mergeWarnings } = cart;
  const merge: Merge | undefined = merges.find((candidate) => candidate.from === from);
  if (merge?.attempt === attempt && merge.status === 'pending') return undefined;
  if (merge?.attempt === attempt && merge.status === 'failed') return { warnings: [], rejection: merge.rejection };
  return { warnings: mergeWarnings?.from === from ? mergeWarnings.warnings : [] };
}
