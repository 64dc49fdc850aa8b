/** What the shop sold, took and missed. */
import { type Route, route } from '../../route.ts';
import { statisticsQuery, statisticsSchema } from '../../schemas/queries.ts';
import { statisticsView } from '../../views/statistics.ts';

export const getStatistics: Route = route({
  method: 'get',
  path: '/v1/admin/statistics',
  tag: 'Operators: orders',
  summary: 'Orders, revenue, failed payments, durations, best sold and low stock',
  access: { scope: 'orders' },
  query: statisticsQuery,
  responses: { 200: { description: 'Figures of at most five minutes ago.', schema: statisticsSchema } },
  handler: async ({ shop, query: { days } }) => ({
    status: 200,
    body: statisticsView(await shop.operators.statistics(days), days),
  }),
});
