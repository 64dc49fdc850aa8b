/**
 * Any aggregate as it is, as it was at a version or a time, and everything that happened to it. Made from what is durable.
 * The past is folded from the log in pieces, since a popular SKU's is long.
 */
import { type Address, addressKey } from '../actors/kernel/address.ts';
import type { Versioned as VersionedEvent } from '../actors/kernel/decider.ts';
import type { StoredCommit } from '../actors/kernel/ports.ts';
import type { History } from '../storage/history.ts';
import { type AnyDecider, evolveAll } from './memory.ts';
import { otherWork } from './pieces.ts';

/** A version, or a time in ms since the epoch: the newest version that was there then. */
export type AsOf = { readonly version: number } | { readonly at: number };

export type TimerAt = { readonly name: string; readonly at: number };

export type StateAsOf<State = unknown> = {
  readonly state: State;
  readonly version: number;
  /** When this version came to be, in ms since the epoch. */
  readonly at: number;
  readonly by?: string;
  /** What it would have done by itself, and when, earliest first. */
  readonly timers: readonly TimerAt[];
};

export type EventPosition = { readonly seq: number; readonly index: number };

export type PastEvent = {
  readonly event: VersionedEvent;
  /** Of the aggregate after it; events of one decision share it. */
  readonly version: number;
  readonly at: number;
  /** Id of the message that it answers. */
  readonly cause: string;
  /** On whose behalf, when a request of the edge caused it. */
  readonly by?: string;
  readonly position: EventPosition;
};

export type EventQuery = {
  readonly limit: number;
  readonly after?: EventPosition | undefined;
  /** Only what had happened by this time. */
  readonly until?: number | undefined;
};

export type Inspection = {
  /** Undefined when there was nothing then, or no such version. */
  asOf<State>(address: Address, when: AsOf): Promise<StateAsOf<State> | undefined>;
  /** Oldest first; one more than `limit` when there are more. */
  events(address: Address, query: EventQuery): Promise<readonly PastEvent[]>;
};

const PIECE = 500;

export function createInspection(deciders: Readonly<Record<string, AnyDecider>>, history: History): Inspection {
  async function* commitsOf(address: Address, after: number): AsyncGenerator<StoredCommit> {
    const key = addressKey(address);
    for (let seq = after; ; ) {
      const piece = history(key, seq, PIECE);
      yield* piece;
      const last = piece.at(-1);
      if (piece.length < PIECE || last === undefined) return;
      seq = last.seq;
      await otherWork();
    }
  }

  return {
    async asOf<State>(address: Address, when: AsOf) {
      const decider = Object.hasOwn(deciders, address.type) ? deciders[address.type] : undefined;
      if (!decider) return undefined;
      const timers = new Map<string, number>();
      let found: Omit<StateAsOf, 'timers'> | undefined;
      let state = decider.initial(address.id);
      for await (const commit of commitsOf(address, 0)) {
        const { version, at, by, events } = commit;
        if ('version' in when ? version > when.version : at > when.at) break;
        state = evolveAll(decider, state, events);
        noteTimers(timers, commit);
        if (events.length > 0) found = { state, version, at, ...(by !== undefined && { by }) };
      }
      if (!found || ('version' in when && found.version !== when.version)) return undefined;
      return { ...found, timers: inOrder(timers) } as StateAsOf<State>;
    },
    async events(address, { limit, after, until }) {
      const found: PastEvent[] = [];
      for await (const commit of commitsOf(address, (after?.seq ?? 1) - 1)) {
        if (until !== undefined && commit.at > until) break;
        found.push(...eventsOf(commit).filter(({ position }) => isAfter(position, after)));
        if (found.length > limit) break;
      }
      return found.slice(0, limit + 1);
    },
  };
}

function eventsOf({ seq, version, at, cause, by, events }: StoredCommit): PastEvent[] {
  return events.map((event, index) => ({
    event,
    version,
    at,
    cause,
    ...(by !== undefined && { by }),
    position: { seq, index },
  }));
}

function isAfter({ seq, index }: EventPosition, after: EventPosition | undefined): boolean {
  return after === undefined || seq > after.seq || index > after.index;
}

/** What a commit sets and clears, on what was pending before it: names with their times. */
export function noteTimers(pending: Map<string, number>, { timers }: StoredCommit): void {
  for (const change of timers) {
    if ('set' in change) pending.set(change.set, change.at);
    else pending.delete(change.clear);
  }
}

export function inOrder(timers: ReadonlyMap<string, number>): readonly TimerAt[] {
  return [...timers].map(([name, at]) => ({ name, at })).sort((a, b) => a.at - b.at);
}
