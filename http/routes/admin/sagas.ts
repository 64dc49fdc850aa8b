/** Where an order's saga stands, and the operator's ways to repair it. Each repair is recorded with who and why. */
import { handedOver } from '../../../actors/order/parcels.ts';
import type { OrderState } from '../../../actors/order/state.ts';
import { orderAddress } from '../../../actors/order.ts';
import { type SagaOperatorCommand, sagaAddress } from '../../../actors/orderSaga/messages.ts';
import type { SagaState } from '../../../actors/orderSaga/state.ts';
import { ask, read } from '../../calls.ts';
import { notFound, Problem } from '../../problem.ts';
import { type Answer, type Call, type Route, route } from '../../route.ts';
import { orderIdParams, repairSchema, sagaRefundSchema, sagaSchema } from '../../schemas/admin.ts';
import { sagaView } from '../../views/saga.ts';
import { isOrder } from '../placed.ts';

const tag = 'Operators: orders';
const access = { scope: 'orders' } as const;
const saga = { 200: { description: 'The saga as it is now.', schema: sagaSchema } };

async function show(call: Call, orderId: string, version?: number): Promise<Answer> {
  const address = sagaAddress(orderId);
  const found =
    version === undefined ? await read<SagaState>(call, address) : await call.shop.readAt<SagaState>(address, version);
  if (!found || found.state.status === 'unknown') throw notFound('saga');
  const history = await call.shop.history(address);
  const last = history.findIndex((commit) => commit.version === version);
  const body =
    last < 0
      ? sagaView(found.state, found.version, history, call.shop.clock.now())
      : // A repeated repair shows what was still to come then, as its first answer did.
        sagaView(found.state, found.version, history.slice(0, last + 1), history[last]?.at ?? 0);
  return { status: 200, body, version: found.version, orderId };
}

const getSaga = route({
  method: 'get',
  path: '/v1/admin/sagas/{orderId}',
  tag,
  summary: 'Steps, attempts, why it waits, what comes next',
  access,
  params: orderIdParams,
  responses: saga,
  handler: (call) => show(call, call.params.orderId),
});

/**
 * Only the order knows about its parcels; a saga that is told to cancel nevertheless undoes what it can and finds out
 * then. A cancellation that was taken before the parcel left keeps its answer.
 */
async function refuseOnceHandedOver(call: Call, orderId: string): Promise<void> {
  const order = await read<OrderState>(call, orderAddress(orderId));
  if (!order || !isOrder(order.state) || !handedOver(order.state.shipments)) return;
  const history = await call.shop.history(sagaAddress(orderId));
  if (history.some(({ cause }) => cause === call.requestId)) return;
  throw new Problem(409, 'order.too-late-to-cancel', 'The carrier already has it.', { title: 'Too late to cancel' });
}

type Repair = Exclude<SagaOperatorCommand['type'], 'RefundByOperator'>;

function repair(name: string, type: Repair, summary: string): Route {
  return route({
    method: 'post',
    path: `/v1/admin/sagas/{orderId}/${name}`,
    tag,
    summary,
    access,
    ifMatch: 'honoured',
    params: orderIdParams,
    body: repairSchema,
    responses: saga,
    example: { why: 'Spoke with the customer.' },
    handler: async (call) => {
      const { orderId } = call.params;
      if (type === 'CancelByOperator') await refuseOnceHandedOver(call, orderId);
      const command = { type, by: call.principal.sub, why: call.body.why };
      const answer = await ask(call, sagaAddress(orderId), command);
      return { ...(await show(call, orderId, answer.version)), replayed: answer.replayed };
    },
  });
}

const refund = route({
  method: 'post',
  path: '/v1/admin/sagas/{orderId}/refund',
  tag,
  summary: 'Give back a part of what was captured, or all that is left of it; the order goes on',
  access: { scope: 'payments' },
  idempotency: 'required',
  ifMatch: 'honoured',
  params: orderIdParams,
  body: sagaRefundSchema,
  responses: saga,
  example: { amount: { amount: 500, currency: 'USD' }, why: 'One cup was chipped.' },
  handler: async (call) => {
    const { orderId } = call.params;
    const { amount = null, why } = call.body;
    const command: SagaOperatorCommand = { type: 'RefundByOperator', by: call.principal.sub, why, amount };
    const answer = await ask(call, sagaAddress(orderId), command);
    return { ...(await show(call, orderId, answer.version)), replayed: answer.replayed };
  },
});

export const sagaRoutes: readonly Route[] = [
  getSaga,
  repair('release', 'ReleaseHold', 'Let a held order go on'),
  repair('cancel', 'CancelByOperator', 'Cancel the order and undo what was done'),
  repair('retry', 'RetrySaga', 'Start a held order anew, or repeat the compensations and refunds that failed'),
  repair('skip', 'SkipCompensation', 'What could not be undone was settled by hand: go on to the end without it'),
  refund,
];
