/** A storm as one HTML page with its timeline: nothing is loaded from anywhere. */
import type { Blow, Storm } from './storm.ts';
import { errorsOf, INVARIANTS, type StormFacts, spread } from './stormReport.ts';
import { summarise } from './summary.ts';
import type { Second } from './timeline.ts';

const WIDTH = 1_100;
const LEFT = 130;
const ROW = 20;
const PLOT = 110;
const GAP = 24;
const TICKS = 10;

export function page(storm: Storm, facts: StormFacts): string {
  const { verdict, kinds } = summarise(storm);
  const { violations, whole } = storm;
  const rows = kinds.map((row) => [row.kind, row.times, spread(row.gapMs), spread(row.slowestMs), row.failedTries]);
  const blows = storm.blows.map((blow) => [
    seconds(blow.from),
    seconds(blow.until - blow.from),
    blow.faults.map(({ name, target }) => `${name} (${target})`).join(' and '),
    Math.round(blow.gapMs),
    Math.round(blow.slowestMs),
    blow.takeovers,
    errorsOf(blow.errors),
  ]);
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Chaos: ${escaped(verdict)}</title>
<style>${STYLE}</style>
<h1 class="${violations.length === 0 ? 'good' : 'bad'}">${escaped(verdict)}</h1>
<p>${escaped(facts.command)} · ${escaped(storm.startedAt)} · ${escaped(facts.machine)} · commit ${escaped(facts.commit)} · seed ${storm.seed}</p>
<p>${whole.requests} requests answered, ${storm.orders} orders, p50 ${Math.round(whole.p50Ms)} ms, p99 ${Math.round(whole.p99Ms)} ms,
slowest ${Math.round(whole.slowestMs)} ms. Failed tries, all made again: ${escaped(errorsOf(whole.errors))}.</p>
${list('Violations', violations)}
${timeline(storm)}
${table('By kind', ['fault', 'times', 'gap p50 / p99 / max ms', 'slowest p50 / p99 / max ms', 'failed tries'], rows)}
${table('One after the other', ['at s', 'for s', 'what', 'gap ms', 'slowest ms', 'shards moved', 'failed tries'], blows)}
${list('Left out', facts.leftOut)}
${list(violations.length === 0 ? 'Held' : 'To hold', INVARIANTS)}
</html>
`;
}

const STYLE = `
body{font:14px/1.5 system-ui,sans-serif;max-width:${WIDTH}px;margin:2em auto;padding:0 1em;color:#222;background:#fff}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.2em .6em;border-bottom:1px solid #ddd}
td+td{font-variant-numeric:tabular-nums}.good{color:#186a3b}.bad{color:#a11}svg{width:100%;height:auto}
svg text{font:11px system-ui,sans-serif;fill:#555}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}th,td{border-color:#444}svg text{fill:#aaa}.good{color:#5c9}.bad{color:#f77}}`;

function timeline({ blows, seconds: each, tookMs }: Storm): string {
  const totalMs = Math.max(tookMs, each.length * 1_000);
  const x = (ms: number): number => LEFT + ((WIDTH - LEFT) * ms) / totalMs;
  const lanes = [...new Set(blows.flatMap(({ faults }) => faults.map(({ target }) => target)))].sort();
  const top = lanes.length * ROW + GAP;
  const height = top + 2 * (PLOT + GAP) + ROW;
  const plots: readonly Plot[] = [
    { title: 'answers/s', top, color: '#2b7', of: ({ answered }) => answered, over: ({ failed }) => failed },
    { title: 'slowest, ms', top: top + PLOT + GAP, color: '#58c', of: ({ slowestMs }) => slowestMs },
  ];
  return `<h2>Timeline</h2><svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Faults, answers and times over the run">
${lanes.map((lane, index) => laneOf(lane, index * ROW, blows, x)).join('\n')}
${plots.map((plot) => plotOf(plot, each, x)).join('\n')}
${Array.from({ length: TICKS + 1 }, (_, tick) => {
  const at = (totalMs * tick) / TICKS;
  return `<text x="${round(Math.min(x(at), WIDTH - 30))}" y="${height - 4}">${seconds(at)} s</text>`;
}).join('')}</svg><p>Bars: answers, and in red failed tries, of each second.</p>`;
}

function laneOf(lane: string, y: number, blows: readonly Blow[], x: (ms: number) => number): string {
  const bars = blows.flatMap(({ faults, from, until, gapMs, slowestMs }) =>
    faults
      .filter(({ target }) => target === lane)
      .map(({ name }) => {
        const hint = `${name}, ${seconds(until - from)} s, gap ${Math.round(gapMs)} ms, slowest ${Math.round(slowestMs)} ms`;
        const width = Math.max(2, x(until) - x(from));
        return `<g><title>${escaped(hint)}</title><rect x="${round(x(from))}" y="${y + 2}" width="${round(width)}" height="${ROW - 4}" fill="#e5983a" rx="2"/><text x="${round(x(from) + 2)}" y="${y + 14}">${escaped(name)}</text></g>`;
      }),
  );
  return `<text x="0" y="${y + 14}">${escaped(lane)}</text>${bars.join('')}`;
}

type Plot = {
  readonly title: string;
  readonly top: number;
  readonly color: string;
  readonly of: (second: Second) => number;
  readonly over?: (second: Second) => number;
};

function plotOf({ title, top, color, of, over }: Plot, each: readonly Second[], x: (ms: number) => number): string {
  const highest = Math.max(1, ...each.map((second) => of(second) + (over?.(second) ?? 0)));
  const scale = PLOT / highest;
  const width = round(Math.max(1, x(1_000) - x(0) - 0.5));
  const bar = (index: number, base: number, value: number, fill: string): string =>
    value === 0
      ? ''
      : `<rect x="${round(x(index * 1_000))}" y="${round(top + PLOT - (base + value) * scale)}" width="${width}" height="${round(value * scale)}" fill="${fill}"/>`;
  const bars = each.map((second, index) => {
    const value = of(second);
    return bar(index, 0, value, color) + bar(index, value, over?.(second) ?? 0, '#c33');
  });
  return `<text x="0" y="${top + 12}">${escaped(title)}</text><text x="0" y="${top + 26}">to ${Math.round(highest)}</text>${bars.join('')}`;
}

function table(title: string, head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (tag: string, cells: readonly (string | number)[]): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(String(cell))}</${tag}>`).join('')}</tr>`;
  return `<h2>${title}</h2><table>${line('th', head)}${rows.map((row) => line('td', row)).join('')}</table>`;
}

function list(title: string, items: readonly string[]): string {
  if (items.length === 0) return '';
  return `<h2>${title}</h2><ul>${items.map((item) => `<li>${escaped(item)}</li>`).join('')}</ul>`;
}

const round = (value: number): number => Math.round(value * 10) / 10;
const seconds = (ms: number): string => (ms / 1_000).toFixed(1);

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => ESCAPES[character] ?? character);
