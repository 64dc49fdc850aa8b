/**
 * Shields the shop from an outside system: a time-out around retries around a circuit breaker around the vendor's
 * adapter. Only what surely was not executed is repeated here; an unknown outcome goes back to the asker, who enquires.
 */
import pRetry from 'p-retry';
import type { Address } from '../actors/kernel/address.ts';
import type { Typed } from '../actors/kernel/decider.ts';
import type { Clock, Gateway, Telemetry } from '../actors/kernel/ports.ts';
import { type BreakerFigures, BreakerOpen, createBreaker } from './breaker.ts';

/** The vendor did not answer in time: the operation may or may not have happened. */
export class GatewayTimeout extends Error {
  override readonly name = 'GatewayTimeout';
  readonly retryable = false;
}

/** The operation surely was not executed: refused connection, "try again later", rate limit. */
export class GatewayUnavailable extends Error {
  override readonly name = 'GatewayUnavailable';
  readonly retryable = true;
}

export type GatewayRequest = Typed & { readonly key: string };

/** What every gateway can answer beside its vendor's own outcomes. */
export type GatewayFailure = { readonly outcome: 'unknown' | 'unavailable' | 'failed'; readonly reason: string };

/** One vendor's client. The same key is the same operation, however often it is performed. */
export interface VendorAdapter<Request extends GatewayRequest, Outcome> {
  /**
   * Resolves with what the vendor said, refusals included. Rejects with `GatewayTimeout` or `GatewayUnavailable`; any
   * other error is a bug, whose outcome is unknown. Stops work when `signal` aborts.
   */
  perform(request: Request, signal: AbortSignal): Promise<Outcome>;
}

/** What one kind of gateway understands and answers. */
type GatewayContract<Request extends GatewayRequest> = {
  readonly operations: Readonly<Record<Request['type'], true>>;
  readonly resultType: string;
};

export type GatewayFigures = {
  /** For the whole call, retries included. */
  readonly timeoutMs: number;
  /** Beside the first attempt. */
  readonly retries: number;
  /** Pause before the first retry; doubles with each, with jitter. */
  readonly backoffMs: number;
  readonly breaker: BreakerFigures;
};

/** The part of a pino logger that is used here. */
export type GatewayLog = Record<'info' | 'warn' | 'error', (fields: object, text: string) => void>;

export type GatewaySurroundings = {
  readonly clock: Clock;
  /** In [0, 1), for jitter. */
  readonly random: () => number;
  readonly telemetry: Pick<Telemetry, 'breakerChanged'>;
  readonly log: GatewayLog;
};

export type ResilientCallsOptions<Request extends GatewayRequest, Outcome> = GatewaySurroundings & {
  readonly name: string;
  readonly adapter: VendorAdapter<Request, Outcome>;
  readonly figures: GatewayFigures;
};

export type ResilientGatewayOptions<Request extends GatewayRequest, Outcome> = ResilientCallsOptions<
  Request,
  Outcome
> & { readonly contract: GatewayContract<Request> };

/** Who asks, for the log. */
type Asker = { readonly from?: Address | undefined; readonly trace?: string | undefined };

/** One call in its shield. Never rejects: what went wrong is an outcome. */
type ResilientCall<Request, Outcome> = (
  request: Request,
  asker: Asker,
  signal: AbortSignal,
) => Promise<Outcome | GatewayFailure>;

