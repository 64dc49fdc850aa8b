/**
 * Several nodes, a broker and time, all simulated: a seed and a schedule give the same run. Processes crash, pause and wake
 * up with what was sent to them meanwhile; nodes are cut off or not heard; the broker goes away. It keeps the shards' logs,
 * and watches that nothing is done that must not be.
 */
import { pino } from 'pino';
import {
  CallTimedOut,
  type Claim,
  Fenced,
  type Heartbeat,
  type LogEntry,
  NobodyServes,
  type NodeCalls,
  type SharedLog,
} from '../../actors/kernel/clusterPorts.ts';
import { type FollowedTables, type ShardTitle, titleAfter } from '../../actors/kernel/followedTables.ts';
import type { EncodedRecord } from '../../actors/kernel/ports.ts';
import { createOwnership, type Ownership } from '../../supervisors/cluster/ownership.ts';
import type { ShardHost } from '../../supervisors/cluster/shardOwner.ts';
import { createSeededIds } from '../../supervisors/ids.ts';

const LATENCY_MS = 3;
const PING_MS = 500;
/** Nodes come back so long after a broker or a network that was away. */
const RECONNECT_MS = 700;
const WRITE_MS = 400;
const UNHANDLED = 8;
const APPLY_MS = 5;
/** An owner may not have heard yet that it was replaced so long ago; a reader asking now would get old state. */
const STALE_MS = 100;
const PROBES = 0.05;

type Task = () => void;

export type WorldOptions = {
  readonly seed: number;
  readonly shards?: number;
  /** Share of heartbeats that are lost on the way. */
  readonly heartbeatLoss?: number;
  /** Share of claims that are stored while their sender hears of a failure. */
  readonly claimAcksLost?: number;
};

/** One process; a restart makes another one with the same tables. */
export type Life = {
  readonly name: string;
  readonly incarnation: string;
  readonly ownership: Ownership;
  readonly opened: ReadonlyMap<number, number>;
  readonly nameTaken: () => Error | undefined;
  readonly running: boolean;
  crash(): void;
  pause(): void;
  resume(): void;
  /** Neither sends nor receives anything until `mend`. */
  cut(): void;
  mend(): void;
  /** Its heartbeats are lost on the way; everything else works. */
  muted: boolean;
};

export type World = ReturnType<typeof createWorld>;

