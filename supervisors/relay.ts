/**
 * Delivers what a shard's commits send, after they are durable and until the receiver has made it durable too. The
 * outbox table is the truth; this keeps a bounded part of it in memory and reads the rest again when there is room.
 */
import type { Envelope, MessageId } from '../actors/kernel/message.ts';
import type { Clock, Ids, OutboxEntry, Settled } from '../actors/kernel/ports.ts';
import { isStoreTrouble } from '../storage/database.ts';

/** Messages of one shard that are on their way at once. */
const MAX_IN_FLIGHT = 512;
/** Messages of one shard that are held in memory; more stay in the outbox alone. */
const MAX_KNOWN = 8_192;
const PAGE = 1_000;
const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 5_000;

export type RelayOptions = {
  readonly send: (envelope: Envelope, settle: (result: Settled) => void) => void;
  readonly outbox: (afterPosition: number, limit: number) => readonly OutboxEntry[];
  readonly acknowledge: (id: MessageId) => void;
  readonly clock: Clock;
  readonly ids: Ids;
};

type Item = { readonly envelope: Envelope; readonly tries: number };

export type Relay = {
  /** Takes messages over whose commits are durable. */
  enqueue(envelopes: readonly Envelope[]): void;
  /** Takes over what an earlier life of the shard left in the outbox. */
  recover(): void;
  /** Nothing to hand over at this moment; what is in flight is at its receiver. */
  idle(): boolean;
  /** Messages handed over and not settled yet. */
  inFlight(): number;
  /** Messages between aggregates that are under way: handed over, or ready to be. */
  pending(): number;
  close(): void;
};

export function createRelay({ send, outbox, acknowledge, clock, ids }: RelayOptions): Relay {
  /** Every message this relay knows: queued, on its way or waiting for its retry. */
  const known = new Set<MessageId>();
  let queue: Item[] = [];
  /** Index of the queue's first member; taken members are cut off in bulk. */
  let head = 0;
  let inFlight = 0;
  /** Calls of gateways that are under way: their pools bound them, and a slow vendor must not hold up the rest. */
  let calls = 0;
  let waiting = 0;
  let overflowed = false;
  let closed = false;
  let pumping = false;

  function pump(): void {
    if (pumping) return;
    pumping = true;
    try {
      while (!closed && inFlight < MAX_IN_FLIGHT && head < queue.length) {
        const item = queue[head++];
        if (item) attempt(item);
      }
    } finally {
      pumping = false;
    }
    if (head === queue.length || head > PAGE) {
      queue = queue.slice(head);
      head = 0;
    }
    if (overflowed && known.size < MAX_KNOWN / 2 && !closed) {
      overflowed = false;
      recover();
    }
  }

  function attempt(item: Item): void {
    const { envelope } = item;
    const isCall = envelope.to.type === 'gateway';
    if (isCall) calls += 1;
    else inFlight += 1;
    let settled = false;
    const settle = (result: Settled): void => {
      if (settled) return;
      settled = true;
      if (isCall) calls -= 1;
      else inFlight -= 1;
      if (closed) return;
      if (result.kind === 'done') {
        known.delete(envelope.id);
        acknowledge(envelope.id);
      } else {
        retry(item, result);
      }
      pump();
    };
    try {
      send(envelope, settle);
    } catch (fault) {
      // Whether it was answered before couldn't be read: those behind it must not be stopped by it.
      settle({ kind: 'failed', error: fault instanceof Error ? fault : new Error(String(fault)) });
    }
  }

  function retry({ envelope, tries }: Item, result: Exclude<Settled, { kind: 'done' }>): void {
    const backOff = Math.min(FIRST_RETRY_MS * 2 ** tries, MAX_RETRY_MS);
    const wanted = result.kind === 'unavailable' ? Math.max(backOff, result.retryAfterMs) : backOff;
    waiting += 1;
    clock.delay(wanted * (0.5 + ids.random()), () => {
      waiting -= 1;
      if (closed) return;
      queue.push({ envelope, tries: tries + 1 });
      pump();
    });
  }

  function recover(): void {
    try {
      readOutbox();
    } catch (error) {
      if (!isStoreTrouble(error)) throw error;
      // The table is brought up to date first, which a full disk prevents.
      waiting += 1;
      clock.delay(MAX_RETRY_MS, () => {
        waiting -= 1;
        if (!closed) recover();
      });
    }
  }

  function readOutbox(): void {
    let position = 0;
    for (;;) {
      const page = outbox(position, PAGE);
      enqueue(page.map(({ envelope }) => envelope));
      const last = page.at(-1);
      if (!last || overflowed) return;
      position = last.position;
    }
  }

  function enqueue(envelopes: readonly Envelope[]): void {
    for (const envelope of envelopes) {
      if (known.has(envelope.id)) continue;
      if (known.size >= MAX_KNOWN) {
        overflowed = true;
        break;
      }
      known.add(envelope.id);
      queue.push({ envelope, tries: 0 });
    }
    pump();
  }

  return {
    enqueue,
    recover,
    idle: () => waiting === 0 && queue.length === 0,
    inFlight: () => inFlight + calls,
    pending: () => inFlight + queue.length - head,
    close() {
      closed = true;
      queue = [];
      head = 0;
    },
  };
}
