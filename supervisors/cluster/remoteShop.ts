/**
 * The shop as seen from any node: a shard that is served here answers in process, any other one at its owner. While a shard
 * moves, requests wait and ask again until their deadline: commands have an id, so that a repeat gets the first answer.
 */
import type { Address } from '../../actors/kernel/address.ts';
import { CallFailed, CallTimedOut, NobodyServes, type NodeCalls } from '../../actors/kernel/clusterPorts.ts';
import type { Clock, StoredCommit } from '../../actors/kernel/ports.ts';
import { type ShopCore, Unavailable, type Versioned } from '../shop.ts';
import { answeredValue, asHistoryPage, asReply, asVersioned, type ShopQuestion } from './shopQuestions.ts';

/** Requests under way at once, those that wait for a move included; more are refused. */
const MAX_UNDER_WAY = 8_192;
/**
 * Attempts of one request under way at once. An unanswered one isn't given up: whoever is asked may be slow, or paused, or
 * never have got the question, and the first of all answers counts.
 */
const MAX_ATTEMPTS = 4;
/** Without an answer for so long the shard is asked once more, the next time after twice as long. */
const FIRST_PATIENCE_MS = 1_000;
const MAX_PATIENCE_MS = 4_000;
/** Then an attempt is given up, so that there is room for another one. */
const ATTEMPT_MS = 8_000;
/** Before a shard that nobody serves is asked again, twice as long each time. */
const FIRST_PAUSE_MS = 10;
const MAX_PAUSE_MS = 250;
/** An owner waits no longer for a newer version before it answers, so that one that has vanished is missed. */
const WAIT_SLICE_MS = 2_000;
/** What an answer needs on its way: the owner stops waiting for a newer version so long before the deadline. */
const WAY_BACK_MS = 200;
/** For what has no deadline of its own. */
const LOOK_BACK_MS = 10_000;
const RETRY_AFTER_MS = 1_000;

export type RemoteShopOptions = {
  /** Answers for the shards that are open here; `Unavailable` with `moved` for those that are not, or that close. */
  readonly local: ShopCore;
  readonly shardOf: (address: Address) => number;
  /** The shard is open here, and what its memory says may be told. */
  readonly serves: (shard: number) => boolean;
  readonly calls: Pick<NodeCalls, 'ask'>;
  readonly clock: Pick<Clock, 'monotonic' | 'delay'>;
  /** In [0, 1). */
  readonly random: () => number;
  readonly maxUnderWay?: number;
};

type Request<Value> = {
  readonly shard: number;
  /** Monotonic ms on this node. */
  readonly deadline: number;
  /** An answer may take so long without anything being wrong. */
  readonly waitMs?: number;
  readonly question: ShopQuestion;
  readonly here: () => Promise<Value>;
  /** @throws TypeError when it isn't what was asked for */
  readonly decode: (value: unknown) => Value;
};

export function createRemoteShop(options: RemoteShopOptions): ShopCore {
  const { local, shardOf, clock, maxUnderWay = MAX_UNDER_WAY } = options;
  let underWay = 0;

  async function reach<Value>(request: Request<Value>): Promise<Value> {
    if (underWay >= maxUnderWay) throw new Unavailable('too many requests are under way', RETRY_AFTER_MS);
    underWay += 1;
    try {
      return await new Promise<Value>((resolve, reject) => new Reaching(options, request, { resolve, reject }).start());
    } finally {
      underWay -= 1;
    }
  }

  function readOnce<State>(
    address: Address,
    deadline: number,
    wait?: { readonly after: number; readonly waitMs: number },
  ): Promise<Versioned<State> | undefined> {
    const waitMs = wait?.waitMs ?? 0;
    return reach({
      shard: shardOf(address),
      deadline,
      waitMs,
      question: { op: 'read', address, waitMs, ...(wait && { after: wait.after }) },
      here: () =>
        local.read<State>(
          address,
          wait ? { after: wait.after, deadline: Math.min(deadline, clock.monotonic() + waitMs) } : { deadline },
        ),
      decode: (value) => asVersioned<State>(value),
    });
  }

  return {
    async ask(request) {
      const { deadline, ...rest } = request;
      return reach({
        shard: shardOf(request.to),
        deadline,
        question: { op: 'ask', request: rest },
        here: () => local.ask(request),
        decode: asReply,
      });
    },

    async read<State>(address: Address, { deadline, after }: { deadline: number; after?: number }) {
      if (after === undefined) return readOnce<State>(address, deadline);
      let seen: { readonly newest: Versioned<State> | undefined } | undefined;
      for (;;) {
        const left = deadline - clock.monotonic() - WAY_BACK_MS;
        const waitMs = Math.max(0, Math.min(WAIT_SLICE_MS, left));
        try {
          seen = { newest: await readOnce<State>(address, deadline, { after, waitMs }) };
        } catch (error) {
          // The time is over, and what was read within it is an answer.
          if (!(seen && error instanceof Unavailable && clock.monotonic() >= deadline)) throw error;
          return seen.newest;
        }
        if ((seen.newest?.version ?? 0) > after || left <= WAIT_SLICE_MS) return seen.newest;
      }
    },

    async readAt<State>(address: Address, version: number) {
      return reach({
        shard: shardOf(address),
        deadline: clock.monotonic() + LOOK_BACK_MS,
        question: { op: 'readAt', address, version },
        here: () => local.readAt<State>(address, version),
        decode: (value) => asVersioned<State>(value),
      });
    },

    async history(address) {
      const deadline = clock.monotonic() + LOOK_BACK_MS;
      // Commits are only ever added: pages of different owners fit together.
      const commits: StoredCommit[] = [];
      for (;;) {
        const afterSeq = commits.at(-1)?.seq ?? 0;
        const page = await reach({
          shard: shardOf(address),
          deadline,
          question: { op: 'history', address, afterSeq },
          here: async () => {
            const all = await local.history(address);
            return { commits: all.filter(({ seq }) => seq > afterSeq), more: false };
          },
          decode: asHistoryPage,
        });
        commits.push(...page.commits);
        if (!page.more) return commits;
      }
    },
  };
}

