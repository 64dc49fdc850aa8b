/**
 * The live actors of one shard: one nact actor per aggregate under the shard's supervisor. nact gives the mailbox and
 * the turn; what waits in it is also kept here, since nact forgets the message in hand when an actor is stopped.
 */
import { dispatch, type Ref, spawn, stop } from 'nact';
import type { Address, AddressKey } from '../actors/kernel/address.ts';
import { addressKey } from '../actors/kernel/address.ts';
import type { Envelope } from '../actors/kernel/message.ts';
import type { Settled } from '../actors/kernel/ports.ts';
import { isFromOutside } from './decideCommit.ts';
import type { Ticket } from './groupCommit.ts';
import type { AnyDecider, Memory } from './memory.ts';
import type { Turns } from './turns.ts';

/** Messages waiting for one actor. */
export const MAX_MAILBOX = 1_024;
/** Messages waiting in one shard. */
const MAX_SHARD_BACKLOG = 16_384;

/** A message on its way through an actor. */
export type Delivery = {
  readonly envelope: Envelope;
  readonly settle: (result: Settled) => void;
  /** On the monotonic clock, for the time spent waiting. */
  readonly arrivedAt: number;
  /** Name and generation, when it is a timer's message. */
  readonly timer?: { readonly name: string; readonly seq: number };
  /** How often it has crashed its actor. */
  crashes: number;
  /** Handed to nact, in whichever life of its actor. */
  handed: boolean;
};

/** One live aggregate. */
export type Actor = {
  readonly key: AddressKey;
  readonly address: Address;
  readonly decider: AnyDecider;
  readonly waiting: Delivery[];
  memory: Memory;
  ref: Ref<Delivery>;
  /** Ticket of its newest commit. */
  lastTicket: Ticket;
  touchedAt: number;
  /** Dead letters in a row; too many put it into quarantine. */
  strikes: number;
};

/** Which idle actors may stay in memory. */
export type StayBounds = {
  /** So many at most. */
  readonly keep: number;
  /** None that was last touched before this, in monotonic ms. */
  readonly before: number;
  /** With a timer until then (business time) an actor is at work, and so are all of its partition. */
  readonly soon: number;
};

export type ActorsOptions = {
  /** The shard's nact actor; it gets no messages itself: nact copies a parent's children for each one it handles. */
  readonly parent: Ref<never>;
  readonly deciderOf: (type: string) => AnyDecider | undefined;
  readonly load: (decider: AnyDecider, address: Address) => Memory;
  /** Handles one message; a throw is a crash of the actor. Synchronous: nact doesn't wait for it when it stops one. */
  readonly handle: (actor: Actor, delivery: Delivery) => void;
  readonly crashed: (actor: Actor, delivery: Delivery, error: Error) => void;
  readonly monotonic: () => number;
  readonly turns: Turns;
};

export type Actors = {
  find(key: AddressKey): Actor | undefined;
  /**
   * The live actor of this address, started if need be; undefined when no decider knows the type. Throws when its state
   * can't be rebuilt from what is stored.
   */
  obtain(address: Address): Actor | undefined;
  /** False when the mailbox or the shard's backlog is full: nothing happened. */
  dispatch(actor: Actor, delivery: Delivery): boolean;
  /** Stops an actor and starts it anew; what waited is delivered to the new one. */
  restart(actor: Actor): void;
  /** Stops idle actors, longest untouched first, and last those at work, until what stays is within the bounds. */
  passivate(bounds: StayBounds, mayStop: (actor: Actor) => boolean): number;
  /** Stops all; returns what was waiting. */
  stopAll(): Delivery[];
  readonly size: number;
  /** Messages waiting in all mailboxes. */
  readonly backlog: number;
};

