/**
 * Events that were ever released are understood for ever. A new event type or version needs an entry in test/golden:
 * `GOLDEN=add npm test -- goldenEvents && npm run format` adds what is missing and touches nothing else. A state that
 * differs means that snapshots of older shape are in people's stores, too: that needs an answer before a new state.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  addMissing,
  aggregateTypes,
  currentSamples,
  goldenTypes,
  nameOf,
  readGolden,
  replayed,
} from '../support/golden.ts';

const golden = suite('golden events');

if (process.env['GOLDEN'] === 'add') for (const type of aggregateTypes) addMissing(type);

golden('there is a file for each kind of aggregate, and no other', () => {
  assert.equal(goldenTypes().sort(), [...aggregateTypes].sort());
});

for (const type of aggregateTypes) {
  const file = readGolden(type);

  golden(`${type} - every event that it can record is in its golden file`, () => {
    const names = [...currentSamples(type).keys()];
    assert.ok(names.length > 0);
    assert.equal(
      names.filter((name) => !Object.hasOwn(file, name)),
      [],
    );
  });

  golden(`${type} - every history gives exactly the state that it gave when it was released`, () => {
    for (const [name, { id, events, state }] of Object.entries(file)) {
      const last = events.at(-1);
      assert.is(last && nameOf(last), name);
      assert.is(JSON.stringify(replayed(type, { id, events })), JSON.stringify(state), `${type}: ${name}`);
    }
  });

  golden(`${type} - a sample is stored and read without loss`, () => {
    for (const [name, sample] of currentSamples(type)) {
      const read = JSON.parse(JSON.stringify(sample));
      assert.equal(read, sample, name);
      assert.is(JSON.stringify(replayed(type, read)), JSON.stringify(replayed(type, sample)), name);
    }
  });
}

golden.run();
