/**
 * What one node does about one shard, as data: following → claiming → owning → releasing → following. `nextStep` is pure;
 * who carries the steps out is `shardOwner.ts`.
 *
 * Only the log decides who may write. The rules here keep nodes from fighting: a shard is claimed by whoever should own it
 * when nobody lives who holds it; from a live holder it is asked for, and only taken when that one says that it has it not.
 */
import type { Claim, LogPosition } from '../../actors/kernel/clusterPorts.ts';
import type { ShardTitle } from '../../actors/kernel/followedTables.ts';

export type Phase =
  | { readonly kind: 'following' }
  /** Without a claim until the broker has answered; then our tables are on their way to it. */
  | { readonly kind: 'claiming'; readonly claim?: Claim }
  | { readonly kind: 'owning'; readonly claim: Claim }
  /** Being closed. When fenced, nothing can be written any more; otherwise what is decided is written, then a release. */
  | { readonly kind: 'releasing'; readonly claim: Claim; readonly fenced: boolean };

/** What is decided under this claim may still be written. */
export const holdsClaim = (phase: Phase, epoch: number): boolean =>
  phase.kind !== 'following' && phase.claim?.epoch === epoch && !(phase.kind === 'releasing' && phase.fenced);

export type ShardFacts = {
  readonly me: string;
  /** Who should own the shard, by the live nodes. */
  readonly wanted: string | undefined;
  /** This node is on its way out: it opens nothing any more. */
  readonly leaving: boolean;
  /** By the newest claim that we have heard of. */
  readonly title: ShardTitle | undefined;
  /** How far our tables are. */
  readonly position: LogPosition;
  /** The log goes on where our tables end. */
  readonly readable: boolean;
  /**
   * The broker is in reach, and the title is the newest as far as can be known: the log's end was seen since the last break,
   * and since the last claim of ours.
   */
  readonly knowsTitle: boolean;
  readonly alive: (node: string) => boolean;
  /** A claim of which its node said that it doesn't hold it, after a restart for example. */
  readonly disownedEpoch: number | undefined;
  /** Somebody else was named by a release, and had the time to claim. */
  readonly namedIsLate: boolean;
  /** Back-offs after a loss or a refusal are over. */
  readonly mayClaim: boolean;
  readonly mayAsk: boolean;
};

export type Step =
  | { readonly do: 'wait' }
  | { readonly do: 'claim' }
  /** For the hand-over of the claim. */
  | { readonly do: 'ask'; readonly holder: string; readonly epoch: number }
  | { readonly do: 'open'; readonly claim: Claim }
  /** Somebody else has claimed the shard, or may have. */
  | { readonly do: 'drop'; readonly claim: Claim }
  /** The claim came too late. */
  | { readonly do: 'release'; readonly claim: Claim };

const wait: Step = { do: 'wait' };

export function nextStep(phase: Phase, facts: ShardFacts): Step {
  switch (phase.kind) {
    case 'following':
      return facts.wanted === facts.me && facts.knowsTitle && facts.readable ? stepToOwn(facts) : wait;
    case 'claiming':
      return phase.claim ? stepOfClaimant(phase.claim, facts) : wait;
    case 'owning':
      return overtaken(phase.claim, facts) ? { do: 'drop', claim: phase.claim } : wait;
    case 'releasing':
      return wait;
    default:
      return phase satisfies never;
  }
}

function stepToOwn(facts: ShardFacts): Step {
  const { me, title, alive, disownedEpoch, namedIsLate, mayClaim, mayAsk } = facts;
  const claim: Step = mayClaim ? { do: 'claim' } : wait;
  // What we hold by the log but not in memory is of a former life of ours, or a claim whose outcome we never heard.
  if (!title || title.node === me || title.epoch === disownedEpoch) return claim;
  if (title.released) {
    const { to } = title.released;
    const forAnother = to !== undefined && to !== me && alive(to) && !namedIsLate;
    return forAnother ? wait : claim;
  }
  if (!alive(title.node)) return claim;
  return mayAsk && mayClaim ? { do: 'ask', holder: title.node, epoch: title.epoch } : wait;
}

function stepOfClaimant(claim: Claim, facts: ShardFacts): Step {
  if (overtaken(claim, facts)) return { do: 'drop', claim };
  if (facts.leaving) return { do: 'release', claim };
  // The log is read to its end since the claim was made.
  if (!facts.knowsTitle) return wait;
  // It doesn't hold the claim: the broker has lost it.
  if (facts.position < claim.epoch) return { do: 'drop', claim };
  // Everything before the claim must be in our tables: we decide on it.
  return facts.title?.epoch === claim.epoch ? { do: 'open', claim } : wait;
}

/**
 * Whoever can't follow the log could be overtaken without hearing of it. Another node's claim has the place of ours where the
 * broker lost ours.
 */
const overtaken = ({ epoch }: Claim, { me, title, readable }: ShardFacts): boolean =>
  !readable || (title !== undefined && (title.epoch > epoch || (title.epoch === epoch && title.node !== me)));
