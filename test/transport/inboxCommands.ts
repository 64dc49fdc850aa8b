/** Any sequence of commands to an inbox, against a model of a few lines; the same seeds on a simulated one and on a real one. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Inbox } from '../../actors/kernel/clusterPorts.ts';
import { envelope } from './inboxContract.ts';

const SEED = 20_261_121;
/** Few, so that most are put again. */
const IDS = 8;
/** Of each run a shard of its own, far from those that other tests use. */
const DEADLINE_MS = 10_000;
const FIRST_SHARD = 2_000;

type Command =
  | { readonly do: 'put'; readonly id: number }
  /** At once, in any order. */
  | { readonly do: 'putAll'; readonly ids: readonly number[] }
  /** All that is there after a share of it. `fails` of the handovers are refused by the reader. */
  | { readonly do: 'read'; readonly share: number; readonly fails: readonly number[] }
  | { readonly do: 'trim'; readonly share: number };

const id = fc.oneof({ weight: 2, arbitrary: fc.nat(IDS) }, { weight: 3, arbitrary: fc.nat(1_000) });
const share = fc.double({ min: 0, max: 1, noNaN: true });
/** Rarely: a real reader waits before it hands over again. */
const fails = fc.oneof(
  { weight: 12, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 2 }) },
);
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('put' as const), id }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('putAll' as const), ids: fc.array(id, { maxLength: 30 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('read' as const), share, fails }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('trim' as const), share }) },
);
const sequences = fc.array(command, { minLength: 1, maxLength: 30, size: 'max' });

export function inboxCommands(name: string, subject: () => Inbox, runs: number): void {
  const test = suite(`inbox commands: ${name}`);
  let shard = FIRST_SHARD;

  test('any sequence of puts, reads and trims does what the model says', async () => {
    const holds = fc.asyncProperty(sequences, (commands) => play(subject(), shard++, commands));
    await fc.assert(holds, { seed: SEED, numRuns: runs, endOnFailure: runs < 100 });
  });

  test.run();
}

/** Ids by offset, from 1. What was put at once has any order: it is known once it was read. */
type Model = { readonly order: string[]; trimmed: number };

async function play(inbox: Inbox, shard: number, commands: readonly Command[]): Promise<void> {
  const model: Model = { order: [], trimmed: 0 };
  const known = new Set<string>();

  async function put(numbers: readonly number[]): Promise<void> {
    const ids = numbers.map((number) => `m ${number}/#`);
    await Promise.all(ids.map((each) => inbox.put(shard, envelope(each))));
    const fresh = [...new Set(ids)].filter((each) => !known.has(each));
    for (const each of fresh) known.add(each);
    const before = model.order.length;
    const arrived = await read(inbox, { shard, after: before, count: fresh.length });
    assert.equal(
      arrived.map(({ offset }) => offset),
      fresh.map((_, index) => before + index + 1),
    );
    const ids0 = arrived.map(({ id: each }) => each);
    assert.equal(numbers.length > 1 ? ids0.toSorted() : ids0, numbers.length > 1 ? fresh.toSorted() : fresh);
    model.order.push(...ids0);
  }

  for (const step of commands) {
    const end = model.order.length;
    if (step.do === 'put') await put([step.id]);
    else if (step.do === 'putAll') await put(step.ids);
    else if (step.do === 'trim') {
      model.trimmed = Math.max(model.trimmed, Math.round(step.share * end));
      await inbox.trim(shard, model.trimmed);
    } else {
      const after = model.trimmed + Math.round(step.share * (end - model.trimmed));
      const taken = await read(inbox, { shard, after, count: end - after, fails: step.fails });
      const expected = model.order.slice(after).map((each, index) => ({ offset: after + index + 1, id: each }));
      assert.equal(taken, expected);
    }
  }
}

type Taken = { readonly offset: number; readonly id: string };
type Reading = {
  readonly shard: number;
  readonly after: number;
  readonly count: number;
  readonly fails?: readonly number[];
};

/** What is handed over until so many were taken. What the reader fails at has to come again before anything else. */
function read(inbox: Inbox, { shard, after, count, fails = [] }: Reading): Promise<readonly Taken[]> {
  if (count === 0) return Promise.resolve([]);
  const taken: Taken[] = [];
  let handed = 0;
  let expected: number | undefined;
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`${JSON.stringify(taken)} of ${count} after ${after}`)),
      DEADLINE_MS,
    );
    const following = inbox.read(shard, after, (offset, { id: each }) => {
      if (expected !== undefined && offset !== expected)
        reject(new Error(`${offset} came although ${expected} had failed`));
      handed += 1;
      if (fails.includes(handed)) {
        expected = offset;
        throw new Error('not now');
      }
      expected = undefined;
      taken.push({ offset, id: each });
      if (taken.length < count) return;
      following.stop();
      clearTimeout(late);
      resolve(taken);
    });
  });
}
