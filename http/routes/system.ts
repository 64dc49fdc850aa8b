/** For load balancers, monitors and scrapers. Answered even when the edge sheds load. */
import { z } from 'zod';
import { type Route, route } from '../route.ts';

const tag = 'Health';
const healthSchema = z
  .strictObject({ status: z.enum(['ok', 'unavailable']), detail: z.record(z.string(), z.unknown()) })
  .meta({ id: 'Health' });

const live = route({
  method: 'get',
  path: '/healthz',
  tag,
  summary: 'Is the process alive?',
  access: 'public',
  vital: true,
  responses: { 200: { description: 'Alive.', schema: healthSchema }, 503: { description: 'Restart it.' } },
  handler: ({ shop }) => {
    const { live: ok, detail } = shop.health();
    return { status: ok ? 200 : 503, body: { status: ok ? 'ok' : 'unavailable', detail } };
  },
});

const ready = route({
  method: 'get',
  path: '/readyz',
  tag,
  summary: 'Can it take traffic: owns its shards, caught up?',
  access: 'public',
  vital: true,
  responses: {
    200: { description: 'Ready.', schema: healthSchema },
    503: { description: 'Not yet, or not any more.' },
  },
  handler: ({ shop, isLeaving }) => {
    const { ready: isReady, detail } = shop.health();
    const ok = isReady && !isLeaving();
    const headers = ok ? {} : { 'Retry-After': '1' };
    return { status: ok ? 200 : 503, headers, body: { status: ok ? 'ok' : 'unavailable', detail } };
  },
});

const metrics = route({
  method: 'get',
  path: '/metrics',
  tag,
  summary: 'Figures for Prometheus',
  access: 'public',
  vital: true,
  contentType: 'text/plain; version=0.0.4; charset=utf-8',
  responses: { 200: { description: 'Prometheus text format.' } },
  handler: async ({ shop }) => ({ status: 200, body: await shop.metrics() }),
});

export const systemRoutes: readonly Route[] = [live, ready, metrics];
