/**
 * One cluster under load for some minutes, hurt at random: which fault, what it hits, how long it lasts and what comes at
 * the same time are drawn from the seed. Each kind comes once before any comes again.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { massMoves } from './campaign.ts';
import { type Aimed, aim, allWell, type FaultName, hurts, type Pains } from './faults.ts';
import { type Felt, felt } from './measure.ts';
import { onScene, type Scene, type SceneOptions } from './scene.ts';
import { type Second, secondsOf } from './timeline.ts';

/** One in so many faults comes together with one that hurts something else. */
const PAIRED = 0.3;
const CALM_MS = { from: 500, to: 3_000 };
const FIRST_CALM_MS = 3_000;

export type StormOptions = SceneOptions & {
  readonly forMs: number;
  readonly faults: readonly FaultName[];
  /** The longest ones. */
  readonly pains: Pains;
  /** Told when something begins or ends. */
  readonly progress: (text: string) => void;
  /** Told every second how it goes. */
  readonly tick?: (text: string) => void;
};

/** Faults at the same time, and what clients felt from their begin to the end of the calm after them. Times in ms from the start of the load. */
export type Blow = Felt & {
  readonly faults: readonly { readonly name: FaultName; readonly target: string }[];
  readonly from: number;
  /** Everything ran again. */
  readonly until: number;
  readonly takeovers: number;
};

export type Storm = {
  readonly seed: number;
  readonly startedAt: string;
  /** From the start of the load to its end. */
  readonly tookMs: number;
  readonly blows: readonly Blow[];
  readonly whole: Felt;
  readonly orders: number;
  readonly seconds: readonly Second[];
  readonly violations: readonly string[];
  /** Of the nodes, their newest lines. */
  readonly logs: ReadonlyMap<string, readonly string[]>;
};

export function runStorm(options: StormOptions): Promise<Storm> {
  return onScene(options, (scene) => rage(scene, options));
}

async function rage(scene: Scene, options: StormOptions): Promise<Storm> {
  const { forMs, seed, progress, tick } = options;
  const { measured, world } = scene;
  const begun = performance.now();
  const startedAt = new Date().toISOString();
  const blows: Blow[] = [];
  const broken: string[] = [];
  const ticking = tick && setInterval(() => tick(statusLine(scene, begun)), 1_000);
  await pause(FIRST_CALM_MS);
  const deal = dealer(options.faults, world.random);
  try {
    while (performance.now() - begun < forMs) {
      const pains = shorter(options.pains, world.random);
      const blow = deal().map((name) => aim(name, world, pains));
      blows.push(await strike(scene, blow, { begun, progress }));
    }
  } catch (error) {
    // What doesn't come back by itself is a finding; the books are worth a look all the same.
    broken.push(error instanceof Error ? error.message : String(error));
    progress(`given up: ${broken[0]}`);
  }
  clearInterval(ticking);
  progress('the load ends; the books are looked at');
  const violations = await scene.judged();
  const ended = performance.now();
  return {
    seed,
    startedAt,
    tookMs: ended - begun,
    blows,
    whole: felt(measured, begun, ended),
    orders: scene.orders(),
    seconds: secondsOf(measured, begun),
    violations: [...broken, ...violations, ...blows.flatMap(movedBy)],
    logs: scene.logs(),
  };
}

type Log = { readonly begun: number; readonly progress: (text: string) => void };

async function strike(scene: Scene, aimed: readonly Aimed[], { begun, progress }: Log): Promise<Blow> {
  const { measured, world } = scene;
  // Moves are counted against what hurts brokers alone: not those that the blow before has caused.
  if (aimed.length === 1 && aimed.every(({ name }) => hurts(name) === 'broker')) await scene.inPlace();
  const from = performance.now();
  const before = scene.takeovers();
  const what = aimed.map(({ name, target }) => `${name} (${target})`).join(' and ');
  progress(`${stamp(from - begun)} ${what}`);
  const results = await Promise.allSettled(aimed.map((each) => each.run()));
  const well = await Promise.allSettled([allWell(world.cluster)]);
  const failed = [...results, ...well].find((result) => result.status === 'rejected');
  if (failed) throw new Error(`${what}: ${failed.reason instanceof Error ? failed.reason.message : failed.reason}`);
  const until = performance.now();
  await pause(CALM_MS.from + world.random() * (CALM_MS.to - CALM_MS.from));
  const takeovers = scene.takeovers() - before;
  const sensed = felt(measured, from, performance.now());
  progress(
    `${stamp(until - begun)}   over: gap ${ms(sensed.gapMs)}, slowest ${ms(sensed.slowestMs)}, ${takeovers} moved`,
  );
  const faults = aimed.map(({ name, target }) => ({ name, target }));
  return { faults, from: from - begun, until: until - begun, takeovers, ...sensed };
}

/** One fault, or two that hurt different things, at a time. */
function dealer(names: readonly FaultName[], random: () => number): () => readonly FaultName[] {
  let deck: FaultName[] = [];
  const fill = (): void => {
    if (deck.length > 0) return;
    deck = names
      .map((name) => ({ name, place: random() }))
      .toSorted((a, b) => a.place - b.place)
      .map(({ name }) => name);
  };
  return () => {
    fill();
    const [first] = deck.splice(0, 1);
    if (!first) throw new Error('there is no fault to be dealt');
    const other = deck.findIndex((name) => hurts(name) !== hurts(first) && hurts(name) !== 'all');
    const paired = random() < PAIRED && hurts(first) !== 'all' && other >= 0;
    return paired ? [first, ...deck.splice(other, 1)] : [first];
  };
}

function shorter(longest: Pains, random: () => number): Pains {
  const some = (ms: number): number => Math.round(ms * (0.1 + 0.9 * random()));
  return { awayMs: some(longest.awayMs), pauseMs: some(longest.pauseMs), outageMs: some(longest.outageMs) };
}

/** Only of what happened alone. */
function movedBy({ faults, takeovers }: Blow): string[] {
  const [only, ...others] = faults;
  return only && others.length === 0 ? massMoves({ fault: only.name, takeovers }) : [];
}

function statusLine({ measured, world, orders }: Scene, begun: number): string {
  const now = performance.now();
  const { requests, p99Ms, errors } = felt(measured, now - 1_000, now);
  const failed = Object.values(errors).reduce((sum, count) => sum + count, 0);
  const nodes = world.cluster.nodes.map(({ name, isUp }) => `${name} ${isUp ? 'up' : 'down'}`).join(', ');
  return `${stamp(now - begun)} ${requests} answers/s, p99 ${ms(p99Ms)}, ${failed} tries failed; ${nodes}; ${orders()} orders`;
}

const stamp = (sinceMs: number): string => `${(sinceMs / 1_000).toFixed(1).padStart(6)} s`;
const ms = (value: number): string => `${Math.round(value)} ms`;
