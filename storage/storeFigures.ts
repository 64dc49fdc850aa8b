/** Counts over the store, for metrics and start-up. */
import type { Db } from './database.ts';
import { readMeta, writeMeta } from './database.ts';

export type StoreFigures = {
  /** Timers due up to `until` (ms since the epoch). */
  timers(until: number): number;
  /** Messages sent and not acknowledged. */
  outbox(): number;
  /** Time of the newest record, in ms since the epoch; undefined when there is none. */
  latestTime(): number | undefined;
  /** Counts the openings of this store: tells apart two lives of a node. */
  instance(): number;
};

export function createStoreFigures(db: Db): StoreFigures {
  // By the index of each shard, which SQLite does in this order only: the table may hold a million that are far from due.
  const timers = db
    .prepare<[number], number>('SELECT count(*) FROM heads h CROSS JOIN timers t ON t.shard = h.shard AND t.at <= ?')
    .pluck();
  const outbox = db.prepare<[], number>('SELECT count(*) FROM outbox').pluck();
  const latest = db
    .prepare<[], number | null>('SELECT max(at) FROM commits WHERE position = (SELECT max(position) FROM commits)')
    .pluck();
  return {
    timers: (until) => timers.get(until) as number,
    outbox: () => outbox.get() as number,
    latestTime: () => (latest.get() as number | null) ?? undefined,
    instance() {
      const instance = Number(readMeta(db, 'instance') ?? 0) + 1;
      writeMeta(db, 'instance', String(instance));
      return instance;
    },
  };
}
