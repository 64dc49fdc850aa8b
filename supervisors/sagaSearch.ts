/**
 * The sagas that are not at their end. Which of its own steps one is at, why it waits and when it got on last says its
 * history, so each row of a page is read from there; the read model only says which sagas to look at.
 */
import { addressKey } from '../actors/kernel/address.ts';
import type { Clock, ShardStore } from '../actors/kernel/ports.ts';
import { sagaAddress } from '../actors/orderSaga/messages.ts';
import { type Saga, type SagaEvent, type SagaState, sagaDecider } from '../actors/orderSaga/saga.ts';
import { RUNNING, type UnfinishedSaga, type UnfinishedSagas } from '../storage/projections/sagas.ts';
import { inOrder, noteTimers, type TimerAt } from './inspection.ts';
import { type AnyDecider, evolveAll } from './memory.ts';
import { otherWork } from './pieces.ts';

/** All that is given must hold. */
export type SagaFilter = {
  /** The saga's phase. */
  readonly state?: string | undefined;
  readonly awaiting?: string | undefined;
  /** No progress for at least so long. */
  readonly stuckForMs?: number | undefined;
};

/** Where a search has got to. */
export type SagaPosition = { readonly since: number; readonly orderId: string };

export type FoundSaga = {
  readonly saga: Saga;
  readonly version: number;
  /** Whom it waits for, also when it has ended and left something to do. */
  readonly awaiting: string | null;
  /** Since when it has been running, waiting or undoing. */
  readonly since: number;
  /** When a step was last begun, done or undone, or the saga went on to something else. */
  readonly progressAt: number;
  readonly timers: readonly TimerAt[];
};

/** `next` is null at the end. A page may be short and still have a next one: then the search was paused. */
export type FoundSagas = { readonly sagas: readonly FoundSaga[]; readonly next: SagaPosition | null };

export type SagaQuery = {
  readonly filter: SagaFilter;
  readonly limit: number;
  readonly after?: SagaPosition | undefined;
};

export type SagaSearch = (query: SagaQuery) => Promise<FoundSagas>;

/** Rows of the read model taken in one go, of which each that fits costs a look at its history. */
const PIECE = 50;
/** Rows that one request may look at before it answers with what it has. */
const MAX_EXAMINED = 2_000;

/** What is asked once more, or fails while nothing comes of it, is no progress. */
const NO_PROGRESS: ReadonlySet<SagaEvent['type']> = new Set([
  'StepTimedOut',
  'StepFailed',
  'CompensationRequested',
  'CompensationFailed',
  'ReviewOverdueNoted',
  'BackorderOverdueNoted',
]);

const decider = sagaDecider as unknown as AnyDecider;

const FORWARD: ReadonlySet<string> = new Set(['reserving', 'authorizing', 'committing', 'capturing', 'fulfilling']);

export function createSagaSearch(unfinished: UnfinishedSagas, store: ShardStore, clock: Clock): SagaSearch {
  return async ({ filter, limit, after }) => {
    const until = clock.now() - (filter.stuckForMs ?? 0);
    const sagas: FoundSaga[] = [];
    let position = after;
    for (let examined = 0; examined < MAX_EXAMINED; examined += PIECE) {
      const rows = unfinished({ limit: PIECE, until, ...(position && { after: position }) });
      for (const row of rows) {
        const found = fits(row, filter) ? lookAt(store, row) : undefined;
        if (found && agrees(found, filter, until)) {
          if (sagas.length === limit) return { sagas, next: position ?? null };
          sagas.push(found);
        }
        position = { since: row.since, orderId: row.orderId };
      }
      if (rows.length < PIECE) return { sagas, next: null };
      await otherWork();
    }
    return { sagas, next: position ?? null };
  };
}

/** What the row alone can tell. */
function fits(row: UnfinishedSaga, { state, awaiting }: SagaFilter): boolean {
  const group = state !== undefined && FORWARD.has(state) ? RUNNING : state;
  return (group === undefined || group === row.state) && (awaiting === undefined || awaiting === row.awaiting);
}

function agrees({ saga, progressAt }: FoundSaga, { state, stuckForMs }: SagaFilter, until: number): boolean {
  return (state === undefined || saga.phase.status === state) && (stuckForMs === undefined || progressAt <= until);
}

function lookAt(store: ShardStore, { orderId, awaiting, since }: UnfinishedSaga): FoundSaga | undefined {
  const timers = new Map<string, number>();
  let [version, progressAt] = [0, since];
  let state: unknown = sagaDecider.initial(orderId);
  for (const commit of store.history(addressKey(sagaAddress(orderId)))) {
    const events = commit.events as readonly SagaEvent[];
    state = evolveAll(decider, state, events);
    if (events.some(({ type }) => !NO_PROGRESS.has(type))) progressAt = commit.at;
    noteTimers(timers, commit);
    version = commit.version;
  }
  const saga = state as SagaState;
  return saga.status === 'started'
    ? { saga, version, awaiting, since, progressAt, timers: inOrder(timers) }
    : undefined;
}
