/** The machine room: dead letters, and the tools of tests (a clock that can be moved, actors that can be killed). */
import { addressKey } from '../../../actors/kernel/address.ts';
import type { StoredDeadLetter } from '../../../actors/kernel/ports.ts';
import { notFound } from '../../problem.ts';
import { type Route, route } from '../../route.ts';
import {
  actorParams,
  advanceSchema,
  clockSchema,
  deadLetterQuery,
  deadLettersSchema,
  killedSchema,
} from '../../schemas/admin.ts';
import { time } from '../../views/time.ts';

const tag = 'Operators: runtime';

export const deadLetters: Route = route({
  method: 'get',
  path: '/v1/admin/dead-letters',
  tag,
  summary: 'Messages that could not be handled',
  access: { scope: 'cluster' },
  query: deadLetterQuery,
  responses: { 200: { description: 'Newest first.', schema: deadLettersSchema } },
  handler: async ({ shop, query }) => {
    const letters = await shop.deadLetters(query.limit);
    return { status: 200, body: { data: letters.map(deadLetterView) } };
  },
});

/** Without the message's contents: they may be personal. */
function deadLetterView({ id, reason, attempts, at, envelope: { to, message, trace } }: StoredDeadLetter) {
  const type = message.type;
  return { id, to: addressKey(to), type, reason, attempts, at: time(at), ...(trace !== undefined && { trace }) };
}

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
    if (!shop.kill) throw notFound('actor');
    await shop.kill({ type, id });
    return { status: 202, body: { type, id } };
  },
});
