/**
 * `npm run chaos`: hurts real clusters under load again and again, and checks afterwards that nobody was told what isn't
 * so. A table on stdout and bench-results/chaos.json; progress on stderr. Ends with 1 when something was violated.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCampaign } from './campaign.ts';
import { type ChaosOptions, readOptions, USAGE, UsageError } from './options.ts';
import { line, markdown, type Ran } from './report.ts';

const RESULTS = 'bench-results';
const SHOWN_VIOLATIONS = 50;
/** As a shop's frontend has it: a node that hangs is left for another one. */
const PATIENCE_MS = 5_000;
/** All nodes lack the broker: whoever waits long enough is told so. */
const BROKER_PATIENCE_MS = 12_000;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

try {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') process.stdout.write(USAGE);
  else await chaos(options);
} catch (error) {
  process.stderr.write(
    `${error instanceof UsageError ? `${error.message}\n\n${USAGE}` : error instanceof Error ? error.stack : error}\n`,
  );
  process.exit(1);
}

async function chaos({ faults, times, ...options }: ChaosOptions): Promise<void> {
  const ran: Ran[] = [];
  for (const fault of faults) {
    const campaign = await runCampaign({
      ...options,
      patienceMs: fault.startsWith('broker-') ? BROKER_PATIENCE_MS : PATIENCE_MS,
      faults: Array.from({ length: times }, () => fault),
      progress: (round) => say(line(round)),
    });
    ran.push({ fault, ...campaign });
    const { orders, violations } = campaign;
    say(`${fault}: ${orders} orders checked at every node, ${violations.length} violations`);
    for (const text of violations.slice(0, SHOWN_VIOLATIONS)) say(`  ${text}`);
    mkdirSync(RESULTS, { recursive: true });
    writeFileSync(join(RESULTS, 'chaos.json'), `${JSON.stringify({ times, ...options, ran }, null, 2)}\n`);
  }
  process.stdout.write(markdown(ran));
  process.exitCode = ran.some(({ violations }) => violations.length > 0) ? 1 : 0;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
