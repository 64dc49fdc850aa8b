/** What may lie in the folder that a backup is restored into. */
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NotABackup, restoreBackup, writeBackup } from '../../storage/backup.ts';
import { openDatabase, readMeta, writeMeta } from '../../storage/database.ts';
import { LEDGER_FILE, openDataFolder, STORE_FILE } from '../../storage/dataFolder.ts';
import { openKeyedStore } from '../../storage/keyedStore.ts';

const backups = suite<{ folder: string; backup: string; wal: string }>('backups');

/** A backup, and the log file that a killed node left after it had worked on. */
backups.before.each(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'holdfast-backup-'));
  const dataFolder = join(context.folder, 'data');
  const { db } = openDataFolder(dataFolder, 2);
  const ledger = openKeyedStore(join(dataFolder, LEDGER_FILE));
  writeMeta(db, 'word', 'before');
  await writeBackup({ store: db, ledger, dataFolder }, context.folder, 'backup', () => 0);
  writeMeta(db, 'word', 'after');
  context.backup = join(context.folder, 'backup');
  context.wal = join(context.folder, 'left-wal');
  copyFileSync(join(dataFolder, `${STORE_FILE}-wal`), context.wal);
  ledger.close();
  db.close();
});
backups.after.each(({ folder }) => rmSync(folder, { recursive: true }));

function wordIn(folder: string): string | undefined {
  const db = openDatabase(join(folder, STORE_FILE));
  const word = readMeta(db, 'word');
  db.close();
  return word;
}

backups('the log of another store is not played into the restored one', ({ folder, backup, wal }) => {
  for (const name of [STORE_FILE, LEDGER_FILE]) {
    const target = mkdtempSync(join(folder, 'target-'));
    copyFileSync(wal, join(target, `${name}-wal`));
    assert.throws(
      () => restoreBackup(backup, target),
      (error: Error) => error instanceof NotABackup && error.message.includes(`${name}-wal`),
    );
    assert.equal(readdirSync(target), [`${name}-wal`]);
  }
});

backups('a restore that was cut short is done again', ({ folder, backup, wal }) => {
  const target = mkdtempSync(join(folder, 'target-'));
  copyFileSync(join(backup, LEDGER_FILE), join(target, LEDGER_FILE));
  writeFileSync(join(target, `${STORE_FILE}.restoring`), 'a half');
  copyFileSync(wal, join(target, `${STORE_FILE}.restoring-wal`));
  restoreBackup(backup, target);
  assert.is(wordIn(target), 'before');
  assert.is(existsSync(join(target, `${STORE_FILE}.restoring`)), false);
});

backups.run();
