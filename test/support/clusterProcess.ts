/** A simulated process and its connection to the broker: it crashes, pauses and wakes up, and is cut off. */
import type { Clock } from '../../actors/kernel/ports.ts';

type Task = () => void;

/** Simulated time: tasks run in the order of their times, each after what the one before caused has settled. */
export class SimulatedTime {
  #queue: { readonly at: number; readonly task: Task }[] = [];
  #now = 0;

  get now(): number {
    return this.#now;
  }

  /** Returns what cancels it. */
  after(ms: number, task: Task): Task {
    const event = { at: this.#now + ms, task };
    let place = this.#queue.length;
    while (place > 0 && (this.#queue[place - 1]?.at ?? 0) > event.at) place--;
    this.#queue.splice(place, 0, event);
    return () => {
      this.#queue = this.#queue.filter((each) => each !== event);
    };
  }

  /** Runs for so long, or until the condition holds; says whether it does. `watch` is called after each task. */
  async run(ms: number, until: () => boolean, watch: Task): Promise<boolean> {
    const end = this.#now + ms;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (until()) return true;
      const next = this.#queue[0];
      if (!next || next.at > end) break;
      this.#queue.shift();
      this.#now = next.at;
      next.task();
      watch();
    }
    this.#now = end;
    return until();
  }
}

const LATENCY_MS = 3;
const PING_MS = 500;
/** A connection comes back so long after the broker or the network that was away, at most. */
const RECONNECT_MS = 700;

export class SimulatedProcess {
  readonly #time: SimulatedTime;
  readonly #random: () => number;
  #crashed = false;
  #paused = false;
  #connected: boolean;
  /** When the newest ping that came back was sent. */
  #lastContact: number;
  #held: { readonly task: Task; readonly timer: boolean }[] = [];
  readonly #waiting: Task[] = [];
  /** What to do when the connection is back. */
  onConnected: Task = () => undefined;

  constructor(time: SimulatedTime, random: () => number, connected: boolean) {
    this.#time = time;
    this.#random = random;
    this.#connected = connected;
    this.#lastContact = time.now;
    this.#ping();
  }

  get running(): boolean {
    return !this.#crashed && !this.#paused;
  }

  get crashed(): boolean {
    return this.#crashed;
  }

  get connected(): boolean {
    return this.#connected;
  }

  get lastContact(): number {
    return this.#lastContact;
  }

  readonly clock: Pick<Clock, 'monotonic' | 'delay'> = {
    monotonic: () => this.#time.now,
    delay: (ms, task) => {
      let cancelled = false;
      const cancel = this.#time.after(ms, () => this.#run(() => cancelled || task(), true));
      return () => {
        cancelled = true;
        cancel();
      };
    },
  };

  /** Runs what was received: at once, when the process goes on, or never. */
  receive(task: Task): void {
    this.#run(task, false);
  }

  /** On its way for a moment; lost without a connection. */
  send(task: Task): void {
    if (this.#connected) this.#soon(() => this.#connected && task());
  }

  /** Asks the broker for something: while there is no connection, the question or the answer waits. */
  request<Value>(execute: () => Value): Promise<Value> {
    return new Promise((resolve, reject) => {
      this.#crossing(() => {
        try {
          const value = execute();
          this.#crossing(() => this.receive(() => resolve(value)));
        } catch (error) {
          this.#crossing(() => this.receive(() => reject(error)));
        }
      });
    });
  }

  crash(): void {
    this.#crashed = true;
    this.#connected = false;
  }

  pause(): void {
    this.#paused = true;
  }

  /** `first` runs before anything that waited. */
  resume(first: Task): void {
    this.#paused = false;
    first();
    // Timers that are due may run before or after what was received.
    const timersFirst = this.#random() < 0.5;
    const tasks = this.#held.toSorted((a, b) => Number(timersFirst === b.timer) - Number(timersFirst === a.timer));
    this.#held = [];
    for (const { task, timer } of tasks) this.#run(task, timer);
  }

  disconnect(): void {
    this.#connected = false;
  }

  /** Takes a while; `possible` is asked at its end. */
  reconnect(possible: () => boolean): void {
    this.#time.after(this.#random() * RECONNECT_MS, () => {
      if (this.#crashed || this.#connected || !possible()) return;
      this.#connected = true;
      for (const task of this.#waiting.splice(0)) task();
      this.onConnected();
    });
  }

  #run(task: Task, timer: boolean): void {
    if (this.#crashed) return;
    if (this.#paused) this.#held.push({ task, timer });
    else task();
  }

  #soon(task: Task): void {
    this.#time.after(this.#random() * LATENCY_MS, task);
  }

  #crossing(task: Task): void {
    if (this.#connected) this.#soon(() => (this.#connected ? task() : this.#waiting.push(() => this.#crossing(task))));
    else this.#waiting.push(() => this.#crossing(task));
  }

  #ping(): void {
    const sentAt = this.#time.now;
    this.send(() =>
      this.send(() =>
        this.receive(() => {
          this.#lastContact = Math.max(this.#lastContact, sentAt);
        }),
      ),
    );
    this.clock.delay(PING_MS, () => this.#ping());
  }
}
