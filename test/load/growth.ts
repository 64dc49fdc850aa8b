/**
 * What a running shop uses, sampled, and which of it grows. The books of a shop grow with what is sold: the store, the logs.
 * All else has to level off: memory, handles, the write-ahead log, and the inboxes, which are trimmed.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadedShop } from './shop.ts';
import { type Bound, type Sample, type Trend, trendOf } from './trend.ts';

const MEGABYTE = 1024 * 1024;
const KILOBYTE = 1024;
const STORE = 'holdfast.sqlite';
const SCRAPE_DEADLINE_MS = 5_000;

type Kind = 'memory' | 'heap' | 'handles' | 'write-ahead log' | 'inboxes' | 'logs' | 'store';

/** What each may grow by after the warm-up, and still be taken for level; those without one hold the shop's history. */
const BOUNDS: Readonly<Record<Kind, Bound | undefined>> = {
  memory: { share: 0.15, least: 24 * MEGABYTE },
  heap: { share: 0.25, least: 24 * MEGABYTE },
  handles: { share: 0.2, least: 10 },
  'write-ahead log': { share: 0.5, least: 8 * MEGABYTE },
  inboxes: { share: 0.5, least: 8 * MEGABYTE },
  logs: undefined,
  store: undefined,
};

export type Grown = Partial<Trend> & {
  readonly what: string;
  readonly kind: Kind;
  readonly first: number;
  readonly last: number;
  readonly samples: number;
  /** It holds the shop's history, and may grow with it. */
  readonly isHistory: boolean;
};

export type Watch = {
  /** One more of each figure. What can't be read now is left out. */
  sample(): Promise<void>;
  grown(): readonly Grown[];
};

export function watchGrowth(shop: LoadedShop): Watch {
  const series = new Map<string, { readonly kind: Kind; readonly samples: Sample[] }>();
  const begun = performance.now();

  function note(who: string, kind: Kind, value: number | undefined): void {
    if (value === undefined || !Number.isFinite(value)) return;
    const what = `${who}: ${kind}`;
    const known = series.get(what) ?? { kind, samples: [] };
    series.set(what, known);
    known.samples.push({ atMs: performance.now() - begun, value });
  }

  return {
    async sample() {
      for (const { name, url, folder, pid } of shop.nodes) {
        const metrics = await scraped(url);
        note(name, 'memory', residentBytes(pid));
        note(name, 'heap', metrics('nodejs_heap_size_used_bytes'));
        note(name, 'handles', metrics('process_open_fds'));
        note(name, 'write-ahead log', sizeOf(join(folder, `${STORE}-wal`)));
        note(name, 'store', sizeOf(join(folder, STORE)));
      }
      if (!shop.broker) return;
      const { monitorPort, pid } = shop.broker;
      note('broker', 'memory', residentBytes(pid));
      const bytes = await streamBytes(monitorPort);
      for (const kind of ['inboxes', 'logs'] as const) note('broker', kind, bytes?.[kind]);
    },
    grown: () =>
      [...series].map(([what, { kind, samples }]) => {
        const bound = BOUNDS[kind];
        const [first] = samples;
        return {
          what,
          kind,
          first: first?.value ?? 0,
          last: samples.at(-1)?.value ?? 0,
          samples: samples.length,
          isHistory: bound === undefined,
          ...trendOf(samples, bound ?? { share: Number.POSITIVE_INFINITY, least: 0 }),
        };
      }),
  };
}

/** Where the system doesn't tell, nothing is known. */
function residentBytes(pid: number): number | undefined {
  try {
    const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return found === undefined ? undefined : Number(found) * KILOBYTE;
  } catch {
    return undefined;
  }
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

async function scraped(url: string): Promise<(name: string) => number | undefined> {
  const text = await textOf(`${url}/metrics`);
  return (name) => {
    const found = new RegExp(`^${name} (\\S+)$`, 'm').exec(text ?? '')?.[1];
    return found === undefined ? undefined : Number(found);
  };
}

type Streams = {
  readonly account_details?: readonly {
    readonly stream_detail?: readonly { readonly name: string; readonly state: { readonly bytes: number } }[];
  }[];
};

async function streamBytes(monitorPort: number): Promise<{ inboxes: number; logs: number } | undefined> {
  const text = await textOf(`http://127.0.0.1:${monitorPort}/jsz?streams=1`);
  if (text === undefined) return undefined;
  const { account_details: accounts = [] } = JSON.parse(text) as Streams;
  const streams = accounts.flatMap(({ stream_detail: detail = [] }) => detail);
  const sum = (fits: RegExp): number =>
    streams.filter(({ name }) => fits.test(name)).reduce((total, { state }) => total + state.bytes, 0);
  return { inboxes: sum(/-in-\d+$/), logs: sum(/-log-\d+$/) };
}

async function textOf(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(SCRAPE_DEADLINE_MS) });
    return await response.text();
  } catch {
    return undefined;
  }
}
