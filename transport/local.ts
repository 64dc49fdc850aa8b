/** Carries envelopes between the shards of one node: a call, bounded by the receivers' mailboxes. */
import type { Envelope } from '../actors/kernel/message.ts';
import type { Settled, Transport } from '../actors/kernel/ports.ts';

export type Receiver = (envelope: Envelope, settle: (result: Settled) => void) => void;

export type LocalTransport = Transport & { attach(shard: number, receiver: Receiver): void };

const RETRY_AFTER_MS = 1_000;

export function createLocalTransport(): LocalTransport {
  const receivers = new Map<number, Receiver>();
  return {
    attach(shard, receiver) {
      receivers.set(shard, receiver);
    },
    send(shard, envelope, settle) {
      const receiver = receivers.get(shard);
      if (receiver) receiver(envelope, settle);
      else settle({ kind: 'unavailable', reason: `shard ${shard} is not here`, retryAfterMs: RETRY_AFTER_MS });
    },
  };
}
