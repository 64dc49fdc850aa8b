/**
 * Which nodes are there, from what they say about themselves. Times are of this node's own monotonic clock; being wrong
 * about a node costs time, never safety.
 */
import type { Heartbeat, NodeCalls } from '../../actors/kernel/clusterPorts.ts';
import type { Clock } from '../../actors/kernel/ports.ts';
import { createContact } from './contact.ts';

const HEARTBEAT_MS = 500;
/** A node that wasn't heard for so long is dead. */
export const TIMEOUT_MS = 3_000;
/** A name belongs to the incarnation that uses it until that one was silent for so long. */
const NAME_KEPT_MS = 1_250;
/** Heartbeats of another incarnation of our own name until it is believed: one may be the last word of our former life. */
const NAME_TAKEN_AFTER = 3;
/** A node that starts listens for so long before it believes to know the others. */
const LISTEN_MS = 1_250;
/** Dead nodes are shown to operators for so long. */
const FORGET_MS = 600_000;
const MAX_MEMBERS = 64;
/**
 * When we couldn't hear for so long, everybody gets a fresh time-out. Heartbeats, our own included, and `lastContact` must
 * come more often than this while the connection is up.
 */
const DEAF_MS = TIMEOUT_MS / 2;

/** Another live node has our name: this one must stop. */
export class NameTaken extends Error {
  override readonly name = 'NameTaken';

  constructor(other: Heartbeat) {
    super(
      `another node is named "${other.node}" too, at ${other.address} (incarnation ${other.incarnation}): give each node a name of its own`,
    );
  }
}

export type MemberView = Omit<Heartbeat, 'state' | 'shards'> & {
  readonly state: Heartbeat['state'] | 'dead';
  readonly heardMsAgo: number;
  readonly shards: Heartbeat['shards'];
};

export interface Membership {
  /** Not dead, whatever its state. A node never heard of counts as alive until it would have been heard. */
  alive(node: string): boolean;
  /** Names of the live nodes that may own shards, this one included if it may. */
  active(): readonly string[];
  /** Live nodes other than this one that own shards or will. */
  others(): readonly string[];
  /** What a live node said last. */
  heard(node: string): Heartbeat | undefined;
  /** Has listened long enough to know who is there, and nobody else uses our name. */
  readonly settled: boolean;
  setState(state: Heartbeat['state']): void;
  readonly state: Heartbeat['state'];
  /** Looks who has died; tells about it. Called by a timer, several times per time-out. */
  look(): void;
  members(): readonly MemberView[];
  stop(): void;
}

export type MembershipOptions = {
  readonly clock: Pick<Clock, 'monotonic' | 'delay'>;
  readonly calls: Pick<NodeCalls, 'announce' | 'heard' | 'lastContact'>;
  /** Of incarnations of one name the one that started later must sort after the other, such as a ULID. */
  readonly self: Pick<Heartbeat, 'node' | 'incarnation' | 'version' | 'address'>;
  /** Asked for each heartbeat. */
  readonly standings: () => Heartbeat['shards'];
  /** Who may own shards, or what they own, has changed. */
  readonly onChange: () => void;
  readonly onNameTaken: (error: NameTaken) => void;
};

type Member = { heartbeat: Heartbeat; heardAt: number; alive: boolean };

