import type { Commit } from '../actors/kernel/message.ts';

/**
 * Fills a read model from the log. `apply` and `flush` run inside the transaction that applies the record, so a query
 * never sees half of one; `flush` comes once after all commits of the transaction, for what can be added up first.
 */
export interface Projection {
  /** The aggregate types whose events it wants. */
  readonly types: readonly string[];
  apply(commit: Commit): void;
  flush(): void;
  /** The transaction was rolled back: forget what `apply` gathered. */
  discard(): void;
}
