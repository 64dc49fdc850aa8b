/** One run: a cluster starts, a shop is opened, people shop while things go wrong; then all is mended, and all must end. */
import { defaultPolicy, type Policy } from '../../actors/policy.ts';
import { parseEntryId } from '../../transport/nats/log/entry.ts';
import type { ClusterSettings } from '../../transport/nats/settings.ts';
import { checkHistory } from '../history/check.ts';
import { complaints, disagreements, underWay } from './checks/ending.ts';
import { Durable, logViolations } from './checks/logs.ts';
import { bookViolations, moneyViolations } from './checks/money.ts';
import { NO_DEFECT, plant } from './defects/plant.ts';
import { Storm } from './faults/storm.ts';
import { SimulatedBroker } from './network/broker.ts';
import { SimulatedNode } from './nodes/node.ts';
import { SimulatedVendors } from './nodes/vendor.ts';
import type { RunOptions, RunResult } from './options.ts';
import { Clients } from './shop/clients.ts';
import { openShop } from './shop/opening.ts';
import { Workload } from './shop/workload.ts';
import { liveIn } from './world/install.ts';
import { World } from './world/world.ts';

const MINUTE_MS = 60_000;
const CUSTOMERS = 3;
const THINK_MS = 2_000;
const LOOK_MS = 5_000;
/** After all is well every request is answered within this. */
const ANSWERED_MS = 2 * MINUTE_MS;
/** And then all comes to rest: longer than a saga with all its repeats, and undoing it, may take. */
const REST_MS = 30 * MINUTE_MS;
const SETTINGS: ClusterSettings = {
  id: 'simulated',
  cluster: 'simulated',
  shards: 4,
  purpose: 'test',
  idSecret: 'a secret for ids, in simulations',
  schema: 1,
  version: '0.0.0',
  createdAt: 0,
};
/** People are waited for more briefly than in a real shop. */
const POLICY: Policy = {
  ...defaultPolicy,
  saga: { ...defaultPolicy.saga, reviewMs: 2 * MINUTE_MS, paymentMethodMs: 2 * MINUTE_MS },
  review: { ...defaultPolicy.review, ordersPerAddress: null },
};

/** Resolves with what came of it; never rejects for what the product does. */
export async function run(options: RunOptions): Promise<RunResult> {
  const world = new World(options.seed);
  if (options.trace) world.onTrace = (line) => void process.stdout.write(`${line}\n`);
  liveIn(world);
  const fault = (error: unknown): void => world.violated(`nobody handles: ${(error as Error)?.stack ?? error}`);
  process.on('unhandledRejection', fault);
  try {
    const simulation = new Simulation(world, options);
    await simulation.run();
    const result = simulation.result();
    simulation.close();
    return result;
  } finally {
    process.off('unhandledRejection', fault);
    liveIn(undefined);
  }
}

class Simulation {
  readonly #world: World;
  readonly #options: RunOptions;
  readonly #broker: SimulatedBroker;
  readonly #vendors: SimulatedVendors;
  readonly #nodes: readonly SimulatedNode[];
  readonly #clients: Clients;
  readonly #durable = new Durable();
  /** The shop runs: nobody looks yet at what came of it. */
  #isShopping = true;
  #orders = 0;
  #storm: Storm | undefined;

