/** Backups of a running node: one at a time, in the background, because a big store takes longer than a request may. */
import type { Logger } from 'pino';
import { type Backup, BackupExists, listBackups, type Sources, writeBackup } from '../storage/backup.ts';

/** There is one under way. */
export class BackupRunning extends Error {
  override readonly name = 'BackupRunning';
}

export type BackupState = {
  readonly running: string | null;
  /** Of the last one, until another is begun. */
  readonly failure: { readonly name: string; readonly reason: string } | null;
  /** Newest first. */
  readonly backups: readonly Backup[];
};

export interface Backups {
  /** @throws BackupRunning, BackupExists */
  start(name: string): void;
  state(): BackupState;
  /** Resolves when none is under way. */
  idle(): Promise<void>;
}

export type BackupsOptions = {
  readonly sources: Sources;
  /** BACKUP_DIR: each backup is a folder in it. */
  readonly folder: string;
  readonly now: () => number;
  readonly logger: Logger;
};

export function createBackups({ sources, folder, now, logger }: BackupsOptions): Backups {
  let running: { readonly name: string; readonly ended: Promise<void> } | undefined;
  let failure: BackupState['failure'] = null;

  async function write(name: string): Promise<void> {
    try {
      const backup = await writeBackup(sources, folder, name, now);
      logger.info({ backup, folder }, 'backup written');
    } catch (error) {
      failure = { name, reason: error instanceof Error ? error.message : String(error) };
      logger.error({ err: error, backup: name, folder }, 'backup failed; what was written of it is removed');
    } finally {
      running = undefined;
    }
  }

  return {
    start(name) {
      if (running) throw new BackupRunning(`backup ${running.name} is under way`);
      if (listBackups(folder).some((backup) => backup.name === name))
        throw new BackupExists(`there is a backup ${name}`);
      failure = null;
      running = { name, ended: write(name) };
    },
    state: () => ({ running: running?.name ?? null, failure, backups: listBackups(folder) }),
    idle: async () => running?.ended,
  };
}
