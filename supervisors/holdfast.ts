/** Puts one shop together, wherever its logs are: store, clocks, gateways, node. The edge on top of it is somebody else's business. */
import type { Logger } from 'pino';
import type { AddressCheck } from '../actors/gateways.ts';
import type { Address } from '../actors/kernel/address.ts';
import type { Clock, Gateway, Ids, ShardLog } from '../actors/kernel/ports.ts';
import type { Policy } from '../actors/policy.ts';
import { shop as deciders } from '../actors/shop.ts';
import { createAggregateIds } from '../storage/aggregateIds.ts';
import { openDataFolder } from '../storage/dataFolder.ts';
import { createDeadLetters, type DeadLetters } from '../storage/deadLetters.ts';
import type { Catalog } from '../storage/projections/catalogReader.ts';
import { type CustomerOrders, createCustomerOrdersReader } from '../storage/projections/customerOrders.ts';
import { createStaffReader } from '../storage/projections/staff.ts';
import { createStockReader, type Shelf, type StockLevels } from '../storage/projections/stockLevels.ts';
import { createStoreFigures } from '../storage/storeFigures.ts';
import { type AddressAdapter, createAddressCheck } from '../transport/address/gateway.ts';
import { createAddressSimulator } from '../transport/address/simulator.ts';
import { type CarrierAdapter, createCarrierGateway } from '../transport/carrier/gateway.ts';
import { createCarrierSimulator } from '../transport/carrier/simulator.ts';
import { createPaymentGateway } from '../transport/payment/gateway.ts';
import { createAlerts } from './alerts.ts';
import { type Backups, createBackups } from './backups.ts';
import type { CacheFigures } from './caches.ts';
import { type ChangeFeed, createChangeFeed } from './changeFeed.ts';
import type { Check } from './checker/checker.ts';
import { openChecker } from './checker/open.ts';
import type { VirtualClock } from './clock.ts';
import { type Config, configuredPolicy } from './config.ts';
import { createEmbeddedHome } from './embeddedHome.ts';
import { type Ground, type Home, openGround } from './home.ts';
import type { AnyDecider } from './memory.ts';
import { createNode, type Node } from './node.ts';
import { healthOf, type NodeStatus } from './nodeStatus.ts';
import { createLocalOperations, type Operations } from './operations.ts';
import { createOperatorQueries, type OperatorQueries } from './operatorQueries.ts';
import { createPaymentVendor, type PaymentSimulation } from './paymentVendor.ts';
import { createReconcile, type Reconcile } from './reconcile.ts';
import { createShopCore, looked, type ShopCore } from './shop.ts';
import type { RuntimeTelemetry } from './telemetry.ts';

/** How long stopping waits for work under way. */
export const STOP_PATIENCE_MS = 10_000;
/** How long the checker waits, in real time, before it looks again at what seems wrong. */
const CHECK_AGAIN_MS = 250;
/** How long advancing the virtual clock waits, at each step, for what the step caused. */
const SETTLE_PATIENCE_MS = 10_000;

export type Holdfast = ShopCore & {
  readonly node: Node;
  readonly catalog: Catalog;
  readonly caches: () => readonly CacheFigures[];
  readonly customerOrders: (...page: Parameters<CustomerOrders>) => Promise<ReturnType<CustomerOrders>>;
  /** The staff accounts' ids, oldest first. */
  readonly staff: () => Promise<readonly string[]>;
  /** What each warehouse has of a SKU for new orders. */
  readonly shelves: (sku: string) => Promise<readonly Shelf[]>;
  readonly stock: (sku: string) => Promise<ReturnType<StockLevels>>;
  /** Messages that were given up, and what was done about them. */
  readonly letters: DeadLetters;
  /** What operators see and do inside the nodes. */
  readonly operations: Operations;
  /** Our books of the customers' money against the payment vendor's. */
  readonly reconcile: Reconcile;
  readonly checkAddress: AddressCheck;
  /** Looks for what should not be (I5 to I9), slice by slice. */
  readonly check: Check;
  /** What operators look up over all aggregates. */
  readonly operators: OperatorQueries;
  /** What customers hear of, as it changes. */
  readonly changes: ChangeFeed;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly telemetry: RuntimeTelemetry;
  readonly idSecret: string;
  /** No start has finished preparing this store yet: the demo catalog may be wanted. */
  readonly isNew: boolean;
  /** What a first start makes is there. */
  prepared(): void;
  metrics(): Promise<string>;
  /**
   * Resolves once what this node lists from holds everything that is durable now, on whichever node.
   * @throws Unavailable
   */
  upToDate(): Promise<void>;
  status(): NodeStatus;
  /** In a cluster: gives this node's shards to the others. Until `stop` it goes on answering. */
  drain?(): Promise<void>;
  /** Signs sessions, where nodes share a secret that nobody gave them. */
  readonly authSecret?: string;
  health(): { readonly live: boolean; readonly ready: boolean; readonly detail: Readonly<Record<string, unknown>> };
  /** With PAYMENT=simulated only. */
  readonly paymentSimulation?: PaymentSimulation;
  /** With CLOCK=virtual only. */
  advanceClock?(ms: number): Promise<void>;
  /** With CHAOS=on only. */
  kill?(address: Address): Promise<void>;
  readonly backups: Backups;
  stop(): Promise<void>;
};

/** What a test puts in the place of the shop's own parts, to make them slow or faulty. */
export type Replacements = {
  readonly deciders?: Readonly<Record<string, AnyDecider>>;
  readonly log?: (embedded: ShardLog) => ShardLog;
  readonly carrier?: CarrierAdapter;
  readonly address?: AddressAdapter;
};

