/**
 * The commits of one aggregate in pieces: a popular SKU has hundreds of thousands, and nobody should wait for them all.
 * And its timers.
 */
import type { AddressKey } from '../actors/kernel/address.ts';
import type { StoredCommit } from '../actors/kernel/ports.ts';
import type { Db } from './database.ts';
import { type CommitColumns, decodeCommit } from './recordCodec.ts';

export type History = (key: AddressKey, afterSeq: number, limit: number) => readonly StoredCommit[];

/** Oldest first, after the given `seq`. */
export function createHistory(db: Db): History {
  const after = db.prepare<[AddressKey, number, number], CommitColumns>(
    'SELECT key, seq, version, cause, at, body FROM histories WHERE key = ? AND seq > ? ORDER BY seq LIMIT ?',
  );
  return (key, afterSeq, limit) => after.all(key, afterSeq, limit).map(decodeCommit);
}

/** What an aggregate will do by itself, and when, earliest first. */
export function createTimerReader(db: Db): (key: AddressKey) => readonly { name: string; at: number }[] {
  const pending = db.prepare<[AddressKey], { name: string; at: number }>(
    'SELECT name, at FROM timers WHERE key = ? ORDER BY at',
  );
  return (key) => pending.all(key);
}
