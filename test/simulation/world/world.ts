/**
 * A world of one thread: its time goes from one planned event to the next, its chance comes from a seed, and every event
 * happens in one of its processes or outside of all of them. Each event runs alone, with all that follows from it by
 * promises, before the next one: so a seed is a run.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash, type Hash } from 'node:crypto';
import { seededRandom } from '../../support/timeline.ts';
import { EventQueue, type Planned } from './events.ts';
import { realImmediate as immediately } from './install.ts';

/** Where simulated time begins: 2027-01-15T08:00:00Z. */
const EPOCH_MS = 1_800_000_000_000;
/** What a turn of the event loop takes, so that time goes on also where nobody waits. */
const TURN_MS = 0.002;
/** Timers of the same delay fire up to so much late. */
const TIMER_SLACK_MS = 0.4;

const NOTHING = new Uint8Array();

/** Planned at once: a turn of the real event loop for each would cost more than what happens in it. */
const STEPS_OF_TURN = 32;

/** Runs a task as if one of the processes, or none, had asked for it. */
type Scope = ReturnType<typeof AsyncLocalStorage.snapshot>;

/** One operating-system process: it can die, be stopped for a while, and have a wrong clock. */
export class SimulatedProcess {
  readonly name: string;
  readonly world: World;
  readonly scope: Scope;
  #state: 'running' | 'paused' | 'dead' = 'running';
  #held: (() => void)[] = [];
  /** Added to what its wall clock shows, in ms. */
  skewMs = 0;
  /** Asked after each thing that happened in it: how long nothing else can happen then, in ms. */
  stall: (() => number) | undefined;
  #isStalled = false;
  readonly #bootedMs: number;
  #lastTurn = 0;
  readonly #lastTimers = new Map<number, number>();

  constructor(world: World, name: string) {
    this.world = world;
    this.name = name;
    this.scope = world.scopeOf(this);
    // Nobody may compare monotonic clocks of two processes.
    this.#bootedMs = world.now - Math.floor(world.random() * 1e6);
  }

  get state(): 'running' | 'paused' | 'dead' {
    return this.#state;
  }

  get monotonic(): number {
    return this.world.now - this.#bootedMs;
  }

  get wall(): number {
    return Math.floor(EPOCH_MS + this.world.now + this.skewMs);
  }

  /** Runs it in this process: now, once the process goes on, or never. */
  enter(task: () => void): void {
    if (this.#state === 'dead') return;
    if (this.#state === 'paused' || this.#isStalled) {
      this.#held.push(task);
      return;
    }
    this.world.inside(this, task);
    const ms = this.stall?.() ?? 0;
    if (ms > 0) this.#stallFor(ms);
  }

  #stallFor(ms: number): void {
    this.#isStalled = true;
    this.world.after(ms, () => {
      this.#isStalled = false;
      this.#goOn();
    });
  }

  /** As `setTimeout`: timers of one delay fire in the order in which they were set. */
  timer(ms: number, task: () => void): Planned {
    const delay = Math.max(1, ms);
    const earliest = this.world.now + delay + this.world.random() * TIMER_SLACK_MS;
    const at = Math.max(earliest, this.#lastTimers.get(delay) ?? 0);
    this.#lastTimers.set(delay, at);
    return this.world.at(at, () => this.enter(task));
  }

  /** As `setImmediate`. */
  turn(task: () => void): Planned {
    const at = Math.max(this.world.now + TURN_MS * (0.5 + this.world.random()), this.#lastTurn);
    this.#lastTurn = at;
    return this.world.at(at, () => this.enter(task));
  }

  kill(): void {
    this.#state = 'dead';
    this.#held = [];
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  /** It goes on with what was due meanwhile, in the order in which it came. */
  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    this.#goOn();
  }

  #goOn(): void {
    if (this.#state !== 'running' || this.#isStalled) return;
    for (const task of this.#held.splice(0)) this.turn(task);
  }
}

export class World {
  readonly seed: number;
  /** In ms since the beginning. */
  now = 0;
  events = 0;
  readonly random: () => number;
  readonly #queue = new EventQueue();
  readonly #trace: Hash = createHash('sha256');
  readonly #current = new AsyncLocalStorage<SimulatedProcess | undefined>();
  readonly #outside = this.scopeOf(undefined);
  /** Told of each line of the trace; for people who look at one seed. */
  onTrace: ((line: string) => void) | undefined;
  /** What must never be, in words. */
  readonly violations: string[] = [];

  constructor(seed: number) {
    this.seed = seed;
    this.random = this.chance('world');
  }

  /** A source of chance of its own: what one draws doesn't change what another gets. */
  chance(purpose: string): () => number {
    const bytes = createHash('sha256').update(`${this.seed}/${purpose}`).digest();
    return seededRandom(bytes.readUInt32LE(0));
  }

  /** What an exact clock shows, in ms since the epoch. */
  get wall(): number {
    return EPOCH_MS + this.now;
  }

  get process(): SimulatedProcess | undefined {
    return this.#current.getStore();
  }

  inside<Result>(process: SimulatedProcess | undefined, task: () => Result): Result {
    if (this.#current.getStore() === process) return task();
    const scope = process?.scope ?? this.#outside;
    return scope(task) as Result;
  }

  /** What runs things in this process. Made once: it costs more than most of what happens. */
  scopeOf(process: SimulatedProcess | undefined): Scope {
    return this.#current.run(process, () => AsyncLocalStorage.snapshot());
  }

  at(time: number, task: () => void): Planned {
    return this.#queue.plan(Math.max(time, this.now), task);
  }

  /** Outside of all processes. */
  after(ms: number, task: () => void): Planned {
    return this.at(this.now + ms, () => this.inside(undefined, task));
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.after(ms, resolve));
  }

  note(line: string, bytes: Uint8Array = NOTHING): void {
    this.#trace.update(`${this.now.toFixed(4)} ${line}\n`).update(bytes);
    this.onTrace?.(`${this.now.toFixed(4).padStart(12)} ${line}`);
  }

  violated(what: string): void {
    this.violations.push(what);
    this.note(`VIOLATED ${what}`);
  }

  /** Identifies all that happened. */
  digest(): string {
    return this.#trace.copy().update(`${this.events}`).digest('hex');
  }

  /**
   * Goes on until the condition holds or nothing is left.
   * @throws Error when nothing is left and it doesn't hold
   */
  run(until: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      let ended = false;
      const end = (act: () => void): void => {
        ended = true;
        act();
      };
      const step = (): void => {
        if (ended) return;
        if (until()) {
          end(resolve);
          return;
        }
        let planned = this.#queue.next();
        while (planned?.cancelled) planned = this.#queue.next();
        if (planned === undefined) {
          end(() => reject(new Error('nothing is left to happen')));
          return;
        }
        this.now = planned.at;
        this.events += 1;
        planned.run();
      };
      // What follows by promises ends before the next of them begins.
      const steps = (): void => {
        for (let n = 1; n < STEPS_OF_TURN; n += 1) immediately(step);
        immediately(() => {
          step();
          if (!ended) steps();
        });
      };
      steps();
    });
  }
}
