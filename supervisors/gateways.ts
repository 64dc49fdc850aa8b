/**
 * The workers that call outside systems: one pool per gateway, so that a slow vendor holds up nobody else's calls. A
 * call is a message of somebody's outbox until its result is durable at the asker: after a crash before that it is made
 * again with the same idempotency key, and its result has the same message id.
 */

import type { Logger } from 'pino';
import { type Envelope, type MessageId, resultId } from '../actors/kernel/message.ts';
import type { FailPoint, Gateway, Settled } from '../actors/kernel/ports.ts';

/** Calls of one gateway at once, and calls waiting for a worker; more are refused and come again from the outbox. */
const MAX_CALLS = 64;
const MAX_WAITING = 1_024;
const RETRY_AFTER_MS = 500;

export type GatewayPool = {
  call(envelope: Envelope, settle: (result: Settled) => void): void;
  /** Aborts what is at work; it is made again after the next start. */
  stop(): void;
};

export type GatewayPoolOptions = {
  readonly gateway: Gateway;
  /** The asker's shard is held here, as far as can be known: another node makes the call otherwise. */
  readonly mayCall: (envelope: Envelope) => boolean;
  /** Delivers the result to the asker. */
  readonly deliver: (envelope: Envelope, settle: (result: Settled) => void) => void;
  readonly failPoint: FailPoint;
  readonly logger: Logger;
};

export function createGatewayPool({ gateway, mayCall, deliver, failPoint, logger }: GatewayPoolOptions): GatewayPool {
  const waiting: Envelope[] = [];
  /** Whom to tell of each call that is accepted and not answered: a repeat joins, it isn't made a second time. */
  const accepted = new Map<MessageId, ((result: Settled) => void)[]>();
  const aborter = new AbortController();
  let running = 0;

  async function perform(envelope: Envelope): Promise<void> {
    const { id, from, to, trace } = envelope;
    try {
      // It may have waited here while this process was paused, and its order may be elsewhere, and undone, by now.
      if (!mayCall(envelope)) {
        finish(id, { kind: 'unavailable', reason: 'the shard of the asker is not held', retryAfterMs: RETRY_AFTER_MS });
        return;
      }
      failPoint('before-gateway-call');
      const message = await gateway.call(envelope, aborter.signal);
      failPoint('after-gateway-call');
      if (aborter.signal.aborted) return;
      if (!from) throw new Error(`gateway call ${id} has no asker`);
      const result = { id: resultId(id), to: from, from: to, message, ...(trace !== undefined && { trace }) };
      deliver(result, (settled) => finish(id, settled));
    } catch (error) {
      logger.error({ err: error, gateway: gateway.name, id, trace }, 'a gateway call crashed; it will be repeated');
      finish(id, { kind: 'unavailable', reason: 'the gateway call crashed', retryAfterMs: RETRY_AFTER_MS });
    } finally {
      running -= 1;
      next();
    }
  }

  function finish(id: MessageId, result: Settled): void {
    const askers = accepted.get(id) ?? [];
    accepted.delete(id);
    for (const settle of askers) settle(result);
  }

  function next(): void {
    while (running < MAX_CALLS && !aborter.signal.aborted) {
      const envelope = waiting.shift();
      if (!envelope) return;
      running += 1;
      void perform(envelope);
    }
  }

  return {
    call(envelope, settle) {
      const askers = accepted.get(envelope.id);
      if (askers) {
        askers.push(settle);
      } else if (accepted.size >= MAX_CALLS + MAX_WAITING) {
        settle({ kind: 'unavailable', reason: `gateway ${gateway.name} is busy`, retryAfterMs: RETRY_AFTER_MS });
      } else {
        accepted.set(envelope.id, [settle]);
        waiting.push(envelope);
        next();
      }
    },
    stop() {
      aborter.abort(new Error('the node is stopping'));
    },
  };
}
