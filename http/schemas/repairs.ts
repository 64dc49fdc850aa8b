import { z } from 'zod';
import { cursorSchema, limitSchema, listSchema, text, timeSchema } from './common.ts';

const MAX_FILTER = 200;
const MAX_WHY = 500;

const nullableText = z.union([z.string(), z.null()]);

/** Ours are 30 long; longer ones name nothing. */
export const letterParams = z.object({ id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/) });

const letterFields = {
  id: z.string(),
  to: z.string().meta({ description: 'The aggregate that could not handle it: `id/type`.' }),
  from: nullableText.meta({ description: 'Who sent it; null for its own timers.' }),
  type: z.string().meta({ description: 'Of the message.' }),
  reason: z.string(),
  attempts: z.int().meta({ description: 'Of all its deliveries.' }),
  at: timeSchema,
  trace: z.string().optional(),
};

const recordedRepairSchema = z
  .strictObject({
    at: timeSchema,
    kind: z.enum(['requeue', 'discard', 'lift-quarantine']),
    actor: z.string(),
    by: nullableText,
    why: nullableText,
    letter: z.union([
      z.strictObject({ id: z.string(), type: z.string(), reason: z.string(), attempts: z.int() }),
      z.null(),
    ]),
  })
  .meta({ id: 'RuntimeRepair' });

const letterSchema = z.strictObject(letterFields).meta({ id: 'DeadLetter' });
export const letterDetailSchema = z
  .strictObject({ ...letterFields, repairs: z.array(recordedRepairSchema) })
  .meta({ id: 'DeadLetterWithRepairs' });

export const lettersSchema = listSchema(letterSchema).meta({ id: 'DeadLetters' });
export const repairsSchema = listSchema(recordedRepairSchema).meta({ id: 'RuntimeRepairs' });

export const letterQuery = z.strictObject({
  type: text(MAX_FILTER).optional().meta({ description: 'Of the message, exactly.' }),
  reason: text(MAX_FILTER).optional().meta({ description: 'Any part of the reason.' }),
  limit: limitSchema,
  cursor: cursorSchema,
});

export const repairsQuery = z.strictObject({ limit: limitSchema, cursor: cursorSchema });

const why = text(MAX_WHY).optional().meta({ description: 'Kept with who did it and when.' });
export const whySchema = z.strictObject({ why }).meta({ id: 'Why' });
/** Bodies of DELETE are not everybody's; the reason travels in the query. */
export const whyQuery = z.strictObject({ why });

export const requeueAllSchema = z
  .strictObject({ type: text(MAX_FILTER).optional(), reason: text(MAX_FILTER).optional(), why })
  .meta({ id: 'RequeueAll' });

export const requeuedSchema = z
  .strictObject({ id: z.string(), status: z.literal('requeued') })
  .meta({ id: 'Requeued' });
export const requeuedAllSchema = z
  .strictObject({
    requeued: z.int(),
    more: z.boolean().meta({ description: 'There are more that match: ask again.' }),
  })
  .meta({ id: 'RequeuedAll' });

export const quarantineSchema = z
  .strictObject({
    data: z.array(
      z.strictObject({ type: z.string(), id: z.string(), reason: z.string(), since: timeSchema, until: timeSchema }),
    ),
    silent: z.array(z.string()).meta({ description: 'Nodes that did not answer: what they hold is not listed.' }),
  })
  .meta({ id: 'Quarantine' });
