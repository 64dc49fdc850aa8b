/**
 * An immutable map from id to value, as plain JSON. Aggregates that hold thousands of entries (a popular SKU's
 * reservations) would pay a full copy for each change of a flat object; here a change copies one bucket of 64.
 */
export type Table<Value> = { readonly [bucket: string]: { readonly [id: string]: Value } };

const BUCKETS = 64;

function bucketOf(id: string): string {
  let hash = 0;
  for (let index = 0; index < id.length; index++) hash = (hash * 31 + id.charCodeAt(index)) | 0;
  return String((hash >>> 0) % BUCKETS);
}

export const emptyTable: Table<never> = {};

export function tableGet<Value>(table: Table<Value>, id: string): Value | undefined {
  return table[bucketOf(id)]?.[id];
}

export function tableSet<Value>(table: Table<Value>, id: string, value: Value): Table<Value> {
  const bucket = bucketOf(id);
  return { ...table, [bucket]: { ...table[bucket], [id]: value } };
}

export function tableDelete<Value>(table: Table<Value>, id: string): Table<Value> {
  const bucket = bucketOf(id);
  const { [id]: _removed, ...rest } = table[bucket] ?? {};
  return { ...table, [bucket]: rest };
}

export function tableValues<Value>(table: Table<Value>): Value[] {
  return Object.values(table).flatMap((bucket) => Object.values(bucket));
}
