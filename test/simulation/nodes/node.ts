/**
 * A node of the simulated cluster: put together like a real one, with a simulated broker. Its store outlives its
 * processes.
 */
import Database from 'better-sqlite3';
import { pino } from 'pino';
import { defaultPolicy, type Policy } from '../../../actors/policy.ts';
import { createEdge, type Edge } from '../../../http/edge.ts';
import { type Db, openDatabase } from '../../../storage/database.ts';
import { holdStore } from '../../../storage/dataFolder.ts';
import { type KeyedStore, openKeyedStore } from '../../../storage/keyedStore.ts';
import { createClusterHome } from '../../../supervisors/cluster/clusterHome.ts';
import { readConfig } from '../../../supervisors/config.ts';
import { assembleHoldfast, type Holdfast } from '../../../supervisors/holdfast.ts';
import { openGround } from '../../../supervisors/home.ts';
import type { LedgerEntry } from '../../../transport/payment/ledger.ts';
import { watchStock } from '../checks/stores.ts';
import { NO_DEFECT, type Planting } from '../defects/plant.ts';
import type { SimulatedBroker } from '../network/broker.ts';
import type { Line } from '../network/line.ts';
import { SimulatedProcess, type World } from '../world/world.ts';
import { type Asked, type Handler, request, type Told } from './edge.ts';
import type { SimulatedVendors } from './vendor.ts';

const AUTH_SECRET = 'a secret for simulations, nowhere else';
/** Cheap on purpose. */
const PASSWORD_COST = { logN: 2, r: 8, p: 1 };
/** A request waits so long for its answer on the client's side. */
const CLIENT_PATIENCE_MS = 12_000;

/** Whoever starts a process that has ended by itself does so after this long. */
const RESTART_MS = 500;

export type Life = {
  readonly process: SimulatedProcess;
  readonly line: Line;
  readonly db: Db;
  readonly entries: KeyedStore<LedgerEntry>;
  readonly shop: Holdfast;
  readonly edge: Edge;
  readonly handle: Handler;
};

export type NodeOptions = {
  readonly world: World;
  readonly broker: SimulatedBroker;
  readonly vendors: SimulatedVendors;
  readonly name: string;
  readonly policy?: Policy;
  /** What is wrong with it. */
  readonly planting?: Planting;
  /** Told of each line of its log. */
  readonly onLog?: (line: string) => void;
};

let template: Buffer | undefined;

/** Making the tables takes longer than copying them. */
function newStore(): Db {
  if (template === undefined) {
    const made = openDatabase(':memory:');
    template = made.serialize();
    made.close();
  }
  return openImage(template);
}

function openImage(image: Buffer): Db {
  return new Database(image);
}

export class SimulatedNode {
  readonly name: string;
  readonly #options: NodeOptions;
  #life: Life | undefined;
  #image: Buffer | undefined;
  #skewMs = 0;

  constructor(options: NodeOptions) {
    this.#options = options;
    this.name = options.name;
  }

  get life(): Life | undefined {
    return this.#life;
  }

  /** It says that its shards are served. */
  ready(): boolean {
    const life = this.#life;
    return life?.process.state === 'running' && this.within((shop) => shop.health().ready) === true;
  }

  /** Whatever is asked of its parts is asked in its process: its clocks are its own. */
  within<Value>(look: (shop: Holdfast) => Value): Value | undefined {
    const life = this.#life;
    return life && this.#options.world.inside(life.process, () => look(life.shop));
  }

