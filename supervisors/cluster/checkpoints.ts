/**
 * Checkpoints: now and then whoever has the first shard puts a copy of its file where every node can get it. The logs are
 * then trimmed: what the second-newest copy holds and every node that lives has read isn't needed there any more. So a node
 * that joins reads a copy and what came after it, not the whole history once more.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { LogPosition } from '../../actors/kernel/clusterPorts.ts';
import type { Clock } from '../../actors/kernel/ports.ts';
import { writeCopy } from '../../storage/checkpointFile.ts';
import type { Db } from '../../storage/database.ts';
import type { Checkpoint, CheckpointShelf } from '../../transport/nats/checkpoints.ts';
import type { ClusterView } from './clusterView.ts';

const LOOK_MS = 5_000;
const STOP_PATIENCE_MS = 5_000;
const KEPT = 2;
/** Of each log, whatever the checkpoints hold: the newest record tells whether a copy belongs to it. */
const KEPT_ENTRIES = 64;
const FILE = 'checkpoint.new';

export type CheckpointsOptions = {
  readonly shelf: () => Promise<CheckpointShelf>;
  readonly trim: (shard: number, upTo: LogPosition) => Promise<void>;
  readonly db: Db;
  readonly dataFolder: string;
  /** Entries of all logs together after which there is a new one. */
  readonly everyEntries: number;
  /** This node makes them now. */
  readonly isMaker: () => boolean;
  readonly view: () => Pick<ClusterView, 'nodes' | 'shards'>;
  readonly clock: Pick<Clock, 'now' | 'delay'>;
  readonly logger: Logger;
};

export type Checkpoints = {
  /** The newest one there is, as far as the broker tells. @throws what the broker throws */
  newest(): Promise<Checkpoint | undefined>;
  /** The newest one that this node knows of, while it makes them: for figures. */
  readonly known: Checkpoint | undefined;
  stop(): Promise<void>;
};

export function runCheckpoints(options: CheckpointsOptions): Checkpoints {
  const { clock, isMaker, logger } = options;
  /** Nobody else makes any while this node does. */
  let known: readonly Checkpoint[] | undefined;
  let cancel = clock.delay(LOOK_MS, look);
  let working: Promise<void> = Promise.resolve();
  let stopped = false;

  function look(): void {
    const next = (): void => {
      if (!stopped) cancel = clock.delay(LOOK_MS, look);
    };
    working = keep()
      .catch((error) => {
        known = undefined;
        logger.warn({ err: error }, 'no checkpoint could be made; it is tried again');
      })
      .then(next);
  }

  async function keep(): Promise<void> {
    if (!isMaker()) {
      known = undefined;
      return;
    }
    known ??= await (await options.shelf()).list();
    if (isDue(options, known)) known = await checkpoint(options);
  }

  return {
    newest: async () => (await (await options.shelf()).list())[0],
    get known() {
      return known?.[0];
    },
    async stop() {
      stopped = true;
      cancel();
      // One that the broker doesn't take any more fails when the file is closed.
      await Promise.race([working, new Promise<void>((resolve) => clock.delay(STOP_PATIENCE_MS, resolve))]);
    },
  };
}

const sum = (positions: readonly number[]): number => positions.reduce((total, position) => total + position, 0);

/** Entries of all logs that came after a checkpoint, by this node's own tables. */
export function entriesSince(checkpoint: Checkpoint | undefined, shards: ClusterView['shards']): number {
  return Math.max(0, sum(shards.map(({ position }) => position)) - sum(checkpoint?.positions ?? []));
}

function isDue({ view, everyEntries }: CheckpointsOptions, [newest]: readonly Checkpoint[]): boolean {
  return entriesSince(newest, view().shards) >= everyEntries;
}

/** Answers those that there are now, newest first. */
async function checkpoint(options: CheckpointsOptions): Promise<readonly Checkpoint[]> {
  const { db, dataFolder, view, clock, logger } = options;
  const shelf = await options.shelf();
  const known = await shelf.list();
  if (!isDue(options, known)) return known;
  const path = join(dataFolder, FILE);
  try {
    const positions = await writeCopy(db, path, view().shards.length);
    const made: Checkpoint = { name: `at-${sum(positions)}-${clock.now()}`, at: clock.now(), positions };
    await shelf.put(made, path);
    const kept = [made, ...known].slice(0, KEPT);
    for (const { name } of known.slice(KEPT - 1)) await shelf.remove(name);
    const trimmed = kept.length < KEPT ? 0 : await trim(options, kept);
    logger.info({ checkpoint: made.name, kept: kept.length, trimmed }, 'checkpoint stored');
    return kept;
  } finally {
    rmSync(path, { force: true });
  }
}

/** Answers how many logs were trimmed. */
async function trim(
  { trim: trimLog, view }: CheckpointsOptions,
  kept: readonly Pick<Checkpoint, 'positions'>[],
): Promise<number> {
  const { nodes, shards } = view();
  let trimmed = 0;
  for (const { shard, position } of shards) {
    const read = nodes.map((node) => node.shards.find((each) => each.shard === shard)?.position ?? 0);
    const held = kept.map(({ positions }) => positions[shard] ?? 0);
    const upTo = Math.min(...read, ...held, position - KEPT_ENTRIES);
    if (upTo < 1) continue;
    await trimLog(shard, upTo);
    trimmed += 1;
  }
  return trimmed;
}
