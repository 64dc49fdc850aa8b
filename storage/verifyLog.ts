/**
 * Audits the shard logs of a store: every record must follow the one before it, and its hash must come out of the rows
 * that are stored. Tells a changed, missing, added or swapped row; a log that was cut off at its end, with all that
 * tells of it, can only be told from outside, by a copy that has seen more.
 */
import type { LogRecord, MessageId } from '../actors/kernel/message.ts';
import type { Db } from './database.ts';
import { type CommitColumns, GENESIS_HASH, hashRecord } from './recordCodec.ts';

/** `shard` and `n` name the record where the chain is broken; absent when it isn't about a single record. */
export type LogFinding = { readonly shard?: number; readonly n?: number; readonly problem: string };

export type LogAudit = {
  readonly records: number;
  readonly commits: number;
  readonly findings: readonly LogFinding[];
};

type RecordRow = Omit<LogRecord, 'commits' | 'acked' | 'schema'> & {
  readonly hash: string;
  readonly firstPosition: number;
  readonly commits: number;
  readonly acked: string;
};

type Link = { readonly shard: number; readonly n: number; readonly hash: string };

/** Reads the whole log once; memory is bounded by the largest record. */
export function verifyLog(db: Db): LogAudit {
  const rows = db.prepare<[], RecordRow>(
    `SELECT shard, n, epoch, at, inbox_offset AS inboxOffset, prev_hash AS prevHash, hash,
       first_position AS firstPosition, commits, acked FROM records ORDER BY rowid`,
  );
  const commitsOf = db.prepare<[number, number], CommitColumns>(
    'SELECT key, seq, version, cause, at, body FROM commits WHERE position >= ? ORDER BY position LIMIT ?',
  );
  const newest = new Map<number, Link>();
  const findings: LogFinding[] = [];
  let records = 0;
  let commits = 0;
  for (const row of rows.iterate()) {
    const { shard, n } = row;
    const found = commitsOf.all(row.firstPosition, row.commits);
    for (const problem of problemsOf(row, newest.get(shard), found)) findings.push({ shard, n, problem });
    newest.set(shard, row);
    records += 1;
    commits += row.commits;
  }
  return { records, commits, findings: [...findings, ...headFindings(db, newest), ...strayCommits(db, commits)] };
}

function problemsOf(row: RecordRow, former: Link | undefined, commits: readonly CommitColumns[]): string[] {
  const problems: string[] = [];
  if (row.n !== (former?.n ?? 0) + 1) problems.push(`follows record ${former?.n ?? 0}`);
  if (row.prevHash !== (former?.hash ?? GENESIS_HASH)) problems.push('does not link to the record before it');
  if (commits.length !== row.commits) problems.push(`has ${commits.length} of its ${row.commits} commits`);
  if (hashOf(row, commits) !== row.hash) problems.push('its hash does not come out of its rows');
  return problems;
}

function hashOf(row: RecordRow, commits: readonly CommitColumns[]): string | undefined {
  const acked = readIds(row.acked);
  if (acked === undefined) return undefined;
  const bodies = commits.map(({ body }) => body);
  return hashRecord({ ...row, schema: 1, acked }, commits, bodies);
}

function readIds(text: string): MessageId[] | undefined {
  try {
    return JSON.parse(text) as MessageId[];
  } catch {
    return undefined;
  }
}

/** Where each shard goes on must be where its log ends. */
function headFindings(db: Db, newest: ReadonlyMap<number, Link>): LogFinding[] {
  const heads = db.prepare<[], Link>('SELECT shard, n, hash FROM heads').all();
  const known = new Set(heads.map(({ shard }) => shard));
  const headless = [...newest.values()].filter(({ shard }) => !known.has(shard));
  return [
    ...headless.map(({ shard, n }) => ({ shard, n, problem: 'the shard does not know of its log' })),
    ...heads
      .filter(({ shard, n, hash }) => newest.get(shard)?.n !== n || newest.get(shard)?.hash !== hash)
      .map(({ shard, n }) => ({ shard, n, problem: 'is the newest record, but the log ends elsewhere' })),
  ];
}

function strayCommits(db: Db, named: number): LogFinding[] {
  const stored = db.prepare<[], number>('SELECT count(*) FROM commits').pluck().get() ?? 0;
  return stored === named ? [] : [{ problem: `the store has ${stored} commits, its records name ${named}` }];
}
