/** Whether to wait for a delivery that is far away. */
import { type Route, route } from '../route.ts';
import { idParams } from '../schemas/common.ts';
import { backorderChoiceSchema, orderSchema } from '../schemas/order.ts';
import { answerOrder } from './asked.ts';

export const chooseBackorder: Route = route({
  method: 'post',
  path: '/v1/orders/{id}/backorder-choice',
  tag: 'Orders',
  summary: 'Wait for a delivery that is far away, or cancel the order, when it asks',
  access: 'any',
  // The same choice again is answered like the first.
  idempotency: 'ignored',
  ifMatch: 'honoured',
  params: idParams,
  body: backorderChoiceSchema,
  responses: { 202: { description: 'The order; it waits, or is cancelled.', schema: orderSchema } },
  example: { choice: 'wait' },
  handler: (call) => {
    const { choice } = call.body;
    return answerOrder(call, call.params.id, 'backorder-choice', (by) => ({ type: 'ChooseBackorder', by, choice }));
  },
});
