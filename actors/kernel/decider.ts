/**
 * The shape of every aggregate: a pure decision over a state. No I/O, no clock, no randomness of its own; what it needs
 * to know about the moment comes in as `Context`, so that replay, simulation and audit are exact.
 */
import type { Address } from './address.ts';

/** A command, event or message of the shop: a member of a discriminated union. Plain JSON only. */
export type Typed = { readonly type: string };

/** An event also carries the version of its schema; `personal` holds what must be erasable, apart from the rest. */
export type Versioned = Typed & { readonly v: number; readonly personal?: unknown };

export type Context<Policy> = {
  /** Time of the decision, in ms since the epoch (UTC). */
  readonly now: number;
  /** Id of the message being decided on: unique, stable over repeats; derive ids of new things from it. */
  readonly id: string;
  /** The figures of the shop (limits, time-outs, fees). */
  readonly policy: Policy;
};

/** A message to another aggregate, or to a gateway (`type: 'gateway'`). It leaves once the decision is durable. */
export type Send = { readonly to: Address; readonly message: Typed };

/** A durable message to self at a time. One per name: setting it again replaces it, clearing an unknown name is a no-op. */
export type TimerChange<Message extends Typed = Typed> =
  | { readonly set: string; readonly at: number; readonly message: Message }
  | { readonly clear: string };

/** An expected refusal. `code` is stable (`cart.sku-unknown`); `status` is the HTTP status of the answer. */
export type Rejection = {
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly status: 402 | 403 | 404 | 409 | 412 | 422;
  /** Offending members, for problem answers: JSON pointer into the request body. */
  readonly errors?: readonly { readonly pointer: string; readonly code: string; readonly detail: string }[];
};

/** An aggregate narrows `Sends` and `Timed` to what it sends, so that the type check finds dead wires. */
export type Decision<Event extends Versioned, Sends extends Send = Send, Timed extends Typed = Typed> =
  | {
      readonly events: readonly Event[];
      readonly sends?: readonly Sends[];
      readonly timers?: readonly TimerChange<Timed>[];
      /** The answer to an edge request, beside the aggregate's version. Plain JSON. */
      readonly reply?: unknown;
      readonly rejection?: never;
    }
  | { readonly rejection: Rejection };

export interface Decider<State, Command extends Typed, Event extends Versioned, Policy> {
  readonly type: string;
  /** Raised when the form of the state changes, from 1: stored snapshots of another form are then not used. */
  readonly stateVersion?: number;
  /** Aggregates with the same partition key live in one shard, e.g. everything of one order. */
  partitionKey(id: string): string;
  /** State of an aggregate without history. */
  initial(id: string): State;
  /** Total and deterministic; a throw is a bug. */
  decide(state: State, command: Command, context: Context<Policy>): Decision<Event>;
  /** Pure: never changes its arguments. */
  evolve(state: State, event: Event): State;
  /** Brings an event of an older schema version up to date; without it only `v: 1` exists. */
  upcast?(event: Versioned): Event;
}

export function reject(
  status: Rejection['status'],
  code: string,
  title: string,
  detail: string,
): { readonly rejection: Rejection } {
  return { rejection: { code, title, detail, status } };
}

/** The answer to a message that is late, repeated or no longer of interest: recorded, nothing changed. */
export const noChange = { events: [] } as const;
