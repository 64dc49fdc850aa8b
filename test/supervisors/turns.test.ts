/** Who goes first when a turn of the event loop has more to do than it should. */
import { setImmediate as turn } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createTurns } from '../../supervisors/turns.ts';

const turns = suite('turns');

/** Asks for so many tasks at once; the list grows as they run. */
function ask(count: number): { readonly ran: readonly number[]; more(count: number): void } {
  const { share } = createTurns();
  const ran: number[] = [];
  let asked = 0;
  const more = (wanted: number): void => {
    for (let i = 0; i < wanted; i += 1) {
      const number = asked++;
      share(() => void ran.push(number));
    }
  };
  more(count);
  return { ran, more };
}

turns('what fits into a turn is done at once', () => {
  assert.equal(ask(3).ran, [0, 1, 2]);
});

turns('what does not fit comes in later turns, in order, and whoever asks then comes behind it', async () => {
  const { ran, more } = ask(1_000);
  const first = ran.length;
  assert.ok(first > 0 && first < 500, `${first} in the first turn`);
  await turn();
  more(1);
  assert.ok(ran.length < 1_000, 'a second turn does not do all the rest');
  while (ran.length < 1_001) await turn();
  assert.equal(
    ran,
    Array.from({ length: 1_001 }, (_, number) => number),
  );
});

turns('each turn has its share again after a rest', async () => {
  const { ran, more } = ask(10);
  for (let i = 0; i < 5; i += 1) await turn();
  more(10);
  assert.is(ran.length, 20);
});

turns.run();
