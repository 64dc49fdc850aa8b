/** Any aggregate from the inside: its state now, at a version or a time, and everything that happened to it. */
import { z } from 'zod';
import type { Address } from '../../../actors/kernel/address.ts';
import { hasScope } from '../../auth.ts';
import { read } from '../../calls.ts';
import { decodeCursor, encodeCursor, scopeOf } from '../../cursor.ts';
import { notFound } from '../../problem.ts';
import { type Answer, type Call, type Route, route } from '../../route.ts';
import { actorParams } from '../../schemas/admin.ts';
import { actorSchema, asOfQuery, eventListSchema, eventsQuery } from '../../schemas/queries.ts';
import type { AsOf } from '../../shop.ts';
import { pastActorView, pastEventView, timerView } from '../../views/queries.ts';
import { redacted } from '../../views/redacted.ts';
import { asOfOf } from './orders.ts';

const tag = 'Operators: runtime';
const access = { scope: 'cluster' } as const;

const position = z.strictObject({ seq: z.int(), index: z.int() });

const mayPersonal = ({ principal }: Call): boolean => hasScope(principal, 'privacy');

/** Of a type that is known: others have no actors at all. */
function addressOf({ shop }: Call, { type, id }: { type: string; id: string }): Address {
  if (!shop.operators.knowsType(type)) throw notFound('actor');
  return { type, id };
}

async function now(call: Call, address: Address): Promise<Answer> {
  const { operators, operations } = call.shop;
  // Before it is read: reading brings it to life.
  const { live, mailbox } = await operations.inside(address);
  const found = await read<unknown>(call, address);
  if (!found) throw notFound('actor');
  const { version, state } = found;
  const timers = await operators.timersOf(address);
  const body = {
    ...address,
    version,
    live,
    mailbox,
    timers: timers.map(timerView),
    state: redacted(address.type, state, mayPersonal(call)),
  };
  return { status: 200, body, version };
}

async function then(call: Call, address: Address, when: AsOf): Promise<Answer> {
  const found = await call.shop.operators.inspection.asOf(address, when);
  if (!found) throw notFound('actor');
  return { status: 200, body: pastActorView(address, found, mayPersonal(call)), version: found.version };
}

const getActor = route({
  method: 'get',
  path: '/v1/admin/actors/{type}/{id}',
  tag,
  summary: 'The state of any aggregate, as it is or as it was',
  access,
  params: actorParams,
  query: asOfQuery,
  responses: { 200: { description: 'Its state, without secrets.', schema: actorSchema } },
  handler: (call) => {
    const address = addressOf(call, call.params);
    const when = asOfOf(call.query);
    return when === undefined ? now(call, address) : then(call, address, when);
  },
});

const getEvents = route({
  method: 'get',
  path: '/v1/admin/actors/{type}/{id}/events',
  tag,
  summary: 'Everything that happened to an aggregate: what, when, why and who',
  access,
  params: actorParams,
  query: eventsQuery,
  responses: { 200: { description: 'One page, oldest first.', schema: eventListSchema } },
  handler: async (call) => {
    const address = addressOf(call, call.params);
    const { at, limit, cursor } = call.query;
    const scope = scopeOf('actor-events', { ...address, at });
    const after = cursor === undefined ? undefined : decodeCursor(cursor, scope, position);
    const { inspection } = call.shop.operators;
    const found = await inspection.events(address, { limit, after, until: at });
    if (found.length === 0 && (await inspection.events(address, { limit: 0 })).length === 0) throw notFound('actor');
    const shown = found.slice(0, limit);
    const last = shown.at(-1);
    const next = found.length > limit && last !== undefined ? encodeCursor(scope, last.position) : null;
    const data = shown.map((event) => pastEventView(address.type, event, mayPersonal(call)));
    return { status: 200, body: { data, page: { next } } };
  },
});

export const actorRoutes: readonly Route[] = [getActor, getEvents];
