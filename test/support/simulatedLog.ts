/**
 * Shard logs in memory, for several nodes at once, with the faults of a broker and its network. What claims, repeats and
 * judges is the real code; only the stream below it is simulated, so that what holds here holds over a broker that keeps
 * the same promises. The same seed gives the same run.
 */
import { LogUnanswered, LogUnreadable, type SharedLog } from '../../actors/kernel/clusterPorts.ts';
import { decodeWire, encodeWire } from '../../storage/wireCodec.ts';
import { assembleSharedLog } from '../../transport/nats/log/assemble.ts';
import type { PublishingTimes } from '../../transport/nats/log/publishing.ts';
import type { Expectation, LogStream, Published, StoredEntry } from '../../transport/nats/log/stream.ts';

/** Shares of the attempts that end so, in [0, 1]. */
export type LogFaults = {
  /** The attempt never arrives. */
  readonly lost: number;
  /** It is stored, the answer is lost. */
  readonly ackLost: number;
  /** It arrives only after the sender has given up waiting. */
  readonly late: number;
  /** Nobody serves the stream. */
  readonly absent: number;
  /** A question about the log goes unanswered. */
  readonly mute: number;
  /** Longest time on the way, in ms. */
  readonly delayMs: number;
};

export const NO_FAULTS: LogFaults = { lost: 0, ackLost: 0, late: 0, absent: 0, mute: 0, delayMs: 0 };

const ANSWER_MS = 2_000;
const LATE_MS = 3_000;

export type SimulatedLogOptions = {
  readonly shards: number;
  readonly times: PublishingTimes;
  /** In [0, 1). */
  readonly random: () => number;
  readonly maxPayload?: number;
  /** As with one replica; true by default. */
  readonly comparesIds?: boolean;
};

export type SimulatedLogs = {
  /** Another one for each node: claims of one aren't the other's. */
  node(): SharedLog;
  /** From now on. */
  faults(faults: LogFaults): void;
  /** Cuts the shard's log off from everybody, or joins it again. */
  cut(shard: number, cut: boolean): void;
  /** The shard's broker restarts after a long idle time: it has forgotten every id. */
  forgetIds(shard: number): void;
  /** The broker loses the newest entries. */
  loseTail(shard: number, entries: number): void;
  trim(shard: number, upTo: number): void;
  fill(shard: number, full: boolean): void;
  /** Writes what no node of ours would. */
  plant(shard: number, id: string, payload: Uint8Array): void;
  /** Problems that followers told operators. */
  readonly said: readonly string[];
};

/** What the broker keeps of one shard. */
type Kept = {
  first: number;
  entries: StoredEntry[];
  ids: Map<string, number>;
  newestId: string;
  cut: boolean;
  full: boolean;
  wake: Set<() => void>;
};

export function simulateLogs(options: SimulatedLogOptions): SimulatedLogs {
  const { shards, times } = options;
  const kept = Array.from({ length: shards }, emptyShard);
  const said: string[] = [];
  const network: Network = { options, faults: NO_FAULTS };
  const at = (shard: number): Kept => {
    const found = kept[shard];
    if (!found) throw new Error(`there is no shard ${shard}`);
    return found;
  };
  let nonces = 0;
  const say = (_fields: object, text: string): void => void said.push(text);
  return {
    said,
    node: () =>
      assembleSharedLog({
        streams: kept.map((shard, index) => simulatedStream(`simulated-${index}`, shard, network)),
        wire: { encode: encodeWire, decode: decodeWire },
        times,
        now: times.monotonic,
        nonce: () => `nonce-${nonces++}`,
        logger: { warn: say, error: say },
      }),
    faults(faults) {
      network.faults = faults;
    },
    cut(shard, cut) {
      at(shard).cut = cut;
      wake(at(shard));
    },
    forgetIds(shard) {
      at(shard).ids.clear();
      at(shard).newestId = '';
    },
    loseTail(shard, entries) {
      const log = at(shard);
      for (const { id } of log.entries.splice(-entries)) log.ids.delete(id);
      log.newestId = log.entries.at(-1)?.id ?? '';
      wake(log);
    },
    trim(shard, upTo) {
      const log = at(shard);
      log.entries = log.entries.filter(({ position }) => position > upTo);
      log.first = upTo + 1;
    },
    fill(shard, full) {
      at(shard).full = full;
    },
    plant(shard, id, payload) {
      store(at(shard), id, payload);
    },
  };
}

const emptyShard = (): Kept => ({
  first: 1,
  entries: [],
  ids: new Map(),
  newestId: '',
  cut: false,
  full: false,
  wake: new Set(),
});

const lastOf = ({ first, entries }: Kept): number => first + entries.length - 1;

function wake(shard: Kept): void {
  const waiting = [...shard.wake];
  shard.wake.clear();
  for (const task of waiting) task();
}

function store(shard: Kept, id: string, payload: Uint8Array): number {
  const position = lastOf(shard) + 1;
  shard.entries.push({ position, id, payload });
  shard.ids.set(id, position);
  shard.newestId = id;
  wake(shard);
  return position;
}

type Arriving = {
  readonly id: string;
  readonly payload: Uint8Array;
  readonly expected: Expectation;
  readonly comparesIds: boolean;
};

