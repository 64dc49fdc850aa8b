/** What operators write down about an order, for each other: the customer never sees it. */
import type { OrderState } from '../../../actors/order/state.ts';
import { type OrderCommand, orderAddress } from '../../../actors/order.ts';
import { ask, stateAt } from '../../calls.ts';
import { notFound } from '../../problem.ts';
import { type Route, route } from '../../route.ts';
import { noteSchema, notesSchema } from '../../schemas/admin.ts';
import { idParams } from '../../schemas/common.ts';
import { notesView } from '../../views/notes.ts';
import { isOrder } from '../placed.ts';

export const addNote: Route = route({
  method: 'post',
  path: '/v1/admin/orders/{id}/notes',
  tag: 'Operators: orders',
  summary: 'Write something down about an order, for other operators',
  access: { scope: 'orders' },
  ifMatch: 'honoured',
  params: idParams,
  body: noteSchema,
  responses: { 201: { description: 'All notes of the order.', schema: notesSchema } },
  example: { text: 'The customer called: the bell is broken, please knock.' },
  handler: async (call) => {
    const { id } = call.params;
    const command: OrderCommand = { type: 'AddNote', by: call.principal.sub, text: call.body.text };
    const answer = await ask(call, orderAddress(id), command);
    const state = await stateAt<OrderState>(call, orderAddress(id), answer);
    if (!isOrder(state)) throw notFound('order');
    const { version, replayed } = answer;
    return { status: 201, body: { orderId: id, notes: notesView(state), version }, version, replayed, orderId: id };
  },
});
