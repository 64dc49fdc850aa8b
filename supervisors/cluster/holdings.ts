/**
 * What the other nodes hold of a shard. A broker that lost the end of a log looks to a node that had not read so far as if
 * it had lost nothing: going on from there would part the log from the copies of all who had, and lose what they hold. So
 * they are asked before the shard is claimed, and whoever holds more brings it back first.
 */
import { CallFailed, Fenced, NobodyServes, type NodeCalls, type SharedLog } from '../../actors/kernel/clusterPorts.ts';
import type { FollowedTables } from '../../actors/kernel/followedTables.ts';
import type { Clock } from '../../actors/kernel/ports.ts';
import type { Contact } from './contact.ts';
import type { Follower } from './follower.ts';
import { newestRecord } from './newestRecord.ts';
import { within } from './pacing.ts';

/** A live node answers within milliseconds. */
const ANSWER_MS = 1_000;
/** While another node holds more than the log. */
const ASK_AGAIN_MS = 250;
/** Until our tables have read what another node has. */
const CATCH_UP_MS = 5_000;

export type HoldingsQuestion = {
  readonly kind: 'holdings';
  readonly shard: number;
  /** Of whoever asks, who has read the log to its end. */
  readonly records: number;
};

export type Holdings = {
  /** Number of the newest record that the asked node could bring back. */
  readonly records: number;
};

export function isHoldingsQuestion(body: unknown): body is HoldingsQuestion {
  if (typeof body !== 'object' || body === null) return false;
  const { kind, shard, records } = body as Readonly<Record<string, unknown>>;
  return kind === 'holdings' && Number.isSafeInteger(shard) && Number.isSafeInteger(records);
}

/** Of one shard. */
export type ComparedHoldings = {
  /** No other live node holds a record that the log doesn't, as far as can be known. */
  areInLog(): Promise<boolean>;
  /**
   * For the owner, while it holds its claim: undefined while there is contact and the others were asked since its last
   * break, else asks them, and resolves when it is worth coming back.
   * @throws Fenced when it holds the claim no more
   */
  beforeWriting(holds: () => boolean): Promise<void> | undefined;
  /** What this node could bring back; 0 for what nobody could. Looks for a loss when it is more than the asking node has. */
  answer(read: number): number;
};

export type ComparedHoldingsOptions = {
  readonly shard: number;
  readonly log: SharedLog;
  readonly tables: Pick<FollowedTables, 'records'>;
  readonly follower: Pick<Follower, 'position' | 'caughtUp' | 'overwritten' | 'readable' | 'parted'>;
  readonly calls: Pick<NodeCalls, 'askNode'>;
  readonly contact: Pick<Contact, 'look' | 'breaks' | 'up'>;
  /** Names of the other nodes that live. */
  readonly others: () => readonly string[];
  readonly clock: Pick<Clock, 'delay'>;
  readonly warn: (error: unknown, what: string) => void;
};

export function compareHoldings(options: ComparedHoldingsOptions): ComparedHoldings {
  const { shard, log, tables, follower, calls, others, contact, clock, warn } = options;
  let looking = false;
  /** Breaks of contact when the others were asked last. */
  let askedAfter = -1;

  /**
   * Others may have filled the places of lost entries with claims of theirs, or with records that were brought back to other
   * places: then following alone tells nothing.
   */
  async function lookForLoss(): Promise<void> {
    if (looking || !follower.readable) return;
    looking = true;
    try {
      const { n, end } = await newestRecord(log, shard, clock);
      const held = tables.records(shard);
      if (n < held || (n > held && follower.position >= end)) follower.overwritten(end + 1);
    } catch (error) {
      warn(error, 'a log could not be compared with what this node holds');
    }
    looking = false;
  }

  async function areInLog(): Promise<boolean> {
    contact.look();
    const { breaks } = contact;
    try {
      const most = await mostHeld(calls, others(), { kind: 'holdings', shard, records: tables.records(shard) });
      // What this node hasn't read yet is in the log, unless that has lost it.
      if (most > tables.records(shard)) await within(follower.caughtUp(), CATCH_UP_MS, clock);
      const read = tables.records(shard);
      if (most <= read) {
        askedAfter = breaks;
        return true;
      }
      void lookForLoss();
      warn(new Error(`another node holds ${most} records, the log ${read}`), 'a shard is left to be brought back');
    } catch (error) {
      warn(error, 'nobody says whether a log has lost its end, asking again');
    }
    return false;
  }

  async function ask(holds: () => boolean): Promise<void> {
    const inLog = await areInLog();
    contact.look();
    if (!holds()) throw new Fenced(`the log of shard ${shard} is another's`, 'superseded');
    if (!inLog || !contact.up) await new Promise<void>((resolve) => void clock.delay(ASK_AGAIN_MS, resolve));
  }

  return {
    areInLog,
    beforeWriting(holds) {
      contact.look();
      return contact.up && askedAfter === contact.breaks ? undefined : ask(holds);
    },
    answer(read) {
      if (follower.parted) return 0;
      const held = tables.records(shard);
      if (held > read) void lookForLoss();
      return held;
    },
  };
}

/**
 * The most that one of the nodes holds. One that has just gone has nothing to bring back, nor has one of a version that
 * doesn't know the question.
 * @throws CallTimedOut when a node doesn't answer; CallFailed when it couldn't be asked
 */
async function mostHeld(
  calls: Pick<NodeCalls, 'askNode'>,
  nodes: readonly string[],
  question: HoldingsQuestion,
): Promise<number> {
  const held = await Promise.all(nodes.map((node) => heldBy(calls, node, question)));
  return Math.max(0, ...held);
}

async function heldBy(calls: Pick<NodeCalls, 'askNode'>, node: string, question: HoldingsQuestion): Promise<number> {
  try {
    const answer = (await calls.askNode(node, question, ANSWER_MS)) as Partial<Holdings> | null;
    return typeof answer?.records === 'number' ? answer.records : 0;
  } catch (error) {
    if (error instanceof NobodyServes || (error instanceof CallFailed && !error.retryable)) return 0;
    throw error;
  }
}
