/** What is to happen, in the order of its time; what comes at the same moment in the order in which it was planned. */

export type Planned = { readonly at: number; readonly order: number; cancelled: boolean; readonly run: () => void };

/** A binary heap: simulations plan far more than they cancel. */
export class EventQueue {
  readonly #heap: Planned[] = [];
  #orders = 0;

  get size(): number {
    return this.#heap.length;
  }

  plan(at: number, run: () => void): Planned {
    const planned: Planned = { at, order: this.#orders++, cancelled: false, run };
    this.#heap.push(planned);
    this.#rise(this.#heap.length - 1);
    return planned;
  }

  next(): Planned | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    heap[0] = last;
    this.#sink();
    return first;
  }

  #rise(from: number): void {
    const heap = this.#heap;
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (!isBefore(heap[place] as Planned, heap[above] as Planned)) return;
      swap(heap, place, above);
      place = above;
    }
  }

  #sink(): void {
    const heap = this.#heap;
    for (let place = 0; ; ) {
      let least = place;
      for (const below of [2 * place + 1, 2 * place + 2]) {
        if (below < heap.length && isBefore(heap[below] as Planned, heap[least] as Planned)) least = below;
      }
      if (least === place) return;
      swap(heap, place, least);
      place = least;
    }
  }
}

const isBefore = (a: Planned, b: Planned): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

function swap(heap: Planned[], a: number, b: number): void {
  const kept = heap[a] as Planned;
  heap[a] = heap[b] as Planned;
  heap[b] = kept;
}
