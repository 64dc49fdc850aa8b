/** The node as its callers see it: ask, read, look back. Everything it answers is durable (I1). */
import type { Address } from '../actors/kernel/address.ts';
import { addressKey } from '../actors/kernel/address.ts';
import type { Typed } from '../actors/kernel/decider.ts';
import type { Envelope, MessageId, Reply } from '../actors/kernel/message.ts';
import type { Clock, Settled, ShardStore, StoredCommit } from '../actors/kernel/ports.ts';
import { isStoreTrouble } from '../storage/database.ts';
import { type AnyDecider, evolveAll, type Observed } from './memory.ts';
import type { Node } from './node.ts';
import type { Shard } from './shard.ts';

/** The shop can't answer now; whether a command happened is not said, and repeating it with the same id is safe. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
  readonly retryable = true;
  readonly retryAfterSeconds: number;
  /** This node doesn't have the shard, or has it no more: whoever has it may be asked at once. */
  readonly moved: boolean;

  constructor(
    reason: string,
    retryAfterMs: number,
    { moved = false, cause }: { readonly moved?: boolean | undefined; readonly cause?: unknown } = {},
  ) {
    super(reason, { cause });
    this.retryAfterSeconds = Math.max(1, Math.ceil(retryAfterMs / 1_000));
    this.moved = moved;
  }
}

const RETRY_AFTER_MS = 1_000;
/**
 * Messages under way in the node from which on new commands are refused: what was accepted must be finished first, or
 * orders would be taken faster than they are captured and each would wait behind all that came after it.
 */
const MAX_LOAD = 4_096;

export type Versioned<State> = { readonly state: State; readonly version: number };

export type AskRequest = {
  readonly to: Address;
  readonly message: Typed;
  readonly id: MessageId;
  readonly by?: string;
  readonly fingerprint?: string;
  readonly expectedVersion?: number;
  readonly trace?: string;
  /** On the monotonic clock, in ms. */
  readonly deadline: number;
};

export type ShopCore = {
  /**
   * Sends a command and waits for its durable answer. The codes `precondition.version-mismatch` and
   * `idempotency.key-reused` come from the runtime.
   * @throws Unavailable on overload, a passed deadline, or a failing store
   */
  ask(request: AskRequest): Promise<Reply>;
  /**
   * The newest durable state; undefined without history. With `after` it waits until the version is greater or the
   * deadline passes, and then answers what there is.
   * @throws Unavailable
   */
  read<State>(
    address: Address,
    options: { readonly deadline: number; readonly after?: number },
  ): Promise<Versioned<State> | undefined>;
  /** The aggregate as it was at a version: what makes a replayed answer the first answer again. */
  readAt<State>(address: Address, version: number): Promise<Versioned<State> | undefined>;
  /** Every commit of one aggregate, oldest first. */
  history(address: Address): Promise<readonly StoredCommit[]>;
};

export type ShopCoreOptions = {
  readonly node: Node;
  readonly store: ShardStore;
  readonly clock: Clock;
  readonly deciders: Readonly<Record<string, AnyDecider>>;
};

export function createShopCore({ node, store, clock, deciders }: ShopCoreOptions): ShopCore {
  function shardFor(address: Address): Shard {
    const shard = node.shardFor(address);
    if (shard) return shard;
    if (node.placementOf(address) === undefined) throw new Error(`no aggregate of type ${address.type}`);
    throw new Unavailable('the shard is not open here', RETRY_AFTER_MS, { moved: true });
  }

  function readNow(address: Address, version?: number): Promise<Observed | undefined> {
    return new Promise((resolve, refuse) => {
      const answer = (result: Settled, observed?: Observed): void => {
        if (result.kind === 'done') resolve(observed);
        else refuse(errorOf(result));
      };
      shardFor(address).read(address, answer, version);
    });
  }

  function nextVersion(address: Address, after: number, deadline: number): Promise<void> {
    return new Promise((resolve) => {
      const giveUp = (): void => {
        cancel();
        unwatch();
        resolve();
      };
      const unwatch = shardFor(address).watch(address, after, giveUp);
      const cancel = clock.delay(Math.max(0, deadline - clock.monotonic()), giveUp);
    });
  }

  return {
    ask(request) {
      return new Promise((resolve, refuse) => {
        const envelope: Envelope = request;
        if (node.load > MAX_LOAD) {
          refuse(new Unavailable('too much work is under way', RETRY_AFTER_MS));
          return;
        }
        const shard = shardFor(request.to);
        const cancel = clock.delay(Math.max(0, request.deadline - clock.monotonic()), () => {
          refuse(new Unavailable('the deadline passed', RETRY_AFTER_MS));
        });
        shard.deliver(envelope, (result) => {
          cancel();
          if (result.kind === 'done' && result.reply) resolve(result.reply);
          else refuse(errorOf(result));
        });
      });
    },
    async read<State>(address: Address, { deadline, after }: { deadline: number; after?: number }) {
      let observed = await readNow(address);
      while (after !== undefined && (observed?.version ?? 0) <= after && clock.monotonic() < deadline) {
        await nextVersion(address, observed?.version ?? 0, deadline);
        observed = await readNow(address);
      }
      return observed as Versioned<State> | undefined;
    },
    async readAt<State>(address: Address, version: number) {
      // Also for durability: what the store has may still be behind what an answer showed.
      const remembered = await readNow(address, version);
      if (remembered) return remembered as Versioned<State>;
      const decider = deciders[address.type];
      if (!decider) return undefined;
      return looked(() => {
        let found: Observed | undefined;
        let state = decider.initial(address.id);
        for (const commit of store.history(addressKey(address))) {
          if (commit.version > version) break;
          state = evolveAll(decider, state, commit.events);
          if (commit.version > 0) found = { state, version: commit.version };
        }
        return found as Versioned<State> | undefined;
      });
    },
    async history(address) {
      await readNow(address);
      return looked(() => [...store.history(addressKey(address))]);
    },
  };
}

/**
 * What waits for the file is written before anybody looks, which a full disk doesn't let it.
 * @throws Unavailable then; what `look` throws otherwise
 */
export function looked<Value>(look: () => Value): Value {
  try {
    return look();
  } catch (error) {
    if (!isStoreTrouble(error)) throw error;
    throw new Unavailable('the store can not be brought up to date', RETRY_AFTER_MS, { cause: error });
  }
}

function errorOf(result: Settled): Error {
  switch (result.kind) {
    case 'unavailable':
      return new Unavailable(result.reason, result.retryAfterMs, { moved: result.moved });
    case 'failed':
      return result.error;
    case 'done':
      return new Error('the request was handled without an answer');
  }
}
