/**
 * EmailClaim: makes an e-mail address belong to at most one customer. Its id is a keyed hash of the address, so it holds
 * nothing personal. A registration holds the address, registers the customer, and the customer takes it; a hold that nobody
 * takes is freed after a while. Whoever comes to take it is told whether that worked: the address may be somebody else's by
 * now, or the customer may be gone and give it back.
 */
import type { Address } from './kernel/address.ts';
import { assertNever } from './kernel/assertNever.ts';
import { type Decider, type Decision, noChange, reject, type TimerChange } from './kernel/decider.ts';
import type { Policy } from './policy.ts';
import type { ShopContext } from './shared.ts';

export type EmailClaimEdgeCommand = { readonly type: 'HoldEmail'; readonly customerId: string };
export type EmailClaimTimerCommand = { readonly type: 'ReleaseHeldEmail' };
export type EmailClaimCommand =
  | EmailClaimEdgeCommand
  // from the customer
  | { readonly type: 'TakeEmail'; readonly customerId: string }
  | { readonly type: 'FreeEmail'; readonly customerId: string }
  | EmailClaimTimerCommand;

/** What the claim tells a customer who came to take the address. */
export type EmailClaimAnswer = { readonly type: 'EmailSettled'; readonly emailHash: string; readonly won: boolean };

export type EmailClaimSend = { readonly to: Address<'customer'>; readonly message: EmailClaimAnswer };

export type EmailClaimEvent =
  | { readonly type: 'EmailHeld'; readonly v: 1; readonly customerId: string; readonly until: number }
  | { readonly type: 'EmailTaken'; readonly v: 1; readonly customerId: string }
  | { readonly type: 'EmailFreed'; readonly v: 1; readonly customerId: string };

export type EmailClaimState = { readonly id: string } & (
  | { readonly status: 'free' }
  | { readonly status: 'held'; readonly customerId: string; readonly until: number }
  | { readonly status: 'taken'; readonly customerId: string }
);

type EmailClaimDecision = Decision<EmailClaimEvent, EmailClaimSend, EmailClaimTimerCommand>;

export const emailClaimAddress = (emailHash: string): Address<'email-claim'> => ({
  type: 'email-claim',
  id: emailHash,
});

const taken = () => reject(409, 'email.taken', 'E-mail taken', 'This e-mail address belongs to another account.');

function evolve({ id }: EmailClaimState, event: EmailClaimEvent): EmailClaimState {
  switch (event.type) {
    case 'EmailHeld':
      return { id, status: 'held', customerId: event.customerId, until: event.until };
    case 'EmailTaken':
      return { id, status: 'taken', customerId: event.customerId };
    case 'EmailFreed':
      return { id, status: 'free' };
    default:
      return assertNever(event);
  }
}

function hold(state: EmailClaimState, customerId: string, { now, policy }: ShopContext): EmailClaimDecision {
  if (state.status !== 'free' && state.customerId !== customerId) return taken();
  if (state.status === 'taken') return noChange;
  const until = now + policy.customer.emailHoldMs;
  return { events: [{ type: 'EmailHeld', v: 1, customerId, until }], timers: [releaseAt(until)] };
}

function take(state: EmailClaimState, customerId: string): EmailClaimDecision {
  if (state.status !== 'free' && state.customerId !== customerId) {
    return { events: [], sends: [settled(state, customerId, false)] };
  }
  if (state.status === 'taken') return noChange;
  return {
    events: [{ type: 'EmailTaken', v: 1, customerId }],
    sends: [settled(state, customerId, true)],
    timers: [{ clear: 'release' }],
  };
}

function settled({ id }: EmailClaimState, customerId: string, won: boolean): EmailClaimSend {
  return { to: { type: 'customer', id: customerId }, message: { type: 'EmailSettled', emailHash: id, won } };
}

function free(state: EmailClaimState, customerId: string): EmailClaimDecision {
  if (state.status === 'free' || state.customerId !== customerId) return noChange;
  return { events: [{ type: 'EmailFreed', v: 1, customerId }], timers: [{ clear: 'release' }] };
}

/** A timer that comes too early, because the hold was renewed, is set again. */
function release(state: EmailClaimState, { now }: ShopContext): EmailClaimDecision {
  if (state.status !== 'held') return noChange;
  if (now < state.until) return { events: [], timers: [releaseAt(state.until)] };
  return { events: [{ type: 'EmailFreed', v: 1, customerId: state.customerId }] };
}

function releaseAt(at: number): TimerChange<EmailClaimTimerCommand> {
  return { set: 'release', at, message: { type: 'ReleaseHeldEmail' } };
}

function decide(state: EmailClaimState, command: EmailClaimCommand, context: ShopContext): EmailClaimDecision {
  switch (command.type) {
    case 'HoldEmail':
      return hold(state, command.customerId, context);
    case 'TakeEmail':
      return take(state, command.customerId);
    case 'FreeEmail':
      return free(state, command.customerId);
    case 'ReleaseHeldEmail':
      return release(state, context);
    default:
      return assertNever(command);
  }
}

export const emailClaimDecider: Decider<EmailClaimState, EmailClaimCommand, EmailClaimEvent, Policy> = {
  type: 'email-claim',
  partitionKey: (id) => id,
  initial: (id) => ({ id, status: 'free' }),
  decide,
  evolve,
};
