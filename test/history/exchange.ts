/**
 * What clients asked and what they were told: all that the checker knows. Whoever drives a shop, over HTTP or within one
 * process, writes one exchange for each try of a request, before it is sent.
 */

/** One try of a request. Times in ms on one monotonic clock, simulated or real. */
export type Exchange = {
  /** The principal behind the token, by the name that the test has for it. */
  readonly client: string;
  readonly node: string;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** Idempotency-Key. */
  readonly key?: string;
  readonly body?: unknown;
  /** Seconds for which it asked to be answered only when there is more to tell (`Prefer: wait`). */
  readonly wait?: number;
  readonly from: number;
  /** When the answer was there or the client gave up; Infinity while it is under way. What was given up may still happen. */
  readonly until: number;
  /** 0 without an answer. */
  readonly status: number;
  /** The answer as it came; without one, why, if that is known. */
  readonly text: string;
};

/** Pieces of a SKU, of all its warehouses together, when the history begins. */
export type StartStock = {
  readonly sku: string;
  readonly received: number;
  readonly adjusted: number;
  /** Committed, picked and shipped. */
  readonly sold: number;
};

export type History = {
  /** In the order in which they were begun. */
  readonly exchanges: readonly Exchange[];
  /** Clients who may see what belongs to others. */
  readonly staff: ReadonlySet<string>;
  /** A SKU that isn't named here began with nothing. */
  readonly start: readonly StartStock[];
  /** From here on nothing was under way any more: what was begun after it has read the outcome. */
  readonly settledAt?: number;
};

export type Ask = {
  readonly method: string;
  readonly path: string;
  readonly key?: string | undefined;
  readonly body?: unknown;
  readonly wait?: number | undefined;
};

export type Answer = { readonly status: number; readonly text: string };

/** No answer: it may have happened, or happen yet. */
export const NO_ANSWER: Answer = { status: 0, text: '' };

export type Recorder = {
  /** To be called before the request is sent; what it returns is called with the answer, or `NO_ANSWER`. */
  begin(client: string, node: string, ask: Ask): (answer: Answer) => void;
  /** Nothing is under way any more; the outcome is read from here on. */
  settled(): void;
  /** As it is now: what is under way has no answer. */
  history(): History;
};

export type RecorderOptions = {
  /** Monotonic, in ms. */
  readonly now: () => number;
  /** Clients who may see what belongs to others. */
  readonly staff?: readonly string[];
  readonly start?: readonly StartStock[];
};

export function createRecorder({ now, staff = [], start = [] }: RecorderOptions): Recorder {
  const exchanges: Exchange[] = [];
  let settledAt: number | undefined;
  return {
    begin(client, node, { method, path, key, body, wait }) {
      const index = exchanges.length;
      const optional = { ...(key !== undefined && { key }), ...(wait !== undefined && { wait }) };
      const begun = { client, node, method, path, ...optional, body, from: now() };
      exchanges.push({ ...begun, until: Number.POSITIVE_INFINITY, ...NO_ANSWER });
      return ({ status, text }) => {
        exchanges[index] = { ...begun, until: now(), status, text };
      };
    },
    settled() {
      settledAt = now();
    },
    history: () => ({
      exchanges: exchanges.slice(),
      staff: new Set(staff),
      start,
      ...(settledAt !== undefined && { settledAt }),
    }),
  };
}

const MARKER = /zq((?:[0-9a-f]{2})+)qz/g;

/** A word that a client writes into names, notes and addresses: wherever it turns up, it tells whose they are. */
export function markerOf(client: string): string {
  return `zq${Buffer.from(client).toString('hex')}qz`;
}

/** The clients whose markers are in a text, each once. */
export function markedIn(text: string): readonly string[] {
  const found = new Set([...text.matchAll(MARKER)].map(([, hex = '']) => hex));
  return [...found].map((hex) => Buffer.from(hex, 'hex').toString());
}
