/** What one node asks another one about a shard, and what that one says: plain JSON between nodes of different versions. */
import type { Address } from '../../actors/kernel/address.ts';
import type { Reply } from '../../actors/kernel/message.ts';
import type { StoredCommit } from '../../actors/kernel/ports.ts';
import { type AskRequest, Unavailable, type Versioned } from '../shop.ts';

export type ShopQuestion =
  | { readonly op: 'ask'; readonly request: Omit<AskRequest, 'deadline'> }
  /** Waits for a version after `after`, for at most `waitMs`; then it answers what there is. */
  | { readonly op: 'read'; readonly address: Address; readonly after?: number; readonly waitMs: number }
  | { readonly op: 'readAt'; readonly address: Address; readonly version: number }
  /** The commits after the one with the number, as many as one answer holds. */
  | { readonly op: 'history'; readonly address: Address; readonly afterSeq: number };

export type HistoryPage = { readonly commits: readonly StoredCommit[]; readonly more: boolean };

/** `value` is absent where the shop's own answer is undefined. */
export type ShopAnswer =
  | { readonly kind: 'done'; readonly value?: unknown }
  | { readonly kind: 'unavailable'; readonly reason: string; readonly retryAfterMs: number; readonly moved: boolean }
  /** A bug of ours, named in the owner's log. */
  | { readonly kind: 'failed'; readonly message: string };

/** A bug that showed at the shard's owner, with the message that it had there. */
class FailedAtOwner extends Error {
  override readonly name = 'FailedAtOwner';
}

/** Undefined when it isn't one that this version knows. */
export function asShopQuestion(body: unknown): ShopQuestion | undefined {
  const { op, request, address, after, waitMs, version, afterSeq } = membersOf(body);
  switch (op) {
    case 'ask': {
      const { to, message, id } = membersOf(request);
      const known = isAddress(to) && typeof membersOf(message)['type'] === 'string' && typeof id === 'string';
      return known ? { op, request: request as Omit<AskRequest, 'deadline'> } : undefined;
    }
    case 'read':
      if (!isAddress(address) || typeof waitMs !== 'number') return undefined;
      if (after === undefined) return { op, address, waitMs };
      return typeof after === 'number' ? { op, address, waitMs, after } : undefined;
    case 'readAt':
      return isAddress(address) && typeof version === 'number' ? { op, address, version } : undefined;
    case 'history':
      return isAddress(address) && typeof afterSeq === 'number' ? { op, address, afterSeq } : undefined;
    default:
      return undefined;
  }
}

/** @throws Unavailable, FailedAtOwner as the owner did; TypeError when it is no answer */
export function answeredValue(answer: unknown): unknown {
  const { kind, value, reason, retryAfterMs, moved, message } = membersOf(answer);
  if (kind === 'done') return value;
  if (kind === 'unavailable') {
    throw new Unavailable(String(reason), typeof retryAfterMs === 'number' ? retryAfterMs : 0, {
      moved: moved === true,
    });
  }
  if (kind === 'failed') throw new FailedAtOwner(String(message));
  throw new TypeError('what the owner of a shard said is not an answer');
}

/** @throws TypeError when it isn't one */
export function asHistoryPage(value: unknown): HistoryPage {
  const { commits, more } = membersOf(value);
  if (!Array.isArray(commits) || typeof more !== 'boolean') throw new TypeError('not a page of a history');
  if (more && commits.length === 0) throw new TypeError('a page of a history that leads nowhere');
  return { commits: commits as readonly StoredCommit[], more };
}

/** @throws TypeError when it isn't one */
export function asVersioned<State>(value: unknown): Versioned<State> | undefined {
  if (value === undefined) return undefined;
  if (typeof membersOf(value)['version'] !== 'number') throw new TypeError('not a state with its version');
  return value as Versioned<State>;
}

/** @throws TypeError when it isn't one */
export function asReply(value: unknown): Reply {
  const { ok, version } = membersOf(value);
  if (typeof ok !== 'boolean' || typeof version !== 'number') throw new TypeError('not the answer to a command');
  return value as Reply;
}

function isAddress(value: unknown): value is Address {
  const { type, id } = membersOf(value);
  return typeof type === 'string' && typeof id === 'string';
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
