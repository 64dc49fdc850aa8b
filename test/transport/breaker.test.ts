import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createVirtualClock } from '../../supervisors/clock.ts';
import { type BreakerFigures, BreakerOpen, type BreakerState, createBreaker } from '../../transport/breaker.ts';
import { settle } from '../support/eventLoop.ts';
import { T0 } from '../support/spec.ts';

const figures: BreakerFigures = {
  failures: 3,
  windowMs: 30_000,
  failureShare: 0.1,
  minCalls: 5,
  openMs: 60_000,
  slowMs: 2_000,
};

class Outage extends Error {}

function setUp() {
  const clock = createVirtualClock(T0);
  const changes: BreakerState[] = [];
  const breaker = createBreaker({
    clock,
    figures,
    isFailure: (error) => error instanceof Outage,
    onChange: (state) => changes.push(state),
  });
  const attempt = async (work: () => Promise<string>): Promise<string> =>
    breaker.execute(work).catch((error: Error) => error.constructor.name);
  return {
    clock,
    changes,
    breaker,
    wait: (ms: number) => clock.advance(ms, settle),
    succeed: () => attempt(async () => 'ok'),
    fail: () => attempt(() => Promise.reject(new Outage())),
    misuse: () => attempt(() => Promise.reject(new RangeError())),
    async answerAfter(ms: number): Promise<string> {
      const answer = attempt(async () => {
        await clock.sleep(ms);
        return 'ok';
      });
      await clock.advance(ms, settle);
      return answer;
    },
  };
}

async function times(count: number, act: () => Promise<unknown>): Promise<void> {
  for (let n = 0; n < count; n++) await act();
}

async function opened() {
  const context = setUp();
  await times(2, context.succeed);
  await times(3, context.fail);
  assert.equal(context.changes, ['open']);
  return context;
}

const test = suite('breaker');

test('passes answers and errors on while it is closed', async () => {
  const { succeed, fail, misuse, changes } = setUp();
  assert.is(await succeed(), 'ok');
  assert.is(await fail(), 'Outage');
  assert.is(await misuse(), 'RangeError');
  assert.equal(changes, []);
});

test('opens on the third failure in the window', async () => {
  const { succeed, fail, changes } = setUp();
  await times(5, succeed);
  await times(2, fail);
  assert.equal(changes, []);
  await fail();
  assert.equal(changes, ['open']);
});

test('never opens on fewer than five calls', async () => {
  const { fail, changes } = setUp();
  await times(4, fail);
  assert.equal(changes, []);
  await fail();
  assert.equal(changes, ['open']);
});

test('forgets calls that are older than the window', async () => {
  const { succeed, fail, wait, changes } = setUp();
  await times(5, succeed);
  await times(2, fail);
  await wait(30_000);
  await times(5, succeed);
  await times(2, fail);
  assert.equal(changes, []);
});

test('counts failures spread over the window', async () => {
  const { succeed, fail, wait, changes } = setUp();
  await times(5, succeed);
  for (const pauseMs of [14_500, 14_500]) {
    await fail();
    await wait(pauseMs);
  }
  await fail();
  assert.equal(changes, ['open']);
});

test('stray failures do not stop busy traffic, a tenth of it does', async () => {
  const { succeed, fail, changes } = setUp();
  await times(90, succeed);
  await times(9, fail);
  assert.equal(changes, []);
  await fail();
  assert.equal(changes, ['open']);
});

test('a slow answer is passed on and counts as a failure', async () => {
  const { succeed, answerAfter, changes } = setUp();
  await times(2, succeed);
  await times(3, () => answerAfter(2_000));
  assert.equal(changes, [], 'two seconds are not slow yet');
  await times(2, () => answerAfter(2_001));
  assert.is(await answerAfter(2_001), 'ok');
  assert.equal(changes, ['open']);
});

test('errors that do not speak against the outside system do not count', async () => {
  const { misuse, fail, changes } = setUp();
  await times(10, misuse);
  await times(4, fail);
  assert.equal(changes, []);
});

test('refuses at once while it is open, without making the call', async () => {
  const { breaker, wait } = await opened();
  await wait(59_999);
  const refusal = await breaker.execute(async () => assert.unreachable()).catch((error: unknown) => error);
  assert.instance(refusal, BreakerOpen);
});

test('lets one call find out after its time and closes when it works', async () => {
  const { succeed, fail, wait, changes } = await opened();
  await wait(60_000);
  assert.is(await succeed(), 'ok');
  assert.equal(changes, ['open', 'half-open', 'closed']);
  await times(4, fail);
  assert.equal(changes.length, 3, 'what was before it opened is forgotten');
});

test('opens again for the whole time when that call fails, or is slow', async () => {
  for (const bad of ['fail', 'slow'] as const) {
    const { fail, answerAfter, succeed, wait, changes } = await opened();
    await wait(60_000);
    await (bad === 'fail' ? fail() : answerAfter(2_001));
    assert.equal(changes, ['open', 'half-open', 'open']);
    await wait(59_999);
    assert.is(await succeed(), 'BreakerOpen');
    await wait(1);
    assert.is(await succeed(), 'ok');
  }
});

test('refuses others while that call is under way', async () => {
  const { answerAfter, succeed, wait } = await opened();
  await wait(60_000);
  const probe = answerAfter(1_000);
  assert.is(await succeed(), 'BreakerOpen');
  assert.is(await probe, 'ok');
  assert.is(await succeed(), 'ok');
});

test('calls that end after it opened change nothing', async () => {
  const { breaker, clock, fail, succeed, wait, changes } = setUp();
  const late = breaker
    .execute(async () => {
      await clock.sleep(10_000);
      throw new Outage();
    })
    .catch((error: Error) => error.constructor.name);
  await times(2, succeed);
  await times(3, fail);
  await wait(10_000);
  assert.is(await late, 'Outage');
  assert.equal(changes, ['open']);
  await wait(50_000);
  assert.is(await succeed(), 'ok');
});

test('a wall clock that is set back neither holds it open nor keeps old failures', async () => {
  let now = T0;
  const changes: BreakerState[] = [];
  const breaker = createBreaker({
    clock: { now: () => now },
    figures,
    isFailure: () => true,
    onChange: (state) => changes.push(state),
  });
  const fail = () => breaker.execute(() => Promise.reject(new Outage())).catch(() => undefined);
  await times(4, fail);
  now -= 3_600_000;
  await times(4, fail);
  assert.equal(changes, []);
  await fail();
  assert.equal(changes, ['open']);
  now -= 3_600_000;
  await breaker.execute(async () => 'ok');
  assert.equal(changes, ['open', 'half-open', 'closed']);
});

test.run();
