import { getEventListeners } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRealClock, createVirtualClock } from '../../supervisors/clock.ts';
import { settle } from '../support/eventLoop.ts';
import { T0 } from '../support/spec.ts';

const DAY = 24 * 60 * 60 * 1_000;

/** The clocks' timers don't keep the process alive, so waiting for one needs something that does. */
async function keepingAlive(wait: (done: () => void) => void): Promise<void> {
  const hold = setInterval(() => undefined, 60_000);
  await new Promise<void>(wait);
  clearInterval(hold);
}

const virtual = suite('virtual clock');

virtual('stands still until it is advanced', async () => {
  const clock = createVirtualClock(T0);
  await settle();
  assert.is(clock.now(), T0);
  await clock.advance(DAY, settle);
  assert.is(clock.now(), T0 + DAY);
});

virtual('runs tasks in order of time, ties in order of scheduling, each at its moment', async () => {
  const clock = createVirtualClock(T0);
  const seen: string[] = [];
  const note = (name: string) => () => seen.push(`${name}@${clock.now() - T0}`);
  clock.schedule(T0 + 20, note('late'));
  clock.schedule(T0 + 10, note('first'));
  clock.schedule(T0 + 10, note('second'));
  clock.schedule(T0 + 31, note('never'));
  await clock.advance(30, settle);
  assert.equal(seen, ['first@10', 'second@10', 'late@20']);
  await clock.advance(1, settle);
  assert.equal(seen.at(-1), 'never@31');
});

virtual('lets a task cause others before time moves on', async () => {
  const clock = createVirtualClock(T0);
  const seen: number[] = [];
  clock.schedule(T0 + 10, async () => {
    await Promise.resolve();
    clock.schedule(clock.now() + 5, () => seen.push(clock.now() - T0));
    clock.schedule(clock.now(), () => seen.push(clock.now() - T0));
  });
  clock.schedule(T0 + 20, () => seen.push(clock.now() - T0));
  await clock.advance(100, settle);
  assert.equal(seen, [10, 15, 20]);
});

virtual('waits for what is under way to set its timers before it moves', async () => {
  const clock = createVirtualClock(T0);
  const seen: number[] = [];
  setImmediate(() => clock.schedule(T0 + 10, () => seen.push(clock.now() - T0)));
  await clock.advance(50, settle);
  assert.equal(seen, [10]);
});

virtual('runs what is already due without being advanced, once', async () => {
  const clock = createVirtualClock(T0);
  let runs = 0;
  clock.schedule(T0 - 5, () => {
    runs += 1;
  });
  assert.is(runs, 0, 'not inside schedule');
  await settle();
  assert.is(runs, 1);
  await clock.advance(10, settle);
  assert.is(runs, 1);
  assert.is(clock.now(), T0 + 10);
});

virtual('forgets a cancelled task, due or not', async () => {
  const clock = createVirtualClock(T0);
  const fail = () => assert.unreachable();
  clock.schedule(T0 + 5, fail)();
  clock.schedule(T0, fail)();
  await clock.advance(10, settle);
  assert.is(clock.now(), T0 + 10);
});

virtual('advances asked for at once run one after the other', async () => {
  const clock = createVirtualClock(T0);
  const seen: number[] = [];
  clock.schedule(T0 + 15, () => seen.push(clock.now() - T0));
  await Promise.all([clock.advance(10, settle), clock.advance(10, settle)]);
  assert.equal(seen, [15]);
  assert.is(clock.now(), T0 + 20);
});

virtual('goes on after an advance that failed', async () => {
  const clock = createVirtualClock(T0);
  clock.schedule(T0 + 5, () => {
    throw new Error('broken task');
  });
  const failure = await clock.advance(10, settle).catch((error: Error) => error.message);
  assert.is(failure, 'broken task');
  await clock.advance(10, settle);
  assert.is(clock.now(), T0 + 15);
});

virtual('sleep ends when its time has come', async () => {
  const clock = createVirtualClock(T0);
  let wokeAt = 0;
  void clock.sleep(1_000).then(() => {
    wokeAt = clock.now();
  });
  await clock.advance(999, settle);
  assert.is(wokeAt, 0);
  await clock.advance(1, settle);
  assert.is(wokeAt, T0 + 1_000);
});

