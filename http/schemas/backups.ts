import { z } from 'zod';
import { timeSchema } from './common.ts';

export const backupSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,63}$/)
      .meta({ description: 'Small letters, digits and hyphens.', example: 'before-the-sale' }),
  })
  .meta({ id: 'StartBackup' });

export const backupsSchema = z
  .strictObject({
    running: z.union([z.string(), z.null()]),
    failure: z.union([z.strictObject({ name: z.string(), reason: z.string() }), z.null()]),
    data: z.array(z.strictObject({ name: z.string(), at: timeSchema, bytes: z.int() })),
  })
  .meta({ id: 'Backups' });