  /** Starts a process on what the last one has left on the disk. */
  start(): void {
    const { world, broker, name } = this.#options;
    if (this.#life) throw new Error(`${name} runs already`);
    const process = new SimulatedProcess(world, name);
    world.note(`${name} starts`);
    process.skewMs = this.#skewMs;
    this.#life = world.inside(process, () => this.#boot(process, broker.connect(process)));
  }

  /** As by SIGKILL: what was written is there at the next start. */
  crash(): void {
    const life = this.#end();
    if (life) this.#image = life.db.serialize();
    this.#close(life);
  }

  /** For good: what it has in memory is free again. */
  close(): void {
    this.#close(this.#end());
  }

  loseDisk(): void {
    this.#close(this.#end());
    this.#image = undefined;
  }

  /** What is on its disk now, to be set back to as after a loss of power. */
  image(): Buffer | undefined {
    return this.#life?.db.serialize() ?? this.#image;
  }

  /** While its disk takes nothing, what is written fails. */
  setDisk(writable: boolean): void {
    this.#life?.db.pragma(`query_only = ${writable ? 0 : 1}`);
  }

  /** Whatever it writes to its disk keeps it from everything else for so long at most; 0 when all is well. */
  slowDisk(ms: number, chance: () => number): void {
    const life = this.#life;
    if (!life) return;
    const written = life.db.prepare<[], number>('SELECT total_changes()').pluck();
    let seen = written.get();
    const stall = (): number => {
      const now = written.get();
      const wrote = now !== seen;
      seen = now;
      return wrote ? ms * chance() : 0;
    };
    life.process.stall = ms > 0 ? stall : undefined;
  }

  /** Its clock is wrong by so much from now on. */
  setClock(skewMs: number): void {
    this.#skewMs = skewMs;
    if (this.#life) this.#life.process.skewMs = skewMs;
  }

  pause(): void {
    this.#life?.process.pause();
  }

  resume(): void {
    this.#life?.process.resume();
  }

  losePower(image: Buffer | undefined): void {
    this.#close(this.#end());
    this.#image = image;
  }

  setCut(cut: boolean): void {
    const line = this.#life?.line;
    if (!line) return;
    line.cut = cut;
    line.changed();
  }

  /** Asks its edge; the answer may never come. */
  ask(asked: Asked): Promise<Told | undefined> {
    const { world, broker } = this.#options;
    const { network } = broker;
    const life = this.#life;
    return new Promise((resolve) => {
      if (!life) return void world.after(network.delayMs(), () => resolve(undefined));
      world.after(CLIENT_PATIENCE_MS, () => resolve(undefined));
      world.after(network.delayMs(), () =>
        life.process.enter(() =>
          request(life.handle, asked, (told) => {
            if (!network.happens(network.faults.lost)) world.after(network.delayMs(), () => resolve(told));
          }),
        ),
      );
    });
  }

  #end(): Life | undefined {
    const life = this.#life;
    this.#life = undefined;
    if (!life) return undefined;
    this.#options.world.note(`${this.name} dies`);
    life.process.kill();
    this.#options.broker.hangUp(life.line);
    return life;
  }

  #close(life: Life | undefined): void {
    try {
      life?.entries.close();
      life?.db.close();
    } catch {
      // Somebody was reading a long list when the process died.
    }
  }

  #boot(process: SimulatedProcess, line: Line): Life {
    const { world, broker, vendors, name, policy = defaultPolicy, planting = NO_DEFECT, onLog } = this.#options;
    const { id, cluster, idSecret, shards } = broker.settings;
    const config = readConfig({
      NODE_ENV: 'test',
      NATS_URL: 'nats://simulated:4222',
      NODE_NAME: name,
      CLUSTER: cluster,
      SHARDS: String(shards),
      DATA_DIR: '/simulated',
      CHECKPOINT_ENTRIES: '1000000000',
      AUTH_SECRET,
    });
    const logger = onLog ? pino({ level: 'warn', base: { node: name } }, { write: onLog }) : pino({ level: 'silent' });
    const db = this.#image ? openImage(this.#image) : newStore();
    watchStock(name, db, (what) => world.violated(what));
    const folder = holdStore(db, name, shards).open({ id, name: cluster, idSecret });
    const entries = openKeyedStore<LedgerEntry>(':memory:');
    const ground = planting.ground(openGround(config, logger, policy, folder, entries));
    const parts = planting.broker(broker.brokerOf(ground, line, vendors.ledgerOf(process)));
    const end = (error: Error): void => {
      world.note(`${name} ends: ${error.name}`);
      process.kill();
      broker.hangUp(line);
      world.after(RESTART_MS, () => {
        if (this.#life?.process !== process) return;
        this.crash();
        this.start();
      });
    };
    const home = planting.home(createClusterHome(ground, parts, end), ground);
    const shop = assembleHoldfast(ground, home, {
      ...vendors.adaptersOf(process),
      ...planting.replacements(home, shards),
    });
    const edge = createEdge({
      shop,
      policy: shop.policy,
      ids: shop.ids,
      logger,
      registry: shop.telemetry.registry,
      secrets: { ids: shop.idSecret, auth: AUTH_SECRET },
      config: { host: '127.0.0.1', port: 0, passwordCost: PASSWORD_COST },
    });
    const handle = edge.app.callback();
    return { process, line, db, entries, shop, edge, handle };
  }
}
