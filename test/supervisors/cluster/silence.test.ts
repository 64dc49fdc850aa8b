/** Whoever asks while the broker is away is told so soon. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { answeringUnlessAway, watchSilence } from '../../../supervisors/cluster/silence.ts';
import { type ShopCore, Unavailable } from '../../../supervisors/shop.ts';
import { rejection } from '../../support/eventually.ts';

const silences = suite('silence of the broker');

/** Time passes by hand; the broker is heard whenever it says so. */
function start() {
  const state = { now: 0, lastContact: 0, task: (): void => undefined };
  const silence = watchSilence({
    clock: {
      monotonic: () => state.now,
      delay(_ms, task) {
        state.task = task;
        return () => {
          state.task = () => undefined;
        };
      },
    },
    calls: {
      get lastContact() {
        return state.lastContact;
      },
    },
  });
  /** One tick, so much later. */
  const tick = (ms: number, heard: boolean): void => {
    state.now += ms;
    if (heard) state.lastContact = state.now;
    state.task();
  };
  const silent = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += 250) tick(250, false);
  };
  return { silence, tick, silent };
}

const never = (): Promise<never> => new Promise(() => undefined);

silences('an answer is an answer while the broker is heard, or away for a moment', async () => {
  const { silence, tick, silent } = start();
  assert.is(await silence.unlessAway(async () => 1), 1);
  silent(2_500);
  assert.is(await silence.unlessAway(async () => 2), 2);
  tick(250, true);
  silent(2_500);
  assert.is(await silence.unlessAway(async () => 3), 3);
  const failed = await rejection(silence.unlessAway(() => Promise.reject(new Error('its own'))));
  assert.is(failed.message, 'its own');
});

silences('after three seconds all that wait are refused, and whoever comes is, until it is heard again', async () => {
  const { silence, tick, silent } = start();
  const waiting = [rejection(silence.unlessAway(never)), rejection(silence.unlessAway(never))];
  silent(3_000);
  for (const error of await Promise.all(waiting)) {
    assert.instance(error, Unavailable);
    assert.match(error.message, /the broker has not answered for 3 s/);
    assert.is((error as Unavailable).retryAfterSeconds, 2);
  }
  let begun = false;
  const late = silence.unlessAway(async () => {
    begun = true;
  });
  assert.instance(await rejection(late), Unavailable);
  assert.is(begun, false);
  tick(250, true);
  assert.is(await silence.unlessAway(async () => 4), 4);
});

silences('a process that stood still gives the broker the time to answer first', async () => {
  const { silence, tick, silent } = start();
  tick(30_000, false);
  assert.is(await silence.unlessAway(async () => 5), 5);
  silent(2_000);
  assert.is(await silence.unlessAway(async () => 6), 6);
});

silences('everything that a shop is asked is refused alike', async () => {
  const { silence, silent } = start();
  const core: ShopCore = { ask: never, read: never, readAt: never, history: never };
  const shop = answeringUnlessAway(core, silence);
  const address = { type: 'order', id: 'ord_1' };
  const request = { to: address, message: { type: 'x' }, id: 'req', by: 'me', deadline: 10_000 };
  const asked = [
    shop.ask(request),
    shop.read(address, { deadline: 1 }),
    shop.readAt(address, 1),
    shop.history(address),
  ];
  const refused = asked.map((each) => rejection(each));
  silent(3_000);
  for (const error of await Promise.all(refused)) assert.instance(error, Unavailable);
});

silences.run();
