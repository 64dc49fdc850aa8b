/** Figures as Markdown. */
import type { Percentiles } from './latency.ts';

export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`;
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(headings), line(rule), ...rows.map(line)].join('\n');
}

/** The share of each, or a dash where there is no total. */
export function per(total: number | undefined, count: number, digits: number): string {
  return total === undefined || count === 0 ? '–' : (total / count).toFixed(digits);
}

export const PERCENTILES = ['p50 ms', 'p95 ms', 'p99 ms', 'max ms'];
export const milliseconds = ({ p50, p95, p99, max }: Percentiles): string[] =>
  [p50, p95, p99, max].map((ms) => ms.toFixed(1));
