/** Figures for the operator's dashboards. */
import { type Route, route } from '../../route.ts';
import { cachesSchema } from '../../schemas/dashboards.ts';

const tag = 'Operators: figures';

const getCaches = route({
  method: 'get',
  path: '/v1/admin/caches',
  tag,
  summary: 'What this node remembers, and how often that helped',
  access: { scope: 'cluster' },
  responses: { 200: { description: 'Since the process started.', schema: cachesSchema } },
  handler: ({ shop }) => ({ status: 200, body: { data: shop.caches() } }),
});

export const dashboardRoutes: readonly Route[] = [getCaches];
