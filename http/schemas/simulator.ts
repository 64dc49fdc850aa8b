import { z } from 'zod';
import { idSchema, moneySchema, text, timeSchema } from './common.ts';

export const referenceParams = z.object({ reference: idSchema });

export const bankRequestSchema = z
  .strictObject({ orderId: z.string(), amount: moneySchema, status: z.enum(['waiting', 'approved', 'declined']) })
  .meta({ id: 'BankRequest' });

export const bankDecisionSchema = z.strictObject({ approve: z.boolean() }).meta({ id: 'BankDecision' });

export const openDisputeSchema = z
  .strictObject({
    orderId: idSchema,
    amount: moneySchema.optional().meta({ description: 'All that is kept, unless given.' }),
    reason: text(200).default('fraudulent'),
  })
  .meta({ id: 'OpenDispute' });

export const disputeParams = z.object({ id: idSchema });
export const resolveDisputeSchema = z.strictObject({ outcome: z.enum(['won', 'lost']) }).meta({ id: 'ResolveDispute' });

export const disputeSchema = z
  .strictObject({
    id: z.string(),
    orderId: z.string(),
    amount: moneySchema,
    reason: z.string(),
    at: timeSchema,
    status: z.enum(['open', 'won', 'lost']),
  })
  .meta({ id: 'Dispute' });
