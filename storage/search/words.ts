/**
 * What counts as a word, the same for what is indexed and for what is looked for: accents, case and the ways of writing a
 * letter make no difference ("Café" is "cafe"). The index sees only folded words, so nothing in a text is ever FTS5 syntax.
 */

/** More of a query than anybody means is not looked at. */
const MAX_QUERY_LENGTH = 1_000;
const MAX_QUERY_WORDS = 10;
const MAX_QUERY_WORD_LENGTH = 32;

/** Letters that Unicode doesn't take apart into a letter and an accent. */
const PLAIN: Readonly<Record<string, string>> = { ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', đ: 'd', ð: 'd', ł: 'l', þ: 'th' };
/** Scripts without blanks between words: each character is a word, so that the middle of a sentence is found too. */
const WORD =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}])[\p{L}\p{N}])+/gu;

/** For comparing and sorting as people do. */
export function folded(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[ßæœøđðłþ]/g, (letter) => PLAIN[letter] ?? letter);
}

export function wordsOf(text: string): string[] {
  return folded(text).match(WORD) ?? [];
}

/** The words to look for, each once. */
export function queryWords(text: string): string[] {
  const words = wordsOf(text.slice(0, MAX_QUERY_LENGTH)).map((word) => word.slice(0, MAX_QUERY_WORD_LENGTH));
  return [...new Set(words)].slice(0, MAX_QUERY_WORDS);
}
