/**
 * Product: one SKU as the shop describes and prices it.
 * - Its first price puts it on sale, set at once or by a schedule; discontinuing is final and drops what is scheduled.
 * - At most one price change is scheduled; a new one replaces it. A price set meanwhile leaves the schedule alone: a sale
 *   that starts on Friday starts on Friday, whatever the price is until then.
 */
import type { Address } from './kernel/address.ts';
import { assertNever } from './kernel/assertNever.ts';
import { type Decider, type Decision, noChange, reject, type Send, type TimerChange } from './kernel/decider.ts';
import type { Money } from './kernel/money.ts';
import type { Policy } from './policy.ts';
import type { ShopContext } from './shared.ts';

const skuFormat = /^[A-Z0-9-]{3,20}$/;
const maxNameLength = 200;
const maxDescriptionLength = 5_000;
const maxCategoryLength = 100;
const maxTags = 20;
const maxTagLength = 50;
/** Minor units. Keeps the largest cart far below the integers that are exact. */
const maxPrice = 99_999_999;

export const productAddress = (sku: string): Address<'product'> => ({ type: 'product', id: sku });

export type ProductDetails = {
  readonly name: string;
  readonly description: string;
  readonly category: string;
  readonly tags: readonly string[];
};

export type ScheduledPrice = {
  readonly price: Money;
  /** When it becomes the price, in ms since the epoch. */
  readonly at: number;
};

export type ProductEdgeCommand =
  | ({ readonly type: 'PutProduct' } & ProductDetails)
  | { readonly type: 'SetPrice'; readonly price: Money }
  | ({ readonly type: 'SchedulePrice' } & ScheduledPrice)
  | { readonly type: 'CancelScheduledPrice' }
  | { readonly type: 'DiscontinueProduct' };
export type ProductTimerCommand = { readonly type: 'ActivatePrice' };
export type ProductCommand = ProductEdgeCommand | ProductTimerCommand;

export type ProductEvent =
  | ({ readonly type: 'ProductCreated'; readonly v: 1 } & ProductDetails)
  | ({ readonly type: 'ProductChanged'; readonly v: 1 } & ProductDetails)
  | { readonly type: 'PriceSet'; readonly v: 1; readonly old: Money | null; readonly price: Money }
  | ({ readonly type: 'PriceChangeScheduled'; readonly v: 1 } & ScheduledPrice)
  | { readonly type: 'PriceChangeActivated'; readonly v: 1; readonly old: Money | null; readonly price: Money }
  | ({ readonly type: 'PriceChangeCancelled'; readonly v: 1 } & ScheduledPrice)
  | { readonly type: 'ProductDiscontinued'; readonly v: 1 };

export type ProductStatus = 'draft' | 'active' | 'discontinued';
type KnownProduct = ProductDetails & { readonly sku: string; readonly scheduled?: ScheduledPrice } & (
    | { readonly status: 'draft'; readonly price: null }
    | { readonly status: 'active'; readonly price: Money }
    | { readonly status: 'discontinued'; readonly price: Money | null }
  );
export type ProductState = { readonly status: 'none'; readonly sku: string } | KnownProduct;

type ProductDecision = Decision<ProductEvent, Send, ProductTimerCommand>;

export type PutProductReply = { readonly created: boolean };

const unknown = (sku: string) => reject(404, 'product.unknown', 'Unknown product', `There is no product ${sku}.`);
const discontinued = (sku: string) =>
  reject(409, 'product.discontinued', 'Product discontinued', `${sku} is discontinued for good.`);
const invalidSku = () =>
  reject(422, 'product.invalid-sku', 'Not a SKU', 'A SKU is 3 to 20 capital letters, digits and hyphens.');
const invalidPrice = (currency: string) =>
  reject(422, 'product.invalid-price', 'Not a price', `A price is 1 to ${maxPrice} minor units of ${currency}.`);
const scheduledInPast = () =>
  reject(
    422,
    'product.schedule-past',
    'Too late',
    'A scheduled price starts in the future; without a time it holds at once.',
  );
const nothingScheduled = (sku: string) =>
  reject(404, 'product.nothing-scheduled', 'Nothing scheduled', `No price change of ${sku} is scheduled.`);

function evolve(state: ProductState, event: ProductEvent): ProductState {
  if (event.type === 'ProductCreated') return { status: 'draft', sku: state.sku, price: null, ...detailsOf(event) };
  if (state.status === 'none') return state;
  switch (event.type) {
    case 'ProductChanged':
      return { ...state, ...detailsOf(event) };
    case 'PriceSet':
      return { ...state, status: 'active', price: event.price };
    case 'PriceChangeScheduled':
      return { ...state, scheduled: { price: event.price, at: event.at } };
    case 'PriceChangeActivated':
      return { ...unscheduled(state), status: 'active', price: event.price };
    case 'PriceChangeCancelled':
      return unscheduled(state);
    case 'ProductDiscontinued':
      return { ...state, status: 'discontinued' };
    default:
      return assertNever(event);
  }
}

function unscheduled({ scheduled, ...product }: KnownProduct): KnownProduct {
  return product;
}

function detailsOf({ name, description, category, tags }: ProductDetails): ProductDetails {
  return { name, description, category, tags };
}