type Outcome<Value> = { resolve(value: Value): void; reject(error: unknown): void };

/** One request on its way to its shard, by as many attempts as it takes. */
class Reaching<Value> {
  readonly #options: RemoteShopOptions;
  readonly #request: Request<Value>;
  readonly #outcome: Outcome<Value>;
  #ended = false;
  #attempts = 0;
  #attemptsHere = 0;
  #failures = 0;
  #patienceMs = FIRST_PATIENCE_MS;
  #why = 'nobody answered';
  #cancelDeadline = (): void => undefined;
  #cancelNext = (): void => undefined;

  constructor(options: RemoteShopOptions, request: Request<Value>, outcome: Outcome<Value>) {
    this.#options = options;
    this.#request = request;
    this.#outcome = outcome;
  }

  start(): void {
    const { clock } = this.#options;
    const left = Math.max(0, this.#request.deadline - clock.monotonic());
    this.#cancelDeadline = clock.delay(left, () => {
      const reason = `shard ${this.#request.shard} did not answer in time: ${this.#why}`;
      this.#end(() => this.#outcome.reject(new Unavailable(reason, RETRY_AFTER_MS)));
    });
    this.#attempt();
  }

  #attempt(): void {
    const here = this.#options.serves(this.#request.shard);
    // What is under way here goes on here: a second attempt would only stand behind the first one.
    if (this.#attempts < MAX_ATTEMPTS && !(here && this.#attemptsHere > 0)) void this.#try(here);
    this.#next(this.#patienceMs + (this.#request.waitMs ?? 0), () => {
      this.#patienceMs = Math.min(MAX_PATIENCE_MS, this.#patienceMs * 2);
      this.#attempt();
    });
  }

  /** Only ever one next attempt is planned. */
  #next(afterMs: number, attempt: () => void): void {
    this.#cancelNext();
    if (!this.#ended) this.#cancelNext = this.#options.clock.delay(afterMs, attempt);
  }

  async #try(here: boolean): Promise<void> {
    this.#attempts += 1;
    if (here) this.#attemptsHere += 1;
    try {
      const value = await (here ? this.#here() : this.#there());
      this.#end(() => this.#outcome.resolve(value));
    } catch (error) {
      if (isPassing(error)) this.#failed(error);
      else this.#end(() => this.#outcome.reject(error));
    } finally {
      this.#attempts -= 1;
      if (here) this.#attemptsHere -= 1;
    }
  }

  async #here(): Promise<Value> {
    const { shard, here } = this.#request;
    const value = await here();
    // See the owner's side: what was read or decided after the shard was lost may not be the newest.
    if (!this.#options.serves(shard)) throw new Unavailable(`shard ${shard} was lost`, 0, { moved: true });
    return value;
  }

  async #there(): Promise<Value> {
    const { shard, question, deadline, waitMs = 0, decode } = this.#request;
    const left = deadline - this.#options.clock.monotonic();
    return decode(answeredValue(await this.#options.calls.ask(shard, question, Math.min(left, ATTEMPT_MS + waitMs))));
  }

  #failed(error: Error): void {
    this.#why = error.message;
    const pauseMs = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures);
    this.#failures += 1;
    this.#next(pauseMs * (0.5 + this.#options.random() / 2), () => this.#attempt());
  }

  #end(tell: () => void): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelDeadline();
    this.#cancelNext();
    tell();
  }
}

/** The shard wasn't reached, or isn't there any more: asking again helps. An overloaded owner only gets worse by it. */
function isPassing(error: unknown): error is Error {
  if (error instanceof Unavailable) return error.moved;
  if (error instanceof CallFailed) return error.retryable;
  return error instanceof NobodyServes || error instanceof CallTimedOut;
}
