/** Answers at a shard's owner what `remoteShop.ts` asks from the other nodes. */
import type { Logger } from 'pino';
import type { Following, NodeCalls } from '../../actors/kernel/clusterPorts.ts';
import type { Clock, StoredCommit } from '../../actors/kernel/ports.ts';
import { type ShopCore, Unavailable } from '../shop.ts';
import { asShopQuestion, type HistoryPage, type ShopAnswer, type ShopQuestion } from './shopQuestions.ts';

/**
 * A node that may not serve says so only after this long. Somebody else may serve the shard too, and the first answer
 * counts: the one that has something to say must get the chance. And often it may serve again before.
 */
const SAY_MOVED_AFTER_MS = 100;
/**
 * Of the JSON of one page's commits. Together with the largest commit, which had to fit into the log's own message, it
 * stays below what the broker takes (1 MiB unless configured).
 */
const MAX_PAGE_CHARS = 128 * 1024;

export type ShardServiceOptions = {
  readonly shard: number;
  readonly local: ShopCore;
  readonly calls: Pick<NodeCalls, 'serve'>;
  /** The shard is open here, and what its memory says may be told. */
  readonly mayServe: () => boolean;
  readonly clock: Pick<Clock, 'monotonic' | 'delay'>;
  readonly logger: Logger;
};

/**
 * A state can't be cut into pages: one that is larger than what the broker takes is refused by the calls, which say both
 * sizes. What bounds it are the limits of its decider (lines of a cart, entries of a list).
 */
export function serveShard({ shard, local, calls, mayServe, clock, logger }: ShardServiceOptions): Following {
  const moved = (): Unavailable => new Unavailable(`shard ${shard} is not served here`, 0, { moved: true });

  async function answer(question: ShopQuestion, deadline: number): Promise<unknown> {
    if (!mayServe()) {
      await new Promise<void>((resolve) => clock.delay(SAY_MOVED_AFTER_MS, resolve));
      if (!mayServe()) throw moved();
    }
    const value = await answerLocally(local, question, deadline, clock.monotonic());
    // Of what was decided or read in between, nobody knows whether it was the newest. A repeat gets the stored answer.
    if (!mayServe()) throw moved();
    return value;
  }

  return calls.serve(shard, async (body, withinMs): Promise<ShopAnswer> => {
    const deadline = clock.monotonic() + withinMs;
    const question = asShopQuestion(body);
    if (!question) return { kind: 'failed', message: 'the owner of the shard does not know this question' };
    try {
      const value = await answer(question, deadline);
      return { kind: 'done', ...(value !== undefined && { value }) };
    } catch (error) {
      if (error instanceof Unavailable) {
        const { message, retryAfterSeconds } = error;
        return { kind: 'unavailable', reason: message, retryAfterMs: retryAfterSeconds * 1_000, moved: error.moved };
      }
      logger.error({ err: error, shard, op: question.op }, 'what another node asked could not be answered');
      return { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
    }
  });
}

async function answerLocally(local: ShopCore, question: ShopQuestion, deadline: number, now: number): Promise<unknown> {
  switch (question.op) {
    case 'ask':
      return local.ask({ ...question.request, deadline });
    case 'read': {
      const { address, after, waitMs } = question;
      return local.read(address, { deadline: Math.min(deadline, now + waitMs), ...(after !== undefined && { after }) });
    }
    case 'readAt':
      return local.readAt(question.address, question.version);
    case 'history':
      return pageOf(await local.history(question.address), question.afterSeq);
    default:
      return question satisfies never;
  }
}

function pageOf(history: readonly StoredCommit[], afterSeq: number): HistoryPage {
  const later = history.filter(({ seq }) => seq > afterSeq);
  let chars = 0;
  // At least one: else the asker would never get on.
  const end = later.findIndex((commit, index) => {
    chars += JSON.stringify(commit).length;
    return chars > MAX_PAGE_CHARS && index > 0;
  });
  return end === -1 ? { commits: later, more: false } : { commits: later.slice(0, end), more: true };
}
