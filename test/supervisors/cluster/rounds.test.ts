/** What many ask for at once is found out few times, and never earlier than it was asked for. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRounds } from '../../../supervisors/cluster/rounds.ts';
import { rejection } from '../../support/eventually.ts';

const test = suite('rounds');

/** Rounds that end when the test says so; each resolves with its number. */
function held() {
  const ends: ((error?: Error) => void)[] = [];
  const ask = createRounds(
    () =>
      new Promise<number>((resolve, reject) => {
        const number = ends.length + 1;
        ends.push((error) => (error ? reject(error) : resolve(number)));
      }),
  );
  return { ask, ends };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('whoever asks while a round is under way shares the next one', async () => {
  const { ask, ends } = held();
  const asked = [ask(), ask(), ask()];
  assert.is(ends.length, 1);
  ends[0]?.();
  await turn();
  assert.is(ends.length, 2);
  const late = ask();
  ends[1]?.();
  await turn();
  ends[2]?.();
  assert.equal(await Promise.all([...asked, late]), [1, 2, 2, 3]);
});

test('a round that fails fails for those who share it, and the next one begins', async () => {
  const { ask, ends } = held();
  const first = rejection(ask());
  const second = ask();
  ends[0]?.(new Error('no answer'));
  assert.is((await first).message, 'no answer');
  await turn();
  ends[1]?.();
  assert.is(await second, 2);
  const third = ask();
  ends[2]?.();
  assert.is(await third, 3);
});

test('whatever the order, nobody gets a round that began before it asked, and never do two run at once', () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom('ask', 'end', 'fail', 'turn'), { maxLength: 60 }), async (steps) => {
      const { ask, ends } = held();
      let ended = 0;
      const answers: Promise<void>[] = [];
      const end = (error?: Error): void => {
        assert.ok(ends.length - ended <= 1, 'one at a time');
        if (ended < ends.length) ends[ended++]?.(error);
      };
      for (const step of steps) {
        if (step === 'ask') {
          const begun = ends.length;
          const running = begun > ended;
          const answer = ask().then(
            (number) => assert.ok(number > begun || (!running && number === begun + 1), `${number} after ${begun}`),
            () => undefined,
          );
          answers.push(answer);
        } else if (step === 'turn') await turn();
        else end(step === 'fail' ? new Error('no answer') : undefined);
      }
      for (let left = 0; left < 3; left++) {
        await turn();
        end();
      }
      await Promise.all(answers);
    }),
  ));

test.run();
