/** Messages that could not be handled, and what operators do about them. Each repair is kept with who and why. */
import { z } from 'zod';
import { parseAddressKey } from '../../../actors/kernel/address.ts';
import type { RepairCommand } from '../../../supervisors/repairs.ts';
import { ask } from '../../calls.ts';
import { decodeCursor, encodeCursor } from '../../cursor.ts';
import { notFound, Problem } from '../../problem.ts';
import { type Call, type Route, route } from '../../route.ts';
import {
  letterDetailSchema,
  letterParams,
  letterQuery,
  lettersSchema,
  repairsQuery,
  repairsSchema,
  requeueAllSchema,
  requeuedAllSchema,
  requeuedSchema,
  whyQuery,
  whySchema,
} from '../../schemas/repairs.ts';
import { letterView, repairView } from '../../views/repairs.ts';

const tag = 'Operators: runtime';
const access = { scope: 'cluster' } as const;
/** Letters that one request requeues, and those of them at once. */
const MAX_REQUEUED = 1_000;
const REQUEUED_AT_ONCE = 100;

const letterPosition = z.strictObject({ at: z.int(), id: z.string() });

const list = route({
  method: 'get',
  path: '/v1/admin/dead-letters',
  tag,
  summary: 'Messages that could not be handled',
  access,
  query: letterQuery,
  responses: { 200: { description: 'Newest first.', schema: lettersSchema } },
  handler: ({ shop, query: { limit, cursor, type, reason } }) => {
    const scope = JSON.stringify(['dead-letters', type, reason]);
    const after = cursor === undefined ? undefined : decodeCursor(cursor, scope, letterPosition);
    const filter = { ...(type !== undefined && { type }), ...(reason !== undefined && { reason }) };
    const rows = shop.letters.page({ limit: limit + 1, ...filter, ...(after && { after }) });
    const data = rows.slice(0, limit);
    const last = rows.length > limit ? data.at(-1) : undefined;
    const next = last ? encodeCursor(scope, { at: last.at, id: last.id }) : null;
    return { status: 200, body: { data: data.map(letterView), page: { next } } };
  },
});

const show = route({
  method: 'get',
  path: '/v1/admin/dead-letters/{id}',
  tag,
  summary: 'One of them, with what was done about it before',
  access,
  params: letterParams,
  responses: { 200: { description: 'The letter.', schema: letterDetailSchema } },
  handler: ({ shop: { letters }, params: { id } }) => {
    const letter = letters.find(id);
    if (!letter) throw notFound('dead-letter');
    return { status: 200, body: { ...letterView(letter), repairs: letters.repairsOf(id).map(repairView) } };
  },
});

type Kind = Exclude<RepairCommand['type'], 'LiftQuarantine'>;

/** Asks also about a letter that is one no more: a repeated request gets its first answer. */
async function repair(call: Call, type: Kind, id: string, why: string | undefined, part?: string) {
  const owner = call.shop.letters.owner(id);
  if (!owner) throw notFound('dead-letter');
  const command: RepairCommand = { type, message: owner.messageId, ...(why !== undefined && { why }) };
  return ask(call, parseAddressKey(owner.key), command, part);
}

const requeue = route({
  method: 'post',
  path: '/v1/admin/dead-letters/{id}/requeue',
  tag,
  summary: 'Deliver it once more',
  access,
  params: letterParams,
  body: whySchema,
  responses: { 202: { description: 'It is on its way; if it fails again it comes back.', schema: requeuedSchema } },
  example: { why: 'Fixed in 0.2.1.' },
  handler: async (call) => {
    const { id } = call.params;
    const { replayed } = await repair(call, 'RequeueDeadLetter', id, call.body.why);
    return { status: 202, body: { id, status: 'requeued' }, replayed };
  },
});

const requeueAll = route({
  method: 'post',
  path: '/v1/admin/dead-letters/requeue-all',
  tag,
  summary: 'Deliver all of them once more, or all of a kind',
  access,
  // Harmless to repeat: what is on its way is a dead letter no more.
  idempotency: 'ignored',
  body: requeueAllSchema,
  responses: { 202: { description: 'How many are on their way.', schema: requeuedAllSchema } },
  example: { type: 'ReserveStock', why: 'Fixed in 0.2.1.' },
  handler: async (call) => {
    const { type, reason, why } = call.body;
    const filter = { ...(type !== undefined && { type }), ...(reason !== undefined && { reason }) };
    const found = call.shop.letters.page({ limit: MAX_REQUEUED + 1, ...filter });
    const ids = found.slice(0, MAX_REQUEUED).map(({ id }) => id);
    let requeued = 0;
    while (ids.length > 0) {
      const some = ids.splice(0, REQUEUED_AT_ONCE);
      const done = await Promise.all(some.map((id) => requeueOne(call, id, why)));
      requeued += done.filter(Boolean).length;
    }
    return { status: 202, body: { requeued, more: found.length > MAX_REQUEUED } };
  },
});

/** False when somebody else was faster. */
async function requeueOne(call: Call, id: string, why: string | undefined): Promise<boolean> {
  try {
    await repair(call, 'RequeueDeadLetter', id, why, id);
    return true;
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return false;
    throw error;
  }
}

const discard = route({
  method: 'delete',
  path: '/v1/admin/dead-letters/{id}',
  tag,
  summary: 'Give it up for good',
  access,
  params: letterParams,
  query: whyQuery,
  responses: { 204: { description: 'It will never be handled.' } },
  handler: async (call) => {
    await repair(call, 'DiscardDeadLetter', call.params.id, call.query.why);
    return { status: 204 };
  },
});

const REPAIRS = 'repairs';

const repairs = route({
  method: 'get',
  path: '/v1/admin/repairs',
  tag,
  summary: 'What was done about dead letters and quarantines, by whom and why',
  access,
  query: repairsQuery,
  responses: { 200: { description: 'Newest first.', schema: repairsSchema } },
  handler: ({ shop, query: { limit, cursor } }) => {
    const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : decodeCursor(cursor, REPAIRS, z.int());
    const rows = shop.letters.repairs(before, limit + 1);
    const data = rows.slice(0, limit);
    const last = rows.length > limit ? data.at(-1) : undefined;
    const next = last ? encodeCursor(REPAIRS, last.position) : null;
    return { status: 200, body: { data: data.map(repairView), page: { next } } };
  },
});

export const deadLetterRoutes: readonly Route[] = [list, show, requeue, requeueAll, discard, repairs];
