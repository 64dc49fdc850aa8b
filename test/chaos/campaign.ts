/** One cluster under load, hurt in one way after another; at the end its books are checked at every node. */
import { setTimeout as pause } from 'node:timers/promises';
import { aim, allWell, type FaultName, type Pains } from './faults.ts';
import { type Felt, felt } from './measure.ts';
import { onScene, type Scene, type SceneOptions } from './scene.ts';

/** Single shards may move when nodes find their way back one after the other. */
const MAX_MOVED = 4;

export type CampaignOptions = SceneOptions & {
  readonly faults: readonly FaultName[];
  readonly pains: Pains;
  /** Without a fault: twice before the first, then after each. */
  readonly calmMs: number;
  /** Told after each fault. */
  readonly progress: (round: Round) => void;
};

export type Round = Felt & {
  readonly fault: FaultName;
  /** Until everything ran again, in ms. */
  readonly tookMs: number;
  /** Shards that were taken over meanwhile, by whomever. */
  readonly takeovers: number;
};

export type Campaign = {
  readonly calm: Felt;
  readonly rounds: readonly Round[];
  readonly orders: number;
  readonly violations: readonly string[];
};

export async function runCampaign(options: CampaignOptions): Promise<Campaign> {
  return onScene(options, (scene) => hurt(scene, options));
}

async function hurt(scene: Scene, { faults, pains, calmMs, progress }: CampaignOptions): Promise<Campaign> {
  const { world, measured } = scene;
  // What has just started is slower, and still spreads its shards.
  await pause(calmMs);
  const begun = performance.now();
  await pause(calmMs);
  const hurtSince = performance.now();
  const rounds: Round[] = [];
  for (const fault of faults) {
    // Else what still moves because of the last one would be laid to this one.
    await scene.inPlace();
    const from = performance.now();
    const before = scene.takeovers();
    await aim(fault, world, pains).run();
    await allWell(world.cluster);
    const tookMs = performance.now() - from;
    await pause(calmMs);
    const takeovers = scene.takeovers() - before;
    const round = { fault, tookMs, takeovers, ...felt(measured, from, performance.now()) };
    rounds.push(round);
    progress(round);
  }
  const violations = [...(await scene.judged()), ...rounds.flatMap(massMoves)];
  return { calm: felt(measured, begun, hurtSince), rounds, orders: scene.orders(), violations };
}

/** Nodes that are all well keep their shards when their brokers aren't. */
export function massMoves({ fault, takeovers: moved }: Pick<Round, 'fault' | 'takeovers'>): string[] {
  const keep = fault.startsWith('broker-') && fault !== 'broker-rewind';
  return keep && moved > MAX_MOVED ? [`${moved} shards moved because of ${fault}`] : [];
}
