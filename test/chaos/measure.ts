/** What clients felt between two moments. */

/** One try of a request. Times in ms on the monotonic clock. */
export type Attempt = {
  readonly node: string;
  readonly from: number;
  readonly until: number;
  /** `ok` also for a refusal; else why it has to be tried again: a status with its code, or how the connection failed. */
  readonly outcome: string;
};

/** A request as its client feels it: from the first try to the answer. */
export type Request = {
  readonly kind: string;
  readonly from: number;
  readonly until: number;
  readonly tries: number;
};

export type Measured = { readonly requests: readonly Request[]; readonly attempts: readonly Attempt[] };

export type Felt = {
  /** Requests that were answered in this time. */
  readonly requests: number;
  /** Longest time in which no order was answered, in ms. */
  readonly gapMs: number;
  /** From the first try to the answer, in ms. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly slowestMs: number;
  /** Tries that failed, by what went wrong. */
  readonly errors: Readonly<Record<string, number>>;
};

export function felt({ requests, attempts }: Measured, from: number, until: number): Felt {
  const within = requests.filter((request) => request.until >= from && request.until < until);
  const times = within.map((request) => request.until - request.from);
  const orders = requests.filter(({ kind }) => kind === 'order').map((request) => request.until);
  const moments = [from, ...orders.filter((at) => at > from && at < until).toSorted((a, b) => a - b), until];
  const gaps = moments.slice(1).map((moment, index) => moment - (moments[index] ?? moment));
  const errors: Record<string, number> = {};
  for (const attempt of attempts) {
    if (attempt.outcome === 'ok' || attempt.until < from || attempt.until >= until) continue;
    errors[attempt.outcome] = (errors[attempt.outcome] ?? 0) + 1;
  }
  return {
    requests: within.length,
    gapMs: Math.max(0, ...gaps),
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
    slowestMs: Math.max(0, ...times),
    errors,
  };
}

/** Of the nearest rank; 0 of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}
