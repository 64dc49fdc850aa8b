/** One run: a cluster starts, a shop is opened, people shop while things go wrong; then all is mended, and all must end. */
import { defaultPolicy } from '../../actors/policy.ts';
import { SimulatedBroker } from './network/broker.ts';
import { SimulatedNode } from './nodes/node.ts';
import { SimulatedVendor } from './nodes/vendor.ts';
import { Clients } from './shop/clients.ts';
import { openShop } from './shop/opening.ts';
import { Workload } from './shop/workload.ts';
import { liveIn } from './world/install.ts';
import { World } from './world/world.ts';

export type RunOptions = {
  readonly seed: number;
  readonly nodes: number;
  /** Simulated, of the part in which things go wrong. */
  readonly minutes: number;
  readonly onTrace?: (line: string) => void;
};

export type RunResult = {
  readonly seed: number;
  readonly violations: readonly string[];
  /** Of all that happened. */
  readonly digest: string;
  readonly simulatedMs: number;
  readonly events: number;
  readonly orders: number;
};

const SHARDS = 4;
const MINUTE_MS = 60_000;
const CUSTOMERS = 3;

export async function run(options: RunOptions): Promise<RunResult> {
  const { seed, minutes, onTrace } = options;
  const world = new World(seed);
  if (onTrace) world.onTrace = onTrace;
  liveIn(world);
  const fault = (error: unknown): void => world.violated(`nobody handles: ${(error as Error)?.stack ?? error}`);
  process.on('unhandledRejection', fault);
  try {
    const broker = new SimulatedBroker(world, {
      id: 'simulated',
      cluster: 'simulated',
      shards: SHARDS,
      purpose: 'test',
      idSecret: 'a secret for ids, in simulations',
      schema: 1,
      version: '0.0.0',
      createdAt: 0,
    });
    const vendor = new SimulatedVendor(world);
    const nodes = Array.from(
      { length: options.nodes },
      (_, number) =>
        new SimulatedNode({
          world,
          broker,
          vendor,
          name: `node-${number + 1}`,
          policy: defaultPolicy,
          ...(onTrace && { onLog: (line) => world.onTrace?.(line.trimEnd()) }),
        }),
    );
    for (const node of nodes) node.start();
    await world.run(() => nodes.every((node) => node.ready()));
    const clients = new Clients(world, nodes);
    const shop = await during(world, openShop(world, nodes[0] as SimulatedNode, clients, CUSTOMERS));
    const workload = new Workload({ world, clients, shop, thinkMs: 2_000, actions: Number.POSITIVE_INFINITY });
    const working = workload.run();
    const until = world.now + minutes * MINUTE_MS;
    await world.run(() => world.now >= until);
    workload.stop();
    await during(world, working);
    return {
      seed,
      violations: world.violations,
      digest: world.digest(),
      simulatedMs: world.now,
      events: world.events,
      orders: workload.placed.length,
    };
  } finally {
    process.off('unhandledRejection', fault);
    liveIn(undefined);
  }
}

/** Lets the world go on until it is settled. */
async function during<Value>(world: World, awaited: Promise<Value>): Promise<Value> {
  let settled = false;
  const mark = (): void => {
    settled = true;
  };
  awaited.then(mark, mark);
  await world.run(() => settled);
  return awaited;
}
