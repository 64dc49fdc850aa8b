/**
 * Open streams of server-sent events (WHATWG HTML, section 9.2): how many there may be, their heartbeats, and their end.
 * A stream takes from the feed only what its client has room for; one that takes nothing for two heartbeats is ended.
 */
import { Readable } from 'node:stream';
import type { Follower, FollowFrom } from '../supervisors/changeFeed.ts';
import type { Principal } from './auth.ts';
import { Problem, unavailable } from './problem.ts';
import { changeView } from './views/change.ts';

/** Each costs a connection and some KB. */
const MAX_STREAMS = 2_000;
/** Of one customer: all tabs and devices. */
const MAX_PER_PRINCIPAL = 20;
const HEARTBEAT_MS = 30_000;
/** Heartbeats that find the last one's bytes still waiting for the client. */
const MAX_STALLED_BEATS = 2;
/** When a stream ends the client comes back after so long, and not all of them at once. */
const RETRY_MS = 1_000;
const RETRY_SPREAD_MS = 2_000;
const COME_BACK_SECONDS = 5;

export type StreamOptions = {
  readonly principal: Principal;
  /** Opens the feed; `isReset` when it doesn't go on where the client was. */
  readonly follow: (
    from: Pick<FollowFrom, 'wake'>,
  ) => Promise<{ readonly follower: Follower; readonly isReset: boolean }>;
  /** Whether the caller may still listen. What it throws is no answer to that. */
  readonly isAllowed: () => Promise<boolean>;
};

export interface EventStreams {
  readonly count: number;
  /** @throws Problem 429, 503; what `follow` throws */
  open(options: StreamOptions): Promise<Readable>;
  /** Ends all streams and opens no more. */
  stop(): void;
}

export function createEventStreams(heartbeatMs = HEARTBEAT_MS, random: () => number = Math.random): EventStreams {
  const streams = new Set<EventStream>();
  const counts = new Map<string, number>();
  let stopped = false;

  function admit(sub: string): void {
    if (stopped || streams.size >= MAX_STREAMS) throw unavailable('Too many listen at once.', COME_BACK_SECONDS);
    if ((counts.get(sub) ?? 0) < MAX_PER_PRINCIPAL) return;
    throw new Problem(429, 'events.too-many-streams', `You listen ${MAX_PER_PRINCIPAL} times already.`, {
      headers: { 'Retry-After': String(COME_BACK_SECONDS) },
    });
  }

  return {
    get count() {
      return streams.size;
    },
    async open({ principal: { sub }, follow, isAllowed }) {
      admit(sub);
      const stream = new EventStream(isAllowed, heartbeatMs);
      // Counted before anything is waited for: else many could pass at once.
      streams.add(stream);
      counts.set(sub, (counts.get(sub) ?? 0) + 1);
      stream.once('close', () => {
        streams.delete(stream);
        const left = (counts.get(sub) ?? 1) - 1;
        if (left > 0) counts.set(sub, left);
        else counts.delete(sub);
      });
      try {
        const { follower, isReset } = await follow({ wake: () => stream.wake() });
        stream.begin(follower, isReset, RETRY_MS + Math.floor(random() * RETRY_SPREAD_MS));
        return stream;
      } catch (error) {
        stream.destroy();
        throw error;
      }
    },
    stop() {
      stopped = true;
      for (const stream of streams) stream.finish();
    },
  };
}

class EventStream extends Readable {
  readonly #isAllowed: () => Promise<boolean>;
  readonly #beat: NodeJS.Timeout;
  #follower: Follower | undefined;
  /** The client has room. */
  #wanted = false;
  #woken = false;
  #stalledBeats = 0;
  #finished = false;

  constructor(isAllowed: () => Promise<boolean>, heartbeatMs: number) {
    super();
    this.#isAllowed = isAllowed;
    this.#beat = setInterval(() => void this.#heartbeat(), heartbeatMs);
  }

  begin(follower: Follower, isReset: boolean, retryMs: number): void {
    if (this.destroyed || this.#finished) {
      follower.stop();
      return;
    }
    this.#follower = follower;
    this.push(`retry: ${retryMs}\n\n`);
    const id = `id: ${follower.cursor()}\n`;
    this.push(isReset ? `event: reset\n${id}data: {}\n\n` : `: listening\n${id}\n`);
    this.#fill();
  }

  /** Called while tables are being written. */
  wake(): void {
    if (this.#woken) return;
    this.#woken = true;
    setImmediate(() => {
      this.#woken = false;
      this.#fill();
    });
  }

  /** In good order: what was taken from the feed still goes out. */
  finish(): void {
    if (this.destroyed || this.#finished) return;
    this.#finished = true;
    clearInterval(this.#beat);
    this.#wanted = false;
    this.#follower?.stop();
    this.#follower = undefined;
    this.push(null);
  }

  override _read(): void {
    this.#wanted = true;
    this.#stalledBeats = 0;
    this.#fill();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearInterval(this.#beat);
    this.#follower?.stop();
    this.#follower = undefined;
    callback(error);
  }

  #fill(): void {
    while (this.#wanted && this.#follower && !this.destroyed) {
      const told = this.#follower.next();
      if (told.length === 0) return;
      for (const { cursor, change } of told) {
        const { event, data } = changeView(change);
        this.#wanted = this.push(`event: ${event}\nid: ${cursor}\ndata: ${JSON.stringify(data)}\n\n`);
      }
    }
  }

  async #heartbeat(): Promise<void> {
    if (!this.#follower) return;
    if (!this.#wanted && ++this.#stalledBeats >= MAX_STALLED_BEATS) {
      this.destroy();
      return;
    }
    const isAllowed = await this.#isAllowed().catch(() => true);
    if (!this.#follower || this.destroyed) return;
    if (!isAllowed) this.finish();
    // An id without data moves the client's place on, and nobody is told anything.
    else if (this.#wanted) this.#wanted = this.push(`: heartbeat\nid: ${this.#follower.cursor()}\n\n`);
  }
}
