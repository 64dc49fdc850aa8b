import { z } from 'zod';
import { moneySchema, timeSchema } from './common.ts';

const count = z.int().min(0);

export const statisticsSchema = z
  .strictObject({
    countedAt: timeSchema,
    products: z.strictObject({ draft: count, active: count, discontinued: count, outOfStock: count }),
    stock: z.strictObject({ available: count, reserved: count, committed: count, picked: count }),
    orders: z
      .array(z.strictObject({ status: z.string(), count, value: moneySchema }))
      .meta({ description: 'By status, most first; `value` is what they came to when they were placed.' }),
  })
  .meta({ id: 'Statistics' });

export const cachesSchema = z
  .strictObject({
    data: z.array(
      z.strictObject({
        name: z.string(),
        entries: count,
        ttlMs: count.meta({ description: 'After it an entry is read again; changes are noticed at once.' }),
        hits: count,
        misses: count,
      }),
    ),
  })
  .meta({ id: 'Caches' });
