import { z } from 'zod';
import { cursorSchema, timeSchema } from './common.ts';

export const checkQuery = z.strictObject({
  deep: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: 'The whole log, every message and every snapshot, not only the newest.' }),
  cursor: cursorSchema,
});

const count = z.int().min(0);

export const checkSchema = z
  .strictObject({
    checkedAt: timeSchema,
    covered: z
      .record(z.string(), count)
      .meta({ description: 'How many aggregates, orders, messages … this part of the check has looked at.' }),
    summary: z.strictObject({ critical: count, warning: count, info: count }),
    findings: z.array(
      z.strictObject({
        level: z.enum(['critical', 'warning', 'info']),
        code: z.string().meta({ description: 'Stable.', example: 'stock.not-conserved' }),
        text: z.string(),
        ids: z.array(z.string()).meta({ description: 'What it is about: orders, aggregates (`id/type`), messages.' }),
      }),
    ),
    page: z
      .strictObject({ next: z.union([z.string(), z.null()]) })
      .meta({ description: '`next` goes on where the time of this request was up; null when all is checked.' }),
  })
  .meta({ id: 'Check' });
