/** Where a run's CPU time went: self time by function and by part of the program, from Node's .cpuprofile. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const TOP = 25;

type CallFrame = { readonly functionName: string; readonly url: string; readonly lineNumber: number };
type CpuProfile = {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[];
  readonly samples: readonly number[];
  /** Microseconds. */
  readonly timeDeltas: readonly number[];
};

export type Share = { readonly name: string; readonly ms: number; readonly share: number };
export type ProfileSummary = {
  readonly file: string;
  /** Busy time of the main thread, from the start of the process to its end. */
  readonly busyMs: number;
  readonly idleMs: number;
  readonly functions: readonly Share[];
  readonly parts: readonly Share[];
};

/** Of the main thread: loader threads write small profiles of their own. */
export function summarizeProfile(folder: string): ProfileSummary {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.cpuprofile'))
    .map((name) => join(folder, name));
  const file = files.sort((a, b) => statSync(b).size - statSync(a).size)[0];
  if (file === undefined) throw new Error(`no CPU profile in ${folder}`);
  const profile = JSON.parse(readFileSync(file, 'utf8')) as CpuProfile;
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const byFunction = new Map<string, number>();
  const byPart = new Map<string, number>();
  let idleMs = 0;
  let busyMs = 0;
  profile.samples.forEach((id, index) => {
    const frame = frames.get(id);
    // A sample's time passes until the next one.
    const ms = (profile.timeDeltas[index + 1] ?? 0) / 1_000;
    if (frame === undefined) return;
    if (frame.functionName === '(idle)') {
      idleMs += ms;
      return;
    }
    busyMs += ms;
    add(byFunction, functionOf(frame), ms);
    add(byPart, partOf(frame), ms);
  });
  const shares = (times: Map<string, number>): Share[] =>
    [...times].sort(([, a], [, b]) => b - a).map(([name, ms]) => ({ name, ms, share: ms / busyMs }));
  return { file, busyMs, idleMs, functions: shares(byFunction).slice(0, TOP), parts: shares(byPart) };
}

function add(times: Map<string, number>, name: string, ms: number): void {
  times.set(name, (times.get(name) ?? 0) + ms);
}

function functionOf({ functionName, url, lineNumber }: CallFrame): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (url === '') return name;
  const place = placeOf(url);
  // What tsx compiles stands in one line: its number says nothing.
  return place.endsWith('.ts') ? `${name} ${place}` : `${name} ${place}:${lineNumber + 1}`;
}

function placeOf(url: string): string {
  if (!url.startsWith('file:')) return url;
  const path = fileURLToPath(new URL(url.split('?')[0] ?? url));
  const root = `${process.cwd()}/`;
  return path.startsWith(root) ? path.slice(root.length) : path;
}

/**
 * A folder of ours, a package, or Node. Native code without a file of its own counts as Node's; what a native method of a
 * library takes counts as its caller's, so SQLite's work is in `storage` (statements) and `better-sqlite3` (commit, sync).
 */
function partOf({ functionName, url }: CallFrame): string {
  if (functionName === '(garbage collector)') return 'garbage collector';
  if (url.startsWith('node:internal/crypto')) return 'node: crypto';
  if (url === '' || url.startsWith('node:')) return 'node: http, streams, timers, native';
  const place = placeOf(url);
  const library = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(place)?.[1];
  return library === undefined ? (place.split('/')[0] ?? place) : `package: ${library}`;
}
