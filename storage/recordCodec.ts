/** How commits become bytes and back. A record is serialised once; its hash is over exactly the bytes that are stored. */
import { createHash } from 'node:crypto';
import { parseAddressKey } from '../actors/kernel/address.ts';
import { type Commit, type Envelope, type LogRecord, redelivery, sentId } from '../actors/kernel/message.ts';
import type { EncodedRecord, Snapshot } from '../actors/kernel/ports.ts';

/** The hash that the first record of a shard links to. */
export const GENESIS_HASH = '0'.repeat(64);

/**
 * Members of a commit that aren't columns. A send's id and sender follow from its commit, so they aren't stored; nor is
 * what a requeued letter sends.
 */
type CommitBody = Omit<Commit, 'key' | 'seq' | 'version' | 'cause' | 'at' | 'sends' | 'events' | 'timers'> & {
  readonly events?: Commit['events'];
  readonly timers?: Commit['timers'];
  readonly sends?: readonly Pick<Envelope, 'to' | 'message'>[];
  readonly trace?: string;
};

export function encodeBody(commit: Commit): string {
  const { key: _key, seq: _seq, version: _version, cause: _cause, at: _at, events, timers, sends, ...rest } = commit;
  const body: CommitBody = {
    ...(events.length > 0 && { events }),
    ...(timers.length > 0 && { timers }),
    ...(sends.length > 0 && !commit.repair && { sends: sends.map(({ to, message }) => ({ to, message })) }),
    ...(sends[0]?.trace !== undefined && { trace: sends[0].trace }),
    ...rest,
  };
  return JSON.stringify(body);
}

export type CommitColumns = Pick<Commit, 'key' | 'seq' | 'version' | 'cause' | 'at'> & { readonly body: string };

export function decodeCommit({ key, seq, version, cause, at, body }: CommitColumns): Commit {
  const { events = [], timers = [], sends = [], trace, ...rest } = JSON.parse(body) as CommitBody;
  const from = parseAddressKey(key);
  const { repair } = rest;
  const redelivered = repair?.kind === 'requeue' ? [redelivery(key, seq, repair.letter)] : undefined;
  return {
    key,
    seq,
    version,
    cause,
    at,
    ...rest,
    events,
    timers,
    sends:
      redelivered ??
      sends.map(({ to, message }, index) => ({
        id: sentId(key, seq, index),
        to,
        from,
        message,
        ...(trace !== undefined && { trace }),
      })),
  };
}

/** SHA-256 over `prevHash`, the header and the commits with their bodies, in the order of the record. */
export function hashRecord(
  { schema, shard, epoch, n, prevHash, at, inboxOffset, acked }: Omit<LogRecord, 'commits'>,
  commits: readonly Omit<CommitColumns, 'body'>[],
  bodies: readonly string[],
): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([schema, shard, epoch, n, prevHash, at, inboxOffset, acked]));
  commits.forEach(({ key, seq, version, cause, at: decidedAt }, index) => {
    hash.update(`\n${key}\t${seq}\t${version}\t${cause}\t${decidedAt}\t${bodies[index] ?? ''}`);
  });
  return hash.digest('hex');
}

export function encodeRecord(
  record: LogRecord,
  bodies: readonly string[],
  snapshots: readonly Snapshot[],
): EncodedRecord {
  const bytes = bodies.reduce((total, body) => total + body.length, 0);
  return { record, bodies, hash: hashRecord(record, record.commits, bodies), bytes, snapshots };
}
