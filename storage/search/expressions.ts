/**
 * The words of a query as FTS5 expressions, from what was surely meant to what may have been: as written, as the beginning
 * of a word, with one and with two typing errors; each first in the name, then anywhere. Every word must occur.
 */
import type { Suggestion } from './typingErrors.ts';
import { queryWords } from './words.ts';

export type Lookup = {
  /** Some product has this word, in any form of it. */
  isKnown(word: string): boolean;
  near(word: string): readonly Suggestion[];
};

export type Expressions = {
  /** Best first; none finds what one before it finds. */
  readonly tiers: readonly string[];
  /** Finds what all of them find. */
  readonly all: string;
};

/** Undefined when the text holds no word. */
export function expressionsOf(text: string, { isKnown, near }: Lookup): Expressions | undefined {
  const words = queryWords(text);
  if (words.length === 0) return undefined;
  // Who writes a word that is in the shop means it: only others are corrected.
  const choices = words.map((word) => ({ word, suggestions: isKnown(word) ? [] : near(word) }));
  const levels = [
    every(words.map((word) => [quoted(word)])),
    every(words.map((word) => [beginning(word)])),
    ...(choices.some(({ suggestions }) => suggestions.length > 0) ? [1, 2] : []).map((errors) =>
      every(choices.map(({ word, suggestions }) => [beginning(word), ...within(suggestions, errors)])),
    ),
  ];
  const tiers = levels.flatMap((level, index) => {
    const better = levels[index - 1];
    const inName = `name : (${level})`;
    return better === undefined
      ? [inName, `(${level}) NOT (${inName})`]
      : [`(${inName}) NOT (${better})`, `(${level}) NOT ((${better}) OR ${inName})`];
  });
  return { tiers, all: levels.at(-1) ?? '' };
}

function every(alternatives: readonly (readonly string[])[]): string {
  return alternatives.map((words) => `(${words.join(' OR ')})`).join(' AND ');
}

function within(suggestions: readonly Suggestion[], errors: number): string[] {
  return suggestions.filter((suggestion) => suggestion.errors <= errors).map(({ word }) => quoted(word));
}

/** Words are letters and digits only, so there is nothing to escape. */
const quoted = (word: string): string => `"${word}"`;
const beginning = (word: string): string => `${quoted(word)}*`;
