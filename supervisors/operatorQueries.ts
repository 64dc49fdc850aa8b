/** What operators look up, over all aggregates. Everything is answered from what is durable. */
import { type Address, addressKey } from '../actors/kernel/address.ts';
import type { Clock, ShardStore } from '../actors/kernel/ports.ts';
import type { Policy } from '../actors/policy.ts';
import type { Db } from '../storage/database.ts';
import { createHistory, createTimerReader } from '../storage/history.ts';
import { createOrderSearch } from '../storage/projections/orderSearch.ts';
import { createUnfinishedSagas } from '../storage/projections/sagas.ts';
import { createDailySums } from '../storage/projections/statistics.ts';
import type { Caches } from './caches.ts';
import { createInspection, type Inspection, type TimerAt } from './inspection.ts';
import type { AnyDecider } from './memory.ts';
import { type FoundOrders, type OrderQuery, searchOrders } from './orderSearch.ts';
import { createSagaSearch, type SagaSearch } from './sagaSearch.ts';
import { createStatistics, type StatisticsOf } from './statistics.ts';

export type OperatorQueries = {
  readonly findOrders: (query: OrderQuery) => Promise<FoundOrders>;
  readonly findSagas: SagaSearch;
  readonly statistics: StatisticsOf;
  readonly inspection: Inspection;
  /** What an aggregate does by itself, and when, earliest first. */
  readonly timersOf: (address: Address) => Promise<readonly TimerAt[]>;
  /** Whether there are aggregates of this type. */
  readonly knowsType: (type: string) => boolean;
};

export type OperatorQueriesOptions = {
  readonly db: Db;
  readonly store: ShardStore;
  readonly clock: Clock;
  readonly deciders: Readonly<Record<string, AnyDecider>>;
  readonly policy: Policy;
  readonly caches: Caches;
};

export function createOperatorQueries(options: OperatorQueriesOptions): OperatorQueries {
  const { db, store, clock, deciders, policy, caches } = options;
  const orders = createOrderSearch(db);
  const timers = createTimerReader(db);
  return {
    findOrders: (query) => searchOrders(orders, query),
    findSagas: createSagaSearch(createUnfinishedSagas(db), store, clock),
    statistics: createStatistics(createDailySums(db), clock, policy, caches),
    inspection: createInspection(deciders, createHistory(db)),
    timersOf: async (address) => timers(addressKey(address)),
    knowsType: (type) => Object.hasOwn(deciders, type),
  };
}
