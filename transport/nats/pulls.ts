/**
 * What a consumer of the broker delivers, asked for by one pull after the other. Never more is under way and waiting than a
 * named limit; it ends on silence, on a lost message and on any error, and says why.
 */
import { createInbox, type Msg, type NatsConnection, nanos, type Subscription } from 'nats';
import { isConnected } from './connected.ts';

export type StreamMessage = {
  readonly sequence: number;
  /** When the broker stored it, in ns since the epoch, as it wrote it. */
  readonly stamp: string;
  readonly data: Uint8Array;
};

/** Messages asked for or waiting for their handler, at most. */
export const READ_AHEAD = 256;
/** Bytes of one pull; the largest message must fit. At most twice as much waits. */
const READ_AHEAD_BYTES = 8 * 1024 * 1024;
/** The broker ends a pull after this long, and is asked again. */
const PULL_EXPIRES_MS = 30_000;
const HEARTBEAT_MS = 1_000;
/** Without a sign of the broker for so long, the consumer is taken for lost. */
const SILENCE_MS = 2_500;

const HEARTBEAT = 100;
/** No messages, time is up, and limits of this pull reached: ask again. */
const PULL_ENDS: readonly number[] = [404, 408, 409];

export class Pulls {
  readonly #nc: NatsConnection;
  readonly #subject: string;
  readonly #signal: AbortSignal;
  readonly #inbox = createInbox();
  readonly #subscription: Subscription;
  readonly #watch: NodeJS.Timeout;
  readonly #onAbort = (): void => this.#end('stopped');
  readonly #waiting: StreamMessage[] = [];
  /** Of the pull that is under way, what hasn't come yet. */
  #asked = 0;
  /** The consumer's number of the newest message. */
  #delivered = 0;
  #heardAt = performance.now();
  #ended: string | undefined;
  #wake = (): void => undefined;

  /** `subject` asks the consumer for its next messages. */
  constructor(nc: NatsConnection, subject: string, signal: AbortSignal) {
    this.#nc = nc;
    this.#subject = subject;
    this.#signal = signal;
    this.#subscription = nc.subscribe(this.#inbox, {
      callback: (error, message) => {
        if (error) this.#end(error.message);
        else if (this.#ended === undefined) this.#receive(message);
      },
    });
    this.#watch = setInterval(() => this.#look(), HEARTBEAT_MS / 2);
    signal.addEventListener('abort', this.#onAbort, { once: true });
    if (signal.aborted) this.#onAbort();
    this.#pull();
  }

  /** The next message; undefined once all that came before the end was handed over, or the signal aborted. */
  async next(): Promise<StreamMessage | undefined> {
    while (this.#waiting.length === 0 && this.#ended === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#signal.aborted) return undefined;
    const message = this.#waiting.shift();
    this.#pull();
    return message;
  }

  /** Why it ended; undefined while it hasn't. */
  get ended(): string | undefined {
    return this.#ended;
  }

  close(): void {
    clearInterval(this.#watch);
    this.#signal.removeEventListener('abort', this.#onAbort);
    if (!this.#nc.isClosed()) this.#subscription.unsubscribe();
  }

  #end(why: string): void {
    this.#ended ??= why;
    this.#wake();
  }

  #pull(): void {
    if (this.#asked > 0 || this.#waiting.length > READ_AHEAD / 2 || this.#ended !== undefined) return;
    this.#asked = READ_AHEAD - this.#waiting.length;
    this.#heardAt = performance.now();
    const request = {
      batch: this.#asked,
      max_bytes: READ_AHEAD_BYTES,
      expires: nanos(PULL_EXPIRES_MS),
      idle_heartbeat: nanos(HEARTBEAT_MS),
    };
    try {
      this.#nc.publish(this.#subject, JSON.stringify(request), { reply: this.#inbox });
    } catch (error) {
      this.#end(error instanceof Error ? error.message : String(error));
    }
  }

  #receive(message: Msg): void {
    this.#heardAt = performance.now();
    const origin = originOf(message.reply);
    if (origin === undefined) {
      this.#status(message.headers?.code ?? 0, message.headers?.description ?? '');
      return;
    }
    // A number is missing: the broker dropped something on the way here. What came before it is still handed over.
    if (origin.delivery !== this.#delivered + 1) {
      this.#end('a message was lost on its way');
      return;
    }
    this.#delivered = origin.delivery;
    this.#asked -= 1;
    this.#waiting.push({ sequence: origin.sequence, stamp: origin.stamp, data: message.data });
    this.#wake();
    this.#pull();
  }

  #status(code: number, description: string): void {
    if (code === HEARTBEAT) return;
    if (!PULL_ENDS.includes(code) || /consumer deleted/i.test(description)) {
      this.#end(`the broker answered ${code} ${description}`);
      return;
    }
    this.#asked = 0;
    this.#pull();
  }

  #look(): void {
    if (!isConnected(this.#nc)) this.#end('the connection was lost');
    else if (this.#asked > 0 && performance.now() - this.#heardAt > SILENCE_MS)
      this.#end('nothing heard from the broker');
  }
}

type Origin = { readonly sequence: number; readonly delivery: number; readonly stamp: string };

/** `$JS.ACK.[domain.account.]stream.consumer.tries.sequence.delivery.time.pending[.token]`, as what a consumer sends carries it. */
function originOf(reply: string | undefined): Origin | undefined {
  if (!reply?.startsWith('$JS.ACK.')) return undefined;
  const parts = reply.split('.');
  const skipped = parts.length >= 11 ? 2 : 0;
  const [sequence, delivery, stamp = ''] = parts.slice(5 + skipped);
  return { sequence: Number(sequence), delivery: Number(delivery), stamp };
}
