/** What a warehouse or a carrier would report about a parcel, and what staff does about one that goes astray. */
import type { z } from 'zod';
import { sagaAddress } from '../../../actors/orderSaga/messages.ts';
import { alreadyRefunded } from '../../../actors/orderSaga/operator.ts';
import { isGivenBack } from '../../../actors/orderSaga/refunds.ts';
import type { SagaState } from '../../../actors/orderSaga/state.ts';
import { orderOfShipment, type ShipmentCommand, shipmentAddress } from '../../../actors/shipment.ts';
import { ask, read, stateAt } from '../../calls.ts';
import { notFound, Problem } from '../../problem.ts';
import { type Answer, type Call, type Route, route } from '../../route.ts';
import { repairSchema, reportedSchema, reportSchema, returnedSchema, shipmentParams } from '../../schemas/admin.ts';

const tag = 'Operators: orders';
const access = { scope: 'orders' } as const;

/** Gives the command to the parcel, if it is one of this order's; answers where it is after that. */
async function tell(
  call: Call<z.output<typeof shipmentParams>>,
  command: ShipmentCommand,
  success = 200,
): Promise<Answer> {
  const { id, sid } = call.params;
  const address = shipmentAddress(sid);
  if (orderOfShipment(sid) !== id || !(await read(call, address))) throw notFound('shipment');
  const { version, replayed, ...answer } = await ask(call, address, command);
  const { status } = await stateAt<{ status: string }>(call, address, { version, replayed, ...answer });
  return { status: success, body: { orderId: id, shipmentId: sid, status, version }, version, replayed, orderId: id };
}

/** The parcel knows nothing of money. What was asked for before the refund keeps its answer. */
async function refuseIfRefunded(call: Call<z.output<typeof shipmentParams>>): Promise<void> {
  const { id, sid } = call.params;
  const saga = await read<SagaState>(call, sagaAddress(id));
  if (saga?.state.status !== 'started' || !isGivenBack(saga.state)) return;
  const history = await call.shop.history(shipmentAddress(sid));
  if (history.some(({ cause }) => cause === call.requestId)) return;
  const { status, code, detail, title } = alreadyRefunded(id);
  throw new Problem(status, code, detail, { title });
}

const report = route({
  method: 'post',
  path: '/v1/admin/orders/{id}/shipments/{sid}/events',
  tag,
  summary: 'Report what happened to a parcel',
  access,
  ifMatch: 'honoured',
  params: shipmentParams,
  body: reportSchema,
  responses: { 200: { description: 'The parcel as it is now; its order follows.', schema: reportedSchema } },
  example: { type: 'delivered', occurredAt: '2026-11-21T10:00:00.000Z', eventId: 'evt_1' },
  handler: (call) => {
    const { type, attempt, occurredAt, eventId } = call.body;
    return tell(call, {
      type: 'ReportShipment',
      report: type,
      ...(attempt !== undefined && { attempt }),
      ...(occurredAt !== undefined && { occurredAt: Date.parse(occurredAt) }),
      ...(eventId !== undefined && { eventId }),
    });
  },
});

const reship = route({
  method: 'post',
  path: '/v1/admin/orders/{id}/shipments/{sid}/reship',
  tag,
  summary: 'Send the goods of a parcel once more that is lost, has come back or is on its way back',
  access,
  ifMatch: 'honoured',
  params: shipmentParams,
  body: repairSchema,
  responses: {
    202: {
      description: 'The old parcel; the new one shows in the order once it has its goods.',
      schema: reportedSchema,
    },
  },
  example: { why: 'The customer has moved back in.' },
  handler: async (call) => {
    await refuseIfRefunded(call);
    return tell(call, { type: 'ReshipShipment', why: call.body.why, by: call.principal.sub }, 202);
  },
});

const returned = route({
  method: 'post',
  path: '/v1/admin/orders/{id}/shipments/{sid}/returned-pieces',
  tag,
  summary: 'Book what became of the pieces of a parcel that came back, once',
  access,
  ifMatch: 'honoured',
  params: shipmentParams,
  body: returnedSchema,
  responses: { 200: { description: 'The parcel; the stock follows.', schema: reportedSchema } },
  example: { lines: [{ sku: 'TEA-GREEN-100', restock: 2 }], why: 'Unopened.' },
  handler: (call) => {
    const { lines, why } = call.body;
    return tell(call, { type: 'BookReturnedPieces', lines, why, by: call.principal.sub });
  },
});

const acknowledge = route({
  method: 'post',
  path: '/v1/admin/orders/{id}/shipments/{sid}/acknowledge',
  tag,
  summary: "Put a parcel's alert off: somebody has looked",
  access,
  ifMatch: 'honoured',
  params: shipmentParams,
  body: repairSchema,
  responses: { 200: { description: 'The parcel as it is now.', schema: reportedSchema } },
  example: { why: 'The carrier says it missed the scan.' },
  handler: (call) => tell(call, { type: 'AcknowledgeAlert', why: call.body.why, by: call.principal.sub }),
});

export const shipmentRoutes: readonly Route[] = [report, reship, returned, acknowledge];
