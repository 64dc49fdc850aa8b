/**
 * Several nodes, a broker and time, all simulated: a seed and a schedule give the same run. Processes crash, pause and wake
 * up with what was sent to them meanwhile; nodes are cut off or not heard; the broker goes away. It watches that nothing is
 * done that must not be.
 */
import { pino } from 'pino';
import {
  CallTimedOut,
  type Claim,
  type Heartbeat,
  type LogEntry,
  LogUnanswered,
  NobodyServes,
  type NodeCalls,
  type SharedLog,
} from '../../actors/kernel/clusterPorts.ts';
import { type FollowedTables, type ShardTitle, titleAfter } from '../../actors/kernel/followedTables.ts';
import type { EncodedRecord } from '../../actors/kernel/ports.ts';
import type { NameTaken } from '../../supervisors/cluster/membership.ts';
import { createOwnership, type Ownership } from '../../supervisors/cluster/ownership.ts';
import type { ShardHost } from '../../supervisors/cluster/shardHost.ts';
import { ClusterBroker } from './clusterBroker.ts';
import { SimulatedProcess, SimulatedTime } from './clusterProcess.ts';
import { seededRandom } from './timeline.ts';

const WRITE_MS = 400;
/** After a lost connection following begins again later than questions are answered. */
const FOLLOW_AGAIN_MS = 1_500;
/** Entries handed over before the first of them is done. */
const UNHANDLED = 8;
/** A claim is not sent any more after this long. */
const CLAIM_PATIENCE_MS = 5_000;
/** An owner may not have heard yet that it was replaced so long ago; a reader asking now would get old state. */
const STALE_MS = 100;
/** Share of the moments that are looked at; looking itself changes what a node knows. */
const PROBES = 0.05;
const RECORD = { bytes: 1 } as EncodedRecord;

export type WorldOptions = {
  readonly seed: number;
  readonly shards?: number;
  /** Share of heartbeats that are lost on the way. */
  readonly heartbeatLoss?: number;
  /** Share of claims that are stored while their sender hears of a failure. */
  readonly claimAcksLost?: number;
  /** The longest time that a shard takes to close. */
  readonly closeMs?: number;
};

export class World {
  readonly time = new SimulatedTime();
  readonly random: () => number;
  readonly broker: ClusterBroker;
  /** What must not be, in words. */
  readonly violations: string[] = [];
  readonly options: Required<WorldOptions>;
  readonly #lives: Life[] = [];
  readonly #disks = new Map<string, Disk>();
  #incarnations = 0;

