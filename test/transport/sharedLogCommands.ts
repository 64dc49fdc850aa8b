/**
 * Any sequence of commands to a shared log, against a model of a few lines that says what comes of each. The same seeds on a
 * simulated log and on a real one: where they differ, one of them is no log as the others need it.
 */
import * as fc from 'fast-check';
import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Claim,
  Fenced,
  type FollowOptions,
  type LogEntry,
  type LogPosition,
  type LogUnreadable,
  type SharedLog,
} from '../../actors/kernel/clusterPorts.ts';
import { AppendRefused } from '../../actors/kernel/ports.ts';
import { outlineOf, recordOf } from './sharedLogContract.ts';

const SEED = 20_261_121;
/** Records that are brought were made under a claim of another log. */
const ELSEWHERE = 1_000_000;

export type CommandedLogs = {
  /** Two nodes' views of one empty log. */
  readonly nodes: readonly [SharedLog, SharedLog];
  /** More bytes than the log takes in one record. */
  readonly tooLarge: number;
  trim(upTo: LogPosition): Promise<void>;
  /** Does it while attempts and answers get lost on the way. */
  troubled<Value>(work: () => Promise<Value>): Promise<Value>;
  /** Lets time pass until what is awaited has settled. */
  until<Value>(awaited: Promise<Value>): Promise<Value>;
  close(): Promise<void>;
};

type Command =
  | { readonly do: 'claim'; readonly node: number }
  /** `by` picks one of the claims so far, `back` of them before the newest. */
  | { readonly do: 'append'; readonly back: number; readonly how: 'plain' | 'large' | 'troubled' }
  | { readonly do: 'bring'; readonly back: number }
  | { readonly do: 'release'; readonly back: number; readonly to: boolean }
  | { readonly do: 'bounds'; readonly node: number }
  | { readonly do: 'follow'; readonly node: number; readonly share: number }
  | { readonly do: 'trim'; readonly share: number };

const back = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3) });
const node = fc.nat(1);
const share = fc.double({ min: 0, max: 1, noNaN: true });
const how = fc.oneof(
  { weight: 30, arbitrary: fc.constant('plain' as const) },
  { weight: 2, arbitrary: fc.constant('large' as const) },
  { weight: 1, arbitrary: fc.constant('troubled' as const) },
);
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('claim' as const), node }) },
  { weight: 12, arbitrary: fc.record({ do: fc.constant('append' as const), back, how }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('bring' as const), back }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('release' as const), back, to: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('bounds' as const), node }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('follow' as const), node, share }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('trim' as const), share }) },
);
const sequences = fc.array(command, { minLength: 1, maxLength: 40, size: 'max' });

export function sharedLogCommands(
  test: Test,
  name: string,
  { open, runs }: { readonly open: () => Promise<CommandedLogs>; readonly runs: number },
): void {
  test(`shared log (${name}) - any sequence of commands does what the model says`, async () => {
    const holds = fc.asyncProperty(sequences, async (commands) => {
      const logs = await open();
      try {
        await logs.until(play(logs, commands));
      } finally {
        await logs.close();
      }
    });
    await fc.assert(holds, { seed: SEED, numRuns: runs, endOnFailure: runs < 100 });
  });
}

type Held = { readonly claim: Claim; readonly node: number; state: 'live' | 'fenced' | 'released' };

/** What is in the log, by the rules alone. */
type Model = {
  readonly entries: { readonly outline: string /** Of a record: whose claim appended it. */; readonly node?: number }[];
  begin: LogPosition;
  newest: Held | undefined;
};