export function createMembership(options: MembershipOptions): Membership {
  const { clock, calls, self, standings, onChange, onNameTaken } = options;
  const members = new Map<string, Member>();
  const startedAt = clock.monotonic();
  /** Nobody is blamed for silence before this moment: we weren't there to hear it. */
  let listeningSince = startedAt;
  let lastHeard = startedAt;
  let state: Heartbeat['state'] = 'joining';
  let namesakes = 0;
  let namesakeAt = Number.NEGATIVE_INFINITY;
  let stopped = false;
  let cancelAnnounce: (() => void) | undefined;

  /** The latest moment at which we surely heard what was said: while the broker is away nobody gets older. */
  const hearingUntil = (): number => Math.max(calls.lastContact, lastHeard);
  const contact = createContact({
    clock,
    limitMs: DEAF_MS,
    calls: {
      get lastContact() {
        return hearingUntil();
      },
    },
  });
  let breaksSeen = contact.breaks;

  function announce(): void {
    cancelAnnounce?.();
    if (stopped) return;
    calls.announce({ ...self, state, shards: standings() });
    cancelAnnounce = clock.delay(HEARTBEAT_MS, announce);
  }

  function onHeartbeat(heartbeat: Heartbeat): void {
    if (stopped) return;
    look();
    lastHeard = clock.monotonic();
    if (heartbeat.node === self.node) {
      if (heartbeat.incarnation !== self.incarnation) onNamesake(heartbeat);
      return;
    }
    const known = members.get(heartbeat.node);
    const changed = !known?.alive || known.heartbeat.incarnation !== heartbeat.incarnation;
    if (known && changed && known.alive && lastHeard - known.heardAt < NAME_KEPT_MS) return;
    if (!known && members.size >= MAX_MEMBERS) return;
    const before = known?.heartbeat.state;
    members.set(heartbeat.node, { heartbeat, heardAt: lastHeard, alive: true });
    if (changed || before !== heartbeat.state) onChange();
  }

  function onNamesake(other: Heartbeat): void {
    namesakes = lastHeard - namesakeAt > TIMEOUT_MS ? 1 : namesakes + 1;
    namesakeAt = lastHeard;
    if (namesakes < NAME_TAKEN_AFTER || !isLater(other)) return;
    stop();
    onNameTaken(new NameTaken(other));
  }

  function isLater(other: Heartbeat): boolean {
    // One that drains is about to go: its successor waits for that.
    if (other.state === 'draining') return false;
    if ((state === 'joining') !== (other.state === 'joining')) return state === 'joining';
    return self.incarnation > other.incarnation;
  }

  function noticeBreak(): void {
    contact.look();
    if (contact.breaks === breaksSeen) return;
    breaksSeen = contact.breaks;
    listeningSince = clock.monotonic();
  }

  /** A break is noticed before anybody is blamed for it, whoever asks first. */
  function silentFor(heardAt: number): number {
    noticeBreak();
    return hearingUntil() - Math.max(heardAt, listeningSince);
  }

  function look(): void {
    noticeBreak();
    const dead = [...members.values()].filter((member) => member.alive && silentFor(member.heardAt) > TIMEOUT_MS);
    for (const member of dead) member.alive = false;
    for (const [node, member] of members) {
      if (!member.alive && clock.monotonic() - member.heardAt > FORGET_MS) members.delete(node);
    }
    if (dead.length > 0) onChange();
  }

  function stop(): void {
    stopped = true;
    cancelAnnounce?.();
    hearing.stop();
  }

  const hearing = calls.heard(onHeartbeat);
  announce();
  return {
    // Not by who was dead before a break: meanwhile it may have come back.
    alive: (node) => node === self.node || silentFor(members.get(node)?.heardAt ?? startedAt) <= TIMEOUT_MS,
    active: () => [
      ...(state === 'active' ? [self.node] : []),
      ...[...members].filter(([, member]) => member.alive && member.heartbeat.state === 'active').map(([node]) => node),
    ],
    others: () =>
      [...members].filter(([, member]) => member.alive && member.heartbeat.state !== 'draining').map(([node]) => node),
    heard(node) {
      const member = members.get(node);
      return member?.alive ? member.heartbeat : undefined;
    },
    get settled() {
      const now = hearingUntil();
      return now - listeningSince >= LISTEN_MS && now - namesakeAt >= NAME_KEPT_MS;
    },
    get state() {
      return state;
    },
    setState(next) {
      if (next === state) return;
      state = next;
      announce();
      onChange();
    },
    look,
    members: () =>
      [...members.values()].map(({ heartbeat, heardAt, alive }) => ({
        ...heartbeat,
        state: alive ? heartbeat.state : 'dead',
        heardMsAgo: clock.monotonic() - heardAt,
      })),
    stop,
  };
}
