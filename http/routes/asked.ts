/** What the customer is asked for while an order waits, and staff may answer for the customer. */
import type { Awaiting } from '../../actors/order/events.ts';
import type { OrderState } from '../../actors/order/state.ts';
import { orderAddress } from '../../actors/order.ts';
import { type SagaEdgeCommand, sagaAddress } from '../../actors/orderSaga/messages.ts';
import { hasScope } from '../auth.ts';
import { ask, firstVersion } from '../calls.ts';
import { notFound, Problem } from '../problem.ts';
import type { Answer, Call } from '../route.ts';
import { orderView } from '../views/order.ts';
import { isOrder } from './placed.ts';
import { visibleOrder } from './visibleOrder.ts';

/** Tells the saga and answers with the order once it no longer waits for that. */
export async function answerOrder(
  call: Call,
  orderId: string,
  awaiting: Awaiting,
  commandBy: (by: string) => SagaEdgeCommand,
): Promise<Answer> {
  const { principal, expectedVersion } = call;
  const before = await visibleOrder(call, orderId);
  // The saga decides, so that its timer and this request can't both win; the version is the order's.
  if (expectedVersion !== undefined && expectedVersion !== before.version) {
    throw new Problem(412, 'precondition.version-mismatch', `The order is at version ${before.version} by now.`);
  }
  const by = `${hasScope(principal, 'orders') ? 'staff' : 'customer'}:${principal.sub}`;
  await ask({ ...call, expectedVersion: undefined }, sagaAddress(orderId), commandBy(by));
  const goesOn = (state: OrderState) => isOrder(state) && state.awaiting !== awaiting;
  const shown = (await firstVersion(call, orderAddress(orderId), before.version, goesOn)) ?? before;
  if (!isOrder(shown.state)) throw notFound('order');
  const { state, version } = shown;
  return { status: 202, body: orderView(state, version), version, orderId: state.orderId };
}
