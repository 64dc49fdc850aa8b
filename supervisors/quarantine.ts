/**
 * The actors of a shard that crashed again and again. Messages to them wait in their senders' outboxes until the time is
 * over or an operator ends it. Kept in memory: a restarted node gives each of them another chance.
 */
import type { AddressKey } from '../actors/kernel/address.ts';
import type { Clock } from '../actors/kernel/ports.ts';

/** Business time, so that it passes with a virtual clock too. */
export const QUARANTINE_MS = 60_000;
/** Beyond it the one that would be free first is let go. */
const MAX_QUARANTINED = 1_000;

export type Quarantined = {
  readonly key: AddressKey;
  /** Times in ms since the epoch. */
  readonly since: number;
  readonly until: number;
  /** The crash that brought it there. */
  readonly reason: string;
};

export type Quarantine = {
  put(key: AddressKey, reason: string): void;
  holds(key: AddressKey): boolean;
  /** Lets it go. */
  lift(key: AddressKey): void;
  all(): readonly Quarantined[];
};

export function createQuarantine({ now }: Pick<Clock, 'now'>): Quarantine {
  /** In the order in which they become free. */
  const held = new Map<AddressKey, Quarantined>();

  function letGo(): void {
    for (const { key, until } of held.values()) {
      if (until > now() && held.size <= MAX_QUARANTINED) return;
      held.delete(key);
    }
  }

  return {
    put(key, reason) {
      held.delete(key);
      held.set(key, { key, reason, since: now(), until: now() + QUARANTINE_MS });
      letGo();
    },
    holds: (key) => (held.get(key)?.until ?? 0) > now(),
    lift: (key) => void held.delete(key),
    all() {
      letGo();
      return [...held.values()];
    },
  };
}
