/**
 * Whether a figure grows without end, from samples of it. Robust: the slope is the median of all slopes between two samples,
 * so that a few odd samples, such as before and after a collection of garbage, don't decide.
 */

/** Caches and pools fill at first. */
const WARM_UP_SHARE = 1 / 3;
const MIN_SAMPLES = 8;

export type Sample = { readonly atMs: number; readonly value: number };

/** How much a figure may grow over the samples after the warm-up, by its trend. */
export type Bound = { readonly share: number; readonly least: number };

export type Trend = {
  /** Of the samples after the warm-up. */
  readonly median: number;
  readonly perHour: number;
  /** By its slope, over the time of those samples. */
  readonly growth: number;
  readonly grows: boolean;
};

/** @returns undefined when there are too few samples to tell */
export function trendOf(samples: readonly Sample[], { share, least }: Bound): Trend | undefined {
  const judged = samples.slice(Math.floor(samples.length * WARM_UP_SHARE));
  const [first] = judged;
  const last = judged.at(-1);
  if (!first || !last || judged.length < MIN_SAMPLES) return undefined;
  const slopes = judged.flatMap((from, index) =>
    judged
      .slice(index + 1)
      .filter(({ atMs }) => atMs > from.atMs)
      .map((to) => (to.value - from.value) / (to.atMs - from.atMs)),
  );
  const slope = medianOf(slopes);
  const median = medianOf(judged.map(({ value }) => value));
  const growth = slope * (last.atMs - first.atMs);
  return { median, perHour: slope * 3_600_000, growth, grows: growth > Math.max(least, share * median) };
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? 0;
  return (low + (sorted[Math.floor(middle)] ?? low)) / 2;
}
