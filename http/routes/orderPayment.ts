/** Another payment method for an order whose first one was declined. */
import { type Route, route } from '../route.ts';
import { idParams } from '../schemas/common.ts';
import { orderSchema, payAnewSchema } from '../schemas/order.ts';
import { answerOrder } from './asked.ts';

export const payAnew: Route = route({
  method: 'put',
  path: '/v1/orders/{id}/payment',
  tag: 'Orders',
  summary: 'Give another payment method, when the order asks for one',
  access: 'any',
  ifMatch: 'honoured',
  params: idParams,
  body: payAnewSchema,
  responses: { 202: { description: 'The order; it goes on with the new payment method.', schema: orderSchema } },
  example: { token: 'tok_success' },
  handler: (call) => {
    const { token } = call.body;
    return answerOrder(call, call.params.id, 'payment-method', (by) => ({ type: 'ProvidePaymentMethod', by, token }));
  },
});
