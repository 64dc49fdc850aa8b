/**
 * Every node follows the logs of all shards into tables of its own, whoever owns them: each is a warm standby of each shard
 * and answers lists by itself.
 */
import type { LogEntry, LogPosition } from './clusterPorts.ts';

/** Who holds a shard by the newest claim of its log. */
export type ShardTitle = {
  readonly node: string;
  /** Position of the claim. */
  readonly epoch: number;
  /** The holder gave the shard up: to somebody, or to whoever comes. */
  readonly released?: { readonly to?: string };
};

export interface FollowedTables {
  /** Position of the newest entry that these tables hold without a gap before it; 0 when empty. After a crash it may be less. */
  position(shard: number): LogPosition;
  /** Number of the newest record that these tables hold; 0 when they hold none. */
  records(shard: number): number;
  /**
   * The log up to the position has every record that these tables hold. Not so while a log is read anew whose end was lost:
   * then the tables are ahead of what was read.
   */
  isWhole(shard: number): boolean;
  /** As of the position; kept with it, because the log before it isn't read again. */
  title(shard: number): ShardTitle | undefined;
  /**
   * Applies the next entry, of whatever kind, unless the tables hold it already; called in order, one at a time per shard.
   * An `own` record is on its way into the tables from whoever appended it: resolves once it is there. Whatever this throws
   * is tried again.
   */
  apply(shard: number, entry: LogEntry): void | Promise<void>;
}

/** The title after this entry. A release under an older claim says nothing about the newest one. */
export function titleAfter(title: ShardTitle | undefined, entry: LogEntry): ShardTitle | undefined {
  switch (entry.kind) {
    case 'record':
    case 'own':
      return title;
    case 'claim':
      return title && title.epoch >= entry.position ? title : { node: entry.node, epoch: entry.position };
    case 'release':
      if (title?.epoch !== entry.epoch) return title;
      return { ...title, released: entry.to === undefined ? {} : { to: entry.to } };
    default:
      return entry satisfies never;
  }
}
