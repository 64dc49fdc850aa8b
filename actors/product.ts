/** Product: one SKU as the shop describes and prices it. Its first price puts it on sale; discontinuing is final. */
import type { Address } from './kernel/address.ts';
import { assertNever } from './kernel/assertNever.ts';
import { type Decider, type Decision, noChange, reject } from './kernel/decider.ts';
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

export type ProductEdgeCommand =
  | ({ readonly type: 'PutProduct' } & ProductDetails)
  | { readonly type: 'SetPrice'; readonly price: Money }
  | { readonly type: 'DiscontinueProduct' };
export type ProductCommand = ProductEdgeCommand;

export type ProductEvent =
  | ({ readonly type: 'ProductCreated'; readonly v: 1 } & ProductDetails)
  | ({ readonly type: 'ProductChanged'; readonly v: 1 } & ProductDetails)
  | { readonly type: 'PriceSet'; readonly v: 1; readonly old: Money | null; readonly price: Money }
  | { readonly type: 'ProductDiscontinued'; readonly v: 1 };

export type ProductStatus = 'draft' | 'active' | 'discontinued';
type KnownProduct = ProductDetails & { readonly sku: string } & (
    | { readonly status: 'draft'; readonly price: null }
    | { readonly status: 'active'; readonly price: Money }
    | { readonly status: 'discontinued'; readonly price: Money | null }
  );
export type ProductState = { readonly status: 'none'; readonly sku: string } | KnownProduct;

export type PutProductReply = { readonly created: boolean };

const unknown = (sku: string) => reject(404, 'product.unknown', 'Unknown product', `There is no product ${sku}.`);
const discontinued = (sku: string) =>
  reject(409, 'product.discontinued', 'Product discontinued', `${sku} is discontinued for good.`);
const invalidSku = () =>
  reject(422, 'product.invalid-sku', 'Not a SKU', 'A SKU is 3 to 20 capital letters, digits and hyphens.');
const invalidPrice = (currency: string) =>
  reject(422, 'product.invalid-price', 'Not a price', `A price is 1 to ${maxPrice} minor units of ${currency}.`);

function evolve(state: ProductState, event: ProductEvent): ProductState {
  if (event.type === 'ProductCreated') return { status: 'draft', sku: state.sku, price: null, ...detailsOf(event) };
  if (state.status === 'none') return state;
  switch (event.type) {
    case 'ProductChanged':
      return { ...state, ...detailsOf(event) };
    case 'PriceSet':
      return { ...state, status: 'active', price: event.price };
    case 'ProductDiscontinued':
      return { ...state, status: 'discontinued' };
    default:
      return assertNever(event);
  }
}

function detailsOf({ name, description, category, tags }: ProductDetails): ProductDetails {
  return { name, description, category, tags };
}

function put(state: ProductState, command: ProductDetails): Decision<ProductEvent> {
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

function invalidDetails(members: readonly string[]): Decision<ProductEvent> {
  const detail = `Out of bounds: ${members.join(', ')}.`;
  const errors = members.map((member) => ({ pointer: `/${member}`, code: 'length', detail: 'too short or too long' }));
  return { rejection: { status: 422, code: 'product.invalid', title: 'Not a product', detail, errors } };
}

function setPrice(state: ProductState, price: Money, { policy }: ShopContext): Decision<ProductEvent> {
  if (state.status === 'none') return unknown(state.sku);
  if (state.status === 'discontinued') return discontinued(state.sku);
  const { amount, currency } = price;
  if (!Number.isInteger(amount) || amount < 1 || amount > maxPrice || currency !== policy.currency) {
    return invalidPrice(policy.currency);
  }
  if (state.price?.amount === amount && state.price.currency === currency) return noChange;
  return { events: [{ type: 'PriceSet', v: 1, old: state.price, price }] };
}

function discontinue(state: ProductState): Decision<ProductEvent> {
  if (state.status === 'none') return unknown(state.sku);
  return state.status === 'discontinued' ? noChange : { events: [{ type: 'ProductDiscontinued', v: 1 }] };
}

function decide(state: ProductState, command: ProductCommand, context: ShopContext): Decision<ProductEvent> {
  switch (command.type) {
    case 'PutProduct':
      return put(state, command);
    case 'SetPrice':
      return setPrice(state, command.price, context);
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
