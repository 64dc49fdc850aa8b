import { build } from 'hdr-histogram-js';

const MAX_MICROSECONDS = 600_000_000;

export type Percentiles = {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
};

export type Latencies = {
  record(ms: number): void;
  /** In ms. */
  percentiles(): Percentiles;
};

export function createLatencies(): Latencies {
  const histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: MAX_MICROSECONDS,
    numberOfSignificantValueDigits: 3,
    useWebAssembly: false,
  });
  const at = (percentile: number): number => histogram.getValueAtPercentile(percentile) / 1_000;
  return {
    record: (ms) => histogram.recordValue(Math.min(MAX_MICROSECONDS, Math.max(1, Math.round(ms * 1_000)))),
    percentiles: () => ({
      count: histogram.totalCount,
      p50: at(50),
      p95: at(95),
      p99: at(99),
      max: histogram.maxValue / 1_000,
    }),
  };
}
