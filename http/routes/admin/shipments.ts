/** What a warehouse or a carrier would report about a parcel. */
import { orderOfShipment, type ShipmentCommand, shipmentAddress } from '../../../actors/shipment.ts';
import { ask, read, stateAt } from '../../calls.ts';
import { notFound } from '../../problem.ts';
import { type Route, route } from '../../route.ts';
import { reportedSchema, reportSchema, shipmentParams } from '../../schemas/admin.ts';

const report = route({
  method: 'post',
  path: '/v1/admin/orders/{id}/shipments/{sid}/events',
  tag: 'Operators: orders',
  summary: 'Report what happened to a parcel',
  access: { scope: 'orders' },
  ifMatch: 'honoured',
  params: shipmentParams,
  body: reportSchema,
  responses: { 200: { description: 'The parcel as it is now; its order follows.', schema: reportedSchema } },
  example: { type: 'delivered' },
  handler: async (call) => {
    const { id, sid } = call.params;
    const address = shipmentAddress(sid);
    if (orderOfShipment(sid) !== id || !(await read(call, address))) throw notFound('shipment');
    const { type, attempt } = call.body;
    const command: ShipmentCommand = {
      type: 'ReportShipment',
      report: type,
      ...(attempt !== undefined && { attempt }),
    };
    const { version, replayed, ...answer } = await ask(call, address, command);
    const { status } = await stateAt<{ status: string }>(call, address, { version, replayed, ...answer });
    return { status: 200, body: { orderId: id, shipmentId: sid, status, version }, version, replayed, orderId: id };
  },
});

export const shipmentRoutes: readonly Route[] = [report];
