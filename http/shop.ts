/**
 * The shop as the edge sees it: the only port between HTTP and everything below. Nothing here knows about shards, actors
 * or SQL. Whatever these calls answer is durable (I1).
 */
import type { Holdfast } from '../supervisors/holdfast.ts';

export type { Finding as CheckFinding } from '../actors/checks/finding.ts';
export type { DeadLetters, LetterQuery, StoredDeadLetter, StoredRepair } from '../storage/deadLetters.ts';
export type { CatalogEntry, CatalogPosition } from '../storage/projections/catalogReader.ts';
export type { OrderPage, OrderRow } from '../storage/projections/customerOrders.ts';
export type { OrderFact } from '../storage/projections/orderFacts.ts';
export type { FoundOrder, OrderFilter } from '../storage/projections/orderSearch.ts';
export type { OrderDay } from '../storage/projections/statistics.ts';
export type { StockRow } from '../storage/projections/stockLevels.ts';
export type { AsOf, PastEvent, StateAsOf, TimerAt } from '../supervisors/inspection.ts';
export type { NodeStatus } from '../supervisors/nodeStatus.ts';
export type { NewestCheckpoint, QuarantineList } from '../supervisors/operations.ts';
export type { PaymentSimulation } from '../supervisors/paymentVendor.ts';
export type { Finding } from '../supervisors/reconcile.ts';
export type { FoundSaga } from '../supervisors/sagaSearch.ts';
export type { Versioned } from '../supervisors/shop.ts';
export type { Statistics } from '../supervisors/statistics.ts';

export type Shop = Pick<
  Holdfast,
  | 'backups'
  | 'ask'
  | 'read'
  | 'readAt'
  | 'history'
  | 'catalog'
  | 'customerOrders'
  | 'shelves'
  | 'stock'
  | 'staff'
  | 'checkAddress'
  | 'letters'
  | 'operations'
  | 'status'
  | 'reconcile'
  | 'paymentSimulation'
  | 'caches'
  | 'check'
  | 'operators'
  | 'changes'
  | 'health'
  | 'upToDate'
  | 'metrics'
  | 'clock'
  | 'advanceClock'
  | 'kill'
>;