  constructor(world: World, options: RunOptions) {
    this.#world = world;
    this.#options = options;
    this.#broker = new SimulatedBroker(world, SETTINGS);
    this.#vendors = new SimulatedVendors(world);
    this.#vendors.onChanged = (entries) => {
      for (const found of moneyViolations(entries)) world.violated(found);
    };
    this.#broker.onStored = (id, payload) => {
      if (parseEntryId(id)?.kind === 'record') this.#durable.stored(payload);
    };
    this.#broker.onMessage = (id) => {
      if (!this.#durable.mayLeave(id)) world.violated(`I1: ${id} was sent before it was durable`);
    };
    const { defect } = options;
    this.#broker.logFaults.compares = defect !== 'claims-not-compared';
    const onLog = (line: string): void => world.onTrace?.(line.trimEnd());
    this.#nodes = Array.from({ length: options.nodes }, (_, number) => {
      const planting = defect === undefined ? NO_DEFECT : plant(defect, () => this.#isShopping);
      const parts = {
        planting,
        world,
        broker: this.#broker,
        vendors: this.#vendors,
        name: `node-${number + 1}`,
        policy: POLICY,
      };
      return new SimulatedNode({ ...parts, ...(options.trace && { onLog }) });
    });
    this.#clients = new Clients(world, this.#nodes);
  }

  /** Whatever the product does wrong is a violation. */
  async run(): Promise<void> {
    try {
      await this.#live();
    } catch (error) {
      this.#world.violated(`end: ${error instanceof Error ? error.message : error}`);
    }
  }

  close(): void {
    for (const node of this.#nodes) node.close();
  }

  result(): RunResult {
    const world = this.#world;
    return {
      seed: world.seed,
      violations: [...new Set(world.violations)],
      digest: world.digest(),
      simulatedMs: world.now,
      events: world.events,
      orders: this.#orders,
      faults: Object.fromEntries(this.#storm?.counts ?? []),
    };
  }

  async #live(): Promise<void> {
    const world = this.#world;
    const nodes = this.#nodes;
    for (const node of nodes) node.start();
    await world.run(() => nodes.every((node) => node.ready()));
    const shop = await this.#during(openShop(world, nodes[0] as SimulatedNode, this.#clients, CUSTOMERS));
    const workload = new Workload({
      world,
      clients: this.#clients,
      shop,
      thinkMs: THINK_MS,
      actions: this.#options.actions,
      onPlaced: (id) => {
        this.#orders += 1;
        if (!this.#durable.has(`${id}/order`)) world.violated(`I1: ${id} was acknowledged before it was durable`);
      },
    });
    await this.#safety(workload);
    await this.#liveness(workload);
  }

  /** Things go wrong; nothing that must not be may be at any moment. */
  async #safety(workload: Workload): Promise<void> {
    const world = this.#world;
    const { without, only, minutes } = this.#options;
    const parts = { world, broker: this.#broker, vendors: this.#vendors, nodes: this.#nodes };
    const lengthMs = minutes * MINUTE_MS;
    const storm = new Storm({ ...parts, lengthMs, without, only });
    this.#storm = storm;
    storm.begin();
    const working = workload.run();
    const until = world.now + lengthMs;
    await world.run(() => world.now >= until || world.violations.length > 0);
    workload.stop();
    storm.heal();
    if (!(await this.#within(working, ANSWERED_MS))) world.violated('I7: a client is not answered after all is well');
  }

  /** All is well: everything comes to rest in time, and adds up then. */
  async #liveness(workload: Workload): Promise<void> {
    const world = this.#world;
    const until = world.now + REST_MS;
    for (;;) {
      if (world.violations.length > 0) return;
      const moving = await this.#during(underWay(world, this.#broker.inboxes, this.#nodes));
      const left = moving.length > 0 ? moving : disagreements(this.#nodes);
      if (left.length === 0) break;
      if (world.now > until) {
        for (const each of left) world.violated(`I7: long after all is well: ${each}`);
        return;
      }
      await this.#during(world.pause(LOOK_MS));
    }
    this.#isShopping = false;
    const [first] = this.#nodes;
    const orders = await this.#during(workload.outcome());
    const said = first ? await this.#during(complaints(world, first)) : [];
    const books = bookViolations(orders, this.#vendors.entries());
    for (const found of [...logViolations(this.#broker.logs), ...books, ...said]) {
      world.violated(found);
    }
    const history = checkHistory(this.#clients.recorder.history());
    for (const { code, text } of history.violations) world.violated(`${code}: ${text}`);
  }

  async #within(awaited: Promise<unknown>, ms: number): Promise<boolean> {
    const world = this.#world;
    const until = world.now + ms;
    let settled = false;
    awaited.then(
      () => {
        settled = true;
      },
      (error: Error) => {
        world.violated(error.message);
      },
    );
    await world.run(() => settled || world.now > until);
    return settled;
  }

  /** Lets the world go on until it is settled. */
  async #during<Value>(awaited: Promise<Value>): Promise<Value> {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    awaited.then(mark, mark);
    await this.#world.run(() => settled);
    return awaited;
  }
}
