/** Our books of the customers' money against the payment vendor's. */
import { z } from 'zod';
import { decodeCursor, encodeCursor } from '../../cursor.ts';
import { type Route, route } from '../../route.ts';
import { reconciliationQuery, reconciliationSchema } from '../../schemas/payments.ts';
import type { Finding } from '../../shop.ts';
import { findingView } from '../../views/finding.ts';

/** Orders that are looked at together. */
const BATCH = 100;
/** A request goes on with the next batch until it has been at work for this long, or has found this much. */
const WORK_MS = 3_000;
const MAX_FINDINGS = 100;

const SCOPE = 'payments/reconciliation';
const position = z.strictObject({ orderId: z.string() });

const getReconciliation = route({
  method: 'get',
  path: '/v1/admin/payments/reconciliation',
  tag: 'Operators: payments',
  summary: "Where our books and the payment vendor's differ",
  access: { scope: 'payments' },
  query: reconciliationQuery,
  responses: {
    200: { description: 'What was found so far, and where to go on.', schema: reconciliationSchema },
  },
  handler: async ({ shop, query: { cursor } }) => {
    const until = shop.clock.monotonic() + WORK_MS;
    const findings: Finding[] = [];
    let examined = 0;
    let after = cursor === undefined ? undefined : decodeCursor(cursor, SCOPE, position).orderId;
    for (;;) {
      const batch = await shop.reconcile({ limit: BATCH, ...(after !== undefined && { after }) });
      findings.push(...batch.findings);
      examined += batch.examined;
      after = batch.next ?? undefined;
      if (after === undefined || findings.length >= MAX_FINDINGS || shop.clock.monotonic() >= until) break;
    }
    const next = after === undefined ? null : encodeCursor(SCOPE, { orderId: after });
    return { status: 200, body: { data: findings.map(findingView), examined, page: { next } } };
  },
});

export const paymentRoutes: readonly Route[] = [getReconciliation];