virtual('keeps whole milliseconds, whatever it is asked for', async () => {
  const clock = createVirtualClock(T0);
  const seen: number[] = [];
  clock.schedule(T0 + 1.5, () => seen.push(clock.now() - T0));
  await clock.advance(10, settle);
  assert.equal(seen, [2]);
  assert.throws(() => clock.advance(0.5, settle), /whole number of ms/);
  assert.throws(() => clock.advance(-1, settle), /whole number of ms/);
});

virtual('monotonic time and delays stay real', async () => {
  const clock = createVirtualClock(T0);
  const before = clock.monotonic();
  await keepingAlive((done) => {
    clock.delay(1, done);
  });
  assert.ok(clock.monotonic() > before);
  assert.is(clock.now(), T0);
});

virtual.run();

for (const [name, create] of [
  ['real clock', createRealClock],
  ['virtual clock', () => createVirtualClock(T0)],
] as const) {
  const sleeping = suite(`${name}: sleep`);

  sleeping('rejects with the reason of its signal', async () => {
    const controller = new AbortController();
    const reason = new Error('stopping');
    const slept = create()
      .sleep(DAY, controller.signal)
      .catch((error: unknown) => error);
    controller.abort(reason);
    assert.is(await slept, reason);
  });

  sleeping('does not start under an aborted signal', async () => {
    const reason = new Error('stopped');
    const outcome = await create()
      .sleep(0, AbortSignal.abort(reason))
      .catch((error: unknown) => error);
    assert.is(outcome, reason);
  });

  sleeping('leaves nothing behind on its signal', async () => {
    const { signal } = new AbortController();
    await create().sleep(0, signal);
    assert.is(getEventListeners(signal, 'abort').length, 0);
  });

  sleeping.run();
}

const real = suite('real clock');

/** Records what is asked of `setTimeout` and lets the test fire it; `Date.now` is under its control too. */
async function withFakeTimeouts(
  test: (fake: { readonly delays: number[]; setNow(now: number): void; fire(): void }) => void,
): Promise<void> {
  const { setTimeout: realSetTimeout } = globalThis;
  const realNow = Date.now;
  const delays: number[] = [];
  let callback = (): void => undefined;
  let now = T0;
  Date.now = () => now;
  const fakeSetTimeout = (run: () => void, ms: number): NodeJS.Timeout => {
    delays.push(ms);
    callback = run;
    return realSetTimeout(() => undefined, 0);
  };
  globalThis.setTimeout = Object.assign(fakeSetTimeout, realSetTimeout);
  try {
    test({
      delays,
      fire: () => callback(),
      setNow: (value) => {
        now = value;
      },
    });
  } finally {
    globalThis.setTimeout = realSetTimeout;
    Date.now = realNow;
  }
}

real('reaches a time further away than one timer of Node', () =>
  withFakeTimeouts(({ delays, fire, setNow }) => {
    let ran = 0;
    const at = T0 + 30 * DAY;
    createRealClock().schedule(at, () => {
      ran += 1;
    });
    setNow(T0 + 2 ** 31 - 1);
    fire();
    assert.is(ran, 0);
    setNow(at);
    fire();
    assert.is(ran, 1);
    assert.equal(delays, [2 ** 31 - 1, 30 * DAY - (2 ** 31 - 1)]);
  }),
);

real('never runs a task before its time, even when the timer fires early', () =>
  withFakeTimeouts(({ delays, fire, setNow }) => {
    let ran = 0;
    createRealClock().schedule(T0 + 100, () => {
      ran += 1;
    });
    setNow(T0 + 99);
    fire();
    assert.is(ran, 0);
    setNow(T0 + 100);
    fire();
    assert.is(ran, 1);
    assert.equal(delays, [100, 1]);
  }),
);

real('runs what is due at once, but not inside schedule', async () => {
  const clock = createRealClock();
  let inside = true;
  await keepingAlive((done) => {
    clock.schedule(clock.now() - 1_000, () => {
      assert.not(inside);
      done();
    });
    inside = false;
  });
});

real('forgets what is cancelled', async () => {
  const clock = createRealClock();
  clock.schedule(clock.now(), () => assert.unreachable())();
  clock.delay(0, () => assert.unreachable())();
  // Timers of one length fire in the order of their setting.
  await keepingAlive((done) => clock.delay(0, done));
});

real.run();
