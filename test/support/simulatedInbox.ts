/** Inboxes in memory, with the faults of a real broker by a seed: what is in doubt is doubled, late, or told too late. */
import { EnvelopeRefused, type Inbox, InboxUnavailable } from '../../actors/kernel/clusterPorts.ts';
import type { Envelope } from '../../actors/kernel/message.ts';
import type { Timeline } from './timeline.ts';

/** Shares in [0, 1]. */
export type InboxFaults = {
  /** Puts that are not stored, as if the broker could not be reached. */
  readonly refused: number;
  /** Puts that are stored although the sender is told that this isn't known. */
  readonly ackLost: number;
  /** Puts that are stored a second time. */
  readonly doubled: number;
  readonly longestDelayMs: number;
};

const NO_INBOX_FAULTS: InboxFaults = { refused: 0, ackLost: 0, doubled: 0, longestDelayMs: 1 };

export type SimulatedInboxOptions = {
  readonly timeline: Timeline;
  readonly random: () => number;
  readonly faults?: InboxFaults;
  readonly maxInFlight?: number;
  readonly maxBytes?: number;
};

type Entry = { readonly offset: number; readonly json: string };
type Stream = { readonly entries: Entry[]; readonly ids: Set<string>; end: number; readonly readers: Set<() => void> };

/** Before the same message is handed over again. */
const HANDLER_PAUSE_MS = 10;

export function createSimulatedInbox(options: SimulatedInboxOptions): Inbox {
  const { timeline, random, faults = NO_INBOX_FAULTS, maxInFlight = 4_096, maxBytes = 1024 * 1024 } = options;
  const streams = new Map<number, Stream>();
  let inFlight = 0;
  const happens = (share: number): boolean => random() < share;
  const later = (): Promise<void> =>
    new Promise((resolve) => {
      timeline.delay(random() * faults.longestDelayMs, resolve);
    });

  function streamOf(shard: number): Stream {
    const stream = streams.get(shard) ?? { entries: [], ids: new Set(), end: 0, readers: new Set() };
    streams.set(shard, stream);
    return stream;
  }

  function store(shard: number, envelope: Envelope): void {
    const stream = streamOf(shard);
    if (stream.ids.has(envelope.id) && !happens(faults.doubled)) return;
    stream.ids.add(envelope.id);
    stream.end += 1;
    stream.entries.push({ offset: stream.end, json: encoded(envelope) });
    for (const wake of stream.readers) wake();
  }

  return {
    async put(shard, envelope) {
      if (inFlight >= maxInFlight) throw new InboxUnavailable(`${inFlight} messages are on their way already`);
      if (encoded(envelope).length > maxBytes) throw new EnvelopeRefused(`${envelope.id} is too large`);
      inFlight += 1;
      try {
        await later();
        if (happens(faults.refused)) throw new InboxUnavailable('simulated: not reached');
        store(shard, envelope);
        if (happens(faults.doubled)) store(shard, envelope);
        await later();
        if (happens(faults.ackLost)) throw new InboxUnavailable('simulated: stored, but the answer was lost');
      } finally {
        inFlight -= 1;
      }
    },

    read(shard, after, on) {
      const stream = streamOf(shard);
      let stopped = false;
      let wake = (): void => undefined;
      const onNews = (): void => wake();
      stream.readers.add(onNews);
      void (async () => {
        let last = after;
        while (!stopped) {
          const entry = stream.entries.find(({ offset }) => offset > last);
          if (entry === undefined) {
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
            continue;
          }
          await later();
          if (stopped) return;
          try {
            await on(entry.offset, JSON.parse(entry.json));
            last = entry.offset;
          } catch {
            await new Promise<void>((resolve) => {
              timeline.delay(HANDLER_PAUSE_MS, resolve);
            });
          }
        }
      })();
      return {
        stop() {
          stopped = true;
          stream.readers.delete(onNews);
          wake();
        },
      };
    },

    async trim(shard, upTo) {
      const { entries, end } = streamOf(shard);
      if (upTo > end) return;
      const kept = entries.findIndex(({ offset }) => offset > upTo);
      entries.splice(0, kept === -1 ? entries.length : kept);
    },
  };
}

/** The deadline is on the sender's own clock. */
function encoded({ deadline: _, carries, ...rest }: Envelope): string {
  const { deadline: __, ...carried } = carries ?? {};
  return JSON.stringify({ ...rest, ...(carries && { carries: carried }) });
}
