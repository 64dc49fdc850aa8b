/**
 * Hands what other shards sent to the actors of this one. How far it got is part of the shard's own records, so a message is
 * only passed over once its answer is durable; after a crash those behind it come again, and the actors know them.
 */
import type { Logger } from 'pino';
import type { Inbox } from '../../actors/kernel/clusterPorts.ts';
import type { Envelope } from '../../actors/kernel/message.ts';
import type { Clock, Settled } from '../../actors/kernel/ports.ts';

/** Messages handed to the shard and not settled. */
export const MAX_IN_FLIGHT = 256;
/** And those that wait for another try or for room too: then nothing more is read. */
export const MAX_UNANSWERED = 1_024;
const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 5_000;
/**
 * What has failed for so long goes to the end of the inbox. Otherwise nothing behind it would ever count as answered or be
 * trimmed, and in the end the inbox would be full. Longer than the broker remembers ids: it would take it for a repetition.
 */
export const PUT_BACK_AFTER_MS = 5 * 60_000;
/** What is trimmed later costs the broker only room. */
export const TRIM_INTERVAL_MS = 5_000;

export type InboxReaderOptions = {
  readonly shard: number;
  /** The shard's records hold what came up to here. */
  readonly from: number;
  readonly inbox: Pick<Inbox, 'read' | 'trim' | 'put'>;
  /** `settle` is called once the answer is durable, or nothing happened. */
  readonly deliver: (envelope: Envelope, settle: (result: Settled) => void) => void;
  readonly clock: Pick<Clock, 'delay' | 'monotonic'>;
  /** In [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
};

export type InboxReader = {
  /**
   * Every message up to here is answered durably. For the shard's next record, as it comes: it is lower than before when the
   * broker lost what it had stored and used its offsets again.
   */
  offset(): number;
  /** Messages that were read and are not answered durably. */
  readonly unanswered: number;
  /** A record with this offset is durable: what is before it need not be kept. */
  stored(offset: number): void;
  /** Nothing is delivered any more, and what is settled later changes nothing. */
  close(): void;
};

/** `since`: when it was read first, monotonic ms. */
type Message = { readonly offset: number; readonly envelope: Envelope; readonly since: number; tries: number };

