/** What operators' requests make one node ask another one by its name, and what that one says: plain JSON. */
import type { Address } from '../../actors/kernel/address.ts';
import type { DrainAnswer, InsideActor } from '../operations.ts';
import type { Quarantined } from '../quarantine.ts';

export type NodeQuestion =
  | { readonly kind: 'inside'; readonly address: Address }
  | { readonly kind: 'kill'; readonly address: Address }
  | { readonly kind: 'quarantined' }
  | { readonly kind: 'drain' };

type Members = Readonly<Record<string, unknown>>;

/** Undefined when it isn't one that this version knows. */
export function asNodeQuestion(body: unknown): NodeQuestion | undefined {
  const { kind, address } = membersOf(body);
  switch (kind) {
    case 'inside':
    case 'kill':
      return isAddress(address) ? { kind, address } : undefined;
    case 'quarantined':
    case 'drain':
      return { kind };
    default:
      return undefined;
  }
}

/** @throws TypeError when it isn't one */
export function asInsideActor(body: unknown): InsideActor {
  const { live, mailbox, quarantined } = membersOf(body);
  if (typeof live === 'boolean' && typeof mailbox === 'number' && typeof quarantined === 'boolean') {
    return { live, mailbox, quarantined };
  }
  throw new TypeError(`not what is inside an actor: ${JSON.stringify(body)}`);
}

/** @throws TypeError when it isn't one */
export function asHeld(body: unknown): readonly Quarantined[] {
  const { held } = membersOf(body);
  if (Array.isArray(held) && held.every(isQuarantined)) return held;
  throw new TypeError('not a list of actors in quarantine');
}

/** @throws TypeError when it isn't one */
export function asDrainAnswer(body: unknown): DrainAnswer {
  const { kind, shards, heirs, reason } = membersOf(body);
  if (kind === 'refused' && typeof reason === 'string') return { kind, reason };
  if (kind === 'draining' && isListOf(shards, 'number') && isListOf(heirs, 'string')) {
    return { kind, shards: shards as readonly number[], heirs: heirs as readonly string[] };
  }
  throw new TypeError(`not an answer to a drain: ${JSON.stringify(body)}`);
}

function isQuarantined(value: unknown): value is Quarantined {
  const { key, since, until, reason } = membersOf(value);
  return [key, reason].every((each) => typeof each === 'string') && isListOf([since, until], 'number');
}

function isAddress(value: unknown): value is Address {
  const { type, id } = membersOf(value);
  return typeof type === 'string' && typeof id === 'string';
}

function isListOf(value: unknown, type: 'number' | 'string'): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === type);
}

function membersOf(value: unknown): Members {
  return typeof value === 'object' && value !== null ? (value as Members) : {};
}
