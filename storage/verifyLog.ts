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

/** `last`: the place of the page's last record; undefined when the page has reached the end of the logs. */
export type LogPage = LogAudit & { readonly last: number | undefined };

/** Audits the records after the given place, in the order in which they were stored; memory is bounded by the page. */
export type AuditLog = (after: number, limit: number) => LogPage;

type RecordRow = Omit<LogRecord, 'commits' | 'acked' | 'schema'> & {
  readonly place: number;
  readonly hash: string;
  readonly firstPosition: number;
  readonly commits: number;
  readonly acked: string;
};

type Link = { readonly shard: number; readonly n: number; readonly hash: string };

const PAGE = 200;

/** Reads the whole log once. */
export function verifyLog(db: Db): LogAudit {
  const audit = createLogAudit(db);
  let sum: LogAudit = { records: 0, commits: 0, findings: [] };
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page: LogPage = audit(after, PAGE);
    const { records, commits, findings } = sum;
    sum = {
      records: records + page.records,
      commits: commits + page.commits,
      findings: [...findings, ...page.findings],
    };
    after = page.last;
  }
  return sum;
}

/** For pages one after the other, from any place on. The end of the logs is compared together with the last page. */
export function createLogAudit(db: Db): AuditLog {
  const rows = db.prepare<[number, number], RecordRow>(
    `SELECT rowid AS place, shard, n, epoch, at, inbox_offset AS inboxOffset, prev_hash AS prevHash, hash,
       first_position AS firstPosition, commits, acked FROM records WHERE rowid > ? ORDER BY rowid LIMIT ?`,
  );
  const commitsOf = db.prepare<[number, number], CommitColumns>(
    'SELECT key, seq, version, cause, at, body FROM commits WHERE position >= ? ORDER BY position LIMIT ?',
  );
  const former = db.prepare<[number, number], Link>(
    'SELECT shard, n, hash FROM records WHERE shard = ? AND rowid <= ? ORDER BY rowid DESC LIMIT 1',
  );
  const endBefore = db
    .prepare<[number], number>(
      'SELECT first_position + commits FROM records WHERE rowid <= ? AND commits > 0 ORDER BY rowid DESC LIMIT 1',
    )
    .pluck();
  const newest = new Map<number, Link | undefined>();
  /** Where the next record's commits begin, if it has any. */
  let nextPosition: number | undefined;
  let whole = false;

  function problemsOf(row: RecordRow, commits: readonly CommitColumns[]): string[] {
    const link = newest.get(row.shard);
    const problems: string[] = [];
    if (row.n !== (link?.n ?? 0) + 1) problems.push(`follows record ${link?.n ?? 0}`);
    if (row.prevHash !== (link?.hash ?? GENESIS_HASH)) problems.push('does not link to the record before it');
    if (commits.length !== row.commits) problems.push(`has ${commits.length} of its ${row.commits} commits`);
    if (hashOf(row, commits) !== row.hash) problems.push('its hash does not come out of its rows');
    if (row.commits > 0 && row.firstPosition !== nextPosition) {
      problems.push(`its commits begin at ${row.firstPosition}, those before it end before ${nextPosition}`);
    }
    return problems;
  }

  return (after, limit) => {
    nextPosition ??= endBefore.get(after) ?? 1;
    whole ||= after === 0;
    const found = rows.all(after, limit);
    const findings: LogFinding[] = [];
    let commits = 0;
    for (const row of found) {
      const { shard, n } = row;
      if (!newest.has(shard)) newest.set(shard, former.get(shard, after));
      const stored = commitsOf.all(row.firstPosition, row.commits);
      for (const problem of problemsOf(row, stored)) findings.push({ shard, n, problem });
      newest.set(shard, row);
      commits += row.commits;
      if (row.commits > 0) nextPosition = row.firstPosition + row.commits;
    }
    const last = found.length < limit ? undefined : found.at(-1)?.place;
    if (last === undefined) findings.push(...headFindings(db, newest, whole), ...strayCommits(db, nextPosition));
    return { records: found.length, commits, findings, last };
  };
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

/** Where each shard goes on must be where its log ends. One that wasn't met may lie before what was audited. */
function headFindings(db: Db, newest: ReadonlyMap<number, Link | undefined>, whole: boolean): LogFinding[] {
  const heads = db.prepare<[], Link>('SELECT shard, n, hash FROM heads').all();
  const known = new Set(heads.map(({ shard }) => shard));
  const met = [...newest.values()].filter((link) => link !== undefined);
  return [
    ...met
      .filter(({ shard }) => !known.has(shard))
      .map(({ shard, n }) => ({ shard, n, problem: 'the shard does not know of its log' })),
    ...heads
      .filter(({ shard }) => whole || newest.has(shard))
      .filter(({ shard, n, hash }) => newest.get(shard)?.n !== n || newest.get(shard)?.hash !== hash)
      .map(({ shard, n }) => ({ shard, n, problem: 'is the newest record, but the log ends elsewhere' })),
  ];
}

function strayCommits(db: Db, end: number): LogFinding[] {
  const newest = db.prepare<[], number | null>('SELECT max(position) FROM commits').pluck().get() ?? 0;
  return newest < end ? [] : [{ problem: `the commits from ${end} to ${newest} are in no record` }];
}
