/**
 * Lays simulated time and chance under this whole process: timers, clocks and randomness of whatever is imported after
 * this module ask the world that runs, if one does. Product code and libraries run as they are. What Node does in threads
 * of its own (password hashes, signatures) is done at once instead: when a thread is ready depends on the machine.
 */
import crypto from 'node:crypto';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import perfHooks from 'node:perf_hooks';
import timers from 'node:timers';
import timersPromises from 'node:timers/promises';
import type { Planned } from './events.ts';
import type { SimulatedProcess, World } from './world.ts';

let world: World | undefined;
let randomBytesOf: (size: number) => Buffer = (size) => real.randomBytes(size);

/** What a password hash takes. */
const HASH_MS = 4;

const real = {
  setTimeout,
  clearTimeout,
  setInterval,
  setImmediate,
  clearImmediate,
  Date,
  now: performance.now.bind(performance),
  random: Math.random,
  hrtime: process.hrtime,
  randomBytes: crypto.randomBytes,
  pauseFor: timersPromises.setTimeout,
  nextTurn: timersPromises.setImmediate,
};

type Task = (...given: unknown[]) => void;

/** From now on everything in this process lives in that world; without one it lives in ours again. */
export function liveIn(next: World | undefined): void {
  world = next;
  forgetActors();
  if (next) {
    const chance = next.chance('secrets');
    randomBytesOf = (size) => Buffer.from(Array.from({ length: size }, () => Math.floor(chance() * 256)));
  }
}

/** Of the real event loop. */
export const realImmediate = real.setImmediate;

class Timer {
  planned: Planned;
  readonly #plan: () => Planned;

  constructor(plan: () => Planned) {
    this.#plan = plan;
    this.planned = plan();
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }

  refresh(): this {
    this.planned.cancelled = true;
    this.planned = this.#plan();
    return this;
  }

  close(): void {
    this.planned.cancelled = true;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Of what is in no process, which nobody pauses. */
const outside = (in_: World): Pick<SimulatedProcess, 'timer' | 'turn'> => ({
  timer: (ms, task) => in_.after(Math.max(1, ms), task),
  turn: (task) => in_.after(0, task),
});

function here(in_: World): Pick<SimulatedProcess, 'timer' | 'turn'> {
  return in_.process ?? outside(in_);
}

function installTimers(): void {
  const set = (task: Task, ms = 0, ...given: unknown[]): unknown => {
    const in_ = world;
    if (!in_) return real.setTimeout(task, ms, ...given);
    const place = here(in_);
    return new Timer(() => place.timer(ms, () => task(...given)));
  };
  const interval = (task: Task, ms = 0, ...given: unknown[]): unknown => {
    const in_ = world;
    if (!in_) return real.setInterval(task, ms, ...given);
    const place = here(in_);
    const timer: Timer = new Timer(() =>
      place.timer(ms, () => {
        task(...given);
        if (!timer.planned.cancelled) timer.refresh();
      }),
    );
    return timer;
  };
  const immediate = (task: Task, ...given: unknown[]): unknown => {
    const in_ = world;
    if (!in_) return real.setImmediate(task, ...given);
    const place = here(in_);
    return new Timer(() => place.turn(() => task(...given)));
  };
  const clear = (timer: unknown): void => {
    if (timer instanceof Timer) timer.close();
    else if (timer !== undefined && timer !== null) real.clearTimeout(timer as NodeJS.Timeout);
  };
  const clearTurn = (timer: unknown): void => {
    if (timer instanceof Timer) timer.close();
    else if (timer !== undefined && timer !== null) real.clearImmediate(timer as NodeJS.Immediate);
  };
  const all = {
    setTimeout: set,
    setInterval: interval,
    setImmediate: immediate,
    clearTimeout: clear,
    clearInterval: clear,
    clearImmediate: clearTurn,
  };
  Object.assign(globalThis, all);
  Object.assign(timers, all);
  Object.assign(timersPromises, {
    setTimeout: (ms: number, value: unknown, options?: { signal?: AbortSignal }) =>
      world ? pauseFor(world, ms, value, options?.signal) : real.pauseFor(ms, value, options),
    setImmediate: (value: unknown) => {
      const in_ = world;
      return in_ ? new Promise((resolve) => here(in_).turn(() => resolve(value))) : real.nextTurn(value);
    },
  });
}

function pauseFor(in_: World, ms: number, value: unknown, signal: AbortSignal | undefined): Promise<unknown> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const planned = here(in_).timer(ms, () => resolve(value));
    signal?.addEventListener(
      'abort',
      () => {
        planned.cancelled = true;
        reject(signal.reason);
      },
      { once: true },
    );
  });
}