export function readInbox(options: InboxReaderOptions): InboxReader {
  const { shard, from, inbox, deliver, clock, random, logger } = options;
  const trimming = createTrimming(options);
  /** By offset, in their order. */
  const unanswered = new Map<number, Message>();
  /** Under an offset that the broker has used again: still to be delivered, as nobody else has them. */
  const homeless = new Set<Message>();
  const retries = new Set<() => void>();
  let ready: Message[] = [];
  let newest = from;
  let inFlight = 0;
  let pumping = false;
  let closed = false;
  let roomAgain = (): void => undefined;

  function offset(): number {
    for (const lowest of unanswered.keys()) return lowest - 1;
    return newest;
  }

  function take(at: number, envelope: Envelope): void | Promise<void> {
    if (closed) return;
    if (at <= newest) goBack(at);
    newest = at;
    const message = { offset: at, envelope, since: clock.monotonic(), tries: 0 };
    unanswered.set(at, message);
    ready.push(message);
    pump();
    if (full()) {
      return new Promise((resolve) => {
        roomAgain = resolve;
      });
    }
  }

  /** The broker lost what it had from here on, and counts anew. */
  function goBack(at: number): void {
    logger.warn({ shard, offset: at, newest }, 'the inbox goes back: its broker lost messages that it had stored');
    for (const [lost, message] of unanswered) {
      if (lost < at) continue;
      unanswered.delete(lost);
      homeless.add(message);
    }
    trimming.goBack(at - 1);
  }

  const full = (): boolean => unanswered.size + homeless.size >= MAX_UNANSWERED;

  function pump(): void {
    // An answer may come at once, from within `deliver`.
    if (pumping) return;
    pumping = true;
    let handed = 0;
    for (; !closed && inFlight < MAX_IN_FLIGHT && handed < ready.length; handed++) {
      const message = ready[handed];
      if (message) attempt(message);
    }
    ready = ready.slice(handed);
    pumping = false;
    if (closed || !full()) roomAgain();
  }

  function attempt(message: Message): void {
    let settled = false;
    inFlight += 1;
    message.tries += 1;
    const settle = (result: Settled): void => {
      if (settled) return;
      settled = true;
      inFlight -= 1;
      if (closed) return;
      if (result.kind === 'done') answered(message);
      else retry(message, result);
      pump();
    };
    try {
      deliver(message.envelope, settle);
    } catch (fault) {
      // Those behind it must not be stopped by it.
      settle({ kind: 'failed', error: fault instanceof Error ? fault : new Error(String(fault)) });
    }
  }

  function answered(message: Message): void {
    if (homeless.delete(message)) return;
    unanswered.delete(message.offset);
  }

  function retry(message: Message, result: Exclude<Settled, { kind: 'done' }>): void {
    const { envelope, tries } = message;
    const backOffMs = Math.min(FIRST_RETRY_MS * 2 ** (tries - 1), MAX_RETRY_MS);
    const wantedMs =
      result.kind === 'unavailable' ? Math.max(backOffMs, Math.min(result.retryAfterMs, MAX_RETRY_MS)) : backOffMs;
    // Ever more rarely, for the one that fails for ever.
    if (result.kind === 'failed' && Number.isInteger(Math.log2(tries))) {
      logger.error(
        { err: result.error, shard, id: envelope.id, tries },
        'a message of the inbox fails; it is tried again',
      );
    }
    if (result.kind === 'failed' && clock.monotonic() - message.since >= PUT_BACK_AFTER_MS) void putBack(message);
    else again(message, wantedMs * (0.5 + random() / 2));
  }

  function again(message: Message, afterMs: number): void {
    const cancel = clock.delay(afterMs, () => {
      retries.delete(cancel);
      ready.push(message);
      pump();
    });
    retries.add(cancel);
  }

  /** Once its copy is stored this one counts as answered: the actors know what they have answered, under either offset. */
  async function putBack(message: Message): Promise<void> {
    try {
      await inbox.put(shard, message.envelope);
    } catch (error) {
      logger.warn({ err: error, shard, id: message.envelope.id }, 'a message that fails could not be put off');
      if (!closed) again(message, MAX_RETRY_MS);
      return;
    }
    if (closed) return;
    answered(message);
    pump();
  }

  const following = inbox.read(shard, from, take);

  return {
    offset,
    get unanswered() {
      return unanswered.size + homeless.size;
    },
    stored: (durable) => trimming.stored(durable, offset),
    close() {
      closed = true;
      following.stop();
      trimming.close();
      for (const cancel of retries) cancel();
      roomAgain();
    },
  };
}

type Trimming = {
  stored(offset: number, answered: () => number): void;
  goBack(to: number): void;
  close(): void;
};

/** The first time after a while, then not more often than once in an interval. */
function createTrimming({ shard, inbox, clock, logger }: InboxReaderOptions): Trimming {
  let durable = 0;
  let trimmed = 0;
  let cancel: (() => void) | undefined;

  async function trim(upTo: number): Promise<void> {
    try {
      await inbox.trim(shard, upTo);
    } catch (error) {
      logger.warn({ err: error, shard, upTo }, 'an inbox could not be trimmed; the next trim makes up for it');
    }
  }

  return {
    stored(offset, answered) {
      durable = offset;
      if (cancel || durable <= trimmed) return;
      cancel = clock.delay(TRIM_INTERVAL_MS, () => {
        cancel = undefined;
        // Not what a record from before the inbox went back calls done: the same number is another message now.
        const upTo = Math.min(durable, answered());
        if (upTo <= trimmed) return;
        trimmed = upTo;
        void trim(upTo);
      });
    },
    goBack(to) {
      trimmed = Math.min(trimmed, to);
    },
    close() {
      cancel?.();
      cancel = () => undefined;
    },
  };
}