/** In the order in which the broker checks. */
function arrive(shard: Kept, { id, payload, expected, comparesIds }: Arriving): Published {
  if (shard.full) return { kind: 'refused', fault: 'store', reason: 'no room' };
  const known = comparesIds ? shard.ids.get(id) : undefined;
  if (known !== undefined) return { kind: 'stored', position: known };
  if (expected.position !== lastOf(shard)) {
    return { kind: 'contradicted', about: 'position', reason: `wrong last sequence: ${lastOf(shard)}` };
  }
  if (comparesIds && expected.id !== undefined && expected.id !== shard.newestId) {
    return { kind: 'contradicted', about: 'id', reason: `wrong last msg ID: ${shard.newestId}` };
  }
  return { kind: 'stored', position: store(shard, id, payload) };
}

type Network = { readonly options: SimulatedLogOptions; faults: LogFaults };

function simulatedStream(name: string, shard: Kept, network: Network): LogStream {
  const { times, random, maxPayload = Number.POSITIVE_INFINITY, comparesIds = true } = network.options;
  const after = (ms: number): Promise<void> => new Promise((resolve) => times.delay(ms, resolve));
  const onTheWay = (): Promise<void> => after(random() * network.faults.delayMs);
  const unknown = { kind: 'unknown', reason: 'no answer' } as const;

  async function publish(id: string, payload: Uint8Array, expected: Expectation): Promise<Published> {
    const { lost, ackLost, late, absent } = network.faults;
    const arriving = { id, payload, expected, comparesIds };
    if (payload.length > maxPayload) return { kind: 'refused', fault: 'record', reason: 'more than max_payload' };
    const chance = random();
    await onTheWay();
    if (shard.cut || chance < lost) {
      await after(ANSWER_MS);
      return unknown;
    }
    if (chance < lost + ackLost) {
      arrive(shard, arriving);
      await after(ANSWER_MS);
      return unknown;
    }
    if (chance < lost + ackLost + late) {
      times.delay(LATE_MS * random() + ANSWER_MS, () => arrive(shard, arriving));
      await after(ANSWER_MS);
      return unknown;
    }
    if (chance < lost + ackLost + late + absent) return { kind: 'absent', reason: 'no responders' };
    const published = arrive(shard, arriving);
    await onTheWay();
    return published;
  }

  async function question<Answer>(answer: () => Answer): Promise<Answer> {
    const mute = random() < network.faults.mute;
    await onTheWay();
    if (!mute && !shard.cut) return answer();
    await after(ANSWER_MS);
    throw new LogUnanswered('no answer');
  }

  return {
    name,
    closed: false,
    comparesIds,
    whenUp: async () => undefined,
    publish,
    read: (position) => question(() => shard.entries[position - shard.first]),
    bounds: () => question(() => ({ first: shard.first, last: lastOf(shard) })),
    tail(start, { entry, failed }) {
      let stopped = false;
      const fail = (error: LogUnreadable): void => {
        if (!stopped) failed(error);
        stopped = true;
      };
      async function deliver(): Promise<void> {
        let taken: string | undefined;
        const holds = (position: number): boolean =>
          taken === undefined || (shard.entries[position - shard.first]?.id ?? taken) === taken;
        for (let position = start + 1; !stopped; position++) {
          while (!stopped && (shard.cut || position > lastOf(shard))) {
            if (position > lastOf(shard) + 1) return fail(new LogUnreadable(`ends at ${lastOf(shard)}`, 'rewound'));
            await new Promise<void>((resolve) => shard.wake.add(resolve));
          }
          await onTheWay();
          if (!holds(position - 1))
            return fail(new LogUnreadable(`holds something else at ${position - 1}`, 'rewound'));
          const stored = shard.entries[position - shard.first];
          if (stopped) return;
          if (!stored) return fail(new LogUnreadable(`begins at ${shard.first}`, 'trimmed'));
          await entry(stored);
          taken = stored.id;
        }
      }
      deliver().catch((error: unknown) => {
        fail(error instanceof LogUnreadable ? error : new LogUnreadable('not taken', 'entry', { cause: error }));
      });
      return {
        stop() {
          stopped = true;
          wake(shard);
        },
      };
    },
  };
}

export type SimulatedTime = PublishingTimes & {
  /** Answers how to cancel it. */
  readonly delay: (ms: number, task: () => void) => () => void;
  /** Lets time pass until what is awaited has settled. */
  until<Value>(awaited: Promise<Value>): Promise<Value>;
};

/** A clock that jumps from one task to the next. Tasks of one moment run in the order in which they were set. */
export function simulateTime(): SimulatedTime {
  let now = 0;
  let tasks: { readonly at: number; readonly task: () => void }[] = [];
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    monotonic: () => now,
    delay(ms, task) {
      const planned = { at: now + ms, task };
      tasks.push(planned);
      return () => {
        tasks = tasks.filter((each) => each !== planned);
      };
    },
    async until(awaited) {
      let settled = false;
      const mark = (): void => {
        settled = true;
      };
      awaited.then(mark, mark);
      for (await turn(); !settled; await turn()) {
        const next = tasks.reduce<(typeof tasks)[number] | undefined>(
          (first, each) => (first && first.at <= each.at ? first : each),
          undefined,
        );
        // Then it waits for something real.
        if (!next) continue;
        tasks = tasks.filter((each) => each !== next);
        now = Math.max(now, next.at);
        next.task();
      }
      return awaited;
    },
  };
}