function installClocks(): void {
  const wall = (in_: World): number => in_.process?.wall ?? Math.floor(in_.wall);
  class SimulatedDate extends real.Date {
    constructor(...given: [] | [number | string | Date]) {
      if (given.length === 0 && world) super(wall(world));
      else super(...(given as [number]));
    }

    static override now(): number {
      return world ? wall(world) : real.Date.now();
    }
  }
  globalThis.Date = SimulatedDate as DateConstructor;
  const monotonic = (): number => (world ? (world.process?.monotonic ?? world.now) : real.now());
  Object.defineProperty(performance, 'now', { value: monotonic, configurable: true, writable: true });
  const hrtime = Object.assign(
    (before?: [number, number]): [number, number] => {
      if (!world) return real.hrtime(before);
      const ns = Math.round(monotonic() * 1e6) - (before ? before[0] * 1e9 + before[1] : 0);
      return [Math.floor(ns / 1e9), ns % 1e9];
    },
    { bigint: () => (world ? BigInt(Math.round(monotonic() * 1e6)) : real.hrtime.bigint()) },
  );
  process.hrtime = hrtime as typeof process.hrtime;
  AbortSignal.timeout = (ms) => {
    const aborter = new AbortController();
    setTimeout(() => aborter.abort(new DOMException('The operation timed out.', 'TimeoutError')), ms);
    return aborter.signal;
  };
  // Watch the machine's own event loop and memory, once for each node that ever starts, and keep that node for ever.
  Object.assign(perfHooks, {
    PerformanceObserver: class {
      observe(): void {}
      disconnect(): void {}
    },
    monitorEventLoopDelay: () => ({
      enable: () => true,
      disable: () => true,
      reset: () => undefined,
      percentile: () => 0,
      min: 0,
      max: 0,
      mean: 0,
      stddev: 0,
    }),
  });
}

function installChance(): void {
  Math.random = () => (world ? world.random() : real.random());
  const fill = (target: Uint8Array): Uint8Array => {
    target.set(randomBytesOf(target.length));
    return target;
  };
  Object.assign(crypto, {
    randomFillSync: fill,
    randomBytes: (size: number) => randomBytesOf(size),
    randomUUID: () => {
      const hex = randomBytesOf(16).toString('hex');
      return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
    },
    scrypt: (
      password: string,
      salt: Buffer,
      length: number,
      options: crypto.ScryptOptions,
      done: (error: Error | null, key: Buffer) => void,
    ) => {
      const key = crypto.scryptSync(password, salt, length, options);
      setTimeout(() => done(null, key), HASH_MS);
    },
  });
}

type HmacKeyParams = { readonly name: string; readonly hash: string };
type HmacKey = { readonly secret: Uint8Array };

function installSignatures(): void {
  const digest = ({ secret }: HmacKey, data: Uint8Array): Buffer =>
    crypto.createHmac('sha256', secret).update(data).digest();
  Object.assign(globalThis.crypto.subtle, {
    importKey: async (_format: string, secret: Uint8Array, algorithm: HmacKeyParams, _: boolean, usages: string[]) => ({
      secret,
      type: 'secret',
      algorithm: { ...algorithm, hash: { name: algorithm.hash } },
      usages,
      extractable: false,
      [Symbol.toStringTag]: 'CryptoKey',
    }),
    sign: async (_: unknown, key: HmacKey, data: Uint8Array) => new Uint8Array(digest(key, data)).buffer,
    verify: async (_: unknown, key: HmacKey, signature: Uint8Array, data: Uint8Array) =>
      digest(key, data).equals(signature),
  });
}

type ActorSystems = { add(system: { readonly name: string }): void; remove(name: string): void };

/** nact keeps every system that nobody has stopped, and with it a whole world: a killed process stops nothing. */
const systems = createRequire(import.meta.url)('nact/lib/system-map.js') as ActorSystems;
const started = new Set<string>();

function installActors(): void {
  const { add } = systems;
  systems.add = (system) => {
    started.add(system.name);
    add(system);
  };
}

function forgetActors(): void {
  for (const name of started) systems.remove(name);
  started.clear();
}

installActors();
installTimers();
installClocks();
installChance();
installSignatures();
syncBuiltinESMExports();