async function play(logs: CommandedLogs, commands: readonly Command[]): Promise<void> {
  const model: Model = { entries: [], begin: 1, newest: undefined };
  const claims: Held[] = [];
  // One of each from the beginning: what is taken while it is written.
  const skipping = follower(logs.nodes[0], 0, { skipOwn: true });
  const plain = follower(logs.nodes[1], 0);
  let records = 0;
  const pick = (from: number): Held | undefined => claims.at(-1 - (from % Math.max(1, claims.length)));

  async function caughtUp(): Promise<void> {
    await Promise.all([skipping.reached(model.entries.length), plain.reached(model.entries.length)]);
  }

  async function write(held: Held, how: 'plain' | 'large' | 'troubled', brought: boolean): Promise<void> {
    const n = ++records;
    const { epoch } = brought ? { epoch: ELSEWHERE } : held.claim;
    const record = recordOf({ epoch }, n, how === 'large' ? 'x'.repeat(logs.tooLarge) : '');
    const attempt = (): Promise<LogPosition> => (brought ? held.claim.bring(record) : held.claim.append(record));
    const outcome = await outcomeOf(how === 'troubled' ? logs.troubled(attempt) : attempt());
    assert.is(outcome, expectedOf(model, held, how === 'large'));
    if (outcome === 'superseded') held.state = 'fenced';
    if (typeof outcome === 'number')
      model.entries.push({ outline: `${outcome} record ${epoch}:${n}`, node: held.node });
  }

  async function run(step: Command): Promise<void> {
    const end = model.entries.length;
    switch (step.do) {
      case 'claim': {
        const claim = await (logs.nodes[step.node] ?? logs.nodes[0]).claim(0, `n${step.node}`);
        assert.is(claim.epoch, end + 1);
        model.entries.push({ outline: `${end + 1} claim n${step.node}` });
        model.newest = { claim, node: step.node, state: 'live' };
        claims.push(model.newest);
        return;
      }
      case 'append':
      case 'bring': {
        const held = pick(step.back);
        if (held) await write(held, step.do === 'append' ? step.how : 'plain', step.do === 'bring');
        return;
      }
      case 'release': {
        const held = pick(step.back);
        if (!held) return;
        const to = step.to ? 'n1' : undefined;
        await held.claim.release(to);
        if (held.state === 'live' && held === model.newest) {
          const named = to === undefined ? '' : ` to ${to}`;
          model.entries.push({ outline: `${end + 1} release ${held.claim.epoch}${named}` });
        }
        if (held.state === 'live') held.state = 'released';
        return;
      }
      case 'bounds': {
        const log = logs.nodes[step.node] ?? logs.nodes[0];
        assert.equal([await log.begin(0), await log.end(0)], [model.begin, end]);
        return;
      }
      case 'follow':
        return followFrom(logs.nodes[step.node] ?? logs.nodes[0], Math.round(step.share * end), model);
      case 'trim': {
        // The newest entry is never trimmed: a checkpoint is of an entry before it.
        const upTo = Math.floor(step.share * (end - 1));
        if (upTo < model.begin) return;
        await caughtUp();
        await logs.trim(upTo);
        model.begin = upTo + 1;
      }
    }
  }

  for (const step of commands) await run(step);
  await caughtUp();
  skipping.stop();
  plain.stop();
  assert.equal(
    plain.entries.map(outlineOf),
    model.entries.map(({ outline }) => outline),
  );
  assert.equal(
    skipping.entries.map((entry) => (entry.kind === 'own' ? `${entry.position} own` : outlineOf(entry))),
    model.entries.map(({ outline, node: of }, index) => (of === 0 ? `${index + 1} own` : outline)),
  );
}

/** Its position, or how it failed. */
function outcomeOf(appending: Promise<LogPosition>): Promise<LogPosition | string> {
  return appending.catch((error: unknown) => {
    if (error instanceof Fenced) return error.reason;
    if (error instanceof AppendRefused) return `refused: ${error.fault}`;
    throw error;
  });
}

function expectedOf({ entries, newest }: Model, held: Held, large: boolean): LogPosition | string {
  if (held.state === 'released') return 'released';
  if (held.state === 'fenced') return 'superseded';
  // It doesn't even get to whoever would say that the claim is lost.
  if (large) return 'refused: record';
  return held === newest ? entries.length + 1 : 'superseded';
}

async function followFrom(log: SharedLog, after: LogPosition, { entries, begin }: Model): Promise<void> {
  const late = follower(log, after);
  if (after < begin - 1) {
    const failure = await late.failed;
    assert.is(failure.reason, 'trimmed');
    assert.equal(late.entries, []);
    return;
  }
  await late.reached(entries.length - after);
  late.stop();
  assert.equal(
    late.entries.map(outlineOf),
    entries.slice(after).map(({ outline }) => outline),
  );
}

function follower(log: SharedLog, after: LogPosition, options: FollowOptions = {}) {
  const entries: LogEntry[] = [];
  const waiting = new Map<() => void, number>();
  let fail: (error: LogUnreadable) => void = () => {};
  const failed = new Promise<LogUnreadable>((resolve) => {
    fail = resolve;
  });
  const following = log.follow(
    0,
    after,
    (entry) => {
      entries.push(entry);
      for (const [wake, count] of waiting) if (entries.length >= count) wake();
    },
    { ...options, failed: fail },
  );
  return {
    entries,
    failed,
    stop: () => following.stop(),
    /** Resolves once it has been handed that many. */
    reached: (count: number): Promise<void> =>
      new Promise((resolve, reject) => {
        if (entries.length >= count) return resolve();
        waiting.set(resolve, count);
        void failed.then(reject);
      }),
  };
}
