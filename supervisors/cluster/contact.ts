/**
 * Whether this process has been in touch with the broker without a break. A break is a lost connection, a paused process
 * (SIGSTOP, a suspended machine) or a blocked event loop: meanwhile others may have taken shards over, and what is read
 * from the socket first may be older than that. So a break is noticed by whoever looks first, not only by a timer.
 */
import type { NodeCalls } from '../../actors/kernel/clusterPorts.ts';
import type { Clock } from '../../actors/kernel/ports.ts';

export type Contact = {
  /** Looks at the clock and the connection. Called by a timer far more often than the limit, and before each use. */
  look(): void;
  /** Contact is younger than the limit. */
  readonly up: boolean;
  /** Grows with each break: what was known before it must be found out again. */
  readonly breaks: number;
};

export type ContactOptions = {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly calls: Pick<NodeCalls, 'lastContact'>;
  /** Silence, or time without a look, longer than this is a break. */
  readonly limitMs: number;
};

export function createContact({ clock, calls, limitMs }: ContactOptions): Contact {
  let lastLook = clock.monotonic();
  let lastContact = calls.lastContact;
  let breaks = 0;
  let up = false;

  function look(): void {
    const now = clock.monotonic();
    const contact = calls.lastContact;
    // A break counts when it ends: while it lasts `up` says enough, and what was asked during it proves nothing.
    if (now - lastLook > limitMs || contact - lastContact > limitMs) breaks++;
    up = now - contact <= limitMs;
    lastLook = now;
    lastContact = contact;
  }

  return {
    look,
    get up() {
      return up;
    },
    get breaks() {
      return breaks;
    },
  };
}
