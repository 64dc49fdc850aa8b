/**
 * What operators ask of the runtime instead of an aggregate: to deliver a dead letter again, to discard it, to end a
 * quarantine. Such a command passes the actor's mailbox like any message and is answered by a commit of its aggregate,
 * so it happens once, in one record with what it changes, and is there to be looked up for ever.
 */
import type { Rejection } from '../actors/kernel/decider.ts';
import type { DeadLetter, Envelope, MessageId } from '../actors/kernel/message.ts';
import { type DecideOptions, type DecisionOutcome, refusal, repairCommit, type Subject } from './decideCommit.ts';

/** `message`: the id of the message that was put aside. */
export type RepairCommand =
  | { readonly type: 'RequeueDeadLetter' | 'DiscardDeadLetter'; readonly message: MessageId; readonly why?: string }
  | { readonly type: 'LiftQuarantine'; readonly why?: string };

const TYPES: ReadonlySet<string> = new Set<RepairCommand['type']>([
  'RequeueDeadLetter',
  'DiscardDeadLetter',
  'LiftQuarantine',
]);

export function isRepair(envelope: Envelope): envelope is Envelope & { readonly message: RepairCommand } {
  return TYPES.has(envelope.message.type);
}

const NO_LETTER: Rejection = {
  status: 404,
  code: 'dead-letter.unknown',
  title: 'Not a dead letter',
  detail: 'It is not among the dead letters: it never was, or it has been requeued or discarded.',
};

const NO_QUARANTINE: Rejection = {
  status: 404,
  code: 'actor.not-quarantined',
  title: 'Not in quarantine',
  detail: 'This actor is not in quarantine.',
};

export type Repairable = {
  /** The letter that the message is now; undefined when it is none. */
  readonly letterOf: (message: MessageId) => DeadLetter | undefined;
  readonly quarantined: boolean;
};

export function decideRepair(
  subject: Subject,
  envelope: Envelope & { readonly message: RepairCommand },
  options: DecideOptions,
  { letterOf, quarantined }: Repairable,
): DecisionOutcome {
  const command = envelope.message;
  const why = command.why === undefined ? {} : { why: command.why };
  if (command.type === 'LiftQuarantine') {
    if (!quarantined) return refusal(subject, envelope, options, NO_QUARANTINE);
    return { commit: repairCommit(subject, envelope, options, { kind: 'lift-quarantine', ...why }) };
  }
  const letter = letterOf(command.message);
  if (!letter) return refusal(subject, envelope, options, NO_LETTER);
  const kind = command.type === 'RequeueDeadLetter' ? 'requeue' : 'discard';
  return { commit: repairCommit(subject, envelope, options, { kind, letter, ...why }) };
}
