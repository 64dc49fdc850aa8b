/** From a message and an actor's memory to the commit that answers it. No side effect: the caller remembers and stores. */
import type { Address, AddressKey } from '../actors/kernel/address.ts';
import type { Rejection, TimerChange } from '../actors/kernel/decider.ts';
import {
  type Commit,
  type DeadLetter,
  type Envelope,
  type Repair,
  type Reply,
  redelivery,
  sentId,
} from '../actors/kernel/message.ts';
import type { Policy } from '../actors/policy.ts';
import { MAX_SENDS } from '../storage/applyRecord.ts';
import type { AnyDecider, Memory } from './memory.ts';

export type DecisionOutcome =
  /** To be stored; the reply leaves once it is durable. */
  | { readonly commit: Commit }
  /** Nothing to store: an edge request that changed nothing and needn't be remembered. */
  | { readonly reply: Reply };

export type Subject = {
  readonly key: AddressKey;
  readonly address: Address;
  readonly decider: AnyDecider;
  readonly memory: Memory;
};

export type DecideOptions = { readonly now: number; readonly policy: Policy; readonly firedTimer?: string };

const VERSION_MISMATCH: Rejection = {
  status: 412,
  code: 'precondition.version-mismatch',
  title: 'The resource has changed',
  detail: 'The version in If-Match is not the current one. Read the resource again and repeat the change on it.',
};

export const KEY_REUSED: Rejection = {
  status: 409,
  code: 'idempotency.key-reused',
  title: 'Idempotency key used for another request',
  detail: 'This Idempotency-Key was used with a different body. Use a new key for a new request.',
};

export function decideCommit(subject: Subject, envelope: Envelope, options: DecideOptions): DecisionOutcome {
  const { memory, decider } = subject;
  const fromEdge = isFromOutside(envelope, options.firedTimer);
  const context = { now: options.now, id: envelope.id, policy: options.policy };
  const decision = decider.decide(memory.state, envelope.message, context);
  if ('rejection' in decision && decision.rejection) {
    return refusal(subject, envelope, options, decision.rejection);
  }
  // After the aggregate's own refusals: to whom it isn't there, its version is nobody's business.
  if (envelope.expectedVersion !== undefined && envelope.expectedVersion !== memory.version) {
    return refusal(subject, envelope, options, VERSION_MISMATCH);
  }
  const { events, sends = [], timers = [], reply: value } = decision;
  const version = memory.version + (events.length > 0 ? 1 : 0);
  const reply: Reply = { ok: true, version, ...(value !== undefined && { value }) };
  const empty = events.length === 0 && sends.length === 0 && timers.length === 0;
  if (empty && fromEdge && envelope.fingerprint === undefined) return { reply };
  const seq = memory.seq + 1;
  const commit = buildCommit(subject, envelope, options, {
    version,
    events,
    timers,
    sends: sends.map(({ to, message }, index) => ({
      id: sentId(subject.key, seq, index),
      to,
      from: subject.address,
      message,
      ...(envelope.trace !== undefined && { trace: envelope.trace }),
    })),
    reply: fromEdge ? reply : undefined,
  });
  return { commit };
}

/** Somebody outside asked for it and waits: neither an actor nor a timer. @param timer the one that fired, if any */
export function isFromOutside({ from }: Envelope, timer: unknown): boolean {
  return from === undefined && timer === undefined;
}

export function refusal(
  subject: Subject,
  envelope: Envelope,
  options: DecideOptions,
  rejection: Rejection,
): DecisionOutcome {
  const reply: Reply = { ok: false, version: subject.memory.version, rejection };
  const fromEdge = isFromOutside(envelope, options.firedTimer);
  // Without an idempotency key nobody can ask for this answer again; with one it is the first answer for ever.
  if (fromEdge && envelope.fingerprint === undefined) return { reply };
  return { commit: buildCommit(subject, envelope, options, { reply: fromEdge ? reply : undefined }) };
}

/** The commit that puts a message aside which crashes its actor whenever it is handled. */
export function deadLetterCommit(
  subject: Subject,
  envelope: Envelope,
  options: DecideOptions,
  deadLetter: DeadLetter,
): Commit {
  return buildCommit(subject, envelope, options, { deadLetter });
}

/** The commit of what an operator did: a requeued letter leaves with it. */
export function repairCommit(subject: Subject, envelope: Envelope, options: DecideOptions, repair: Repair): Commit {
  const { key, memory } = subject;
  const reply: Reply = { ok: true, version: memory.version };
  const sends = repair.kind === 'requeue' ? [redelivery(key, memory.seq + 1, repair.letter)] : [];
  return buildCommit(subject, envelope, options, { reply, sends, repair });
}

type Parts = {
  readonly version?: number;
  readonly events?: Commit['events'];
  readonly sends?: Commit['sends'];
  readonly timers?: readonly TimerChange[];
  readonly reply?: Reply | undefined;
  readonly deadLetter?: DeadLetter;
  readonly repair?: Repair;
};

function buildCommit(subject: Subject, envelope: Envelope, options: DecideOptions, parts: Parts): Commit {
  const { key, memory } = subject;
  const timers = parts.timers ?? [];
  // What no log could keep is a bug of the decider: it crashes its own actor instead of a whole record.
  assertStorable(parts);
  const fired = options.firedTimer;
  // A timer fires once: its commit clears it unless the decision set it again.
  const clearFired = fired !== undefined && !timers.some((timer) => 'set' in timer && timer.set === fired);
  return {
    key,
    seq: memory.seq + 1,
    version: parts.version ?? memory.version,
    cause: envelope.id,
    at: options.now,
    ...(envelope.by !== undefined && { by: envelope.by }),
    events: parts.events ?? [],
    sends: parts.sends ?? [],
    timers: clearFired ? [...timers, { clear: fired }] : timers,
    ...(parts.reply && { reply: parts.reply }),
    ...(envelope.fingerprint !== undefined && { fingerprint: envelope.fingerprint }),
    ...(parts.deadLetter && { deadLetter: parts.deadLetter }),
    ...(parts.repair && { repair: parts.repair }),
  };
}

function assertStorable({ timers = [], sends = [] }: Parts): void {
  if (sends.length > MAX_SENDS) throw new Error(`a decision sends ${sends.length} messages, more than ${MAX_SENDS}`);
  for (const timer of timers) {
    if ('set' in timer && !Number.isSafeInteger(timer.at)) {
      throw new Error(`timer ${timer.set} is set to ${timer.at}, which is no time`);
    }
  }
}
