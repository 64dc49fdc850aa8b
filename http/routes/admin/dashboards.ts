/** Figures for the operator's dashboards. */
import { type Route, route } from '../../route.ts';
import { cachesSchema, statisticsSchema } from '../../schemas/dashboards.ts';
import { time } from '../../views/time.ts';

const tag = 'Operators: figures';

const getStatistics = route({
  method: 'get',
  path: '/v1/admin/statistics',
  tag,
  summary: 'Products, stock and orders in numbers, at most 5 minutes old',
  access: { scope: 'orders' },
  responses: { 200: { description: 'As of `countedAt`.', schema: statisticsSchema } },
  handler: ({ shop }) => {
    const { countedAt, ...statistics } = shop.statistics();
    return { status: 200, body: { countedAt: time(countedAt), ...statistics } };
  },
});

const getCaches = route({
  method: 'get',
  path: '/v1/admin/caches',
  tag,
  summary: 'What this node remembers, and how often that helped',
  access: { scope: 'cluster' },
  responses: { 200: { description: 'Since the process started.', schema: cachesSchema } },
  handler: ({ shop }) => ({ status: 200, body: { data: shop.caches() } }),
});

export const dashboardRoutes: readonly Route[] = [getStatistics, getCaches];
