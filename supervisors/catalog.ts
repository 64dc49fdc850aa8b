/** The catalog of this node: its tables, its searches and what is remembered of both. */
import type { Policy } from '../actors/policy.ts';
import type { Db } from '../storage/database.ts';
import type { Projection } from '../storage/projection.ts';
import { createCatalogProjection } from '../storage/projections/catalog.ts';
import { createCatalogMemory } from '../storage/projections/catalogMemory.ts';
import { type Catalog, createCatalog } from '../storage/projections/catalogReader.ts';
import type { Caches } from './caches.ts';

/** Products that are remembered weigh what their texts do: about 20,000 with short ones, 1,500 with the longest. */
const CACHED_CHARACTERS = 8_000_000;
const CHARACTERS_BESIDE_DESCRIPTION = 400;
/** Counts that are remembered for facets, of all searches together; one search has some dozens. */
const CACHED_COUNTS = 50_000;

/** The projection belongs behind that of the stock levels. */
export function openCatalog(
  db: Db,
  { catalog: { cacheMs, priceRanges } }: Policy,
  caches: Caches,
): { readonly projection: Projection; readonly catalog: Catalog } {
  const memory = createCatalogMemory(db, {
    entries: caches.create('catalog-entries', {
      max: CACHED_CHARACTERS,
      ttlMs: cacheMs,
      weigh: ({ description }) => description.length + CHARACTERS_BESIDE_DESCRIPTION,
    }),
    cells: caches.create('catalog-facets', { max: CACHED_COUNTS, ttlMs: cacheMs, weigh: (cells) => cells.length }),
  });
  return { projection: createCatalogProjection(db, memory), catalog: createCatalog(db, { memory, priceRanges }) };
}
