import { z } from 'zod';
import { cursorSchema, listSchema, moneySchema } from './common.ts';

export const reconciliationQuery = z.strictObject({ cursor: cursorSchema });

const findingSchema = z
  .strictObject({
    code: z.enum([
      'charged-unknown',
      'capture-missing',
      'amount-differs',
      'captured-twice',
      'authorization-alive',
      'authorization-unknown',
      'authorization-missing',
      'refund-missing',
      'refund-unknown',
      'dispute-differs',
    ]),
    severity: z.enum(['critical', 'warning']),
    orderId: z.string(),
    key: z.string().optional().meta({ description: 'Of the operation at the vendor.' }),
    ours: moneySchema.optional(),
    vendors: moneySchema.optional(),
    detail: z.string(),
  })
  .meta({ id: 'PaymentFinding' });

export const reconciliationSchema = listSchema(findingSchema)
  .extend({ examined: z.int().meta({ description: 'Orders compared for this page.' }) })
  .meta({ id: 'PaymentReconciliation' });
