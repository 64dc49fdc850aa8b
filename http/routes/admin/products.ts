/** The catalog's keepers. Every edit says which version it is of, so that nobody overwrites what they have not seen. */
import {
  type ProductEdgeCommand,
  type ProductState,
  type PutProductReply,
  productAddress,
} from '../../../actors/product.ts';
import { ask, read, stateAt } from '../../calls.ts';
import { notFound, Problem } from '../../problem.ts';
import { type Answer, type Call, type Route, route } from '../../route.ts';
import { skuParams } from '../../schemas/common.ts';
import { adminProductSchema, priceSchema, productChangeSchema } from '../../schemas/product.ts';
import { adminProductView } from '../../views/product.ts';

const tag = 'Operators: catalog';
const access = { scope: 'catalog' } as const;
const product = { 200: { description: 'The product as it is now.', schema: adminProductSchema } };

async function edit(call: Call, sku: string, command: ProductEdgeCommand): Promise<Answer> {
  const answer = await ask<PutProductReply | undefined>(call, productAddress(sku), command);
  const state = await stateAt<ProductState>(call, productAddress(sku), answer);
  const body = adminProductView(state, answer.version, call.shop.catalog.find(sku));
  if (!body) throw notFound('product');
  const status = answer.value?.created ? 201 : 200;
  return { status, body, version: answer.version, replayed: answer.replayed };
}

const getProduct = route({
  method: 'get',
  path: '/v1/admin/products/{sku}',
  tag,
  summary: 'One product, drafts too',
  access,
  params: skuParams,
  responses: product,
  handler: async (call) => {
    const { sku } = call.params;
    const found = await read<ProductState>(call, productAddress(sku));
    const body = found && adminProductView(found.state, found.version, call.shop.catalog.find(sku));
    if (!body) throw notFound('product');
    return { status: 200, body, version: body.version };
  },
});

const putProduct = route({
  method: 'put',
  path: '/v1/admin/products/{sku}',
  tag,
  summary: 'Describe a product; If-Match is required once it exists, If-None-Match: * only makes a new one',
  access,
  ifMatch: 'honoured',
  params: skuParams,
  body: productChangeSchema,
  responses: {
    ...product,
    201: { description: 'A new product; a price puts it on sale.', schema: adminProductSchema },
  },
  example: { name: 'Green tea', description: 'Loose leaves, 100 g.', category: 'Tea', tags: ['loose-leaf'] },
  handler: async (call) => {
    const { sku } = call.params;
    const { name, description, category, tags } = call.body;
    const command = { type: 'PutProduct', name, description, category, tags } as const;
    if (call.expectedVersion !== undefined) return edit(call, sku, command);
    const exists = (await read(call, productAddress(sku))) !== undefined;
    if (exists && call.precondition) return edit(call, sku, command);
    if (exists) throw preconditionRequired();
    if (call.precondition) throw nothingToMatch();
    // Two who make the same product at once: the second is told instead of overwriting the first.
    return edit({ ...call, expectedVersion: 0 }, sku, command);
  },
});

function preconditionRequired(): Problem {
  return new Problem(
    428,
    'precondition.required',
    'The product exists: send If-Match with the ETag of what you have read.',
  );
}

/** `If-Match: *` asks for a product that is there, whatever its version. */
function nothingToMatch(): Problem {
  return new Problem(
    412,
    'precondition.version-mismatch',
    'There is no such product yet: send no If-Match to make it.',
  );
}

const putPrice = route({
  method: 'put',
  path: '/v1/admin/products/{sku}/price',
  tag,
  summary: 'Set the price, now or at a time to come; the first one puts the product on sale',
  access,
  ifMatch: 'required',
  params: skuParams,
  body: priceSchema,
  responses: product,
  example: { amount: 1_999, currency: 'USD' },
  handler: (call) => {
    const { amount, currency, at } = call.body;
    const price = { amount, currency };
    const command: ProductEdgeCommand =
      at === undefined ? { type: 'SetPrice', price } : { type: 'SchedulePrice', price, at: Date.parse(at) };
    return edit(call, call.params.sku, command);
  },
});

const cancelScheduledPrice = route({
  method: 'delete',
  path: '/v1/admin/products/{sku}/price/scheduled',
  tag,
  summary: 'Drop the price change that is scheduled',
  access,
  ifMatch: 'required',
  params: skuParams,
  responses: product,
  handler: (call) => edit(call, call.params.sku, { type: 'CancelScheduledPrice' }),
});

const discontinue = route({
  method: 'post',
  path: '/v1/admin/products/{sku}/discontinue',
  tag,
  summary: 'Take a product off sale, for good',
  access,
  ifMatch: 'required',
  params: skuParams,
  responses: product,
  handler: (call) => edit(call, call.params.sku, { type: 'DiscontinueProduct' }),
});

export const adminProductRoutes: readonly Route[] = [
  getProduct,
  putProduct,
  putPrice,
  cancelScheduledPrice,
  discontinue,
];
