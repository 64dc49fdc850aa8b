/**
 * The workers that call outside systems: one pool per gateway, so that a slow vendor holds up nobody else's calls. A
 * call is a message of somebody's outbox until its result is durable at the asker: after a crash before that it is made
 * again with the same idempotency key, and its result has the same message id.
 */

import { dispatch, type Ref, spawn, stop } from 'nact';
import type { Logger } from 'pino';
import { type Envelope, resultId } from '../actors/kernel/message.ts';
import type { FailPoint, Gateway, Settled } from '../actors/kernel/ports.ts';

/** Calls of one gateway at once, and calls waiting for a worker; more are refused and come again from the outbox. */
const MAX_CALLS = 64;
const MAX_WAITING = 1_024;
const RETRY_AFTER_MS = 500;

type Call = { readonly envelope: Envelope; readonly settle: (result: Settled) => void };

export type GatewayPool = {
  call(envelope: Envelope, settle: (result: Settled) => void): void;
  /** Calls at work or waiting. */
  readonly active: number;
  /** Aborts what is at work; it is made again after the next start. */
  stop(): void;
};

export type GatewayPoolOptions = {
  readonly gateway: Gateway;
  readonly parent: Ref<never>;
  /** Delivers the result to the asker. */
  readonly deliver: (envelope: Envelope, settle: (result: Settled) => void) => void;
  readonly failPoint: FailPoint;
  readonly logger: Logger;
};

export function createGatewayPool({ gateway, parent, deliver, failPoint, logger }: GatewayPoolOptions): GatewayPool {
  const waiting: Call[] = [];
  const aborter = new AbortController();
  let running = 0;

  async function perform({ envelope, settle }: Call): Promise<void> {
    try {
      failPoint('before-gateway-call');
      const message = await gateway.call(envelope, aborter.signal);
      failPoint('after-gateway-call');
      if (aborter.signal.aborted) return;
      if (!envelope.from) throw new Error(`gateway call ${envelope.id} has no asker`);
      const { trace } = envelope;
      const result = { id: resultId(envelope.id), to: envelope.from, from: envelope.to, message };
      deliver({ ...result, ...(trace !== undefined && { trace }) }, settle);
    } catch (error) {
      logger.error(
        { err: error, gateway: gateway.name, id: envelope.id },
        'a gateway call crashed; it will be repeated',
      );
      settle({ kind: 'unavailable', reason: 'the gateway call crashed', retryAfterMs: RETRY_AFTER_MS });
    } finally {
      running -= 1;
      next();
    }
  }

  function next(): void {
    while (running < MAX_CALLS && !aborter.signal.aborted) {
      const call = waiting.shift();
      if (!call) return;
      running += 1;
      void perform(call);
    }
  }

  const worker = spawn(
    parent as unknown as Ref<Call>,
    (_state: undefined, call: Call) => {
      waiting.push(call);
      next();
      return undefined;
    },
    gateway.name,
    { onCrash: (_message, _error, context) => context.resume },
  );

  return {
    call(envelope, settle) {
      if (waiting.length >= MAX_WAITING) {
        settle({ kind: 'unavailable', reason: `gateway ${gateway.name} is busy`, retryAfterMs: RETRY_AFTER_MS });
      } else {
        dispatch(worker, { envelope, settle });
      }
    },
    get active() {
      return running + waiting.length;
    },
    stop() {
      aborter.abort(new Error('the node is stopping'));
      stop(worker);
    },
  };
}
