/** A cart and its lines. The catalog is looked up here; what a client says about names and prices is never asked for. */
import { z } from 'zod';
import { mergeOutcome } from '../../actors/cart/merge.ts';
import type { CartEdgeCommand, CartReply, CartState, MergeReply } from '../../actors/cart.ts';
import { cartAddress } from '../../actors/ids.ts';
import { ask, firstVersion, notYet, read, stateAt } from '../calls.ts';
import { cartWarnings, lookUpIn, variantOf } from '../catalogLines.ts';
import { notFound, rejected } from '../problem.ts';
import { type Answer, type Call, type Route, route } from '../route.ts';
import { addLineSchema, cartSchema, emptyBodySchema, mergeSchema, setQuantitySchema } from '../schemas/cart.ts';
import { idParams, idSchema } from '../schemas/common.ts';
import { cartView } from '../views/cart.ts';

const tag = 'Carts';
const lineParams = z.object({ id: idSchema, sku: idSchema });
const cart = { 200: { description: 'The cart as it is now.', schema: cartSchema } };

async function changeCart(call: Call, id: string, message: CartEdgeCommand, status = 200): Promise<Answer> {
  const answer = await ask<CartReply>(call, cartAddress(id), message);
  const state = await stateAt<CartState>(call, cartAddress(id), answer);
  if (state.status === 'none') throw notFound('cart');
  return {
    status,
    body: cartView(state, answer.version, answer.value.warnings),
    version: answer.version,
    replayed: answer.replayed,
  };
}

const createCart = route({
  method: 'post',
  path: '/v1/carts',
  tag,
  summary: 'Start a cart',
  access: 'any',
  body: emptyBodySchema,
  responses: { 201: { description: 'An empty cart; Location names it.', schema: cartSchema } },
  example: {},
  handler: async (call) => {
    const { keys, ids, principal, requestId, fingerprint } = call;
    const id = fingerprint === undefined ? ids.next('cart') : keys.createdId('cart', requestId);
    const guest = principal.role === 'guest';
    const answer = await changeCart(call, id, { type: 'CreateCart', customerId: principal.sub, guest }, 201);
    return { ...answer, headers: { Location: `/v1/carts/${id}` } };
  },
});

const getCart = route({
  method: 'get',
  path: '/v1/carts/{id}',
  tag,
  summary: 'One cart',
  access: 'any',
  conditional: true,
  params: idParams,
  responses: cart,
  handler: async (call) => {
    const found = await read<CartState>(call, cartAddress(call.params.id));
    if (!found || found.state.status === 'none' || found.state.customerId !== call.principal.sub)
      throw notFound('cart');
    const { state, version } = found;
    const warnings = cartWarnings(call, state);
    return { status: 200, body: cartView(state, version, warnings), version, ...variantOf(warnings) };
  },
});

const addLine = route({
  method: 'post',
  path: '/v1/carts/{id}/lines',
  tag,
  summary: 'Add a product; the same SKU merges its quantity',
  access: 'any',
  ifMatch: 'honoured',
  params: idParams,
  body: addLineSchema,
  responses: cart,
  example: { sku: 'TEA-GREEN-100', quantity: 2 },
  handler: (call) => setLine(call, 'AddItem', call.params.id, call.body.sku, call.body.quantity),
});

const setLineQuantity = route({
  method: 'put',
  path: '/v1/carts/{id}/lines/{sku}',
  tag,
  summary: 'Set the quantity of a line',
  access: 'any',
  ifMatch: 'honoured',
  params: lineParams,
  body: setQuantitySchema,
  responses: cart,
  example: { quantity: 3 },
  handler: (call) => setLine(call, 'SetItemQuantity', call.params.id, call.params.sku, call.body.quantity),
});

function setLine(call: Call, type: 'AddItem' | 'SetItemQuantity', id: string, sku: string, quantity: number) {
  const product = lookUpIn(call)(sku);
  return changeCart(call, id, { type, customerId: call.principal.sub, sku, quantity, product });
}

const removeLine = route({
  method: 'delete',
  path: '/v1/carts/{id}/lines/{sku}',
  tag,
  summary: 'Remove a line',
  access: 'any',
  ifMatch: 'honoured',
  params: lineParams,
  responses: cart,
  handler: (call) => {
    const { id, sku } = call.params;
    return changeCart(call, id, { type: 'RemoveItem', customerId: call.principal.sub, sku });
  },
});

const clearCart = route({
  method: 'delete',
  path: '/v1/carts/{id}/lines',
  tag,
  summary: 'Remove every line',
  access: 'any',
  ifMatch: 'honoured',
  params: idParams,
  responses: cart,
  handler: (call) => changeCart(call, call.params.id, { type: 'ClearCart', customerId: call.principal.sub }),
});

const merge = route({
  method: 'post',
  path: '/v1/carts/{id}/merge',
  tag,
  summary: "Take over a guest's cart after signing in; once, however often it is asked",
  access: 'customer',
  ifMatch: 'honoured',
  params: idParams,
  body: mergeSchema,
  responses: {
    200: { description: 'The cart with the lines of both; warnings name what did not fit.', schema: cartSchema },
  },
  example: { from: 'cart_01JD0000000000000000000000' },
  handler: async (call) => {
    const [address, { from }] = [cartAddress(call.params.id), call.body];
    const command: CartEdgeCommand = { type: 'MergeCart', customerId: call.principal.sub, from };
    const asked = await ask<MergeReply>(call, address, command);
    const outcomeOf = (state: CartState) =>
      state.status === 'none' ? undefined : mergeOutcome(state, from, asked.value.attempt);
    const settled = await firstVersion<CartState>(call, address, asked.version, (state) => !!outcomeOf(state));
    if (!settled || settled.state.status === 'none') throw notYet('merged cart');
    const { version, state } = settled;
    const { warnings = [], rejection } = outcomeOf(state) ?? {};
    if (rejection) throw rejected(rejection, asked.replayed);
    return { status: 200, body: cartView(state, version, warnings), version, replayed: asked.replayed };
  },
});

export const cartRoutes: readonly Route[] = [
  createCart,
  getCart,
  addLine,
  setLineQuantity,
  removeLine,
  clearCart,
  merge,
];