/**
 * Opens the store and takes up the work an earlier life left in it.
 * @throws StoreMismatch when the store belongs to a set-up with another number of shards
 */
export function startHoldfast(
  config: Config,
  logger: Logger,
  policy: Policy = configuredPolicy(config),
  replacements: Replacements = {},
): Holdfast {
  const ground = openGround(config, logger, policy, openDataFolder(config.DATA_DIR, config.SHARDS));
  return assembleHoldfast(ground, createEmbeddedHome(ground), replacements);
}

/** Puts a node together where its logs are. */
export function assembleHoldfast(ground: Ground, home: Home, replacements: Replacements = {}): Holdfast {
  const { config, logger, policy, folder, db, clock, virtual, ids, telemetry, failPoint, caches, catalog } = ground;
  const { store, current, reader, idSecret, elsewhere, mayAct } = home;
  const letters = createDeadLetters(reader);
  // As the tables are: whoever watches must see something while the disk keeps them from being brought up to date.
  const counts = { ...createStoreFigures(db), deadLetters: createDeadLetters(db).count };
  const vendor = createPaymentVendor({ ledger: home.ledger, clock, secret: idSecret, logger, isShared: home.isShared });
  const surroundings = { clock, random: ids.random, telemetry, log: logger };
  const gateways: Gateway[] = [
    createPaymentGateway(vendor.adapter, surroundings),
    createCarrierGateway(replacements.carrier ?? createCarrierSimulator(), surroundings),
  ];
  const all = replacements.deciders ?? (deciders as unknown as Readonly<Record<string, AnyDecider>>);
  const node = createNode({
    name: `holdfast-${process.pid}-${ground.instance}`,
    shards: config.SHARDS,
    deciders: all,
    gateways,
    policy,
    ...(elsewhere && { elsewhere }),
    ...(mayAct && { mayAct }),
    store,
    clock,
    ids,
    telemetry,
    logger,
    failPoint,
  });
  for (const name of [...gateways.map((gateway) => gateway.name), 'address']) telemetry.breakerChanged(name, 'closed');
  telemetry.gauges({
    liveActors: () => node.liveActors,
    mailboxDepth: () => node.backlog,
    timersDue: () => counts.timers(clock.now()),
    timersPending: () => counts.timers(Number.MAX_SAFE_INTEGER),
    outboxPending: counts.outbox,
    deadLetters: counts.deadLetters,
    deadLetterLimit: () => policy.alerts.deadLetters,
    quarantined: () => node.quarantined.length,
  });
  const backups = createBackups({
    sources: { store: db, ledger: ground.entries, dataFolder: config.DATA_DIR },
    folder: config.BACKUP_DIR,
    now: clock.now,
    logger,
  });
  const alerts = createAlerts({ registry: telemetry.registry, logger });
  const local = { ...createShopCore({ node, store, clock, deciders: all }), ...createLocalOperations(node) };
  const running = home.run(node, local, (log) => alerts(replacements.log?.(log) ?? log));
  const { operations, status } = running;
  const { simulation, news } = vendor.open(node);
  const customerOrders = createCustomerOrdersReader(reader);
  const stock = createStockReader(current);
  const staff = createStaffReader(reader);
  const reconcile = createReconcile({
    books: vendor.books,
    store,
    aggregateIds: createAggregateIds(reader),
    deciders: all,
    clock,
  });
  return {
    ...running.core,
    node,
    catalog,
    caches: caches.figures,
    customerOrders: async (customer, page) => looked(() => customerOrders(customer, page)),
    stock: async (sku) => looked(() => stock(sku)),
    shelves: async (sku) => ground.shelves(sku),
    operators: createOperatorQueries({ db: reader, store, clock, deciders: all, policy, caches }),
    staff: async () => looked(staff),
    letters,
    operations,
    reconcile,
    check: openChecker({
      db: reader,
      store,
      deciders: all,
      now: clock.now,
      monotonic: clock.monotonic,
      pause: () => new Promise((resolve) => void clock.delay(CHECK_AGAIN_MS, resolve)),
      quarantined: () => node.quarantined,
      reconcile,
    }),
    changes: createChangeFeed({ db, feed: ground.feed, shards: config.SHARDS, upToDate: running.upToDate }),
    checkAddress: createAddressCheck(replacements.address ?? createAddressSimulator(clock), surroundings),
    policy,
    clock,
    ids,
    telemetry,
    idSecret,
    ...(home.authSecret !== undefined && { authSecret: home.authSecret }),
    isNew: home.isNew,
    prepared: folder.prepared,
    metrics: () => telemetry.registry.metrics(),
    upToDate: running.upToDate,
    status,
    ...(running.drain && { drain: running.drain }),
    health: () => healthOf(status(), node),
    ...(config.PAYMENT === 'simulated' && { paymentSimulation: simulation }),
    ...(virtual && { advanceClock: (ms: number) => advance(virtual, node, ms, logger) }),
    ...(config.CHAOS && { kill: operations.kill }),
    backups,
    async stop() {
      await backups.idle();
      news.close();
      await running.stop(STOP_PATIENCE_MS);
      ground.entries.close();
      db.close();
    },
  };
}

async function advance(clock: VirtualClock, node: Node, ms: number, logger: Logger): Promise<void> {
  await clock.advance(ms, async () => {
    if (!(await node.settled(SETTLE_PATIENCE_MS))) {
      logger.warn({ patienceMs: SETTLE_PATIENCE_MS }, 'virtual time moves on although work is under way');
    }
  });
}
