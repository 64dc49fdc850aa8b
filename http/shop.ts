/**
 * The shop as the edge sees it: the only port between HTTP and everything below. The runtime implements it structurally;
 * nothing here knows about shards, actors or SQL. Whatever these calls answer is durable (I1).
 */
import type { Address } from '../actors/kernel/address.ts';
import type { Typed } from '../actors/kernel/decider.ts';
import type { MessageId, Reply } from '../actors/kernel/message.ts';
import type { Money } from '../actors/kernel/money.ts';
import type { Clock, StoredCommit, StoredDeadLetter } from '../actors/kernel/ports.ts';
import type { OrderStatus } from '../actors/order.ts';

export interface Shop {
  /**
   * Sends a command and waits for its durable answer. Rejects with `Unavailable` on overload, a passed deadline or a
   * failing store; then the command may or may not have happened and is safe to repeat with the same id.
   * The codes `precondition.version-mismatch` and `idempotency.key-reused` come from the runtime.
   */
  ask(request: AskRequest): Promise<Reply>;
  /**
   * The newest durable state; undefined when the aggregate has no history. With `after` it waits until the version is
   * greater or the deadline (monotonic ms) passes, and then answers what there is.
   */
  read<State>(address: Address, options: ReadOptions): Promise<Versioned<State> | undefined>;
  /** The aggregate as it was at a version: what makes a replayed answer the first answer again. */
  readAt<State>(address: Address, version: number): Promise<Versioned<State> | undefined>;
  /** Every commit of one aggregate, oldest first. */
  history(address: Address): Promise<readonly StoredCommit[]>;
  readonly catalog: Catalog;
  /** Newest first; `after` is the last row of the page before. */
  customerOrders(customerId: string, page: OrderPage): Promise<readonly OrderRow[]>;
  /** One row per warehouse that ever had the SKU. */
  stock(sku: string): Promise<readonly StockRow[]>;
  deadLetters(limit: number): Promise<readonly StoredDeadLetter[]>;
  health(): Health;
  /** Prometheus text of the registry that the edge was given too. */
  metrics(): Promise<string>;
  readonly clock: Clock;
  /** Only with CLOCK=virtual: moves business time on and resolves when what fell due has been handled. */
  advanceClock?(ms: number): Promise<void>;
  /** Only with CHAOS=on: kills the live actor; its next message brings it back. */
  kill?(address: Address): Promise<void> | void;
}

export type AskRequest = {
  readonly to: Address;
  readonly message: Typed;
  readonly id: MessageId;
  readonly by?: string;
  readonly fingerprint?: string;
  readonly expectedVersion?: number;
  readonly trace?: string;
  /** On the monotonic clock, in ms. */
  readonly deadline: number;
};

export type ReadOptions = { readonly deadline: number; readonly after?: number };

export type Versioned<State> = { readonly state: State; readonly version: number };

export interface Catalog {
  find(sku: string): CatalogEntry | undefined;
  search(query: CatalogQuery): CatalogPage;
}

export type CatalogEntry = {
  readonly sku: string;
  readonly name: string;
  readonly description: string;
  readonly category: string;
  readonly tags: readonly string[];
  readonly status: 'draft' | 'active' | 'discontinued';
  readonly price: Money | null;
  /** Summed over the warehouses. */
  readonly available: number;
  /** The product's version: stock changes leave it alone. */
  readonly version: number;
};

export type CatalogSort = 'relevance' | 'name' | 'price' | '-price';

/** Finds active, priced products only. Prices in minor units, bounds included. */
export type CatalogQuery = {
  readonly text?: string;
  readonly category?: string;
  readonly minPrice?: number;
  readonly maxPrice?: number;
  readonly sort: CatalogSort;
  readonly limit: number;
  readonly offset: number;
};

/** Facets count the matches of the whole query, not of the page. */
export type CatalogPage = {
  readonly entries: readonly CatalogEntry[];
  readonly total: number;
  readonly categories: readonly { readonly category: string; readonly count: number }[];
};

export type OrderPage = {
  readonly limit: number;
  readonly after?: { readonly placedAt: number; readonly orderId: string };
};

export type OrderRow = {
  readonly orderId: string;
  readonly status: OrderStatus;
  readonly total: Money;
  readonly placedAt: number;
};

export type StockRow = {
  readonly warehouse: string;
  readonly available: number;
  readonly reserved: number;
  readonly committed: number;
  readonly picked: number;
  readonly received: number;
  readonly shipped: number;
  readonly adjusted: number;
};

export type Health = {
  readonly live: boolean;
  readonly ready: boolean;
  readonly detail: Readonly<Record<string, unknown>>;
};

/** What `ask` and `read` reject with when the shop can't answer now; known by its name, because it comes from below. */
export type Unavailable = Error & {
  readonly name: 'Unavailable';
  readonly retryable: boolean;
  readonly retryAfterSeconds: number;
};

export function isUnavailable(error: unknown): error is Unavailable {
  return error instanceof Error && error.name === 'Unavailable' && 'retryAfterSeconds' in error;
}
