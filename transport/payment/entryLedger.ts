/** The vendor's ledger over entries that only this process changes: a change is one turn of the event loop. */
import { type LedgerEntry, type OrderEntries, REFERENCE_PREFIX, type SimulatorLedger } from './ledger.ts';

/** Plain JSON by key; `put` replaces, all of what it is given or nothing. */
export interface LedgerEntries {
  get(key: string): LedgerEntry | undefined;
  put(...entries: readonly LedgerEntry[]): void;
  remove(key: string): void;
  all(): Iterable<LedgerEntry>;
  /** By key, after the given one; at most `limit`. */
  after(key: string, limit: number): readonly LedgerEntry[];
}

/** Entries of one order that are read at once. */
const PAGE = 64;

export function createEntryLedger(entries: LedgerEntries): SimulatorLedger {
  return {
    async change<Result>(orderId: string, visit: (order: OrderEntries) => Result) {
      const puts: LedgerEntry[] = [];
      const removals: string[] = [];
      const result = visit({
        get: entries.get,
        authorizations: () => entriesOf(entries, orderId).filter((entry) => entry.kind === 'authorization'),
        put: (...more) => void puts.push(...more),
        remove: (key) => void removals.push(key),
        confirm: () => undefined,
      });
      if (puts.length > 0) entries.put(...puts);
      for (const key of removals) entries.remove(key);
      return result;
    },
    async referred(reference) {
      const entry = entries.get(`${REFERENCE_PREFIX}${reference}`);
      return entry?.kind === 'reference' ? entry.authorizationKey : undefined;
    },
    after: async (key, limit) => entries.after(key, limit),
  };
}

function entriesOf(entries: LedgerEntries, orderId: string): LedgerEntry[] {
  const found: LedgerEntry[] = [];
  const prefix = `${orderId}/`;
  for (let key = prefix; ; ) {
    const page = entries.after(key, PAGE);
    for (const entry of page) {
      if (!entry.key.startsWith(prefix)) return found;
      found.push(entry);
      key = entry.key;
    }
    if (page.length < PAGE) return found;
  }
}

export function createMemoryEntries(): LedgerEntries {
  const entries = new Map<string, LedgerEntry>();
  return {
    get: (key) => entries.get(key),
    put: (...all) => {
      for (const entry of all) entries.set(entry.key, entry);
    },
    remove: (key) => {
      entries.delete(key);
    },
    all: () => entries.values(),
    after: (key, limit) =>
      [...entries.values()]
        .filter((entry) => entry.key > key)
        .sort((a, b) => (a.key < b.key ? -1 : 1))
        .slice(0, limit),
  };
}
