/** Follows one shard's log into this node's tables, for as long as the node runs, whoever owns the shard. */
import type { Logger } from 'pino';
import {
  type Following,
  type LogEntry,
  type LogPosition,
  LogUnreadable,
  type SharedLog,
} from '../../actors/kernel/clusterPorts.ts';
import { type FollowedTables, type ShardTitle, titleAfter } from '../../actors/kernel/followedTables.ts';
import type { Clock } from '../../actors/kernel/ports.ts';

/** An entry that couldn't be applied is tried again after this long. */
const APPLY_RETRY_MS = 1_000;
/** Tables that couldn't be brought to where the log can be read from are tried again after this long. */
const RESTORE_RETRY_MS = 5_000;
/** Whoever waits for the log's end looks again after this long: the broker may have lost what it ended with. */
const ASK_AGAIN_MS = 2_000;

class Stopped extends Error {
  override readonly name = 'Stopped';
}

export interface Follower {
  readonly position: LogPosition;
  /** By the newest claim that was heard of, even if the tables don't hold it yet: a loss must be noticed at once. */
  readonly title: ShardTitle | undefined;
  /** The log goes on where these tables end. */
  readonly readable: boolean;
  /** What the tables hold is not what the log holds, and nothing but an operator brings them together. */
  readonly parted: boolean;
  /**
   * Resolves once the tables hold everything that the log held when this was called, but for what it has lost since.
   * @throws what the log throws when it can't be asked; LogUnreadable when it ends before what the tables hold; Stopped
   */
  caughtUp(): Promise<void>;
  /** Something new stands where the tables hold something else: the log had lost its end. */
  overwritten(at: LogPosition): void;
  start(): void;
  stop(): void;
}

export type FollowerOptions = {
  readonly shard: number;
  readonly log: Pick<SharedLog, 'follow' | 'end'>;
  readonly tables: FollowedTables;
  readonly clock: Pick<Clock, 'delay'>;
  readonly logger: Logger;
  /** Brings the tables to a state from which the log can be followed, by a checkpoint for example. */
  readonly restore: (shard: number, why: LogUnreadable) => Promise<void>;
  /** The title or whether the log is readable has changed. */
  readonly onTitle: () => void;
  readonly onApplied: () => void;
};

type Waiter = { readonly end: LogPosition; readonly goOn: () => void; readonly reject: (reason: Error) => void };

export function createFollower(options: FollowerOptions): Follower {
  const { shard, log, tables, clock, logger, restore, onTitle, onApplied } = options;
  let title = tables.title(shard);
  let following: Following | undefined;
  let readable = true;
  let parted = false;
  let stopped = false;
  // The log hands over a bounded number of entries before the first of them is done.
  let applied: Promise<void> = Promise.resolve();
  const waiters = new Set<Waiter>();
  const retries = new Set<() => void>();

  function onEntry(entry: LogEntry): Promise<void> {
    const before = title;
    title = titleAfter(title, entry);
    if (title !== before) onTitle();
    applied = applied.then(() => apply(entry));
    return applied;
  }

  async function apply(entry: LogEntry): Promise<void> {
    for (let tries = 0; !stopped; tries++) {
      // What comes after an entry that can't be taken is read again.
      if (!readable) return;
      try {
        if (entry.position > tables.position(shard)) await tables.apply(shard, entry);
        else if (entry.kind === 'claim' || entry.kind === 'release') throw overtaken(entry.position);
        break;
      } catch (error) {
        if (error instanceof LogUnreadable) {
          following?.stop();
          void recover(error);
          return;
        }
        // Going on without it would make these tables differ from everybody else's.
        const level = tries === 0 ? 'error' : 'warn';
        logger[level](
          { err: error, shard, position: entry.position, tries },
          'a log entry could not be applied, trying again',
        );
        await pause(APPLY_RETRY_MS);
      }
    }
    if (stopped) return;
    wake();
    onApplied();
  }

  function follow(): void {
    const failed = (error: LogUnreadable): void => void recover(error);
    following = log.follow(shard, tables.position(shard), onEntry, { skipOwn: true, failed });
  }

  async function recover(why: LogUnreadable): Promise<void> {
    if (!readable) return;
    readable = false;
    onTitle();
    await applied;
    while (!stopped) {
      logger.error({ err: why, shard, position: tables.position(shard) }, 'a log can not be followed');
      try {
        await restore(shard, why);
        parted = false;
        break;
      } catch (error) {
        parted = error instanceof Error && 'retryable' in error && error.retryable === false;
        logger.error({ err: error, shard }, 'the tables of a shard could not be restored, trying again');
        await pause(RESTORE_RETRY_MS);
      }
    }
    if (stopped) return;
    readable = true;
    title = tables.title(shard);
    follow();
    wake();
    onTitle();
  }

  /** The tables have passed what this node appended itself before it is read; a claim is only ever read. */
  function overtaken(position: LogPosition): LogUnreadable {
    const what = `${position} of the log of shard ${shard} is a claim or release, where this node holds a record of its own`;
    return new LogUnreadable(what, 'rewound');
  }

  function rewound(end: LogPosition, held: LogPosition): LogUnreadable {
    const lost = new LogUnreadable(
      `the log of shard ${shard} ends at ${end}, this node holds up to ${held}`,
      'rewound',
    );
    following?.stop();
    void recover(lost);
    return lost;
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const goOn = (): void => {
        retries.delete(goOn);
        cancel();
        resolve();
      };
      const cancel = clock.delay(ms, goOn);
      retries.add(goOn);
    });
  }

  function wake(): void {
    const position = tables.position(shard);
    for (const waiter of waiters) {
      if (waiter.end > position) continue;
      waiters.delete(waiter);
      waiter.goOn();
    }
  }

  /** Resolves once the tables have reached the position, or after a while. */
  function reachedOrLate(end: LogPosition): Promise<void> {
    let cancel: () => void = () => undefined;
    return new Promise<void>((goOn, reject) => {
      const waiter: Waiter = { end, goOn, reject };
      waiters.add(waiter);
      cancel = clock.delay(ASK_AGAIN_MS, () => {
        waiters.delete(waiter);
        goOn();
      });
    }).finally(() => cancel());
  }

  return {
    get position() {
      return tables.position(shard);
    },
    get title() {
      return title;
    },
    get readable() {
      return readable;
    },
    get parted() {
      return parted;
    },
    async caughtUp() {
      for (let wanted = Number.POSITIVE_INFINITY; ; ) {
        const held = tables.position(shard);
        const end = await log.end(shard);
        if (stopped) throw new Stopped('this node follows the log no more');
        // What this node appended itself it need not have read yet: following alone doesn't notice that it is gone.
        if (end < held) throw rewound(end, held);
        wanted = Math.min(wanted, end);
        const goal = tables.isWhole(shard) ? wanted : end;
        if (tables.position(shard) < goal) await reachedOrLate(goal);
        // Lost once more, while it was read anew.
        else if (!tables.isWhole(shard)) throw rewound(end, held);
        if (tables.position(shard) >= goal && tables.isWhole(shard)) return;
      }
    },
    overwritten(at) {
      rewound(at - 1, tables.position(shard));
    },
    start: follow,
    stop() {
      stopped = true;
      following?.stop();
      for (const goOn of retries) goOn();
      for (const waiter of waiters) waiter.reject(new Stopped('this node follows the log no more'));
      waiters.clear();
    },
  };
}
