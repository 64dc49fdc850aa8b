/** Another payment method for an order whose first one was declined. */
import type { OrderState } from '../../actors/order/state.ts';
import { orderAddress } from '../../actors/order.ts';
import { type SagaEdgeCommand, sagaAddress } from '../../actors/orderSaga/messages.ts';
import { hasScope } from '../auth.ts';
import { ask, firstVersion } from '../calls.ts';
import { notFound, Problem } from '../problem.ts';
import { type Route, route } from '../route.ts';
import { idParams } from '../schemas/common.ts';
import { orderSchema, payAnewSchema } from '../schemas/order.ts';
import { orderView } from '../views/order.ts';
import { isOrder } from './placed.ts';
import { visibleOrder } from './visibleOrder.ts';

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
  handler: async (call) => {
    const { principal, params, body, expectedVersion } = call;
    const before = await visibleOrder(call, params.id);
    // The saga decides, so that its timer and this request can't both win; the version is the order's.
    if (expectedVersion !== undefined && expectedVersion !== before.version) {
      throw new Problem(412, 'precondition.version-mismatch', `The order is at version ${before.version} by now.`);
    }
    const by = `${hasScope(principal, 'orders') ? 'staff' : 'customer'}:${principal.sub}`;
    const command: SagaEdgeCommand = { type: 'ProvidePaymentMethod', by, token: body.token };
    await ask({ ...call, expectedVersion: undefined }, sagaAddress(params.id), command);
    const goesOn = (state: OrderState) => isOrder(state) && state.awaiting !== 'payment-method';
    const shown = (await firstVersion(call, orderAddress(params.id), before.version, goesOn)) ?? before;
    if (!isOrder(shown.state)) throw notFound('order');
    const { state, version } = shown;
    return { status: 202, body: orderView(state, version), version, orderId: state.orderId };
  },
});
