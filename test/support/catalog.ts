/** The catalog's tables alone, filled by events, without a shop around them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { stockAddress } from '../../actors/inventoryItem/messages.ts';
import { type Address, addressKey } from '../../actors/kernel/address.ts';
import type { Versioned } from '../../actors/kernel/decider.ts';
import { type ProductDetails, type ProductEvent, productAddress } from '../../actors/product.ts';
import { openDatabase } from '../../storage/database.ts';
import { createCatalogProjection } from '../../storage/projections/catalog.ts';
import { createCatalogMemory } from '../../storage/projections/catalogMemory.ts';
import { type Catalog, type CatalogQuery, createCatalog } from '../../storage/projections/catalogReader.ts';
import { createStockLevels } from '../../storage/projections/stockLevels.ts';
import { createCaches } from '../../supervisors/caches.ts';

export type TestCatalog = Catalog & {
  /** One transaction. */
  apply(...changes: readonly (readonly [to: Address, ...events: readonly Versioned[]])[]): void;
  /** The same, rolled back after everything was applied. */
  applyInVain(...changes: readonly (readonly [to: Address, ...events: readonly Versioned[]])[]): void;
  /** Puts a product on sale. */
  sell(sku: string, amount: number, details?: Partial<ProductDetails>, pieces?: number): void;
  /** SKUs of the first page. */
  skus(query?: Partial<CatalogQuery>): string[];
  /** Moves the caches' time on. */
  pass(ms: number): void;
  close(): void;
};

export const CACHE_MS = 60_000;

export function openCatalog(): TestCatalog {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-catalog-'));
  const db = openDatabase(join(folder, 'test.sqlite'));
  // Nothing here is about crashes.
  db.pragma('synchronous = OFF');
  let now = 1;
  const caches = createCaches(() => now, new Registry());
  const limits = { max: 10_000, ttlMs: CACHE_MS };
  const memory = createCatalogMemory(db, {
    entries: caches.create('entries', limits),
    cells: caches.create('cells', limits),
  });
  const projections = [createStockLevels(db), createCatalogProjection(db, memory)];
  const catalog = createCatalog(db, { memory, priceRanges: [1_000, 5_000] });
  const versions = new Map<string, number>();

  function write([to, ...events]: readonly [Address, ...Versioned[]]): void {
    const key = addressKey(to);
    const version = (versions.get(key) ?? 0) + 1;
    versions.set(key, version);
    const commit = { key, seq: version, version, cause: `${key} ${version}`, at: now, events, sends: [], timers: [] };
    for (const projection of projections) if (projection.types.includes(to.type)) projection.apply(commit);
  }
  const apply: TestCatalog['apply'] = (...changes) => {
    db.exec('BEGIN');
    changes.forEach(write);
    for (const projection of projections) projection.flush();
    db.exec('COMMIT');
  };
  return {
    ...catalog,
    apply,
    applyInVain(...changes) {
      db.exec('BEGIN');
      changes.forEach(write);
      for (const projection of projections) projection.flush();
      db.exec('ROLLBACK');
      for (const projection of projections) projection.discard();
    },
    sell(sku, amount, details = {}, pieces = 0) {
      const all = { name: sku, description: '', category: 'Other', tags: [], ...details };
      const created: ProductEvent = { type: 'ProductCreated', v: 1, ...all };
      apply([productAddress(sku), created, priceSet(amount)], ...(pieces > 0 ? [received(sku, pieces)] : []));
      now++;
    },
    skus: (query = {}) => catalog.search({ sort: 'relevance', limit: 100, ...query }).entries.map(({ sku }) => sku),
    pass(ms) {
      now += ms;
    },
    close() {
      db.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function priceSet(amount: number, old: number | null = null): ProductEvent {
  const usd = (value: number) => ({ amount: value, currency: 'USD' });
  return { type: 'PriceSet', v: 1, old: old === null ? null : usd(old), price: usd(amount) };
}

export function received(sku: string, quantity: number, warehouse = 'wh-east') {
  return [stockAddress(sku, warehouse), { type: 'StockReceived', v: 1, quantity }] as const;
}

export function adjusted(sku: string, delta: number, warehouse = 'wh-east') {
  return [stockAddress(sku, warehouse), { type: 'StockAdjusted', v: 1, delta, reason: 'Count.' }] as const;
}