function put(state: ProductState, command: ProductDetails): ProductDecision {
  if (!skuFormat.test(state.sku)) return invalidSku();
  const wrong = wrongDetails(command);
  if (wrong.length > 0) return invalidDetails(wrong);
  if (state.status === 'discontinued') return discontinued(state.sku);
  const details = detailsOf(command);
  const created = state.status === 'none';
  const reply: PutProductReply = { created };
  if (state.status !== 'none' && sameDetails(detailsOf(state), details)) return { events: [], reply };
  return { events: [{ type: created ? 'ProductCreated' : 'ProductChanged', v: 1, ...details }], reply };
}

function sameDetails(a: ProductDetails, b: ProductDetails): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function wrongDetails({ name, description, category, tags }: ProductDetails): string[] {
  const within = (text: string, min: number, max: number) => text.length >= min && text.length <= max;
  return [
    ...(within(name, 1, maxNameLength) ? [] : ['name']),
    ...(within(description, 0, maxDescriptionLength) ? [] : ['description']),
    ...(within(category, 1, maxCategoryLength) ? [] : ['category']),
    ...(tags.length <= maxTags && tags.every((tag) => within(tag, 1, maxTagLength)) ? [] : ['tags']),
  ];
}

function invalidDetails(members: readonly string[]): ProductDecision {
  const detail = `Out of bounds: ${members.join(', ')}.`;
  const errors = members.map((member) => ({ pointer: `/${member}`, code: 'length', detail: 'too short or too long' }));
  return { rejection: { status: 422, code: 'product.invalid', title: 'Not a product', detail, errors } };
}

function setPrice(state: ProductState, price: Money, { policy }: ShopContext): ProductDecision {
  if (state.status === 'none') return unknown(state.sku);
  if (state.status === 'discontinued') return discontinued(state.sku);
  if (!isPrice(price, policy)) return invalidPrice(policy.currency);
  if (samePrice(state.price, price)) return noChange;
  return { events: [{ type: 'PriceSet', v: 1, old: state.price, price }] };
}

function isPrice({ amount, currency }: Money, policy: Policy): boolean {
  return Number.isInteger(amount) && amount >= 1 && amount <= maxPrice && currency === policy.currency;
}

function samePrice(a: Money | null, b: Money): boolean {
  return a?.amount === b.amount && a.currency === b.currency;
}

function schedulePrice(
  state: ProductState,
  { price, at }: ScheduledPrice,
  { now, policy }: ShopContext,
): ProductDecision {
  if (state.status === 'none') return unknown(state.sku);
  if (state.status === 'discontinued') return discontinued(state.sku);
  if (!isPrice(price, policy)) return invalidPrice(policy.currency);
  if (!Number.isSafeInteger(at) || at <= now) return scheduledInPast();
  if (state.scheduled?.at === at && samePrice(state.scheduled.price, price)) return noChange;
  return { events: [{ type: 'PriceChangeScheduled', v: 1, price, at }], timers: [activateAt(at)] };
}

function activateAt(at: number): TimerChange<ProductTimerCommand> {
  return { set: 'price', at, message: { type: 'ActivatePrice' } };
}

function cancelScheduled(state: ProductState): ProductDecision {
  if (state.status === 'none') return unknown(state.sku);
  if (state.scheduled === undefined) return nothingScheduled(state.sku);
  return { events: [{ type: 'PriceChangeCancelled', v: 1, ...state.scheduled }], timers: [{ clear: 'price' }] };
}

/** A timer that comes too early is set again; one without a schedule is late. */
function activate(state: ProductState, { now }: ShopContext): ProductDecision {
  if (state.status === 'none' || state.scheduled === undefined) return noChange;
  const { price, at } = state.scheduled;
  if (now < at) return { events: [], timers: [activateAt(at)] };
  return { events: [{ type: 'PriceChangeActivated', v: 1, old: state.price, price }] };
}

function discontinue(state: ProductState): ProductDecision {
  if (state.status === 'none') return unknown(state.sku);
  if (state.status === 'discontinued') return noChange;
  const end = { type: 'ProductDiscontinued', v: 1 } as const;
  if (state.scheduled === undefined) return { events: [end] };
  const dropped = { type: 'PriceChangeCancelled', v: 1, ...state.scheduled } as const;
  return { events: [dropped, end], timers: [{ clear: 'price' }] };
}

function decide(state: ProductState, command: ProductCommand, context: ShopContext): ProductDecision {
  switch (command.type) {
    case 'PutProduct':
      return put(state, command);
    case 'SetPrice':
      return setPrice(state, command.price, context);
    case 'SchedulePrice':
      return schedulePrice(state, command, context);
    case 'CancelScheduledPrice':
      return cancelScheduled(state);
    case 'ActivatePrice':
      return activate(state, context);
    case 'DiscontinueProduct':
      return discontinue(state);
    default:
      return assertNever(command);
  }
}

export const productDecider: Decider<ProductState, ProductCommand, ProductEvent, Policy> = {
  type: 'product',
  partitionKey: (sku) => sku,
  initial: (sku) => ({ status: 'none', sku }),
  decide,
  evolve,
};
