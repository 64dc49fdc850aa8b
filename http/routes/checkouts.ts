/** From a cart to an order, step by step. */
import type { CartState, CheckoutStartedReply } from '../../actors/cart.ts';
import type { CheckoutEdgeCommand, CheckoutState, CompletedReply } from '../../actors/checkout.ts';
import { cartAddress, checkoutAddress, orderOf } from '../../actors/ids.ts';
import { ask, firstVersion, notYet, read, stateAt } from '../calls.ts';
import { checkoutWarnings, lookUpIn, variantOf } from '../catalogLines.ts';
import { checkFound, delivery, found } from '../postal.ts';
import { notFound, Problem } from '../problem.ts';
import { reviewFacts } from '../reviewFacts.ts';
import { type Answer, type Call, type Route, route } from '../route.ts';
import { emptyBodySchema } from '../schemas/cart.ts';
import {
  checkoutSchema,
  completeSchema,
  setMethodSchema,
  setPaymentSchema,
  shippingMethodsSchema,
} from '../schemas/checkout.ts';
import { idParams } from '../schemas/common.ts';
import { deliverySchema } from '../schemas/customer.ts';
import { orderSchema } from '../schemas/order.ts';
import { shelvesOf } from '../shelves.ts';
import { checkoutView, shippingMethodsView } from '../views/checkout.ts';
import { placedAnswer } from './placed.ts';

const tag = 'Checkout';
const checkout = { 200: { description: 'The checkout as it is now.', schema: checkoutSchema } };

async function ownCheckout(call: Call, id: string) {
  const found = await read<CheckoutState>(call, checkoutAddress(id));
  if (!found || found.state.status === 'none' || found.state.customerId !== call.principal.sub) {
    throw notFound('checkout');
  }
  return { state: found.state, version: found.version };
}

async function step(call: Call, id: string, command: CheckoutEdgeCommand, part?: string): Promise<Answer> {
  const answer = await ask(call, checkoutAddress(id), command, part);
  const state = await stateAt<CheckoutState>(call, checkoutAddress(id), answer);
  if (state.status === 'none') throw notFound('checkout');
  const { version } = answer;
  return { status: 200, body: checkoutView(state, version, checkoutWarnings(call, state)), version };
}

const startCheckout = route({
  method: 'post',
  path: '/v1/carts/{id}/checkout',
  tag,
  summary: 'Check a cart out; again while it is under way gives the same checkout',
  access: 'any',
  ifMatch: 'honoured',
  params: idParams,
  body: emptyBodySchema,
  responses: { 201: { description: 'The checkout; Location names it.', schema: checkoutSchema } },
  example: {},
  handler: async (call) => {
    const address = cartAddress(call.params.id);
    const cart = await read<CartState>(call, address);
    if (!cart || cart.state.status === 'none') throw notFound('cart');
    const lookUp = lookUpIn(call);
    const prices = cart.state.lines.map(({ sku }) => lookUp(sku)).filter((facts) => facts !== null);
    const message = { type: 'StartCheckout', customerId: call.principal.sub, prices };
    const started = await ask<CheckoutStartedReply>(call, address, message);
    const { checkoutId, round } = started.value;
    const begun = (state: CheckoutState) => state.round >= round;
    const first = await firstVersion(call, checkoutAddress(checkoutId), 1, begun);
    if (!first) throw notYet('checkout');
    if (first.state.status === 'none') throw new Problem(409, 'checkout.expired', 'The cart changed meanwhile.');
    return {
      status: 201,
      body: checkoutView(first.state, first.version, started.value.warnings),
      version: first.version,
      replayed: started.replayed,
      headers: { Location: `/v1/checkouts/${checkoutId}` },
    };
  },
});

const getCheckout = route({
  method: 'get',
  path: '/v1/checkouts/{id}',
  tag,
  summary: 'One checkout',
  access: 'any',
  conditional: true,
  params: idParams,
  responses: checkout,
  handler: async (call) => {
    const { state, version } = await ownCheckout(call, call.params.id);
    const warnings = checkoutWarnings(call, state);
    return { status: 200, body: checkoutView(state, version, warnings), version, ...variantOf(warnings) };
  },
});

