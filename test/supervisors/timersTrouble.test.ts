/** What looks something up by itself, while the tables can't be brought up to date, looks again later. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRealClock } from '../../supervisors/clock.ts';
import { createRelay } from '../../supervisors/relay.ts';
import { createTimers } from '../../supervisors/timers.ts';

const trouble = suite('a full disk and the runtime');

const full = Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!holds() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(holds());
}

trouble('a timer that could not be read fires once it can be', async () => {
  let readable = false;
  const fired: string[] = [];
  const timers = createTimers({
    clock: createRealClock(),
    next: () => 0,
    due: () => {
      if (!readable) throw full;
      const message = { type: 'Ring' };
      return fired.length > 0 ? [] : [{ key: '1/a', name: 'ring', at: 0, seq: 1, message }];
    },
    fire: ({ name }, settle) => {
      fired.push(name);
      settle(true);
    },
  });
  timers.start();
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(fired, []);
  readable = true;
  await until(() => fired.length > 0);
  assert.equal(fired, ['ring']);
  timers.close();
});

trouble('an outbox that could not be read is sent once it can be', async () => {
  let readable = false;
  const sent: string[] = [];
  const relay = createRelay({
    clock: createRealClock(),
    ids: { next: (prefix) => prefix, random: () => 0 },
    outbox: (after) => {
      if (!readable) throw full;
      const envelope = {
        id: 'm',
        to: { type: 'a', id: '1' },
        from: { type: 'b', id: '1' },
        message: { type: 'Hello' },
      };
      return after === 0 ? [{ position: 1, envelope }] : [];
    },
    acknowledge: () => {},
    send: ({ id }, settle) => {
      sent.push(id);
      settle({ kind: 'done' });
    },
  });
  relay.recover();
  assert.equal(sent, []);
  assert.is(relay.idle(), false);
  readable = true;
  await until(() => sent.length > 0);
  assert.equal(sent, ['m']);
  relay.close();
});

trouble('what is no trouble of the disk is a bug, and is not swallowed', () => {
  const bug = () => {
    throw new TypeError('a bug');
  };
  const clock = createRealClock();
  const timers = createTimers({ clock, next: bug, due: bug, fire: () => {} });
  assert.throws(() => timers.start(), 'a bug');
  const relay = createRelay({
    clock,
    ids: { next: String, random: () => 0 },
    outbox: bug,
    acknowledge: () => {},
    send: () => {},
  });
  assert.throws(() => relay.recover(), 'a bug');
});

trouble.run();
