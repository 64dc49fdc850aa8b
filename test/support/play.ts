/** Plays commands against a decider, one after the other, and keeps what came of them. */
import * as assert from 'uvu/assert';
import type { Decider, Rejection, Send, TimerChange, Typed, Versioned } from '../../actors/kernel/decider.ts';
import { defaultPolicy, type Policy } from '../../actors/policy.ts';
import { T0 } from './spec.ts';

export type Played<State, Event> = {
  readonly state: State;
  readonly events: readonly Event[];
  readonly sent: readonly Send[];
  readonly timers: readonly TimerChange[];
  readonly rejections: readonly Rejection[];
};

export type Step<Command> = Command | { readonly at: number; readonly command: Command };

export function play<State, Command extends Typed, Event extends Versioned>(
  decider: Decider<State, Command, Event, Policy>,
  id: string,
  steps: readonly Step<Command>[],
  policy: Policy = defaultPolicy,
): Played<State, Event> {
  let now = T0;
  let state = decider.initial(id);
  const events: Event[] = [];
  const sent: Send[] = [];
  const timers: TimerChange[] = [];
  const rejections: Rejection[] = [];
  for (const [index, step] of steps.entries()) {
    const command = 'at' in step ? step.command : step;
    if ('at' in step) now = step.at;
    const decision = decider.decide(state, command, { now, id: `message-${index}`, policy });
    if (decision.rejection) {
      rejections.push(decision.rejection);
      continue;
    }
    state = decision.events.reduce(decider.evolve, state);
    events.push(...decision.events);
    sent.push(...(decision.sends ?? []));
    timers.push(...(decision.timers ?? []));
  }
  return { state, events, sent, timers, rejections };
}

/** I9: replaying the log from zero, through JSON as it is stored, gives the very same state as the snapshot. */
export function assertReplays<State, Command extends Typed, Event extends Versioned>(
  decider: Decider<State, Command, Event, Policy>,
  id: string,
  played: Pick<Played<State, Event>, 'state' | 'events'>,
): void {
  const stored: Event[] = JSON.parse(JSON.stringify(played.events));
  assert.is(JSON.stringify(stored.reduce(decider.evolve, decider.initial(id))), JSON.stringify(played.state));
}

export function messagesTo<Type extends string>(sent: readonly Send[], type: Type): readonly Typed[] {
  return sent.filter(({ to }) => to.type === type).map(({ message }) => message);
}
