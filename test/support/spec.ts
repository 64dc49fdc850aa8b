/** Decider tests read as sentences: given(events).when(command).then(events) or .rejects(code). */

import * as assert from 'uvu/assert';
import type {
  Context,
  Decider,
  Decision,
  Rejection,
  Send,
  TimerChange,
  Typed,
  Versioned,
} from '../../actors/kernel/decider.ts';
import { defaultPolicy, type Policy } from '../../actors/policy.ts';

export const T0 = Date.UTC(2026, 0, 1);

type Accepted<Event extends Versioned> = Extract<Decision<Event>, { events: unknown }>;

export type Outcome<State, Event extends Versioned> = {
  /** Exactly these events, in order. */
  then(...events: readonly Event[]): Outcome<State, Event>;
  /** Only these event types, in order. */
  thenTypes(...types: readonly Event['type'][]): Outcome<State, Event>;
  rejects(code: string): Outcome<State, Event>;
  nothing(): Outcome<State, Event>;
  sends(...types: readonly string[]): Outcome<State, Event>;
  readonly decision: Decision<Event>;
  readonly accepted: Accepted<Event>;
  readonly rejection: Rejection | undefined;
  readonly sent: readonly Send[];
  readonly timers: readonly TimerChange[];
  /** State after the decision. */
  readonly state: State;
  readonly before: State;
};

export type SpecOptions = {
  readonly id?: string;
  readonly now?: number;
  readonly messageId?: string;
  readonly policy?: Policy;
};

export function specification<State, Command extends Typed, Event extends Versioned>(
  decider: Decider<State, Command, Event, Policy>,
  defaults: SpecOptions = {},
) {
  return {
    given(...events: readonly Event[]) {
      const state = events.reduce(
        (current, event) => decider.evolve(current, event),
        decider.initial(defaults.id ?? 'x'),
      );
      return {
        state,
        when: (command: Command, options: SpecOptions = {}) => outcome(state, command, { ...defaults, ...options }),
      };
    },
    /** Starts from a state reached by commands instead of events. */
    from(state: State) {
      return {
        state,
        when: (command: Command, options: SpecOptions = {}) => outcome(state, command, { ...defaults, ...options }),
      };
    },
  };

  function outcome(before: State, command: Command, options: SpecOptions): Outcome<State, Event> {
    const context: Context<Policy> = {
      now: options.now ?? T0,
      id: options.messageId ?? 'message-1',
      policy: options.policy ?? defaultPolicy,
    };
    const frozen = JSON.stringify(before);
    const decision = decider.decide(before, command, context);
    assert.is(JSON.stringify(before), frozen, 'decide must not change the state');
    const events = 'events' in decision ? decision.events : [];
    const state = events.reduce((current, event) => decider.evolve(current, event), before);
    assert.is(JSON.stringify(before), frozen, 'evolve must not change the state');
    const result: Outcome<State, Event> = {
      decision,
      state,
      before,
      rejection: 'rejection' in decision ? decision.rejection : undefined,
      sent: 'events' in decision ? (decision.sends ?? []) : [],
      timers: 'events' in decision ? (decision.timers ?? []) : [],
      get accepted() {
        if (!('events' in decision)) throw new Error(`rejected: ${JSON.stringify(decision.rejection)}`);
        return decision;
      },
      then(...expected) {
        assert.equal(result.accepted.events, expected);
        return result;
      },
      thenTypes(...types) {
        assert.equal(
          result.accepted.events.map((event) => event.type),
          types,
        );
        return result;
      },
      rejects(code) {
        assert.is(result.rejection?.code, code, `expected a rejection, got ${JSON.stringify(decision)}`);
        return result;
      },
      nothing() {
        assert.equal(result.accepted.events, []);
        assert.equal(result.sent, []);
        return result;
      },
      sends(...types) {
        assert.equal(
          result.sent.map((send) => send.message.type),
          types,
        );
        return result;
      },
    };
    return result;
  }
}
