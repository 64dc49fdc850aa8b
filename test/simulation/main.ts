/**
 * `npm run simulate -- --seed N --nodes 3 --minutes 5`: a cluster in one process, in simulated time, with what goes wrong
 * chosen by the seed. `--seeds A..B` or `--for 1h` runs many; `--stop` ends with the first that fails. A seed that
 * fails is shrunk and printed with the command that shows all of it.
 */
import { type Campaign, commandOf, type RunOptions, type RunResult, readOptions } from './options.ts';
import { shrink } from './shrink.ts';
import { Worker } from './workers.ts';

const print = (line: string): void => void process.stdout.write(`${line}\n`);

class Total {
  seeds = 0;
  simulatedMs = 0;
  failed = 0;
  readonly #startedAt = performance.now();

  get realMs(): number {
    return performance.now() - this.#startedAt;
  }

  add({ simulatedMs, violations }: RunResult): void {
    this.seeds += 1;
    this.simulatedMs += simulatedMs;
    if (violations.length > 0) this.failed += 1;
  }

  line(): string {
    const perSecond = (this.seeds / this.realMs) * 1_000;
    return (
      `${this.seeds} seeds, ${this.failed} of them failed, in ${(this.realMs / 1_000).toFixed(1)} s: ` +
      `${perSecond.toFixed(1)} seeds/s, simulated time ${(this.simulatedMs / this.realMs).toFixed(0)} times as fast as real time`
    );
  }
}

function describe({ seed, orders, simulatedMs, events, digest, faults }: RunResult): string {
  const kinds = Object.entries(faults).map(([kind, count]) => `${count} ${kind}`);
  return (
    `seed ${seed}: ${orders} orders in ${(simulatedMs / 1_000).toFixed(0)} simulated seconds, ${events} events; ` +
    `faults: ${kinds.join(', ') || 'none'}; run ${digest}`
  );
}

async function report(worker: Worker, campaign: Campaign, options: RunOptions, result: RunResult): Promise<void> {
  print(describe(result));
  for (const violation of result.violations) print(`  VIOLATED ${violation}`);
  if (!campaign.shrink) return;
  const shortest = await shrink((shorter) => worker.run(shorter), options, result);
  print(`  the shortest that was found: ${commandOf(shortest)}`);
}

async function work(campaign: Campaign, seeds: Iterator<number>, total: Total): Promise<void> {
  const worker = new Worker();
  const isOne = campaign.first === campaign.last;
  try {
    for (let next = seeds.next(); !next.done; next = seeds.next()) {
      if (total.realMs > campaign.forMs || (campaign.stop && total.failed > 0)) return;
      const options = { ...campaign.run, seed: next.value };
      const result = await worker.run(options);
      total.add(result);
      if (result.violations.length > 0) await report(worker, campaign, options, result);
      else if (isOne) print(describe(result));
    }
  } finally {
    worker.stop();
  }
}

function* range(first: number, last: number): Generator<number> {
  for (let seed = first; seed <= last; seed++) yield seed;
}

const campaign = readOptions(process.argv.slice(2));
const total = new Total();
const seeds = range(campaign.first, campaign.last);
await Promise.all(Array.from({ length: campaign.workers }, () => work(campaign, seeds, total)));
print(total.line());
process.exitCode = total.failed > 0 ? 1 : 0;