export function createResilientCalls<Request extends GatewayRequest, Outcome>(
  options: ResilientCallsOptions<Request, Outcome>,
): ResilientCall<Request, Outcome> {
  const { name, adapter, clock, telemetry, log, figures } = options;
  const breaker = createBreaker({
    clock,
    figures: figures.breaker,
    isFailure: (error) => error instanceof GatewayUnavailable || error instanceof GatewayTimeout,
    onChange(state) {
      telemetry.breakerChanged(name, state);
      log[state === 'closed' ? 'info' : 'warn']({ gateway: name, breaker: state }, 'circuit breaker changed');
    },
  });

  return async (request, { from, trace }, outer) => {
    if (outer.aborted) return { outcome: 'unavailable', reason: 'stopping' };
    const inner = new AbortController();
    const { signal } = inner;
    const onAbort = (): void => inner.abort(outer.reason);
    outer.addEventListener('abort', onAbort, { once: true });
    const cancelTimeout = clock.schedule(clock.now() + figures.timeoutMs, () =>
      inner.abort(new GatewayTimeout(`no answer within ${figures.timeoutMs} ms`)),
    );
    const attempt = () => breaker.execute(() => unlessAborted(() => adapter.perform(request, signal), signal));
    try {
      return await withRetries(attempt, options, signal);
    } catch (error) {
      const failure = failureOf(error, signal.aborted);
      const fields = { gateway: name, operation: request.type, key: request.key, asker: from?.id, trace, err: error };
      if (failure === undefined) log.error(fields, 'gateway adapter failed unexpectedly');
      // An open breaker told so when it opened; it would say it again for every call.
      else if (!(error instanceof BreakerOpen)) log.warn(fields, `gateway outcome ${failure.outcome}`);
      return failure ?? { outcome: 'unknown', reason: 'unexpected error' };
    } finally {
      cancelTimeout();
      outer.removeEventListener('abort', onAbort);
    }
  };
}

/** The calls as the runtime makes them: a message in, a message out. */
export function createResilientGateway<Request extends GatewayRequest, Outcome>(
  options: ResilientGatewayOptions<Request, Outcome>,
): Gateway {
  const { name, contract, log } = options;
  const perform = createResilientCalls(options);
  return {
    name,
    async call(envelope, signal) {
      const { message } = envelope;
      if (!isRequest(message, contract)) {
        log.error({ gateway: name, operation: message.type }, 'gateway asked for what it does not do');
        const result: GatewayFailure = { outcome: 'failed', reason: `${name} does not do ${message.type}` };
        return { type: contract.resultType, operation: message.type, key: '', result };
      }
      const result = await perform(message, envelope, signal);
      return { type: contract.resultType, operation: message.type, key: message.key, result };
    },
  };
}

function withRetries<Outcome>(
  attempt: () => Promise<Outcome>,
  { figures, clock, random }: Pick<ResilientGatewayOptions<GatewayRequest, Outcome>, 'figures' | 'clock' | 'random'>,
  signal: AbortSignal,
): Promise<Outcome> {
  return pRetry(attempt, {
    retries: figures.retries,
    // It would wait on the wall clock; we wait on ours, in `onFailedAttempt`.
    minTimeout: 0,
    async onFailedAttempt({ error, attemptNumber, retriesLeft }) {
      if (!(error instanceof GatewayUnavailable) || retriesLeft === 0) return;
      const pauseMs = figures.backoffMs * 2 ** (attemptNumber - 1) * (0.5 + random() / 2);
      // Interrupted while nothing is under way: still surely not executed.
      await clock.sleep(Math.round(pauseMs), signal).catch(() => {
        throw error;
      });
    },
    shouldRetry: ({ error }) => error instanceof GatewayUnavailable,
  });
}

/** Undefined for a bug. */
function failureOf(error: unknown, interrupted: boolean): GatewayFailure | undefined {
  if (error instanceof GatewayUnavailable || error instanceof BreakerOpen) {
    return { outcome: 'unavailable', reason: error.message };
  }
  if (error instanceof GatewayTimeout) return { outcome: 'unknown', reason: error.message };
  return interrupted ? { outcome: 'unknown', reason: 'interrupted' } : undefined;
}

function isRequest<Request extends GatewayRequest>(
  message: Typed,
  contract: GatewayContract<Request>,
): message is Request {
  return Object.hasOwn(contract.operations, message.type) && 'key' in message && typeof message.key === 'string';
}

/** Ends with the signal's reason once it aborts, also when the work itself does not listen. */
function unlessAborted<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    work().then(resolve, reject);
  });
}

/** A call that never comes back: settles only by the signal. Simulators use it where a vendor would hang. */
export function hang(signal: AbortSignal): Promise<never> {
  return unlessAborted(() => new Promise<never>(() => undefined), signal);
}