export function createWorld({ seed, shards = 16, heartbeatLoss = 0, claimAcksLost = 0 }: WorldOptions) {
  const { random } = createSeededIds(seed, () => 0);
  const violations: string[] = [];
  const logs: LogEntry[][] = Array.from({ length: shards }, () => []);
  const writtenAt: number[][] = Array.from({ length: shards }, () => []);
  const writtenUnder: number[][] = Array.from({ length: shards }, () => []);
  const disks = new Map<string, ReturnType<typeof createTables>>();
  const lives: (Life & Inner)[] = [];
  let queue: { readonly at: number; readonly order: number; readonly task: Task }[] = [];
  let now = 0;
  let order = 0;
  let incarnations = 0;
  let brokerUp = true;

  const at = (time: number, task: Task): Task => {
    const event = { at: time, order: order++, task };
    let place = queue.length;
    while (place > 0 && (queue[place - 1]?.at ?? 0) > time) place--;
    queue.splice(place, 0, event);
    return () => {
      queue = queue.filter((each) => each !== event);
    };
  };
  const soon = (task: Task): Task => at(now + random() * LATENCY_MS, task);

  /** Runs everything until then, or until the condition holds; says whether it does. */
  async function run(ms: number, until: () => boolean = () => false): Promise<boolean> {
    const end = now + ms;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (until()) return true;
      const next = queue[0];
      if (!next || next.at > end) break;
      queue.shift();
      now = next.at;
      next.task();
      if (random() < PROBES) probe();
    }
    now = end;
    return until();
  }

  const newest = (shard: number): LogEntry | undefined => logs[shard]?.findLast((entry) => entry.kind === 'claim');

  function probe(): void {
    for (const life of lives) {
      // An owner whose heartbeats were lost may be replaced while it believes to hold its shards: only the log is sure.
      const unheard = heartbeatLoss > 0 || life.muted;
      for (const [shard, epoch] of life.running && !unheard ? life.opened : []) {
        if (!life.ownership.mayServe(shard)) continue;
        const later = logs[shard]?.find((entry) => entry.kind === 'claim' && entry.position > epoch);
        const since = later && now - (writtenAt[shard]?.[later.position - 1] ?? 0);
        if (since !== undefined && since > STALE_MS) {
          violations.push(`${now}: ${life.name} would serve shard ${shard}, claimed by another for ${since} ms`);
        }
      }
    }
  }

  function write(shard: number, entry: (position: number) => LogEntry, under: number): number {
    const log = logs[shard] ?? [];
    const position = log.length + 1;
    log.push(entry(position));
    writtenAt[shard]?.push(now);
    writtenUnder[shard]?.push(under);
    for (const life of lives) life.pump(shard);
    return position;
  }

  function createTables() {
    const entries: LogEntry[][] = Array.from({ length: shards }, () => []);
    const titles: (ShardTitle | undefined)[] = [];
    return {
      position: (shard: number) => entries[shard]?.length ?? 0,
      title: (shard: number) => titles[shard],
      apply(shard: number, entry: LogEntry) {
        const held = entries[shard] ?? [];
        if (entry.position !== held.length + 1) {
          violations.push(`${now}: entry ${entry.position} of shard ${shard} was applied after ${held.length}`);
        }
        held.push(entry);
        titles[shard] = titleAfter(titles[shard], entry);
      },
    };
  }

  type Inner = {
    connected: boolean;
    pump(shard: number): void;
    gate(task: Task): void;
    hear(heartbeat: Heartbeat): void;
    onReconnect(): void;
    ask(body: unknown): Promise<unknown> | undefined;
    ended(): boolean;
  };

  function start(name: string, options: { readonly disk?: string } = {}): Life {
    const incarnation = `i${String(++incarnations).padStart(4, '0')}`;
    const disk = disks.get(options.disk ?? name) ?? createTables();
    disks.set(options.disk ?? name, disk);
    let crashed = false;
    let paused = false;
    let isCut = false;
    let held: { readonly task: Task; readonly timer: boolean }[] = [];
    const unsent: Task[] = [];
    const unheard: Task[] = [];
    let lastContact = now;
    let nameTaken: Error | undefined;
    const opened = new Map<number, number>();
    const hearers = new Set<(heartbeat: Heartbeat) => void>();
    const followings = new Map<number, { cursor: number; unhandled: number; on: (entry: LogEntry) => unknown }>();

    const gate = (task: Task, timer = false): void => {
      if (crashed) return;
      if (paused) held.push({ task, timer });
      else task();
    };
    const clock = {
      monotonic: () => now,
      delay: (ms: number, task: Task) => {
        let cancelled = false;
        const cancel = at(now + ms, () => gate(() => cancelled || task(), true));
        return () => {
          cancelled = true;
          cancel();
        };
      },
    };
    const toBroker = (task: Task): void => {
      if (life.connected) soon(() => (life.connected ? task() : unsent.push(() => toBroker(task))));
      else unsent.push(() => toBroker(task));
    };
    const fromBroker = (task: Task): void => {
      if (life.connected) soon(() => (life.connected ? gate(task) : unheard.push(() => gate(task))));
      else unheard.push(() => fromBroker(task));
    };
    const request = <Value>(execute: () => Value): Promise<Value> =>
      new Promise((resolve, reject) => {
        toBroker(() => {
          try {
            const value = execute();
            fromBroker(() => resolve(value));
          } catch (error) {
            fromBroker(() => reject(error));
          }
        });
      });

    function claimOf(shard: number, epoch: number): Claim {
      const fenced = (): void => {
        if (newest(shard)?.position !== epoch) throw new Fenced(`shard ${shard} was claimed by another`, 'superseded');
      };
      return {
        epoch,
        append: () =>
          request(() => {
            fenced();
            return write(shard, (position) => ({ kind: 'record', position, record: RECORD }), epoch);
          }),
        release: (to) =>
          request(() => {
            fenced();
            write(shard, (position) => ({ kind: 'release', position, epoch, ...(to !== undefined && { to }) }), epoch);
          }),
      };
    }

    const log: SharedLog = {
      claim: (shard, node) =>
        request(() => {
          const epoch = write(shard, (position) => ({ kind: 'claim', position, node }), 0);
          if (random() < claimAcksLost) throw new Error('the outcome of the claim is not known');
          return claimOf(shard, epoch);
        }),
      follow(shard, after, on) {
        followings.set(shard, { cursor: after, unhandled: 0, on });
        life.pump(shard);
        return { stop: () => void followings.delete(shard) };
      },
      end: (shard) => request(() => logs[shard]?.length ?? 0),
      begin: () => Promise.resolve(1),
    };

    function pump(shard: number): void {
      const following = followings.get(shard);
      if (crashed || !following || !life.connected) return;
      const entry = logs[shard]?.[following.cursor];
      if (!entry || following.unhandled >= UNHANDLED) return;
      following.cursor++;
      following.unhandled++;
      gate(() => {
        void Promise.resolve(following.on(entry)).then(() => {
          following.unhandled--;
          pump(shard);
        });
      });
      pump(shard);
    }

    const calls: Pick<NodeCalls, 'announce' | 'heard' | 'askNode' | 'lastContact'> = {
      announce(heartbeat) {
        if (!life.connected || life.muted) return;
        for (const hearer of lives) {
          if (random() < heartbeatLoss) continue;
          soon(() => hearer.connected && hearer.gate(() => hearer.hear(heartbeat)));
        }
      },
      heard(on) {
        hearers.add(on);
        return { stop: () => void hearers.delete(on) };
      },
      askNode: (node, body, timeoutMs) =>
        new Promise((resolve, reject) => {
          clock.delay(timeoutMs, () => reject(new CallTimedOut(`no answer in ${timeoutMs} ms`)));
          const asked = lives.find((each) => each.name === node && !each.ended());
          if (!asked) {
            soon(() => gate(() => reject(new NobodyServes(node))));
            return;
          }
          if (!life.connected || !asked.connected) return;
          soon(() =>
            asked.gate(() => {
              void asked.ask(body)?.then((answer) => {
                if (asked.connected && life.connected) soon(() => gate(() => resolve(answer)));
              });
            }),
          );
        }),
      get lastContact() {
        return lastContact;
      },
    };

    const tables: FollowedTables = {
      ...disk,
      apply(shard, entry) {
        if (random() < 0.5) return disk.apply(shard, entry);
        return new Promise((resolve) => clock.delay(random() * APPLY_MS, () => resolve(disk.apply(shard, entry))));
      },
    };

    const host: ShardHost = {
      open(shard, claim) {
        if (opened.has(shard)) violations.push(`${now}: ${name} opened shard ${shard} twice`);
        if (disk.position(shard) < claim.epoch) violations.push(`${now}: ${name} opened shard ${shard} too early`);
        opened.set(shard, claim.epoch);
        writeOn(shard, claim);
      },
      async close(shard) {
        if (!opened.delete(shard)) violations.push(`${now}: ${name} closed shard ${shard}, which wasn't open`);
        await new Promise<void>((resolve) => clock.delay(random() * 20, resolve));
      },
    };

    function writeOn(shard: number, claim: Claim): void {
      clock.delay(random() * WRITE_MS, () => {
        if (opened.get(shard) !== claim.epoch) return;
        claim.append(RECORD).then(
          () => writeOn(shard, claim),
          () => ownership.lost(shard, claim.epoch),
        );
      });
    }

    function ping(): void {
      const sentAt = now;
      if (life.connected) {
        soon(
          () =>
            life.connected &&
            soon(() =>
              gate(() => {
                lastContact = Math.max(lastContact, sentAt);
              }),
            ),
        );
      }
      clock.delay(PING_MS, ping);
    }

    const life = {
      name,
      incarnation,
      opened,
      muted: false,
      connected: brokerUp,
      nameTaken: () => nameTaken,
      ended: () => crashed,
      get running() {
        return !crashed && !paused;
      },
      get ownership() {
        return ownership;
      },
      crash() {
        crashed = true;
        life.connected = false;
        lives.splice(lives.indexOf(life), 1);
      },
      pause() {
        paused = true;
      },
      resume() {
        paused = false;
        // A request from a connection that is read first must not be answered from old memory.
        probe();
        // Timers that are due may run before or after what was received.
        const timersFirst = random() < 0.5;
        const tasks = held.toSorted((a, b) => Number(timersFirst === b.timer) - Number(timersFirst === a.timer));
        held = [];
        for (const { task } of tasks) gate(task);
      },
      cut() {
        isCut = true;
        life.connected = false;
      },
      mend() {
        isCut = false;
        life.onReconnect();
      },
      onReconnect() {
        at(now + random() * RECONNECT_MS, () => {
          if (isCut || crashed || !brokerUp || life.connected) return;
          life.connected = true;
          for (const task of [...unsent.splice(0), ...unheard.splice(0)]) task();
          for (const shard of followings.keys()) pump(shard);
        });
      },
      pump,
      gate,
      hear(heartbeat: Heartbeat) {
        for (const on of hearers) on(heartbeat);
      },
      ask: (body: unknown) => ownership.answer(body),
    };
    lives.push(life);
    const ownership = createOwnership({
      shards,
      self: { node: name, incarnation, version: '0', address: `${name}:1` },
      log,
      calls,
      tables,
      host,
      clock,
      random,
      logger: pino({ level: 'silent' }),
      onNameTaken: (error) => {
        nameTaken = error;
      },
    });
    ping();
    return life;
  }

  return {
    random,
    violations,
    logs,
    writtenAt,
    writtenUnder,
    lives: lives as readonly Life[],
    run,
    start,
    newest,
    get now() {
      return now;
    },
    after: (ms: number, task: Task) => void at(now + ms, task),
    breakBroker() {
      brokerUp = false;
      for (const life of lives) life.connected = false;
    },
    mendBroker() {
      brokerUp = true;
      for (const life of lives) life.onReconnect();
    },
  };
}

const RECORD = { bytes: 1 } as EncodedRecord;
