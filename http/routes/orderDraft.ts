/** What an order would cost and how it could be sent, before anybody orders. */
import { goodsWarnings } from '../../actors/cartLines.ts';
import { zero } from '../../actors/kernel/money.ts';
import { problemOf } from '../../actors/order/draft.ts';
import { pricedOrder, shippingPrice } from '../../actors/pricing.ts';
import { lookUpIn, pricedLines } from '../catalogLines.ts';
import { checkOf, delivery } from '../postal.ts';
import { rejected } from '../problem.ts';
import { route } from '../route.ts';
import { draftOrderSchema, orderDraftSchema } from '../schemas/order.ts';
import { addressWarnings } from '../views/addressCheck.ts';
import { shippingMethodsView } from '../views/checkout.ts';

export const draftOrder = route({
  method: 'post',
  path: '/v1/orders/draft',
  tag: 'Orders',
  summary: 'What an order would cost; nothing is stored',
  access: 'any',
  // Nothing is made, so a repeat has nothing to find; prices and stock are those of the moment.
  idempotency: 'ignored',
  body: draftOrderSchema,
  responses: { 200: { description: 'Lines, totals and ways to send it, as of now.', schema: orderDraftSchema } },
  example: { lines: [{ sku: 'TEA-GREEN-100', quantity: 2 }], shippingMethod: 'standard' },
  handler: async (call) => {
    const { policy, body } = call;
    const { currency } = policy;
    const lines = pricedLines(call, body.lines);
    const none = zero(currency);
    const shipping = body.shippingMethod === undefined ? none : shippingPrice(body.shippingMethod, policy);
    const priced = pricedOrder(lines, { discount: none, tax: none, shipping });
    const rejection = problemOf(priced, policy);
    if (rejection) throw rejected(rejection);
    const address = body.address && (await delivery(call, body.address, '/address/addressId'));
    if (body.billingAddress !== undefined) await delivery(call, body.billingAddress, '/billingAddress/addressId');
    const addressCheck = address && (await checkOf(call, address));
    return {
      status: 200,
      body: {
        ...priced,
        shippingMethod: body.shippingMethod ?? null,
        shippingMethods: shippingMethodsView(policy),
        addressCheck: addressCheck ?? null,
        warnings: [...addressWarnings(addressCheck), ...goodsWarnings(lines, currency, lookUpIn(call))],
      },
    };
  },
});
