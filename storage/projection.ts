import type { Commit } from '../actors/kernel/message.ts';

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
