/**
 * A bounded memory: the newest entries by id; adding beyond the limit forgets the oldest. Immutable plain JSON, and a
 * change costs the same however much is remembered.
 */
import { emptyTable, type Table, tableDelete, tableGet, tableSet } from './table.ts';

export type Recent<Value> = {
  /** Numbers of the oldest entry and of the next one. */
  readonly first: number;
  readonly next: number;
  readonly ids: Table<string>;
  readonly values: Table<Value>;
};

/** Two for one: a lowered limit is reached over the next additions instead of in one long pause. */
const FORGOTTEN_PER_ADDITION = 2;

export const emptyRecent: Recent<never> = { first: 0, next: 0, ids: emptyTable, values: emptyTable };

export function recentGet<Value>(recent: Recent<Value>, id: string): Value | undefined {
  return tableGet(recent.values, id);
}

/** Remembers a new id; one that is remembered already keeps its place and its value. */
export function recentAdd<Value>(recent: Recent<Value>, id: string, value: Value, limit: number): Recent<Value> {
  if (recentGet(recent, id) !== undefined) return recent;
  let { first, ids, values } = recent;
  const next = recent.next + 1;
  ids = tableSet(ids, String(recent.next), id);
  values = tableSet(values, id, value);
  for (let dropped = 0; dropped < FORGOTTEN_PER_ADDITION && next - first > limit; dropped++) {
    const oldest = tableGet(ids, String(first));
    ids = tableDelete(ids, String(first));
    if (oldest !== undefined) values = tableDelete(values, oldest);
    first += 1;
  }
  return { first, next, ids, values };
}
