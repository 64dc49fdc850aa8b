import { z } from 'zod';

const count = z.int().min(0);

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
