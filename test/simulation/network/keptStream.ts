/** What the broker keeps of one stream: entries by number, and the ids that it remembers. It may lose its newest ones. */
import type { Line } from './line.ts';

export type Kept<Payload> = {
  readonly position: number;
  readonly id: string;
  readonly payload: Payload;
  /** In simulated ms. */
  readonly at: number;
};

export class KeptStream<Payload> {
  first = 1;
  entries: Kept<Payload>[] = [];
  newestId = '';
  readonly #ids = new Map<string, number>();
  readonly #waiting = new Set<() => void>();

  get last(): number {
    return this.first + this.entries.length - 1;
  }

  at(position: number): Kept<Payload> | undefined {
    return this.entries[position - this.first];
  }

  /** Nothing else stands there, as far as is known. */
  holds(position: number, id: string | undefined): boolean {
    const found = this.at(position);
    return id === undefined || found === undefined || found.id === id;
  }

  known(id: string): number | undefined {
    return this.#ids.get(id);
  }

  store(id: string, payload: Payload, at: number): number {
    const position = this.last + 1;
    this.entries.push({ position, id, payload, at });
    this.#ids.set(id, position);
    this.newestId = id;
    this.#wake();
    return position;
  }

  /** As after a restart that comes later than the window in which ids are remembered. */
  forgetIds(): void {
    this.#ids.clear();
    this.newestId = '';
  }

  /** Loses what was stored after the moment, but for what may not be lost and all before that; answers it. */
  loseSince(moment: number, mayBeLost: (entry: Kept<Payload>) => boolean = () => true): readonly Kept<Payload>[] {
    const end = this.entries.findLastIndex((entry) => entry.at <= moment || !mayBeLost(entry)) + 1;
    const lost = this.entries.slice(end);
    this.entries = this.entries.slice(0, end);
    for (const { id } of lost) this.#ids.delete(id);
    this.newestId = this.entries.at(-1)?.id ?? '';
    this.#wake();
    return lost;
  }

  trim(upTo: number): void {
    const gone = Math.min(upTo, this.last) - this.first + 1;
    if (gone <= 0) return;
    this.entries.splice(0, gone);
    this.first += gone;
  }

  onNews(task: () => void): void {
    this.#waiting.add(task);
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const task of waiting) task();
  }
}

export type TailEnd = 'rewound' | 'trimmed';

/**
 * Hands over what stands behind a position, one after the other, for as long as it isn't stopped. Runs in the process of
 * the line.
 */
export function tail<Payload>(
  stream: KeptStream<Payload>,
  line: Line,
  after: number,
  on: { readonly entry: (entry: Kept<Payload>) => unknown; readonly ended: (how: TailEnd) => void },
): { stop(): void } {
  let stopped = false;
  const arrival = (): Promise<boolean> => new Promise((resolve) => line.push(resolve));
  const news = (): Promise<void> => new Promise((resolve) => stream.onNews(() => line.push(() => resolve())));
  const up = (): Promise<void> => new Promise((resolve) => line.whenUp(resolve));

  async function deliver(): Promise<void> {
    let position = after + 1;
    let taken: string | undefined;
    while (!stopped) {
      if (!line.up) {
        await up();
      } else if (position > stream.last + 1 || !stream.holds(position - 1, taken)) {
        return on.ended('rewound');
      } else if (position < stream.first) {
        return on.ended('trimmed');
      } else {
        const entry = stream.at(position);
        if (entry === undefined) {
          await news();
        } else if (await arrival()) {
          if (stopped) return;
          await on.entry(entry);
          position += 1;
          taken = entry.id;
        }
      }
    }
  }

  void deliver();
  return {
    stop() {
      stopped = true;
    },
  };
}