export function createActors(options: ActorsOptions): Actors {
  const { parent, deciderOf, load, handle, crashed, monotonic, turns } = options;
  const live = new Map<AddressKey, Actor>();
  let backlog = 0;
  /** No live actor was touched before this: looking at all of them again would find nothing. */
  let noneBefore = Number.NEGATIVE_INFINITY;

  function start(actor: Actor): Ref<Delivery> {
    return spawn(
      parent as unknown as Ref<Delivery>,
      (state: Actor, delivery: Delivery) => {
        take(state, delivery);
        handle(state, delivery);
        return state;
      },
      nactName(actor.key),
      {
        initialState: actor,
        onCrash: (message, error, context) => {
          // Nothing may escape from here: nact would leave the actor hanging for ever.
          try {
            actor.memory = load(actor.decider, actor.address);
            if (message) crashed(actor, message, error ?? new Error('unknown error'));
            return context.resume;
          } catch (fault) {
            abandon(actor, message ? [message] : [], fault);
            return context.stop;
          }
        },
      },
    );
  }

  /** An actor whose state can't be had again: whoever waits for it is told, and the next message tries anew. */
  function abandon(actor: Actor, inHand: readonly Delivery[], fault: unknown): void {
    const error = fault instanceof Error ? fault : new Error(String(fault));
    const waiting = actor.waiting.splice(0);
    backlog -= waiting.length;
    live.delete(actor.key);
    for (const { settle } of [...inHand, ...waiting]) settle({ kind: 'failed', error });
  }

  function hand(actor: Actor, delivery: Delivery): void {
    delivery.handed = true;
    dispatch(actor.ref, delivery);
  }

  function take(actor: Actor, delivery: Delivery): void {
    const index = actor.waiting.indexOf(delivery);
    if (index >= 0) {
      actor.waiting.splice(index, 1);
      backlog -= 1;
    }
  }

  return {
    find: (key) => live.get(key),
    obtain(address) {
      const key = addressKey(address);
      const found = live.get(key);
      if (found) {
        found.touchedAt = monotonic();
        return found;
      }
      const decider = deciderOf(address.type);
      if (!decider) return undefined;
      const memory = load(decider, address);
      const actor: Actor = {
        key,
        address,
        decider,
        memory,
        waiting: [],
        ref: parent as unknown as Ref<Delivery>,
        lastTicket: 0,
        touchedAt: monotonic(),
        strikes: 0,
      };
      actor.ref = start(actor);
      live.set(key, actor);
      return actor;
    },
    dispatch(actor, delivery) {
      if (actor.waiting.length >= MAX_MAILBOX || backlog >= MAX_SHARD_BACKLOG) return false;
      // It may come again after a crash.
      delivery.handed = false;
      actor.waiting.push(delivery);
      backlog += 1;
      if (isFromOutside(delivery.envelope, delivery.timer)) hand(actor, delivery);
      else {
        turns.share(() => {
          // Handed over by a restart meanwhile, or told that its actor is gone.
          if (!delivery.handed && live.get(actor.key) === actor) hand(actor, delivery);
        });
      }
      return true;
    },
    restart(actor) {
      stop(actor.ref);
      try {
        actor.memory = load(actor.decider, actor.address);
      } catch (fault) {
        abandon(actor, [], fault);
        return;
      }
      actor.ref = start(actor);
      for (const delivery of actor.waiting) hand(actor, delivery);
    },
    passivate({ keep, before, soon }, mayStop) {
      if (live.size <= keep && noneBefore >= before) return 0;
      let stopped = 0;
      // Put in order now and then rather than kept in order at every message.
      const byAge = [...live.values()].sort((a, b) => a.touchedAt - b.touchedAt);
      for (const actor of workingLast(byAge, soon)) {
        if (live.size <= keep && actor.touchedAt >= before) continue;
        if (actor.waiting.length > 0 || !mayStop(actor)) continue;
        stop(actor.ref);
        live.delete(actor.key);
        stopped += 1;
      }
      noneBefore = byAge.find(({ key }) => live.has(key))?.touchedAt ?? Number.NEGATIVE_INFINITY;
      return stopped;
    },
    stopAll() {
      const waiting = [...live.values()].flatMap((actor) => actor.waiting);
      for (const actor of live.values()) stop(actor.ref);
      live.clear();
      backlog = 0;
      return waiting;
    },
    get size() {
      return live.size;
    },
    get backlog() {
      return backlog;
    },
  };
}

/**
 * An order under load waits longer for its next message than one that is done has been left alone: by age alone the
 * former would be stopped, and loaded again for each of its messages.
 */
function workingLast(actors: readonly Actor[], soon: number): readonly Actor[] {
  const partitionOf = ({ decider, address }: Actor): string => decider.partitionKey(address.id);
  const working = new Set<string>();
  for (const actor of actors) {
    for (const { at } of actor.memory.timers.values()) if (at <= soon) working.add(partitionOf(actor));
  }
  const isWorking = (actor: Actor): boolean => working.has(partitionOf(actor));
  return [...actors.filter((actor) => !isWorking(actor)), ...actors.filter(isWorking)];
}

/** nact takes few characters in a name; the others become `$` and their code. */
function nactName(key: AddressKey): string {
  return key.replace(/[^a-zA-Z0-9.-]/g, (character) => `$${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
