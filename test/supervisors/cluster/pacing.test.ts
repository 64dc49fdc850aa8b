/** Pauses that grow, and slots that are few. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createBackOff, createSlots, within } from '../../../supervisors/cluster/pacing.ts';
import { SimulatedTime } from '../../support/clusterProcess.ts';

const pacing = suite('pacing');

function start() {
  const time = new SimulatedTime();
  const clock = { monotonic: () => time.now, delay: (ms: number, task: () => void) => time.after(ms, task) };
  const run = (ms: number) =>
    time.run(
      ms,
      () => false,
      () => undefined,
    );
  return { clock, run };
}

pacing('each failure doubles the pause up to a limit, and a quiet time forgets them', async () => {
  const { clock, run } = start();
  const backOff = createBackOff({ clock, random: () => 0.999, firstMs: 100, maxMs: 350, forgetMs: 1_000 });
  assert.ok(backOff.over);
  for (const pauseMs of [100, 200, 350, 350]) {
    backOff.fail();
    await run(pauseMs - 2);
    assert.not(backOff.over);
    await run(2);
    assert.ok(backOff.over);
  }
  await run(1_000);
  backOff.fail();
  await run(100);
  assert.ok(backOff.over);
  backOff.fail();
  backOff.reset();
  assert.ok(backOff.over);
});

pacing('chance shortens a pause to half at most', async () => {
  const { clock, run } = start();
  const backOff = createBackOff({ clock, random: () => 0, firstMs: 100, maxMs: 100, forgetMs: 1_000 });
  backOff.fail();
  await run(49);
  assert.not(backOff.over);
  await run(1);
  assert.ok(backOff.over);
});

pacing('slots are few and spaced; one is free again when it is given back or has expired', async () => {
  const { clock, run } = start();
  const slots = createSlots({ clock, size: 2, spacingMs: 100, expireMs: 5_000 });
  const first = slots.take();
  assert.ok(first);
  assert.is(slots.take(), undefined, 'too soon');
  await run(100);
  assert.ok(slots.take());
  await run(100);
  assert.is(slots.take(), undefined, 'all are taken');
  first();
  first();
  assert.ok(slots.take());
  await run(100);
  assert.is(slots.take(), undefined, 'giving back twice frees one');
  await run(5_000);
  assert.ok(slots.take());
});

pacing('what takes too long is no longer waited for', async () => {
  const { clock, run } = start();
  const outcome = within(new Promise(() => undefined), 500, clock).catch((error) => error.name);
  await run(500);
  assert.is(await outcome, 'TookTooLong');
  assert.is(await within(Promise.resolve('in time'), 500, clock), 'in time');
});

pacing.run();
