/**
 * `npm run chaos`: hurts real clusters under load, and checks afterwards that nobody was told what isn't so. What happens
 * goes to stderr while it happens, the report to stdout and into bench-results/. Ends with 1 when something was violated.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeMachine } from '../bench/machine.ts';
import { runCampaign } from './campaign.ts';
import { type ChaosOptions, readOptions, USAGE, UsageError } from './options.ts';
import { page } from './page.ts';
import { line, markdown, type Ran } from './report.ts';
import { runStorm } from './storm.ts';
import { type StormFacts, stormText } from './stormReport.ts';
import { summarise } from './summary.ts';

const RESULTS = 'bench-results';
const SHOWN_VIOLATIONS = 50;
/** As a shop's frontend has it: a node that hangs is left for another one. */
const PATIENCE_MS = 5_000;
/** All nodes lack the broker: whoever waits long enough is told so. */
const BROKER_PATIENCE_MS = 12_000;

type Campaigns = Extract<ChaosOptions, { mode: 'campaigns' }>;
type Storming = Extract<ChaosOptions, { mode: 'storm' }>;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

try {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') process.stdout.write(USAGE);
  else await (options.mode === 'storm' ? storm(options) : campaigns(options));
} catch (error) {
  process.stderr.write(
    `${error instanceof UsageError ? `${error.message}\n\n${USAGE}` : error instanceof Error ? error.stack : error}\n`,
  );
  process.exit(1);
}

async function storm({ forMs, ...options }: Storming): Promise<void> {
  mkdirSync(RESULTS, { recursive: true });
  const machine = describeMachine(RESULTS);
  const facts: StormFacts = {
    command: `npm run chaos -- ${process.argv.slice(2).join(' ')}`.trim(),
    machine: `${machine.cpus} × ${machine.model}, ${machine.system}, Node ${machine.node}, load average before ${machine.loadAverage.toFixed(1)}`,
    commit: machine.commit,
    leftOut: options.leftOut,
  };
  const live = process.stderr.isTTY;
  const ran = await runStorm({
    ...options,
    forMs,
    patienceMs: PATIENCE_MS,
    progress: (text) => say(live ? `\r\x1b[K${text}` : text),
    ...(live && { tick: (text: string) => process.stderr.write(`\r\x1b[K${text}`) }),
  });
  const text = stormText(ran, facts);
  save('chaos.txt', text);
  const { logs, ...told } = ran;
  save('chaos.json', json({ ...facts, machine, options, ...summarise(ran), ...told }));
  for (const [name, lines] of logs) save(`chaos-${name}.log`, `${lines.join('\n')}\n`);
  save('chaos.html', page(ran, facts));
  process.stdout.write(`${text}\nThe timeline: ${RESULTS}/chaos.html\n`);
  process.exitCode = ran.violations.length > 0 ? 1 : 0;
}

async function campaigns({ faults, times, ...options }: Campaigns): Promise<void> {
  mkdirSync(RESULTS, { recursive: true });
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
    save('chaos-faults.json', json({ times, ...options, ran }));
  }
  process.stdout.write(markdown(ran));
  process.exitCode = ran.some(({ violations }) => violations.length > 0) ? 1 : 0;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function save(name: string, text: string): void {
  writeFileSync(join(RESULTS, name), text);
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
