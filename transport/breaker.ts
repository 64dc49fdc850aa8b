/**
 * A circuit breaker on the injected clock. cockatiel keeps the states; which calls count, and for how long, is ours,
 * because its own breakers and half-open timing read the wall clock.
 */
import { BrokenCircuitError, CircuitState, circuitBreaker, type IBackoff, type IBreaker, Policy } from 'cockatiel';
import { assertNever } from '../actors/kernel/assertNever.ts';
import type { Clock } from '../actors/kernel/ports.ts';

export type BreakerFigures = {
  /** Opens on this many failures within `windowMs` … */
  readonly failures: number;
  readonly windowMs: number;
  /** … if they are at least this share of the calls: busy traffic does not stop for a stray failure. */
  readonly failureShare: number;
  /** Never opens on fewer calls than this within `windowMs`. */
  readonly minCalls: number;
  /** Stays open this long, then lets one call through to find out. */
  readonly openMs: number;
  /** An answer that took longer counts as a failure. */
  readonly slowMs: number;
};

export type BreakerState = 'closed' | 'open' | 'half-open';

/** The call was not made. */
export class BreakerOpen extends Error {
  override readonly name = 'BreakerOpen';
  readonly retryable = true;
}

export interface Breaker {
  /** Runs `attempt` and passes on how it ended; throws `BreakerOpen` without running it while the breaker is open. */
  execute<T>(attempt: () => Promise<T>): Promise<T>;
}

export type BreakerOptions = {
  readonly clock: Pick<Clock, 'now'>;
  readonly figures: BreakerFigures;
  /** Errors that speak against the outside system; others do not count as calls at all. */
  readonly isFailure: (error: unknown) => boolean;
  readonly onChange: (state: BreakerState) => void;
};

export function createBreaker({ clock, figures, isFailure, onChange }: BreakerOptions): Breaker {
  const policy = circuitBreaker(
    new Policy({ errorFilter: isFailure, resultFilter: (result) => result instanceof SlowAnswer }),
    { breaker: new SlidingWindow(clock, figures), halfOpenAfter: { next: () => openPeriod(clock, figures.openMs) } },
  );
  policy.onStateChange((state) => onChange(stateName(state)));

  return {
    async execute<T>(attempt: () => Promise<T>): Promise<T> {
      // While the one call that finds out is under way, cockatiel would make the others wait for it.
      if (policy.state === CircuitState.HalfOpen) throw new BreakerOpen('circuit breaker is half-open');
      try {
        const answer = await policy.execute(async () => {
          const startedAt = clock.now();
          const value = await attempt();
          return clock.now() - startedAt > figures.slowMs ? new SlowAnswer(value) : value;
        });
        return answer instanceof SlowAnswer ? answer.value : answer;
      } catch (error) {
        throw error instanceof BrokenCircuitError ? new BreakerOpen('circuit breaker is open') : error;
      }
    },
  };
}

class SlowAnswer<T> {
  readonly value: T;
  constructor(value: T) {
    this.value = value;
  }
}

const BUCKET_MS = 1_000;

/** Counts calls and failures of the last `windowMs` in buckets of a second: bounded, however busy the traffic. */
class SlidingWindow implements IBreaker {
  /** cockatiel's place for state to carry over to another process; we start afresh. */
  state: unknown;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #figures: BreakerFigures;
  #buckets: { readonly at: number; calls: number; failures: number }[] = [];

  constructor(clock: Pick<Clock, 'now'>, figures: BreakerFigures) {
    this.#clock = clock;
    this.#figures = figures;
  }

  success(state: CircuitState): void {
    if (state === CircuitState.HalfOpen) this.#buckets = [];
    else this.#currentBucket().calls += 1;
  }

  failure(): boolean {
    const bucket = this.#currentBucket();
    bucket.calls += 1;
    bucket.failures += 1;
    const calls = this.#buckets.reduce((total, each) => total + each.calls, 0);
    const failures = this.#buckets.reduce((total, each) => total + each.failures, 0);
    const figures = this.#figures;
    return calls >= figures.minCalls && failures >= figures.failures && failures >= calls * figures.failureShare;
  }

  #currentBucket(): { calls: number; failures: number } {
    const now = this.#clock.now();
    // Also drops buckets of the future, which a wall clock that was set back leaves behind.
    this.#buckets = this.#buckets.filter(({ at }) => at > now - this.#figures.windowMs && at <= now);
    const newest = this.#buckets.at(-1);
    if (newest !== undefined && now - newest.at < BUCKET_MS) return newest;
    const bucket = { at: now, calls: 0, failures: 0 };
    this.#buckets.push(bucket);
    return bucket;
  }
}

/** cockatiel asks whether wall time since opening is less than `duration`; the two infinities make it follow our clock. */
function openPeriod(clock: Pick<Clock, 'now'>, openMs: number): IBackoff<unknown> {
  const openedAt = clock.now();
  return {
    get duration() {
      const elapsed = clock.now() - openedAt;
      // Negative when the wall clock was set back: better to try too early than to stay open for an hour.
      return elapsed >= 0 && elapsed < openMs ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
    },
    next: () => openPeriod(clock, openMs),
  };
}

function stateName(state: CircuitState): BreakerState {
  switch (state) {
    case CircuitState.Closed:
      return 'closed';
    case CircuitState.HalfOpen:
      return 'half-open';
    case CircuitState.Open:
    case CircuitState.Isolated:
      return 'open';
    default:
      return assertNever(state);
  }
}
