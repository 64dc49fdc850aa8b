/** Finds the words that somebody may have meant: all known words within one or two typing errors. */

/** Bits of a number; longer words are not corrected. */
const MAX_LENGTH = 31;
/** A longer word may hold more errors: wrong, missing, additional or swapped letters. */
const ONE_ERROR_FROM = 4;
const TWO_ERRORS_FROM = 8;
/** A word one letter shorter than the shortest that is corrected may still be what was meant. */
const SHORTEST_KNOWN = ONE_ERROR_FROM - 1;
/** Far more than the words of 10,000 products; what is beyond is found as it is written only. */
const MAX_WORDS = 200_000;
const MAX_SUGGESTIONS = 10;

export type Suggestion = { readonly word: string; readonly errors: number };

export type Vocabulary = {
  add(word: string): void;
  /** Nearest first; without the word itself. */
  near(word: string): Suggestion[];
};

/** Numbers and sizes are not corrected: 100 g is not 10 g. */
export function isCorrectable(word: string): boolean {
  return word.length >= SHORTEST_KNOWN && word.length <= MAX_LENGTH && /^\p{L}+$/u.test(word);
}

export function createVocabulary(): Vocabulary {
  const byLength: Set<string>[] = Array.from({ length: MAX_LENGTH + 1 }, () => new Set());
  let size = 0;
  return {
    add(word) {
      const words = isCorrectable(word) ? byLength[word.length] : undefined;
      if (!words || words.has(word) || size >= MAX_WORDS) return;
      words.add(word);
      size++;
    },
    near(word) {
      const allowed = allowedErrors(word);
      if (allowed === 0) return [];
      const errorsTo = errorsFrom(word);
      const found: Suggestion[] = [];
      for (let length = word.length - allowed; length <= word.length + allowed; length++) {
        for (const known of byLength[length] ?? []) {
          const errors = errorsTo(known);
          if (errors > 0 && errors <= allowed) found.push({ word: known, errors });
        }
      }
      // People seldom get the first letter wrong.
      const distance = (suggestion: Suggestion) => suggestion.errors + (suggestion.word[0] === word[0] ? 0 : 0.5);
      found.sort((a, b) => distance(a) - distance(b) || (a.word < b.word ? -1 : 1));
      return found.slice(0, MAX_SUGGESTIONS);
    },
  };
}

function allowedErrors(word: string): number {
  if (!isCorrectable(word) || word.length < ONE_ERROR_FROM) return 0;
  return word.length < TWO_ERRORS_FROM ? 1 : 2;
}

/**
 * The number of errors between this word and others (optimal string alignment), by Hyyrö's bit-parallel algorithm: a column
 * of the table of distances is a few numbers, so that tens of thousands of words take a millisecond. Words of up to 31
 * letters.
 */
export function errorsFrom(word: string): (other: string) => number {
  const positions = new Map<number, number>();
  for (let index = 0; index < word.length; index++) {
    const letter = word.charCodeAt(index);
    positions.set(letter, (positions.get(letter) ?? 0) | (1 << index));
  }
  const last = 1 << (word.length - 1);
  return (other) => {
    let [plus, minus, zero, before, errors] = [-1, 0, 0, 0, word.length];
    for (let index = 0; index < other.length; index++) {
      const here = positions.get(other.charCodeAt(index)) ?? 0;
      const swapped = ((~zero & here) << 1) & before;
      zero = (((here & plus) + plus) ^ plus) | here | minus | swapped;
      const up = minus | ~(zero | plus);
      const down = zero & plus;
      if (up & last) errors++;
      if (down & last) errors--;
      const shifted = (up << 1) | 1;
      plus = (down << 1) | ~(zero | shifted);
      minus = shifted & zero;
      before = here;
    }
    return errors;
  };
}
