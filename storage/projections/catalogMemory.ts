/**
 * What is kept in memory of the catalog. Each change is forgotten inside the transaction that makes it, before anybody can
 * read, so what comes from here is as exact as the tables; the age limit only bounds how long a bug could last.
 */
import type { Cache } from '../../actors/kernel/ports.ts';
import type { Db } from '../database.ts';
import { createVocabulary, type Suggestion, type Vocabulary } from '../search/typingErrors.ts';
import type { CatalogChanges } from './catalog.ts';
import type { Cell } from './catalogFacets.ts';
import type { CatalogEntry } from './catalogReader.ts';

export type CatalogMemory = CatalogChanges & {
  /** The entry of a SKU. What isn't there is not remembered: anybody can ask for SKUs without end. */
  entry(sku: string, read: () => CatalogEntry | undefined): CatalogEntry | undefined;
  /** What the facets are counted from. */
  cells(search: string, count: () => readonly Cell[]): readonly Cell[];
  near(word: string): readonly Suggestion[];
};

export type CatalogCaches = {
  readonly entries: Cache<CatalogEntry>;
  readonly cells: Cache<readonly Cell[]>;
};

export function createCatalogMemory(db: Db, { entries, cells }: CatalogCaches): CatalogMemory {
  // Read when the first word is mistyped.
  let vocabulary: Vocabulary | undefined;
  const load = (): Vocabulary => {
    const words = createVocabulary();
    for (const word of db.prepare<[], string>('SELECT word FROM products_words').pluck().iterate()) words.add(word);
    return words;
  };
  return {
    entry(sku, read) {
      const remembered = entries.get(sku);
      if (remembered) return remembered;
      const entry = read();
      if (entry) entries.set(sku, entry);
      return entry;
    },
    cells(search, count) {
      const remembered = cells.get(search);
      if (remembered) return remembered;
      const counted = count();
      cells.set(search, counted);
      return counted;
    },
    near(word) {
      vocabulary ??= load();
      return vocabulary.near(word);
    },
    entryChanged: (sku) => entries.forget(sku),
    resultsChanged: () => cells.clear(),
    wordsAdded(words) {
      for (const word of words) vocabulary?.add(word);
    },
  };
}