  constructor(options: WorldOptions) {
    this.options = { shards: 16, heartbeatLoss: 0, claimAcksLost: 0, closeMs: 20, ...options };
    this.random = seededRandom(options.seed);
    const written = (shard: number): void => {
      for (const life of this.#lives) life.pump(shard);
    };
    this.broker = new ClusterBroker(this.options.shards, () => this.time.now, written);
  }

  /** Processes that haven't crashed. */
  get lives(): readonly Life[] {
    return this.#lives;
  }

  /** Starts a process. One of the same name finds the tables of its former life, unless told otherwise. */
  start(name: string, diskName = name): Life {
    const disk = this.#disks.get(diskName) ?? new Disk(this);
    this.#disks.set(diskName, disk);
    const life = new Life(this, name, `i${String(++this.#incarnations).padStart(4, '0')}`, disk);
    this.#lives.push(life);
    return life;
  }

  bury(life: Life): void {
    this.#lives.splice(this.#lives.indexOf(life), 1);
  }

  /** Runs for so many ms, or until the condition holds; says whether it does. */
  run(ms: number, until: () => boolean = () => false): Promise<boolean> {
    return this.time.run(ms, until, () => {
      if (this.random() < PROBES) this.probe();
    });
  }

  breakBroker(): void {
    this.broker.up = false;
    for (const life of this.#lives) life.process.disconnect();
  }

  mendBroker(): void {
    this.broker.up = true;
    for (const life of this.#lives) life.reconnect();
  }

  violated(what: string): void {
    this.violations.push(`${this.time.now}: ${what}`);
  }

  /** Looks for nodes that would answer from memory what another node may have changed. */
  probe(): void {
    for (const life of this.#lives) {
      // An owner whose heartbeats are lost may be replaced while it believes to hold its shards: only the log is sure.
      if (!life.process.running || life.unheard || this.options.heartbeatLoss > 0) continue;
      for (const [shard, epoch] of life.opened) {
        const since = life.ownership.mayServe(shard) ? this.broker.overtakenFor(shard, epoch) : undefined;
        if (since !== undefined && since > STALE_MS) {
          this.violated(`${life.name} would serve shard ${shard}, which another claimed ${since} ms ago`);
        }
      }
    }
  }
}

/** One node's tables, which survive its process. */
class Disk {
  readonly #world: World;
  readonly #positions: number[] = [];
  readonly #titles: (ShardTitle | undefined)[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  position(shard: number): number {
    return this.#positions[shard] ?? 0;
  }

  title(shard: number): ShardTitle | undefined {
    return this.#titles[shard];
  }

  apply(shard: number, entry: LogEntry): void {
    const before = this.position(shard);
    if (entry.position !== before + 1)
      this.#world.violated(`${entry.position} of ${shard} was applied after ${before}`);
    this.#positions[shard] = entry.position;
    this.#titles[shard] = titleAfter(this.#titles[shard], entry);
  }
}

type Followed = { cursor: number; unhandled: number; readonly on: (entry: LogEntry) => unknown };

/** One process. */
export class Life {
  readonly name: string;
  readonly process: SimulatedProcess;
  readonly ownership: Ownership;
  /** Shards that decide here, with the epochs of their claims. */
  readonly opened = new Map<number, number>();
  nameTaken: NameTaken | undefined;
  /** It can write what it is asked to. */
  well = true;
  /** Its heartbeats are lost on the way; everything else works. */
  muted = false;
  /** Its newest heartbeat was lost on the way. */
  unheard = false;
  /** The longest time that an entry takes into the tables. */
  applyMs = 5;
  readonly #world: World;
  readonly #disk: Disk;
  readonly #hearers = new Set<(heartbeat: Heartbeat) => void>();
  readonly #followed = new Map<number, Followed>();
  #following = true;
  #isCut = false;

  constructor(world: World, name: string, incarnation: string, disk: Disk) {
    this.#world = world;
    this.#disk = disk;
    this.name = name;
    this.process = new SimulatedProcess(world.time, world.random, world.broker.up);
    this.process.onConnected = () => {
      this.stall(world.random() * FOLLOW_AGAIN_MS);
    };
    this.ownership = createOwnership({
      shards: world.options.shards,
      self: { node: name, incarnation, version: '0', address: `${name}:1` },
      log: this.#log(),
      calls: this.#calls(),
      tables: this.#tables(),
      host: this.#host(),
      isWell: () => this.well,
      clock: this.process.clock,
      random: world.random,
      logger: pino({ level: 'silent' }),
      restore: () => Promise.reject(new Error('a simulated log is always readable')),
      onNameTaken: (error) => {
        this.nameTaken = error;
      },
    });
  }

  /** Hears nothing of the logs for so long. */
  stall(ms: number): void {
    this.#following = false;
    this.#world.time.after(ms, () => {
      this.#following = true;
      for (const shard of this.#followed.keys()) this.pump(shard);
    });
  }

  crash(): void {
    this.process.crash();
    this.#world.bury(this);
  }

  pause(): void {
    this.process.pause();
  }

  resume(): void {
    // A request from a connection that is read first must not be answered from old memory.
    this.process.resume(() => this.#world.probe());
  }

  /** Neither sends nor receives anything until `mend`. */
  cut(): void {
    this.#isCut = true;
    this.process.disconnect();
  }

  mend(): void {
    this.#isCut = false;
    this.reconnect();
  }

  reconnect(): void {
    this.process.reconnect(() => !this.#isCut && this.#world.broker.up);
  }

  hear(heartbeat: Heartbeat): void {
    if (!this.process.connected) return;
    this.process.receive(() => {
      for (const on of this.#hearers) on(heartbeat);
    });
  }

  /** Hands over what is new in the log. */
  pump(shard: number): void {
    const followed = this.#followed.get(shard);
    if (!followed || !this.#following || !this.process.connected) return;
    for (;;) {
      const entry = this.#world.broker.entry(shard, followed.cursor + 1);
      if (!entry || followed.unhandled >= UNHANDLED) return;
      followed.cursor++;
      followed.unhandled++;
      this.process.receive(() => void this.#handOver(shard, followed, entry));
    }
  }

  async #handOver(shard: number, followed: Followed, entry: LogEntry): Promise<void> {
    await followed.on(entry);
    followed.unhandled--;
    this.pump(shard);
  }

  #log(): SharedLog {
    const { broker, random, options, time } = this.#world;
    return {
      claim: (shard, node) => {
        const deadline = time.now + CLAIM_PATIENCE_MS;
        return this.process.request(() => {
          if (time.now > deadline) throw new LogUnanswered('the claim was not sent');
          const epoch = broker.claim(shard, node);
          if (random() < options.claimAcksLost) throw new LogUnanswered('the claim may be stored');
          return this.#claim(shard, epoch);
        });
      },
      follow: (shard, after, on) => {
        this.#followed.set(shard, { cursor: after, unhandled: 0, on });
        this.pump(shard);
        return { stop: () => void this.#followed.delete(shard) };
      },
      end: (shard) => this.process.request(() => broker.end(shard)),
      begin: () => Promise.resolve(1),
    };
  }

  #claim(shard: number, epoch: number): Claim {
    const { broker } = this.#world;
    return {
      epoch,
      append: () => this.process.request(() => broker.append(shard, epoch)),
      bring: () => this.process.request(() => broker.append(shard, epoch)),
      release: (to) => this.process.request(() => broker.release(shard, epoch, to)),
    };
  }

  #calls(): Pick<NodeCalls, 'announce' | 'heard' | 'askNode' | 'lastContact'> {
    const { process } = this;
    return {
      announce: (heartbeat) => {
        if (this.process.connected) this.unheard = this.muted;
        if (this.muted) return;
        for (const hearer of this.#world.lives) {
          if (this.#world.random() >= this.#world.options.heartbeatLoss) process.send(() => hearer.hear(heartbeat));
        }
      },
      heard: (on) => {
        this.#hearers.add(on);
        return { stop: () => void this.#hearers.delete(on) };
      },
      askNode: (node, body, timeoutMs) => this.#askNode(node, body, timeoutMs),
      get lastContact() {
        return process.lastContact;
      },
    };
  }

  #askNode(node: string, body: unknown, timeoutMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.process.clock.delay(timeoutMs, () => reject(new CallTimedOut(`no answer in ${timeoutMs} ms`)));
      this.process.send(() => {
        const asked = this.#world.lives.find(({ name, process }) => name === node && process.connected);
        if (!asked) {
          this.process.send(() => this.process.receive(() => reject(new NobodyServes(node))));
          return;
        }
        asked.process.receive(() => {
          void asked.ownership.answer(body)?.then((answer) => {
            asked.process.send(() => this.process.send(() => this.process.receive(() => resolve(answer))));
          });
        });
      });
    });
  }

  #tables(): FollowedTables {
    return {
      position: (shard) => this.#disk.position(shard),
      title: (shard) => this.#disk.title(shard),
      // Its broker loses nothing.
      isWhole: () => true,
      records: () => 0,
      apply: (shard, entry) => {
        const late = this.#world.random();
        if (late < 0.5) return this.#disk.apply(shard, entry);
        return new Promise((resolve) =>
          this.process.clock.delay(late * this.applyMs, () => resolve(this.#disk.apply(shard, entry))),
        );
      },
    };
  }

  #host(): ShardHost {
    return {
      open: (shard, claim) => {
        if (this.opened.has(shard)) this.#world.violated(`${this.name} opened shard ${shard} twice`);
        if (this.#disk.position(shard) < claim.epoch) this.#world.violated(`${this.name} opened ${shard} too early`);
        this.opened.set(shard, claim.epoch);
        this.#write(shard, claim);
      },
      close: (shard) => {
        if (!this.opened.delete(shard)) this.#world.violated(`${this.name} closed ${shard}, which wasn't open`);
        return new Promise((resolve) =>
          this.process.clock.delay(this.#world.random() * this.#world.options.closeMs, resolve),
        );
      },
    };
  }

  /** Work arrives again and again, for as long as the shard is open. */
  #write(shard: number, claim: Claim): void {
    this.process.clock.delay(this.#world.random() * WRITE_MS, () => {
      if (this.opened.get(shard) !== claim.epoch) return;
      claim.append(RECORD).then(
        () => this.#write(shard, claim),
        () => this.ownership.lost(shard, claim.epoch),
      );
    });
  }
}
