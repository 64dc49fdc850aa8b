/**
 * The read models that are filled from the whole log: an older store, or one with another form of them, gets them when it
 * is opened. How far that has come is stored with what it filled, so a start that is cut short goes on where it was.
 */

import { type Db, readMeta, writeMeta } from './database.ts';
import type { Projection } from './projection.ts';
import { type CommitColumns, decodeCommit } from './recordCodec.ts';
import { tablesAt } from './tables.ts';

export type ReadModel = {
  /** Its tables, which are dropped and filled anew when their form changes. */
  readonly tables: readonly string[];
  readonly schema: string;
  readonly open: (db: Db) => Projection;
};

export type Filling = {
  /** Called before each step; positions in the log. */
  readonly progress: (done: number, of: number) => void;
  /** A commit that a read model can't make sense of: it is left out. */
  readonly skipped: (key: string, error: unknown) => void;
  /** Places in the log between two transactions. */
  readonly step?: number;
};

/** Raised when the form or the meaning of any of these tables changes: all of them are then filled anew. */
const REVISION = 1;
const META = 'read-models';
/** What one transaction reads of so many places, some MB, is the most that is held at once. */
const STEP = 5_000;

type State = { readonly revision: number; readonly position: number; readonly filled: boolean };

/**
 * Opens the projections, filling their tables first where that was not done. Takes some 10 µs for each commit of an
 * order, its saga and its payment, once.
 */
export function openReadModels(db: Db, models: readonly ReadModel[], filling: Filling): readonly Projection[] {
  const stored = readState(db);
  if (stored?.revision !== REVISION) create(db, models);
  const projections = models.map(({ open }) => open(db));
  const { position, filled } = readState(db) ?? { position: 0, filled: false };
  if (!filled) fill(db, projections, position, filling);
  return projections;
}

function readState(db: Db): State | undefined {
  const text = readMeta(db, META);
  return text === undefined ? undefined : (JSON.parse(text) as State);
}

function writeState(db: Db, position: number, filled: boolean): void {
  writeMeta(db, META, JSON.stringify({ revision: REVISION, position, filled } satisfies State));
}

function create(db: Db, models: readonly ReadModel[]): void {
  db.transaction(() => {
    for (const { tables, schema } of models) {
      for (const table of tables) db.exec(`DROP TABLE IF EXISTS ${table}`);
      db.exec(schema);
    }
    writeState(db, 0, false);
  })();
}

function fill(db: Db, projections: readonly Projection[], from: number, filling: Filling): void {
  const { progress, skipped, step: length = STEP } = filling;
  const types = [...new Set(projections.flatMap((projection) => projection.types))];
  const ofTypes = types.map(() => "key LIKE '%/' || ?").join(' OR ');
  const rows = db.prepare<(number | string)[], CommitColumns>(
    `SELECT key, seq, version, cause, at, body FROM commits
     WHERE position > ? AND position <= ? AND (${ofTypes}) ORDER BY position`,
  );
  // What comes after it they get with the other tables.
  const end = tablesAt(db).position;
  const step = db.transaction((position: number) => {
    const until = Math.min(position + length, end);
    // All at once: while one statement is being stepped through, the connection takes no other.
    for (const row of rows.all(position, until, ...types)) {
      try {
        applyTo(projections, row);
      } catch (error) {
        skipped(row.key, error);
      }
    }
    for (const projection of projections) projection.flush();
    writeState(db, until, until === end);
  });
  for (let position = from; position < end; position += length) {
    progress(position, end);
    step(position);
  }
  if (from >= end) writeState(db, end, true);
}

function applyTo(projections: readonly Projection[], row: CommitColumns): void {
  const commit = decodeCommit(row);
  if (commit.events.length === 0) return;
  for (const projection of projections) {
    if (projection.types.some((type) => row.key.endsWith(`/${type}`))) projection.apply(commit);
  }
}
