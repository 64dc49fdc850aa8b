/**
 * What stands in a shard's log: records as the store's codec writes them, claims and releases as JSON. Which of them an
 * entry is, and whose, stands in its message id: a reader knows it without looking at the payload, and two different
 * records never share an id, so that the broker can't take one for a repetition of the other.
 */
import { LogUnreadable } from '../../../actors/kernel/clusterPorts.ts';
import type { EncodedRecord } from '../../../actors/kernel/ports.ts';

export type EntryId =
  | { readonly kind: 'record'; readonly epoch: number; readonly n: number }
  | { readonly kind: 'claim' }
  | { readonly kind: 'release'; readonly epoch: number };

/** Hex digits of a record's hash in its id: only records of one epoch and number have to differ. */
const HASH_DIGITS = 16;

/** @param epoch of the claim that it is appended under: the record's own, unless it was made under an earlier one */
export const recordId = (epoch: number, { record: { n }, hash }: EncodedRecord): string =>
  `${epoch}:${n}:${hash.slice(0, HASH_DIGITS)}`;
export const claimId = (nonce: string): string => `claim:${nonce}`;
export const releaseId = (epoch: number): string => `${epoch}:release`;

const RECORD_ID = /^(\d+):(\d+):[0-9a-f]+$/;
const RELEASE_ID = /^(\d+):release$/;

export function parseEntryId(id: string): EntryId | undefined {
  const record = RECORD_ID.exec(id);
  if (record) return { kind: 'record', epoch: Number(record[1]), n: Number(record[2]) };
  const release = RELEASE_ID.exec(id);
  if (release) return { kind: 'release', epoch: Number(release[1]) };
  return id.startsWith('claim:') ? { kind: 'claim' } : undefined;
}

type ClaimBody = { readonly node: string; readonly nonce: string; readonly at: number };
type ReleaseBody = { readonly to?: string };

export const encodeClaim = (body: ClaimBody): Uint8Array => Buffer.from(JSON.stringify(body));
export const encodeRelease = (to?: string): Uint8Array => Buffer.from(JSON.stringify(to === undefined ? {} : { to }));

/** @throws LogUnreadable */
export function decodeClaim(payload: Uint8Array): { readonly node: string } {
  const { node } = parse<Partial<ClaimBody>>(payload);
  if (typeof node !== 'string') throw new LogUnreadable('a claim in the log names no node', 'entry');
  return { node };
}

/** @throws LogUnreadable */
export function decodeRelease(payload: Uint8Array): ReleaseBody {
  const { to } = parse<{ to?: unknown }>(payload);
  return typeof to === 'string' ? { to } : {};
}

function parse<Body>(payload: Uint8Array): Body {
  try {
    return JSON.parse(Buffer.from(payload).toString()) as Body;
  } catch (error) {
    throw new LogUnreadable('a claim or release in the log is no JSON', 'entry', { cause: error });
  }
}
