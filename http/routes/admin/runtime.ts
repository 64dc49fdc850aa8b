/** The machine room: actors in quarantine, and the tools of tests (a clock to be moved, actors to be killed). */
import type { RepairCommand } from '../../../supervisors/repairs.ts';
import { ask } from '../../calls.ts';
import { notFound } from '../../problem.ts';
import { type Route, route } from '../../route.ts';
import { actorParams, advanceSchema, clockSchema, killedSchema } from '../../schemas/admin.ts';
import { quarantineSchema, whyQuery } from '../../schemas/repairs.ts';
import { quarantineView } from '../../views/repairs.ts';
import { time } from '../../views/time.ts';

const tag = 'Operators: runtime';

export const advanceClock: Route = route({
  method: 'post',
  path: '/v1/admin/clock/advance',
  tag,
  summary: 'Let business time pass (only with CLOCK=virtual)',
  access: { scope: 'cluster' },
  idempotency: 'ignored',
  body: advanceSchema,
  responses: { 200: { description: 'What fell due has been handled.', schema: clockSchema } },
  example: { ms: 1_800_000 },
  handler: async ({ shop, body }) => {
    if (!shop.advanceClock) throw notFound('clock');
    await shop.advanceClock(body.ms);
    return { status: 200, body: { now: time(shop.clock.now()) } };
  },
});

export const killActor: Route = route({
  method: 'post',
  path: '/v1/admin/actors/{type}/{id}/kill',
  tag,
  summary: 'Kill a live actor (only with CHAOS=on)',
  access: { scope: 'chaos' },
  idempotency: 'ignored',
  params: actorParams,
  responses: { 202: { description: 'Its next message brings it back.', schema: killedSchema } },
  handler: async ({ shop, params: { type, id } }) => {
    if (!shop.kill || !shop.operators.knowsType(type)) throw notFound('actor');
    await shop.kill({ type, id });
    return { status: 202, body: { type, id } };
  },
});

const quarantine = route({
  method: 'get',
  path: '/v1/admin/quarantine',
  tag,
  summary: 'Actors that crashed again and again and get no messages for a while',
  access: { scope: 'cluster' },
  responses: { 200: { description: 'Those of now; a restart forgets them.', schema: quarantineSchema } },
  handler: async ({ shop }) => ({ status: 200, body: quarantineView(await shop.operations.quarantined()) }),
});

const liftQuarantine = route({
  method: 'delete',
  path: '/v1/admin/actors/{type}/{id}/quarantine',
  tag,
  summary: 'Let an actor have its messages again',
  access: { scope: 'cluster' },
  params: actorParams,
  query: whyQuery,
  responses: { 204: { description: 'What waits for it is delivered within seconds.' } },
  handler: async (call) => {
    const { params, query, shop } = call;
    if (!shop.operators.knowsType(params.type)) throw notFound('quarantine');
    if (!(await shop.operations.inside(params)).quarantined) throw notFound('quarantine');
    const why = query.why === undefined ? {} : { why: query.why };
    await ask(call, params, { type: 'LiftQuarantine', ...why } satisfies RepairCommand);
    return { status: 204 };
  },
});

export const quarantineRoutes: readonly Route[] = [quarantine, liftQuarantine];
