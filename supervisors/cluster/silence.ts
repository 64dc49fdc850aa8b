/**
 * Whoever asks while the broker is away is told so soon, instead of waiting for a deadline: nothing can be stored meanwhile,
 * and nothing of what is remembered may be told. Only time in which this process ran counts: after a pause of its own the
 * broker gets the chance to answer first.
 */
import type { NodeCalls } from '../../actors/kernel/clusterPorts.ts';
import type { Clock } from '../../actors/kernel/ports.ts';
import { type ShopCore, Unavailable } from '../shop.ts';

/** Longer than a broker's restart takes, or the search for another one of the group. */
const AWAY_MS = 3_000;
const TICK_MS = 250;
/** Ticks that come later than this are of a process that stood still. */
const MAX_TICK_MS = 2 * TICK_MS;
const RETRY_AFTER_MS = 2_000;

export type Silence = {
  /**
   * What the work does, unless the broker is away, or is for too long before the work ends. What was begun then goes on
   * unseen: its outcome isn't known.
   * @throws Unavailable
   */
  unlessAway<Value>(work: () => Promise<Value>): Promise<Value>;
  stop(): void;
};

export type SilenceOptions = {
  readonly clock: Pick<Clock, 'monotonic' | 'delay'>;
  readonly calls: Pick<NodeCalls, 'lastContact'>;
};

export function watchSilence({ clock, calls }: SilenceOptions): Silence {
  const waiting = new Set<(error: Unavailable) => void>();
  let lastTick = clock.monotonic();
  let lastContact = calls.lastContact;
  let silentMs = 0;
  let cancelTick = clock.delay(TICK_MS, tick);

  const away = (): boolean => silentMs >= AWAY_MS;
  const refusal = (): Unavailable =>
    new Unavailable(`the broker has not answered for ${Math.round(silentMs / 1_000)} s`, RETRY_AFTER_MS);

  function tick(): void {
    cancelTick = clock.delay(TICK_MS, tick);
    const now = clock.monotonic();
    const contact = calls.lastContact;
    silentMs = contact === lastContact ? silentMs + Math.min(now - lastTick, MAX_TICK_MS) : 0;
    lastTick = now;
    lastContact = contact;
    if (!away()) return;
    for (const refuse of waiting) refuse(refusal());
    waiting.clear();
  }

  return {
    unlessAway(work) {
      if (away()) return Promise.reject(refusal());
      return new Promise((resolve, reject) => {
        waiting.add(reject);
        work()
          .then(resolve, reject)
          .finally(() => waiting.delete(reject));
      });
    },
    stop: () => cancelTick(),
  };
}

export function answeringUnlessAway(core: ShopCore, { unlessAway }: Silence): ShopCore {
  return {
    ask: (request) => unlessAway(() => core.ask(request)),
    read: (address, options) => unlessAway(() => core.read(address, options)),
    readAt: (address, version) => unlessAway(() => core.readAt(address, version)),
    history: (address) => unlessAway(() => core.history(address)),
  };
}
