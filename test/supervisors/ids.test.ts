import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createIds, createSeededIds } from '../../supervisors/ids.ts';
import { T0 } from '../support/spec.ts';

const many = <T>(make: () => T): T[] => Array.from({ length: 2_000 }, make);

for (const [name, create] of [
  ['ids', createIds],
  ['seeded ids', (now: () => number) => createSeededIds(7, now)],
] as const) {
  const test = suite(name);

  test('carry their prefix and a ULID', () => {
    assert.match(create(() => T0).next('ord'), /^ord_[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
  });

  test('sort by the time of their making', () => {
    let now = T0;
    const ids = create(() => now);
    const made = many(() => {
      now += 1;
      return ids.next('cart');
    });
    assert.equal(made.toSorted(), made);
  });

  test('differ, also within one millisecond', () => {
    const ids = create(() => T0);
    assert.is(new Set(many(() => ids.next('cart'))).size, 2_000);
  });

  test('use every letter in every random place', () => {
    const ids = create(() => T0);
    const made = many(() => ids.next('x').slice('x_'.length + 10));
    for (let place = 0; place < 16; place++) assert.is(new Set(made.map((id) => id[place])).size, 32);
  });

  test('random numbers lie in [0, 1) and spread', () => {
    const numbers = many(create(() => T0).random);
    assert.ok(numbers.every((number) => number >= 0 && number < 1));
    assert.is(new Set(numbers.map((number) => Math.floor(number * 10))).size, 10);
  });

  test.run();
}

const seeded = suite('seeded ids: repetition');

seeded('the same seed gives the same run, another seed another', () => {
  const run = (seed: number) => {
    const ids = createSeededIds(seed, () => T0);
    return [ids.next('ord'), ids.random(), ids.next('cart'), ids.random()];
  };
  assert.equal(run(42), run(42));
  assert.not.equal(run(42), run(43));
});

seeded.run();
