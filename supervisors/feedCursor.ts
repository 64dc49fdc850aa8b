/**
 * How far somebody has followed what is theirs, as a short text that means the same on every node: for each shard the
 * record up to which nothing is missing, and of the next record, where that was begun, how much of it was told already.
 */
import type { RecordNumbers } from '../storage/feed.ts';

export type FeedPlace = {
  readonly seen: RecordNumbers;
  /** By shard, of the record after the seen one: the commits before `commit`, and of that one so many `changes`. */
  readonly parts: ReadonlyMap<number, FeedPart>;
};
export type FeedPart = { readonly commit: number; readonly changes: number };

const FORMAT = 1;
/** Of any one number in it; 2^49 records of one shard are never written. */
const MAX_DIGITS = 7;
const BITS = 7;
const BASE = 2 ** BITS;

export function encodePlace({ seen, parts }: FeedPlace): string {
  const bytes: number[] = [FORMAT];
  for (const n of seen) push(bytes, n);
  for (const [shard, { commit, changes }] of parts) for (const n of [shard, commit, changes]) push(bytes, n);
  return Buffer.from(bytes).toString('base64url');
}

/** Least significant digits first; the highest bit says that more follow. */
function push(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= BASE; rest = Math.floor(rest / BASE)) bytes.push((rest % BASE) + BASE);
  bytes.push(rest);
}

/** Undefined for what `encodePlace` never answers for so many shards. */
export function decodePlace(text: string, shards: number): FeedPlace | undefined {
  if (!/^[\w-]+$/.test(text)) return undefined;
  const [format, ...bytes] = Buffer.from(text, 'base64url');
  const numbers = format === FORMAT ? numbersIn(bytes) : undefined;
  if (!numbers || numbers.length < shards) return undefined;
  const parts = new Map<number, FeedPart>();
  for (let at = shards; at < numbers.length; at += 3) {
    const [shard, commit, changes] = numbers.slice(at, at + 3);
    if (shard === undefined || commit === undefined || changes === undefined || shard >= shards) return undefined;
    parts.set(shard, { commit, changes });
  }
  return { seen: numbers.slice(0, shards), parts };
}

function numbersIn(bytes: readonly number[]): readonly number[] | undefined {
  const numbers: number[] = [];
  let digits: number[] = [];
  for (const byte of bytes) {
    digits.push(byte % BASE);
    if (digits.length > MAX_DIGITS) return undefined;
    if (byte >= BASE) continue;
    numbers.push(digits.reduceRight((sum, digit) => sum * BASE + digit, 0));
    digits = [];
  }
  return digits.length === 0 ? numbers : undefined;
}
