import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createVocabulary, errorsFrom } from '../../../storage/search/typingErrors.ts';

const typing = suite('typing errors');

/** The table of the textbook (optimal string alignment). */
function errorsByTable(a: string, b: string): number {
  const table = Array.from({ length: a.length + 1 }, (_, row) =>
    Array.from({ length: b.length + 1 }, (_, column) => (row === 0 ? column : column === 0 ? row : 0)),
  );
  const at = (row: number, column: number) => table[row]?.[column] ?? 0;
  for (let row = 1; row <= a.length; row++) {
    for (let column = 1; column <= b.length; column++) {
      const wrong = a[row - 1] === b[column - 1] ? 0 : 1;
      let best = Math.min(at(row - 1, column) + 1, at(row, column - 1) + 1, at(row - 1, column - 1) + wrong);
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        best = Math.min(best, at(row - 2, column - 2) + 1);
      }
      (table[row] as number[])[column] = best;
    }
  }
  return at(a.length, b.length);
}

function vocabulary(...known: string[]) {
  const all = createVocabulary();
  for (const word of known) all.add(word);
  return all;
}
const near = (word: string, ...known: string[]) =>
  vocabulary(...known)
    .near(word)
    .map((suggestion) => `${suggestion.word} ${suggestion.errors}`);

typing('are counted as the table of distances counts them', () => {
  const few = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 31 });
  const any = fc.string({ minLength: 1, maxLength: 31 });
  for (const word of [few, any]) {
    fc.assert(
      fc.property(word, word, (a, b) => {
        assert.is(errorsFrom(a)(b), errorsByTable(a, b), `${a} → ${b}`);
      }),
      { numRuns: 2_000, seed: 5 },
    );
  }
});

typing('a wrong, a missing, an additional and a swapped letter are one each', () => {
  for (const word of ['greem', 'gren', 'greeen', 'geren']) assert.equal(near(word, 'green'), ['green 1'], word);
  assert.equal(near('teaa', 'tea'), ['tea 1']);
});

typing('two are forgiven from eight letters on, one from four, none below and none in numbers', () => {
  assert.equal(near('headfones', 'headphones'), ['headphones 2']);
  assert.equal(near('blancket', 'blanket', 'blanked'), ['blanket 1', 'blanked 2']);
  assert.equal(near('blakte', 'blanket'), []);
  assert.equal(near('te', 'tea', 'to'), []);
  assert.equal(near('tae', 'tea'), []);
  assert.equal(near('1000', '100', '1001'), []);
  assert.equal(near('a'.repeat(32), 'a'.repeat(31)), []);
});

typing('suggests the nearest first, the same first letter before another, ten at most', () => {
  assert.equal(near('bread', 'bread', 'tread', 'broad', 'breed'), ['breed 1', 'broad 1', 'tread 1']);
  const many = Array.from({ length: 26 }, (_, index) => `gree${String.fromCharCode(97 + index)}`);
  assert.is(near('greex', ...many).length, 10);
});

typing.run();
