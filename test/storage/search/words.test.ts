import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folded, queryWords, wordsOf } from '../../../storage/search/words.ts';

const words = suite('search words');

words('accents, case and ways of writing a letter make no difference', () => {
  for (const [text, plain] of [
    ['Café CRÈME', 'cafe creme'],
    ['Straße', 'strasse'],
    ['Smørrebrød', 'smorrebrod'],
    ['İstanbul', 'istanbul'],
    ['ﬁne™', 'finetm'],
    ['Ångström', 'angstrom'],
    ['ŁÓDŹ', 'lodz'],
  ] as const) {
    assert.is(folded(text), plain);
  }
});

words('are letters and digits; everything else stands between them', () => {
  assert.equal(wordsOf('Loose-leaf tea, 100g (fair/trade)!'), ['loose', 'leaf', 'tea', '100g', 'fair', 'trade']);
  assert.equal(wordsOf('"NEAR(a b)" * ^ : ; -- \u0000 🫖 \ud800'), ['near', 'a', 'b']);
  assert.equal(wordsOf(''), []);
});

words('scripts without blanks are taken character by character', () => {
  assert.equal(wordsOf('緑茶 tea'), ['緑', '茶', 'tea']);
  assert.equal(wordsOf('抹茶set'), ['抹', '茶', 'set']);
});

words('a query has at most ten words of at most 32 letters, each once', () => {
  assert.equal(queryWords('tea TEA téa'), ['tea']);
  assert.is(queryWords(Array.from({ length: 50 }, (_, index) => `w${index}`).join(' ')).length, 10);
  assert.equal(queryWords('x'.repeat(10_000)), ['x'.repeat(32)]);
});

words.run();
