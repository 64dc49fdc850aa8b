import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ShardStore, StoredCommit } from '../../actors/kernel/ports.ts';
import type { SagaEvent } from '../../actors/orderSaga/saga.ts';
import type { UnfinishedSaga, UnfinishedSagas } from '../../storage/projections/sagas.ts';
import { createVirtualClock } from '../../supervisors/clock.ts';
import { createSagaSearch, type SagaFilter } from '../../supervisors/sagaSearch.ts';
import { eventSamples } from '../support/eventSamples.ts';
import { committed } from '../support/orderTables.ts';

const search = suite('saga search');
const T0 = Date.UTC(2026, 0, 1);
const NOW = T0 + 100_000;
const { 'order-saga': saga } = eventSamples;
const [started, stepped, again] = [saga.SagaStarted[0], saga.StepStarted[0], saga.StepTimedOut[0]];

/** A saga by its events and their times after T0; the row says since when it has been running. */
type Told = readonly (readonly [after: number, event: SagaEvent])[];

function searchOf(sagas: Readonly<Record<string, Told>>, row: Partial<UnfinishedSaga> = {}) {
  const rows = Object.entries(sagas).map(([orderId, [first]]): UnfinishedSaga => {
    return { orderId, state: 'running', awaiting: null, since: T0 + (first?.[0] ?? 0), ...row };
  });
  const looked: string[] = [];
  const unfinished: UnfinishedSagas = ({ limit, until, after }) =>
    rows.filter(({ since, orderId }) => since <= until && orderId > (after?.orderId ?? '')).slice(0, limit);
  const history: ShardStore['history'] = (key) => {
    looked.push(key);
    const told = sagas[key.slice(0, key.indexOf('/'))] ?? [];
    return told.map(([after, event], index): StoredCommit => committed(key, index + 1, T0 + after, event));
  };
  const find = createSagaSearch(unfinished, { history } as ShardStore, createVirtualClock(NOW));
  return {
    looked,
    ids: async (filter: SagaFilter) => (await find({ filter, limit: 10 })).sagas.map(({ saga: one }) => one.orderId),
    find,
  };
}

search('what is asked once more is no progress, what begins or is done is', async () => {
  const told: Told = [
    [0, started],
    [10_000, stepped],
    [50_000, { ...again, final: false }],
    [60_000, saga.StepFailed[0]],
  ];
  const { ids, find } = searchOf({ ord_1: told, ord_2: [...told, [70_000, saga.StepSucceeded[0]]] });
  const { sagas } = await find({ filter: {}, limit: 10 });
  assert.equal(
    sagas.map(({ progressAt }) => progressAt - T0),
    [10_000, 70_000],
  );
  assert.equal(await ids({ stuckForMs: 90_000 }), ['ord_1']);
  assert.equal(await ids({ stuckForMs: 90_001 }), []);
  assert.equal(await ids({ stuckForMs: 30_000 }), ['ord_1', 'ord_2']);
});

search('which of its own steps a running saga is at says the saga, not its row', async () => {
  const { ids } = searchOf({
    ord_1: [
      [0, started],
      [0, stepped],
    ],
  });
  assert.equal(await ids({ state: 'reserving' }), ['ord_1']);
  assert.equal(await ids({ state: 'capturing' }), []);
});

search('rows that can not fit are not looked into', async () => {
  const { ids, looked } = searchOf({ ord_1: [[0, started]] }, { state: 'waiting', awaiting: 'review' });
  for (const filter of [{ state: 'reserving' }, { state: 'compensating' }, { awaiting: 'operator' }]) {
    assert.equal(await ids(filter), []);
  }
  assert.equal(looked, []);
});

search('a long search without a hit pauses, and goes on where it was', async () => {
  const many = Object.fromEntries(Array.from({ length: 2_500 }, (_, index) => [`ord_${1e6 + index}`, []]));
  const { find } = searchOf({ ...many, ord_9: [[0, started]] });
  const first = await find({ filter: {}, limit: 10 });
  assert.equal([first.sagas, first.next?.orderId], [[], 'ord_1001999']);
  const second = await find({ filter: {}, limit: 10, after: first.next ?? undefined });
  assert.equal([second.sagas.map(({ saga: one }) => one.orderId), second.next], [['ord_9'], null]);
});

search.run();