const setAddress = route({
  method: 'put',
  path: '/v1/checkouts/{id}/address',
  tag,
  summary: 'Where to send it',
  access: 'any',
  ifMatch: 'honoured',
  params: idParams,
  body: deliverySchema,
  responses: checkout,
  example: { name: 'Ada Buyer', line1: '1 Main St', city: 'Newark', region: 'NJ', postalCode: '07102', country: 'US' },
  handler: async (call) => {
    const { params, principal } = call;
    const where = await found(call, call.body, '/addressId');
    const of = { customerId: principal.sub, address: where.address };
    const set = await step(call, params.id, { type: 'SetAddress', ...of });
    // Set before it is checked: a slow check must not bring an address back that was replaced meanwhile.
    const check = await checkFound(call, where);
    const note: CheckoutEdgeCommand = { type: 'NoteAddressCheck', ...of, check };
    // Nobody is refused for it: if it can't be noted any more, the step was done all the same.
    return step(call, params.id, note, 'address-check').catch(() => set);
  },
});

const getMethods = route({
  method: 'get',
  path: '/v1/checkouts/{id}/shipping-methods',
  tag,
  summary: 'How it can be sent',
  access: 'any',
  params: idParams,
  responses: { 200: { description: 'Every method with its price.', schema: shippingMethodsSchema } },
  handler: async (call) => {
    await ownCheckout(call, call.params.id);
    return { status: 200, body: { data: shippingMethodsView(call.policy) } };
  },
});

const setMethod = route({
  method: 'put',
  path: '/v1/checkouts/{id}/shipping-method',
  tag,
  summary: 'How to send it',
  access: 'any',
  ifMatch: 'honoured',
  params: idParams,
  body: setMethodSchema,
  responses: checkout,
  example: { method: 'standard' },
  handler: (call) => {
    const { method } = call.body;
    return step(call, call.params.id, { type: 'SetShippingMethod', customerId: call.principal.sub, method });
  },
});

const setPayment = route({
  method: 'put',
  path: '/v1/checkouts/{id}/payment',
  tag,
  summary: 'How to pay',
  access: 'any',
  ifMatch: 'honoured',
  params: idParams,
  body: setPaymentSchema,
  responses: checkout,
  example: { token: 'tok_success' },
  handler: async (call) => {
    const { token, billingAddress } = call.body;
    return step(call, call.params.id, {
      type: 'SetPayment',
      customerId: call.principal.sub,
      token,
      ...(billingAddress !== undefined && {
        billingAddress: await delivery(call, billingAddress, '/billingAddress/addressId'),
      }),
    });
  },
});

const complete = route({
  method: 'post',
  path: '/v1/checkouts/{id}/complete',
  tag,
  summary: 'Order it',
  access: 'any',
  idempotency: 'required',
  ifMatch: 'honoured',
  waits: true,
  params: idParams,
  body: completeSchema,
  responses: { 202: { description: 'The order; Location names it.', schema: orderSchema } },
  example: { acceptPriceChanges: false },
  handler: async (call) => {
    const { acceptPriceChanges } = call.body;
    const { state } = await ownCheckout(call, call.params.id);
    const facts = await reviewFacts(call, orderOf(call.params.id));
    const stock = await shelvesOf(call, state.lines);
    const command: CheckoutEdgeCommand = {
      type: 'CompleteCheckout',
      customerId: call.principal.sub,
      acceptPriceChanges,
      facts,
      ...(stock !== undefined && { stock }),
    };
    const completed = await ask<CompletedReply>(call, checkoutAddress(call.params.id), command);
    return placedAnswer(call, completed.value.orderId, completed.replayed);
  },
});

export const checkoutRoutes: readonly Route[] = [
  startCheckout,
  getCheckout,
  setAddress,
  getMethods,
  setMethod,
  setPayment,
  complete,
];
