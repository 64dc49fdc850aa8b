import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Fenced, LogUnanswered, type LogUnreadable } from '../../actors/kernel/clusterPorts.ts';
import { AppendRefused } from '../../actors/kernel/ports.ts';
import { encodeWire } from '../../storage/wireCodec.ts';
import { until as eventually } from '../support/broker.ts';
import { type LogFaults, NO_FAULTS, type SimulatedTime, simulateLogs, simulateTime } from '../support/simulatedLog.ts';
import { sharedLogCommands } from './sharedLogCommands.ts';
import { collect, failureOf, outlineOf, recordOf, sharedLogContract, wholeLog } from './sharedLogContract.ts';
import { keptLaws, playLanes, type Step } from './sharedLogModel.ts';

const log = suite('simulated log');
const SEED = 20_261_121;
const passed = ({ delay }: SimulatedTime, ms: number): Promise<void> =>
  new Promise((resolve) => void delay(ms, resolve));
const MAX_PAYLOAD = 64 * 1024;

function open(seed = 1, comparesIds = true) {
  const times = simulateTime();
  const random = randomFrom(seed);
  return { times, logs: simulateLogs({ shards: 2, times, random, maxPayload: MAX_PAYLOAD, comparesIds }) };
}

/** Mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

sharedLogContract(log, 'simulated', async () => {
  const { times, logs } = open();
  logs.faults({ ...NO_FAULTS, delayMs: 5 });
  return { node: logs.node, tooLarge: MAX_PAYLOAD, until: times.until, close: async () => {} };
});

sharedLogCommands(log, 'simulated', {
  runs: 200,
  async open() {
    const { times, logs } = open();
    const troubles = { lost: 0.3, ackLost: 0.3, late: 0.2, absent: 0.1, mute: 0.2, delayMs: 50 };
    return {
      nodes: [logs.node(), logs.node()],
      tooLarge: MAX_PAYLOAD,
      trim: async (upTo) => logs.trim(0, upTo),
      async troubled(work) {
        logs.faults(troubles);
        return work().finally(() => logs.faults(NO_FAULTS));
      },
      until: times.until,
      close: async () => {},
    };
  },
});

type World = ReturnType<typeof open>;

function title(text: string, run: (world: World) => Promise<void>): void {
  log(`simulated log - ${text}`, async () => {
    const world = open();
    await world.times.until(run(world));
  });
}

const share = fc.double({ min: 0, max: 0.2, noNaN: true });
const faults: fc.Arbitrary<LogFaults> = fc.record({
  lost: share,
  ackLost: share,
  late: share,
  absent: share,
  mute: share,
  delayMs: fc.integer({ min: 0, max: 100 }),
});
const steps = fc.array(fc.constantFrom<Step>('claim', 'append', 'append', 'append', 'append', 'release'), {
  maxLength: 15,
});
type Schedule = {
  readonly seed: number;
  readonly comparesIds: boolean;
  readonly faults: LogFaults;
  readonly lanes: readonly (readonly Step[])[];
};
const schedules: fc.Arbitrary<Schedule> = fc.record({
  seed: fc.nat(),
  comparesIds: fc.boolean(),
  faults,
  lanes: fc.array(steps, { minLength: 1, maxLength: 4 }),
});

async function play({ seed, comparesIds, faults, lanes }: Schedule): Promise<string[]> {
  const { times, logs } = open(seed, comparesIds);
  logs.faults(faults);
  const played = playLanes(lanes.map((steps, index) => ({ node: `n${index}`, log: logs.node(), steps })));
  const history = await times.until(played);
  logs.faults(NO_FAULTS);
  const entries = await times.until(wholeLog(logs.node()));
  keptLaws(history, entries);
  return entries.map(outlineOf);
}

log('simulated log - lost, late and repeated attempts of several owners keep every law', async () => {
  await fc.assert(
    fc.asyncProperty(schedules, async (schedule) => void (await play(schedule))),
    { seed: SEED, numRuns: 300 },
  );
});

log('simulated log - the same seed gives the same run', async () => {
  const [schedule] = fc.sample(
    schedules.filter(({ lanes }) => lanes.flat().length > 20),
    { seed: SEED, numRuns: 1 },
  );
  assert.ok(schedule);
  assert.equal(await play(schedule), await play(schedule));
});

title('an append whose answer is lost is stored once, and acknowledged', async ({ logs }) => {
  const claim = await logs.node().claim(0, 'a');
  logs.faults({ ...NO_FAULTS, ackLost: 0.7 });
  for (let n = 1; n <= 20; n++) assert.is(await claim.append(recordOf(claim, n)), n + 1);
  assert.is(await logs.node().end(0), 21);
});

title('an append is pending for as long as nobody answers, and goes on where it was', async ({ logs, times }) => {
  const claim = await logs.node().claim(0, 'a');
  logs.cut(0, true);
  const append = claim.append(recordOf(claim, 1));
  times.delay(600_000, () => logs.cut(0, false));
  assert.is(await append, 2);
  assert.ok(times.monotonic() >= 600_000);
});

title('an append is asked for before each of its attempts', async ({ logs, times }) => {
  const claim = await logs.node().claim(0, 'a');
  logs.cut(0, true);
  let asked = 0;
  let allowed = true;
  const may = (): Promise<void> | undefined => {
    asked++;
    return allowed ? undefined : passed(times, 100);
  };
  const appending = claim.append(recordOf(claim, 1), may);
  await passed(times, 3_000);
  assert.ok(asked > 1, 'once for each');
  allowed = false;
  await passed(times, 3_000);
  logs.cut(0, false);
  await passed(times, 10_000);
  assert.is(await logs.node().end(0), 1, 'nothing is sent meanwhile');
  allowed = true;
  assert.is(await appending, 2);
});

title('an owner that may not any more is told of what was stored before', async ({ logs, times }) => {
  const claim = await logs.node().claim(0, 'a');
  const lost = new Fenced('another has it', 'superseded');
  let sent = 0;
  const may = (): Promise<void> | undefined => (sent++ === 0 ? undefined : Promise.reject(lost));
  logs.faults({ ...NO_FAULTS, ackLost: 1 });
  const stored = claim.append(recordOf(claim, 1), may);
  await passed(times, 1_000);
  logs.faults(NO_FAULTS);
  assert.is(await stored, 2);
  sent = 0;
  logs.faults({ ...NO_FAULTS, lost: 1 });
  const unsent = failureOf(claim.append(recordOf(claim, 2), may));
  await passed(times, 1_000);
  logs.faults(NO_FAULTS);
  assert.is(await unsent, lost);
  assert.is(await logs.node().end(0), 2);
});

title('an owner that has to wait finds what it stored before', async ({ logs, times }) => {
  const claim = await logs.node().claim(0, 'a');
  let sent = 0;
  // As whoever waits for a follower, which waits for this append.
  const may = (): Promise<void> | undefined => (sent++ === 0 ? undefined : new Promise(() => {}));
  logs.faults({ ...NO_FAULTS, ackLost: 1 });
  const stored = claim.append(recordOf(claim, 1), may);
  await passed(times, 1_000);
  logs.faults(NO_FAULTS);
  assert.is(await stored, 2);
});

title('an append that was stored before the broker forgot its id is found in the log', async ({ logs, times }) => {
  const claim = await logs.node().claim(0, 'a');
  logs.faults({ ...NO_FAULTS, ackLost: 1 });
  const append = claim.append(recordOf(claim, 1));
  times.delay(100, () => {
    logs.faults(NO_FAULTS);
    logs.forgetIds(0);
  });
  assert.is(await append, 2);
  assert.is(await logs.node().end(0), 2);
});

title(
  'a successor that claims while an append has no answer fences it, unless it was stored',
  async ({ logs, times }) => {
    for (const [fault, stored] of [
      ['lost', false],
      ['ackLost', true],
    ] as const) {
      const [a, b] = [logs.node(), logs.node()];
      const claim = await a.claim(0, 'a');
      logs.faults({ ...NO_FAULTS, [fault]: 1 });
      const append = claim.append(recordOf(claim, 1)).catch((error: unknown) => error);
      await passed(times, 100);
      logs.faults(NO_FAULTS);
      await b.claim(0, 'b');
      if (stored) assert.is(await append, claim.epoch + 1);
      else assert.is((await append) instanceof Fenced, true);
      assert.instance(await failureOf(claim.append(recordOf(claim, 2))), Fenced);
    }
  },
);

title('when the broker forgot the newest id the claim ends as stale, and a new one goes on', async ({ logs }) => {
  const node = logs.node();
  const claim = await node.claim(0, 'a');
  await claim.append(recordOf(claim, 1));
  logs.forgetIds(0);
  const error = await failureOf(claim.append(recordOf(claim, 2)));
  assert.is(error instanceof Fenced && error.reason, 'stale-id');
  const next = await node.claim(0, 'a');
  assert.is(await next.append(recordOf(next, 2)), 4);
});

title(
  'an owner whose broker lost the end of the log is told, even if others reached the same number',
  async ({ logs }) => {
    const node = logs.node();
    const short = await node.claim(0, 'a');
    for (let n = 1; n <= 3; n++) await short.append(recordOf(short, n));
    logs.loseTail(0, 2);
    const rewound = await failureOf(short.append(recordOf(short, 4)));
    assert.is(rewound instanceof Fenced && rewound.reason, 'rewound');
    const again = await node.claim(1, 'a');
    await again.append(recordOf(again, 1));
    logs.loseTail(1, 1);
    logs.plant(1, `${again.epoch}:1:feed`, encodeWire(recordOf(again, 1, 'other')));
    const reused = await failureOf(again.append(recordOf(again, 2)));
    assert.is(reused instanceof Fenced && reused.reason, 'rewound');
  },
);

title(
  'a record that was followed before its append failed, as the broker lost it again, is handed over whole',
  async ({ logs, times }) => {
    const node = logs.node();
    const claim = await node.claim(0, 'a');
    const follower = collect(node, 1, { skipOwn: true });
    logs.faults({ ...NO_FAULTS, ackLost: 1 });
    times.delay(100, () => {
      logs.faults(NO_FAULTS);
      logs.loseTail(0, 2);
    });
    const error = await failureOf(claim.append(recordOf(claim, 1)));
    assert.is(error instanceof Fenced && error.reason, 'rewound');
    await eventually('the record was handed over', () => follower.entries.length === 1);
    assert.equal(follower.entries.map(outlineOf), ['2 record 1:1']);
    follower.stop();
  },
);

log('simulated log - a broker that compares no ids is asked after a pause what the log ends with', async () => {
  const { times, logs } = open(1, false);
  const run = async (): Promise<void> => {
    const node = logs.node();
    const claim = await node.claim(0, 'a');
    await claim.append(recordOf(claim, 1));
    await new Promise<void>((resolve) => times.delay(1_000, resolve));
    logs.forgetIds(0);
    assert.is(await claim.append(recordOf(claim, 2)), 3);
    await new Promise<void>((resolve) => times.delay(1_000, resolve));
    logs.loseTail(0, 1);
    logs.plant(0, `${claim.epoch}:2:feed`, encodeWire(recordOf(claim, 2, 'other')));
    const error = await failureOf(claim.append(recordOf(claim, 3)));
    assert.is(error instanceof Fenced && error.reason, 'rewound');
    assert.is(await node.end(0), 3);
  };
  await times.until(run());
});

title('a full log refuses, keeps the claim, and takes the record later', async ({ logs }) => {
  const claim = await logs.node().claim(0, 'a');
  logs.fill(0, true);
  const error = await failureOf(claim.append(recordOf(claim, 1)));
  assert.is(error instanceof AppendRefused && error.fault, 'store');
  logs.fill(0, false);
  assert.is(await claim.append(recordOf(claim, 1, 'another')), 2);
});

title('a full log that had stored the record before it was full acknowledges it', async ({ logs, times }) => {
  const claim = await logs.node().claim(0, 'a');
  logs.faults({ ...NO_FAULTS, ackLost: 1 });
  const append = claim.append(recordOf(claim, 1));
  times.delay(100, () => {
    logs.faults(NO_FAULTS);
    logs.fill(0, true);
  });
  assert.is(await append, 2);
});

title('an attempt that arrives after its refusal is not taken for the next record of that number', async (world) => {
  const { logs, times } = world;
  const claim = await logs.node().claim(0, 'a');
  logs.faults({ ...NO_FAULTS, late: 1 });
  times.delay(100, () => {
    logs.faults(NO_FAULTS);
    logs.fill(0, true);
  });
  assert.instance(await failureOf(claim.append(recordOf(claim, 1, 'late'))), AppendRefused);
  logs.fill(0, false);
  await new Promise<void>((resolve) => times.delay(10_000, resolve));
  assert.is(await logs.node().end(0), 2);
  const error = await failureOf(claim.append(recordOf(claim, 1, 'next')));
  assert.is(error instanceof Fenced && error.reason, 'superseded');
});

title('an append that may have been stored is not refused, however long nobody serves the log', async (world) => {
  const { logs, times } = world;
  const claim = await logs.node().claim(0, 'a');
  logs.faults({ ...NO_FAULTS, ackLost: 1 });
  const append = claim.append(recordOf(claim, 1));
  times.delay(100, () => logs.faults({ ...NO_FAULTS, absent: 1 }));
  times.delay(120_000, () => logs.faults(NO_FAULTS));
  assert.is(await append, 2);
});

title('the same record appended twice is a mistake of the caller, and is not acknowledged again', async ({ logs }) => {
  const claim = await logs.node().claim(0, 'a');
  await claim.append(recordOf(claim, 1));
  assert.match(String(await failureOf(claim.append(recordOf(claim, 1)))), /this very record already, at position 2/);
});

title('a log that nobody serves refuses after a while, and a claim too', async ({ logs }) => {
  const claim = await logs.node().claim(0, 'a');
  logs.faults({ ...NO_FAULTS, absent: 1 });
  assert.instance(await failureOf(claim.append(recordOf(claim, 1))), AppendRefused);
  assert.instance(await failureOf(logs.node().claim(0, 'b')), AppendRefused);
  logs.faults({ ...NO_FAULTS, lost: 1 });
  assert.instance(await failureOf(logs.node().claim(0, 'b')), LogUnanswered);
});

title('a follower leaves out the record of an older epoch, and says so', async ({ logs }) => {
  const node = logs.node();
  const old = await node.claim(0, 'a');
  await node.claim(0, 'b');
  logs.plant(0, `${old.epoch}:1:feed`, encodeWire(recordOf(old, 1)));
  await node.claim(0, 'c');
  const follower = collect(node);
  await eventually('three entries were handed over', () => follower.entries.length === 3);
  assert.equal(follower.entries.map(outlineOf), ['1 claim a', '2 claim b', '4 claim c']);
  assert.match(logs.said.join(), /older epoch/);
  follower.stop();
});

title('following ends when the log has lost what was handed over, although it is longer again', async ({ logs }) => {
  const node = logs.node();
  const claim = await node.claim(0, 'a');
  for (let n = 1; n <= 2; n++) await claim.append(recordOf(claim, n));
  const reasons: string[] = [];
  const follower = collect(node, 0, { failed: ({ reason }) => void reasons.push(reason) });
  await eventually('all was handed over', () => follower.entries.length === 3);
  logs.loseTail(0, 1);
  for (const n of [2, 3]) logs.plant(0, `${claim.epoch}:${n}:feed`, encodeWire(recordOf(claim, n, 'other')));
  await eventually('following ends', () => reasons.length > 0);
  assert.equal(reasons, ['rewound']);
  assert.is(follower.entries.length, 3);
});

title(
  'following ends with a reason when the log was trimmed, rewound or holds what nobody can read',
  async ({ logs }) => {
    const node = logs.node();
    const claim = await node.claim(0, 'a');
    for (let n = 1; n <= 4; n++) await claim.append(recordOf(claim, n));
    logs.trim(0, 3);
    assert.is(await node.begin(0), 4);
    const reasonOf = (after: number): Promise<LogUnreadable['reason']> =>
      new Promise((resolve) => node.follow(0, after, () => {}, { failed: ({ reason }) => resolve(reason) }));
    assert.is(await reasonOf(1), 'trimmed');
    assert.is(await reasonOf(9), 'rewound');
    logs.plant(0, `${claim.epoch}:5:feed`, Buffer.from('[2]\n'));
    assert.is(await reasonOf(3), 'entry');
  },
);

log.run();
