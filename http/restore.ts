/** `npm run restore -- <backup>`: makes the data folder DATA_DIR of a backup. Ends with 1 when it can't, and says why. */
import { NotABackup, restoreBackup } from '../storage/backup.ts';
import { ConfigError, readConfig } from '../supervisors/config.ts';

try {
  const [backup] = process.argv.slice(2);
  if (backup === undefined) throw new NotABackup('Say which backup: npm run restore -- <folder>');
  const { DATA_DIR } = readConfig(process.env);
  const { name, at } = restoreBackup(backup, DATA_DIR);
  process.stdout.write(`Restored ${name} of ${new Date(at).toISOString()} into ${DATA_DIR}\n`);
} catch (error) {
  const expected = error instanceof NotABackup || error instanceof ConfigError;
  process.stderr.write(`${expected ? error.message : error instanceof Error ? error.stack : error}\n`);
  process.exitCode = 1;
}
