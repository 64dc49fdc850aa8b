/** The consistency checker over a running node: one request does some seconds of it, the next goes on there. */
import { z } from 'zod';
import { phaseNames } from '../../../supervisors/checker/phases.ts';
import { decodeCursor, encodeCursor } from '../../cursor.ts';
import { type Route, route } from '../../route.ts';
import { checkQuery, checkSchema } from '../../schemas/check.ts';
import type { CheckFinding } from '../../shop.ts';
import { time } from '../../views/time.ts';

const position = z.strictObject({ phase: z.enum(phaseNames), after: z.string() });

export const check: Route = route({
  method: 'get',
  path: '/v1/admin/check',
  tag: 'Operators: runtime',
  summary: 'Look for what should not be: lost money, stock, orders or messages',
  access: { scope: 'cluster' },
  query: checkQuery,
  responses: { 200: { description: 'What was found, and where to go on.', schema: checkSchema } },
  handler: async ({ shop, query: { deep: wanted, cursor } }) => {
    const deep = wanted === 'true';
    const scope = deep ? 'deep check' : 'check';
    const from = cursor === undefined ? undefined : decodeCursor(cursor, scope, position);
    const { findings, covered, next } = await shop.check({ deep, ...(from && { from }) });
    const page = { next: next === undefined ? null : encodeCursor(scope, next) };
    const body = { checkedAt: time(shop.clock.now()), covered, summary: summaryOf(findings), findings, page };
    return { status: 200, body };
  },
});

function summaryOf(findings: readonly CheckFinding[]) {
  const count = (level: CheckFinding['level']) => findings.filter((each) => each.level === level).length;
  return { critical: count('critical'), warning: count('warning'), info: count('info') };
}
