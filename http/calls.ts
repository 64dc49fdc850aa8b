/** How handlers talk to the shop: ask, read, and the first answer again for a repeated request. */
import type { Address } from '../actors/kernel/address.ts';
import type { Typed } from '../actors/kernel/decider.ts';
import type { Reply } from '../actors/kernel/message.ts';
import { requestAddress } from '../actors/request.ts';
import { rejected, unavailable } from './problem.ts';
import type { Call } from './route.ts';
import type { Versioned } from './shop.ts';

export type Accepted<Value> = { readonly version: number; readonly value: Value; readonly replayed: boolean };

/**
 * Sends the request's command; a rejection is thrown as its problem. `part` names one of several commands that the same
 * request sends. The precondition and the fingerprint belong to the request's own, first command.
 */
export async function ask<Value = unknown>(
  call: Call,
  to: Address,
  message: Typed,
  part?: string,
): Promise<Accepted<Value>> {
  const reply: Reply = await call.shop.ask({
    to,
    message,
    id: part === undefined ? call.requestId : `${call.requestId}.${part}`,
    by: call.principal.sub,
    trace: call.traceparent,
    deadline: call.deadline,
    ...(call.fingerprint !== undefined && { fingerprint: call.fingerprint }),
    ...(part === undefined && call.expectedVersion !== undefined && { expectedVersion: call.expectedVersion }),
  });
  const replayed = reply.replayed === true;
  if (!reply.ok) throw rejected(reply.rejection, replayed);
  // The decider that answers and the handler that asks agree on the type of the reply.
  return { version: reply.version, value: reply.value as Value, replayed };
}

/** For a command whose target is in the body: the same key with another body must be noticed before it goes elsewhere. */
export async function claimKey(call: Call): Promise<void> {
  if (call.fingerprint !== undefined)
    await ask(call, requestAddress(call.requestId), { type: 'ClaimRequest' }, 'claim');
}

export function read<State>(call: Call, address: Address): Promise<Versioned<State> | undefined> {
  return call.shop.read<State>(address, { deadline: call.deadline });
}

/** The state that an answer of this version shows: the newest when nothing happened since, else as it was then. */
export async function stateAt<State>(call: Call, address: Address, answer: Accepted<unknown>): Promise<State> {
  const newest = answer.replayed ? undefined : await read<State>(call, address);
  if (newest?.version === answer.version) return newest.state;
  return (await versionAt<State>(call, address, answer.version)).state;
}

/**
 * The first version, from `from` on, that satisfies `accepts`, waiting for one until `deadline`; undefined when none came.
 * Once satisfied, later versions must satisfy it too. Looking for the first instead of taking the newest gives a
 * repeated request the same answer.
 */
export async function firstVersion<State>(
  call: Call,
  address: Address,
  from: number,
  accepts: (state: State) => boolean,
  deadline = call.deadline,
): Promise<Versioned<State> | undefined> {
  let newest = await call.shop.read<State>(address, { deadline, after: from - 1 });
  let seen = from - 1;
  while (newest && newest.version > seen && !accepts(newest.state)) {
    seen = newest.version;
    newest = await call.shop.read<State>(address, { deadline, after: seen });
  }
  if (!newest || newest.version <= seen) return undefined;
  return earliest(call, address, seen, newest, accepts);
}

/** Bisects the versions after `refused`, which isn't accepted, up to `accepted`, which is. */
async function earliest<State>(
  call: Call,
  address: Address,
  refused: number,
  accepted: Versioned<State>,
  accepts: (state: State) => boolean,
): Promise<Versioned<State>> {
  let low = refused;
  let best = accepted;
  while (best.version - low > 1) {
    const middle = await versionAt<State>(call, address, Math.floor((low + best.version) / 2));
    if (accepts(middle.state)) best = middle;
    else low = middle.version;
  }
  return best;
}

async function versionAt<State>(call: Call, address: Address, version: number): Promise<Versioned<State>> {
  const found = await call.shop.readAt<State>(address, version);
  if (found === undefined)
    throw new Error(`version ${version} of ${address.type}/${address.id} was answered but is gone`);
  return found;
}

/** What should be there by now but isn't: the caller may come back. */
export function notYet(what: string): Error {
  return unavailable(`The ${what} is not there yet.`, 1);
}
