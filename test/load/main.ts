/**
 * `npm run load`: a thousand orders at a time, or a soak, with the history checker on. Tables on stdout and
 * bench-results/load.json; progress on stderr. Ends with 1 when something was violated: how fast it was is only reported.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeMachine } from '../bench/machine.ts';
import { type LoadOptions, readOptions, USAGE, UsageError } from './options.ts';
import { markdown } from './report.ts';
import { type LoadRun, runLoad } from './run.ts';

const RESULTS = 'bench-results';

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

try {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') process.stdout.write(USAGE);
  else await load(options);
} catch (error) {
  const text = error instanceof Error ? error.stack : error;
  process.stderr.write(`${error instanceof UsageError ? `${error.message}\n\n${USAGE}` : text}\n`);
  process.exit(1);
}

async function load(all: readonly LoadOptions[]): Promise<void> {
  const machine = describeMachine(tmpdir());
  const runs: LoadRun[] = [];
  for (const options of all) {
    runs.push(await runLoad(options, say));
    mkdirSync(RESULTS, { recursive: true });
    writeFileSync(join(RESULTS, 'load.json'), `${JSON.stringify({ machine, options: all, runs }, null, 2)}\n`);
  }
  process.stdout.write(`${markdown(runs)}\n`);
  process.exitCode = runs.some(({ rounds }) => rounds.some(({ verdict }) => verdict.violations.length > 0)) ? 1 : 0;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
