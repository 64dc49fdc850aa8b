/** Who waits for a newer version of an aggregate. */
import type { AddressKey } from '../actors/kernel/address.ts';

type Watcher = { readonly after: number; readonly notify: () => void };

export type Watchers = {
  /** Calls `notify` whenever a version later than `after` is durable; returns how to give up. */
  watch(key: AddressKey, after: number, notify: () => void): () => void;
  durable(key: AddressKey, version: number): void;
  /** Nothing more becomes durable here: everybody is told to look elsewhere. */
  wakeAll(): void;
};

export function createWatchers(): Watchers {
  const byKey = new Map<AddressKey, Set<Watcher>>();
  return {
    watch(key, after, notify) {
      const watchers = byKey.get(key) ?? new Set();
      const watcher: Watcher = { after, notify };
      byKey.set(key, watchers.add(watcher));
      return () => {
        watchers.delete(watcher);
        if (watchers.size === 0 && byKey.get(key) === watchers) byKey.delete(key);
      };
    },
    durable(key, version) {
      for (const watcher of byKey.get(key) ?? []) if (version > watcher.after) watcher.notify();
    },
    wakeAll() {
      for (const watchers of byKey.values()) for (const { notify } of watchers) notify();
    },
  };
}
