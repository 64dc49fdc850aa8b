/** The sagas that are not at their end, those that have stood longest first. */
import { z } from 'zod';
import { decodeCursor, encodeCursor, scopeOf } from '../../cursor.ts';
import { type Route, route } from '../../route.ts';
import { sagaListSchema, sagasQuery } from '../../schemas/queries.ts';
import { foundSagaView } from '../../views/queries.ts';

const position = z.strictObject({ since: z.number(), orderId: z.string() });

export const listSagas: Route = route({
  method: 'get',
  path: '/v1/admin/sagas',
  tag: 'Operators: orders',
  summary: 'What is under way, and why it waits; longest first',
  access: { scope: 'orders' },
  query: sagasQuery,
  responses: { 200: { description: 'One page of the sagas that are not at their end.', schema: sagaListSchema } },
  handler: async ({ shop, query: { state, awaiting, stuckFor, limit, cursor } }) => {
    const filter = { state, awaiting, stuckForMs: stuckFor === undefined ? undefined : stuckFor * 1_000 };
    const scope = scopeOf('admin-sagas', filter);
    const after = cursor === undefined ? undefined : decodeCursor(cursor, scope, position);
    const { sagas, next } = await shop.operators.findSagas({ filter, limit, after });
    return { status: 200, body: { data: sagas.map(foundSagaView), page: { next: next && encodeCursor(scope, next) } } };
  },
});
