/**
 * Request: an idempotency key in the hands of the request that used it first. Most requests are kept apart by the aggregate
 * they go to; where the body says which one that is, another body would go elsewhere and not be noticed. Such a request
 * claims its key here first. The runtime refuses a claim that comes again with another body, as it does everywhere.
 */
import type { Address } from './kernel/address.ts';
import { type Decider, type Decision, noChange } from './kernel/decider.ts';
import type { Policy } from './policy.ts';

export const requestAddress = (requestId: string): Address<'request'> => ({ type: 'request', id: requestId });

export type RequestCommand = { readonly type: 'ClaimRequest' };
export type RequestEvent = { readonly type: 'RequestClaimed'; readonly v: 1 };
export type RequestState = { readonly claimed: boolean };

function decide(state: RequestState): Decision<RequestEvent> {
  return state.claimed ? noChange : { events: [{ type: 'RequestClaimed', v: 1 }] };
}

export const requestDecider: Decider<RequestState, RequestCommand, RequestEvent, Policy> = {
  type: 'request',
  partitionKey: (requestId) => requestId,
  initial: () => ({ claimed: false }),
  decide,
  evolve: () => ({ claimed: true }),
};
