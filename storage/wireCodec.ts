/**
 * A record as one message of a shared log: a line of JSON with the header and each commit's columns, then the bodies just
 * as they were hashed, one after the other. Snapshots stay at home.
 */
import type { EncodedRecord } from '../actors/kernel/ports.ts';
import { decodeCommit, hashRecord } from './recordCodec.ts';

/** Version of this form, not of the record's own schema. */
const WIRE = 1;
const SCHEMA = 1;
const NEWLINE = 0x0a;

/** Times of commits relative to the record's, bodies by their length in UTF-16 units. */
type WireCommit = readonly [key: string, seq: number, version: number, cause: string, sinceMs: number, length: number];
type WireHeader = readonly [
  wire: number,
  schema: number,
  shard: number,
  epoch: number,
  n: number,
  prevHash: string,
  hash: string,
  at: number,
  inboxOffset: number,
  acked: readonly string[],
  commits: readonly WireCommit[],
];

/** The bytes can't be what a node of this version wrote: damaged, or written by a newer version. */
export class WireUnreadable extends Error {
  override readonly name = 'WireUnreadable';
  readonly retryable = false;
}

export function encodeWire({ record, bodies, hash }: EncodedRecord): Uint8Array {
  const { schema, shard, epoch, n, prevHash, at, inboxOffset, acked, commits } = record;
  const columns = commits.map(({ key, seq, version, cause, at: decidedAt }, index): WireCommit => {
    return [key, seq, version, cause, decidedAt - at, bodies[index]?.length ?? 0];
  });
  const header: WireHeader = [WIRE, schema, shard, epoch, n, prevHash, hash, at, inboxOffset, acked, columns];
  return Buffer.from(`${JSON.stringify(header)}\n${bodies.join('')}`);
}

/**
 * The record as it was encoded, without snapshots.
 * @throws WireUnreadable when it was damaged, or written by a version that this one doesn't know
 */
export function decodeWire(bytes: Uint8Array): EncodedRecord {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = buffer.indexOf(NEWLINE);
  if (end < 0) throw new WireUnreadable('a record in the log has no header: it was damaged');
  const [wire, schema, shard, epoch, n, prevHash, hash, at, inboxOffset, acked, wireCommits] = parseHeader(
    buffer.toString('utf8', 0, end),
  );
  if (wire !== WIRE || schema !== SCHEMA) {
    throw new WireUnreadable(
      `a record in the log has form ${wire} and schema ${schema}; this version reads form ${WIRE} and schema ${SCHEMA}: ` +
        'a newer version wrote it, update this node',
    );
  }
  if (!Array.isArray(wireCommits) || !wireCommits.every(Array.isArray)) {
    throw new WireUnreadable('the header of a record in the log lists no commits: it was damaged');
  }
  const text = buffer.toString('utf8', end + 1);
  const bodies: string[] = [];
  let offset = 0;
  const columns = wireCommits.map(([key, seq, version, cause, sinceMs, length]) => {
    const body = text.slice(offset, offset + length);
    offset += length;
    bodies.push(body);
    return { key, seq, version, cause, at: at + sinceMs, body };
  });
  const header = { schema: SCHEMA, shard, epoch, n, prevHash, at, inboxOffset, acked } as const;
  if (offset !== text.length || hashRecord(header, columns, bodies) !== hash) {
    throw new WireUnreadable(`record ${n} of shard ${shard} doesn't have the hash that it was stored with`);
  }
  return { record: { ...header, commits: columns.map(decodeCommit) }, bodies, hash, bytes: offset, snapshots: [] };
}

function parseHeader(text: string): WireHeader {
  try {
    const header: unknown = JSON.parse(text);
    if (Array.isArray(header)) return header as unknown as WireHeader;
  } catch {
    // Said below.
  }
  throw new WireUnreadable('the header of a record in the log is no JSON array: it was damaged');
}
