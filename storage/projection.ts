import type { Commit } from '../actors/kernel/message.ts';
import { isStoreTrouble } from './database.ts';

/**
 * Fills a read model from the log. `apply` and `flush` run inside one transaction, so a query never sees half of a
 * record; `flush` comes once after all commits of the transaction, for what can be added up first.
 */
export interface Projection {
  /** The aggregate types whose events it wants. */
  readonly types: readonly string[];
  apply(commit: Commit): void;
  flush(): void;
  /** The transaction was rolled back: forget what `apply` gathered. */
  discard(): void;
}

/** Those that want the events of an aggregate type, in the given order. */
export function projectionsByType(projections: readonly Projection[]): ReadonlyMap<string, readonly Projection[]> {
  const byType = new Map<string, Projection[]>();
  for (const projection of projections) {
    for (const type of projection.types) byType.set(type, [...(byType.get(type) ?? []), projection]);
  }
  return byType;
}

/**
 * The same, but what it can't make sense of is left out: for logs that can't refuse a record any more.
 * @param skipped hears of it
 */
export function forgiving(projection: Projection, skipped: (what: string, error: unknown) => void): Projection {
  function isolated(what: string, work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      if (isStoreTrouble(error)) throw error;
      skipped(what, error);
      return false;
    }
  }
  return {
    types: projection.types,
    apply(commit) {
      isolated(commit.key, () => projection.apply(commit));
    },
    flush() {
      // What it gathered would fail again with each later transaction.
      if (!isolated(projection.types.join(), () => projection.flush())) projection.discard();
    },
    discard: () => projection.discard(),
  };
}
