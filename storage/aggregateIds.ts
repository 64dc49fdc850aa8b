/** Which aggregates of a type there are, in pages: for those who go through all of them. */
import { addressKey, parseAddressKey } from '../actors/kernel/address.ts';
import type { Db } from './database.ts';

export type AggregatePage = {
  /** What the ids of the type begin with: nothing else is looked through. */
  readonly prefix: string;
  readonly after?: string;
  readonly limit: number;
};

/** At most `limit` ids, in the order of their keys (`id/type`), after the given id. */
export type AggregateIds = (type: string, page: AggregatePage) => readonly string[];

/** Sorts after everything that an id may go on with. */
const LAST = '\u{10ffff}';

export function createAggregateIds(db: Db): AggregateIds {
  const ids = db
    .prepare<[string, string, number, string, number], string>(
      'SELECT key FROM aggregates WHERE key > ? AND key < ? AND substr(key, -?) = ? ORDER BY key LIMIT ?',
    )
    .pluck();
  return (type, { prefix, after, limit }) => {
    const suffix = `/${type}`;
    const from = after === undefined ? prefix : addressKey({ type, id: after });
    return ids
      .all(from, `${prefix}${LAST}`, suffix.length, suffix, limit)
      .map((key) => parseAddressKey(key as string).id);
  };
}
