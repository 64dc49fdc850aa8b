/**
 * The sagas that are not at their end: bounded by what is under way, whatever the store has seen. A saga is written when
 * it starts, when it begins to wait or to undo, and when it ends; which of its own steps it is at says the saga itself.
 */
import { parseAddressKey } from '../../actors/kernel/address.ts';
import type { Commit } from '../../actors/kernel/message.ts';
import { stuckRefunds } from '../../actors/orderSaga/refunds.ts';
import { type SagaEvent, type SagaState, sagaDecider } from '../../actors/orderSaga/saga.ts';
import { isForward } from '../../actors/orderSaga/state.ts';
import type { Db } from '../database.ts';
import { createFolding } from '../folding.ts';
import type { ReadModel } from '../readModels.ts';
import { dayOf } from './orderFigures.ts';

/** `running`: its steps are under way. Others are the saga's own phases. */
type Standing = { readonly state: string; readonly awaiting: string | null };

export const RUNNING = 'running';

const SCHEMA = `
  CREATE TABLE unfinished_sagas (
    order_id TEXT PRIMARY KEY, state TEXT NOT NULL, awaiting TEXT, since INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX unfinished_sagas_by_time ON unfinished_sagas (since, order_id);
  -- How long sagas took that never waited: by day and upper bound of the duration, in ms.
  CREATE TABLE daily_sagas (
    day INTEGER NOT NULL, within_ms INTEGER NOT NULL, sagas INTEGER NOT NULL, total_ms INTEGER NOT NULL,
    PRIMARY KEY (day, within_ms)
  ) WITHOUT ROWID;
`;

export const sagasModel: ReadModel = {
  tables: ['unfinished_sagas', 'daily_sagas'],
  schema: SCHEMA,
  open: createSagas,
};

/** In ms. What took longer counts under the last one. */
const BOUNDS: readonly number[] = [
  10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 3_600_000,
];
const boundOf = (ms: number): number => BOUNDS.find((bound) => ms <= bound) ?? Number.MAX_SAFE_INTEGER;

function standingOf(saga: SagaState): Standing | null {
  if (saga.status !== 'started') return null;
  const { phase } = saga;
  // What a refund or a compensation left behind is still to be seen to.
  if (phase.status === 'completed') {
    return stuckRefunds(saga).length > 0 ? { state: 'completed', awaiting: 'operator' } : null;
  }
  if (phase.status === 'aborted') {
    return phase.manual || phase.refundPending ? { state: 'aborted', awaiting: 'operator' } : null;
  }
  if (isForward(saga)) return { state: RUNNING, awaiting: null };
  return { state: phase.status, awaiting: phase.status === 'waiting' ? phase.awaiting : null };
}

/** Where a saga stands after a transaction, since when, and whether it had a row before. */
type Change = { readonly hadRow: boolean; readonly standing: Standing | null; readonly since: number };

const same = (a: Standing | null, b: Standing | null): boolean => a?.state === b?.state && a?.awaiting === b?.awaiting;

function createSagas(db: Db) {
  const folding = createFolding<SagaState, SagaEvent>(db, sagaDecider);
  const put = db.prepare(
    `INSERT INTO unfinished_sagas VALUES (?, ?, ?, ?) ON CONFLICT (order_id)
     DO UPDATE SET state = excluded.state, awaiting = excluded.awaiting, since = excluded.since`,
  );
  const remove = db.prepare('DELETE FROM unfinished_sagas WHERE order_id = ?');
  const since = db.prepare<[string], number>('SELECT since FROM unfinished_sagas WHERE order_id = ?').pluck();
  const addDuration = db.prepare(
    `INSERT INTO daily_sagas VALUES (?, ?, 1, ?) ON CONFLICT (day, within_ms)
     DO UPDATE SET sagas = sagas + 1, total_ms = total_ms + excluded.total_ms`,
  );
  let changes = new Map<string, Change>();
  let durations: { readonly day: number; readonly ms: number }[] = [];

  function forget(): void {
    changes = new Map();
    durations = [];
  }

  return {
    types: ['order-saga'],
    apply(commit: Commit) {
      const { id } = parseAddressKey(commit.key);
      const { before, after, firstAt } = folding.fold(commit);
      const [from, to] = [standingOf(before), standingOf(after)];
      if (same(from, to)) return;
      const known = changes.get(id);
      // It has been running ever since its start: nobody had to see to it.
      if (to === null && from?.state === RUNNING && (known?.since ?? since.get(id)) === firstAt) {
        durations.push({ day: dayOf(commit.at), ms: commit.at - firstAt });
      }
      changes.set(id, { hadRow: known?.hadRow ?? from !== null, standing: to, since: commit.at });
    },
    flush() {
      for (const [orderId, { hadRow, standing, since: at }] of changes) {
        if (standing !== null) put.run(orderId, standing.state, standing.awaiting, at);
        else if (hadRow) remove.run(orderId);
      }
      for (const { day, ms } of durations) addDuration.run(day, boundOf(ms), ms);
      forget();
    },
    discard() {
      forget();
      folding.discard();
    },
  };
}

export type UnfinishedSaga = Standing & { readonly orderId: string; readonly since: number };
export type UnfinishedPage = {
  readonly limit: number;
  /** Only what has stood where it stands since this time or longer, in ms since the epoch. */
  readonly until: number;
  readonly after?: { readonly since: number; readonly orderId: string };
};
export type UnfinishedSagas = (page: UnfinishedPage) => readonly UnfinishedSaga[];

/** What has stood longest comes first; `after` is the last row of the page before. */
export function createUnfinishedSagas(db: Db): UnfinishedSagas {
  const page = db.prepare<[number, number, string, number], UnfinishedSaga>(
    `SELECT order_id AS orderId, state, awaiting, since FROM unfinished_sagas
     WHERE since <= ? AND (since, order_id) > (?, ?) ORDER BY since, order_id LIMIT ?`,
  );
  return ({ limit, until, after }) => page.all(until, after?.since ?? -1, after?.orderId ?? '', limit);
}
