/** What may go wrong. */
export const FAULTS = [
  'network',
  'heartbeats',
  'partition',
  'crash',
  'power',
  'disk-lost',
  'pause',
  'clock',
  'disk-full',
  'log-full',
  'outage',
  'tail',
  'vendor',
  'carrier',
  'slow-disk',
] as const;

export type Fault = (typeof FAULTS)[number];
