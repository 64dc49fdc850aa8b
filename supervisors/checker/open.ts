/** Puts the checker together, over a node's store or over one that is only looked at. */
import type { Cache, ShardStore } from '../../actors/kernel/ports.ts';
import { createAuditReader } from '../../storage/auditReader.ts';
import type { Db } from '../../storage/database.ts';
import { createDeadLetters } from '../../storage/deadLetters.ts';
import { createCatalogMemory } from '../../storage/projections/catalogMemory.ts';
import { createCatalog } from '../../storage/projections/catalogReader.ts';
import { createCustomerOrdersReader } from '../../storage/projections/customerOrders.ts';
import { createStockReader } from '../../storage/projections/stockLevels.ts';
import { createLogAudit } from '../../storage/verifyLog.ts';
import type { AnyDecider } from '../memory.ts';
import type { Quarantined } from '../quarantine.ts';
import type { Reconcile } from '../reconcile.ts';
import { type Check, createChecker } from './checker.ts';
import { Facts } from './facts.ts';
import { createPhases } from './phases.ts';
import { createReadModels } from './readModels.ts';
import { createExamine } from './subjects.ts';

export type OpenCheckerOptions = {
  readonly db: Db;
  readonly store: ShardStore;
  readonly deciders: Readonly<Record<string, AnyDecider>>;
  /** Business time. */
  readonly now: () => number;
  readonly monotonic: () => number;
  readonly pause: () => Promise<void>;
  readonly quarantined: () => readonly Quarantined[];
  /** Our books of the money against the payment vendor's. */
  readonly reconcile: Reconcile;
};

const nothing: Cache<never> = { get: () => undefined, set() {}, forget() {}, clear() {} };

export function openChecker(options: OpenCheckerOptions): Check {
  const { db, store, deciders, now, monotonic, pause, quarantined, reconcile } = options;
  const reader = createAuditReader(db);
  const facts = new Facts({ store, reader, deciders });
  // What the tables say, not what is remembered of them.
  const memory = createCatalogMemory(db, { entries: nothing, cells: nothing });
  const readModels = createReadModels({
    catalog: createCatalog(db, { memory, priceRanges: [] }),
    stock: createStockReader(db),
    customerOrders: createCustomerOrdersReader(db),
  });
  const letters = createDeadLetters(db);
  const auditLog = () => createLogAudit(db);
  return createChecker({
    phases: createPhases({ reader, store, facts, deciders, letters, quarantined, auditLog, reconcile, now }),
    examine: createExamine({ facts, reader, store, readModels, now }),
    clock: { monotonic },
    pause,
  });
}
