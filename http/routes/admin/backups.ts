/** Backups of this node's store, taken while it works. */
import { BackupExists } from '../../../storage/backup.ts';
import { BackupRunning, type BackupState } from '../../../supervisors/backups.ts';
import { Problem } from '../../problem.ts';
import { type Route, route } from '../../route.ts';
import { backupSchema, backupsSchema } from '../../schemas/backups.ts';
import { time } from '../../views/time.ts';

const tag = 'Operators: runtime';
const access = { scope: 'cluster' } as const;

const startBackup = route({
  method: 'post',
  path: '/v1/admin/backups',
  tag,
  summary: 'Begin a backup; the list tells when it is whole',
  access,
  idempotency: 'ignored',
  body: backupSchema,
  responses: { 202: { description: 'It is being written.', schema: backupsSchema } },
  example: { name: 'before-the-sale' },
  handler: ({ shop, body }) => {
    try {
      shop.backups.start(body.name);
    } catch (error) {
      if (error instanceof BackupRunning) throw new Problem(409, 'backup.running', 'Another backup is under way.');
      if (error instanceof BackupExists) throw new Problem(409, 'backup.exists', `There is a backup ${body.name}.`);
      throw error;
    }
    return { status: 202, body: backupsView(shop.backups.state()) };
  },
});

const listBackups = route({
  method: 'get',
  path: '/v1/admin/backups',
  tag,
  summary: 'The backups, the one under way, and what became of the last one that failed',
  access,
  responses: { 200: { description: 'Newest first.', schema: backupsSchema } },
  handler: ({ shop }) => ({ status: 200, body: backupsView(shop.backups.state()) }),
});

function backupsView({ running, failure, backups }: BackupState) {
  return { running, failure, data: backups.map(({ name, at, bytes }) => ({ name, at: time(at), bytes })) };
}

export const backupRoutes: readonly Route[] = [startBackup, listBackups];
