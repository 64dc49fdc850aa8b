/** The simulation finds what is wrong with a shop: each mistake is planted, and must be found within so many seeds. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DEFECTS, type Defect } from './defects/names.ts';
import type { Fault } from './faults/kinds.ts';
import { Worker } from './workers.ts';

type Found = {
  /** Seeds from 1 on. */
  readonly within: number;
  readonly only?: readonly Fault[];
  readonly minutes?: number;
  readonly actions?: number;
};

const SHORT = { minutes: 0.7, actions: 40 };

/** How many seeds it takes at most, and of what kind. */
const FOUND: Readonly<Record<Defect, Found>> = {
  'reply-before-durable': { within: 1 },
  'send-before-durable': { within: 1 },
  'duplicates-done-twice': { within: 4 },
  'answer-not-stored': { within: 6, only: ['crash'], minutes: 1, actions: 80 },
  'claims-not-compared': { within: 4 },
  'newest-commit-overlooked': { within: 4 },
  'inbox-skips-one': { within: 12, only: ['crash', 'network'], minutes: 0.5 },
  'inbox-trimmed-early': { within: 16 },
  'inbox-loses': { within: 2 },
  'outbox-forgotten': { within: 4 },
  'timers-forgotten': { within: 6, only: ['crash', 'vendor'], minutes: 0.5, actions: 60 },
  'stale-reads': { within: 12, only: ['partition'], minutes: 1, actions: 80 },
  oversell: { within: 1 },
  'hold-not-released': { within: 1 },
  'unknown-is-declined': { within: 6 },
  'refund-twice': { within: 6 },
  'capture-twice': { within: 2 },
  'cancellation-forgotten': { within: 6, actions: 80 },
  'list-not-kept': { within: 1 },
  'secret-made-anew': { within: 4, only: ['crash'], minutes: 1, actions: 80 },
};

const planted = suite('planted defects');
const workers = [new Worker(), new Worker()];

planted.after(() => {
  for (const worker of workers) worker.stop();
});

/** The number of seeds that it took, or why it wasn't found. */
async function seedsUntilFound(worker: Worker, defect: Defect): Promise<string> {
  const { within, only = [], ...rest } = FOUND[defect];
  for (let seed = 1; seed <= within; seed++) {
    const options = { seed, nodes: 3, without: [], only, defect, ...SHORT, ...rest };
    const { violations } = await worker.run(options);
    if (violations.length > 0) return `found within ${within}`;
  }
  return `not found within ${within}: ${DEFECTS[defect]}`;
}

planted('each of them is found', async () => {
  const waiting = Object.keys(DEFECTS) as Defect[];
  const outcomes: Record<string, string> = {};
  const work = async (worker: Worker): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      outcomes[next] = await seedsUntilFound(worker, next);
    }
  };
  await Promise.all(workers.map(work));
  const missed = Object.entries(outcomes).filter(([, outcome]) => outcome.startsWith('not found'));
  assert.equal(Object.fromEntries(missed), {});
  assert.is(Object.keys(outcomes).length, Object.keys(DEFECTS).length);
});

planted.run();
