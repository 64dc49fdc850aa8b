/** What is yours, as it changes. */
import { z } from 'zod';
import { type Route, route } from '../route.ts';

const HEADERS = {
  'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
  // Nothing else comes over it: when the node stops it must not be waited for.
  Connection: 'close',
};

const listen = route({
  method: 'get',
  path: '/v1/events',
  tag: 'Events',
  summary: 'Your carts, orders and parcels as they change: server-sent events',
  access: 'any',
  contentType: 'text/event-stream',
  streams: true,
  responses: {
    200: {
      description:
        'Stays open. Events `cart.updated`, `order.updated` and `shipment.updated` say which resource changed and to ' +
        'which version; `Last-Event-ID` goes on after that event, on any node; `reset` when that is too long ago: read ' +
        'anew what you show. A comment at least every 30 s.',
      schema: z.string(),
    },
  },
  handler: async ({ shop, streams, principal, lastEventId, isStillCaller }) => {
    const stream = await streams.open({
      principal,
      follow: ({ wake }) => shop.changes.follow(principal.sub, { after: lastEventId, wake }),
      isAllowed: isStillCaller,
    });
    return { status: 200, stream, headers: HEADERS };
  },
});

export const eventRoutes: readonly Route[] = [listen];
