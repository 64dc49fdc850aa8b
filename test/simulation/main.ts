/** `npm run simulate -- --seed N --nodes 3 --minutes 5`: runs a seed twice and says whether it was the same run. */
import { parseArgs } from 'node:util';
import { run } from './run.ts';
import { realNow } from './world/install.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    nodes: { type: 'string', default: '3' },
    minutes: { type: 'string', default: '5' },
    trace: { type: 'boolean', default: false },
  },
});
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const options = {
  seed: Number(values.seed),
  nodes: Number(values.nodes),
  minutes: Number(values.minutes),
  ...(values.trace && { onTrace: print }),
};
const started = realNow();
const result = await run(options);
const tookMs = realNow() - started;
print(
  `seed ${result.seed}: ${result.orders} orders in ${(result.simulatedMs / 1_000).toFixed(0)} simulated seconds, ` +
    `${result.events} events, ${tookMs.toFixed(0)} ms; run ${result.digest}`,
);
for (const violation of result.violations) print(`  ${violation}`);
process.exitCode = result.violations.length > 0 ? 1 : 0;
