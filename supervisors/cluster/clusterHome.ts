/**
 * A node of a cluster: the logs are at the broker, and this node has the shards that it has claimed. It follows all of them
 * into its own file, so it can list whatever there is and take any shard over.
 */
import type { Address } from '../../actors/kernel/address.ts';
import { EnvelopeRefused } from '../../actors/kernel/clusterPorts.ts';
import type { Transport } from '../../actors/kernel/ports.ts';
import { createLocalCopy } from '../../storage/localCopy.ts';
import { createTables, tableTroubles } from '../../storage/tables.ts';
import type { Ground, Home, Running } from '../home.ts';
import type { NodeStatus } from '../nodeStatus.ts';
import type { NewestCheckpoint } from '../operations.ts';
import { Unavailable } from '../shop.ts';
import { unavailable } from '../unavailable.ts';
import type { Broker } from './broker.ts';
import { type Checkpoints, entriesSince, runCheckpoints } from './checkpoints.ts';
import { registerClusterFigures } from './clusterFigures.ts';
import { createClusterOperations } from './clusterOperations.ts';
import { TooFarBehind } from './fromCheckpoint.ts';
import { createMending } from './mendShard.ts';
import { createOpenShards, type ShardRunners } from './openShards.ts';
import { createOwnership, type Ownership } from './ownership.ts';
import { within } from './pacing.ts';
import { createRemoteShop } from './remoteShop.ts';
import { createRounds } from './rounds.ts';
import { answeringUnlessAway, type Silence, watchSilence } from './silence.ts';

/** How long a node that leaves waits for the others to come for its shards. */
export const DRAIN_PATIENCE_MS = 20_000;
/** How long a list waits for this node's tables to hold what is in the logs. */
const UP_TO_DATE_MS = 5_000;
const RETRY_AFTER_MS = 1_000;
/** How long whoever asks for figures waits for those that the broker has. */
const FIGURES_MS = 1_000;

/** Searches go to the tables as they are, and remember what they found. */
const CATALOG: ReadonlySet<string> = new Set(['product']);

type Self = Broker['self'] & { readonly incarnation: string };

/** @param end ends the process: this node can't go on */
export function createClusterHome(ground: Ground, broker: Broker, end: (error: Error) => void): Home {
  const { config, db, folder, immediate, following, feed, failPoint, clock, ids, telemetry, logger } = ground;
  const { log, inbox, calls, settings, ledger } = broker;
  const troubles = tableTroubles(logger);
  const tables = createTables(db, { projections: following, follower: feed.follower, failPoint, ...troubles });
  const copy = createLocalCopy(db, { projections: immediate, tables, eager: CATALOG, ...troubles });
  const shards = createOpenShards({ copy, inbox, calls, clock, ids, telemetry, logger });
  const allShards = Array.from({ length: config.SHARDS }, (_, shard) => shard);
  const surroundings = { clock, random: ids.random, logger };

  /** Takes part in the cluster: from here on shards may be opened. */
  function openOwnership(self: Self, runners: Omit<ShardRunners, 'ownership'>): Ownership {
    const { node } = runners;
    const mend = createMending({
      me: self.node,
      db,
      log,
      inbox,
      copy,
      isOpen: shards.has,
      placementOf: node.placementOf,
      ...surroundings,
    });
    const ownership: Ownership = createOwnership({
      shards: config.SHARDS,
      self,
      log,
      calls,
      tables: copy,
      host: {
        open: (shard, claim) => shards.open(shard, claim, { ...runners, ownership }),
        close: (shard, how) => shards.close(shard, node, how),
      },
      isWell: () => copy.isWritable,
      restore: async (shard, why) => {
        // Only a start can put a checkpoint in the place of this node's file.
        if (why.reason === 'trimmed')
          end(new TooFarBehind(`${why.message}; start this node again: it loads a checkpoint`));
        return mend(shard, why);
      },
      onNameTaken: end,
      ...surroundings,
    });
    return ownership;
  }

  const keepCheckpoints = (ownership: Ownership): Checkpoints =>
    runCheckpoints({
      shelf: broker.shelf,
      trim: broker.trim,
      db,
      dataFolder: config.DATA_DIR,
      everyEntries: config.CHECKPOINT_ENTRIES,
      isMaker: () => shards.serves(0) && ownership.ready,
      view: ownership.view,
      clock,
      logger,
    });

  /** Nobody's figures wait for a broker that is away. */
  async function openInboxLags(): Promise<ReadonlyMap<number, number>> {
    if (!broker.connection.connected) return new Map();
    const lags = inboxLags(inbox, allShards.filter(shards.has), shards.offsetOf);
    return within(lags, FIGURES_MS, clock).catch(() => new Map());
  }

  const run: Home['run'] = (node, local, tapped) => {
    const self = { ...broker.self, incarnation: ids.next('node') };
    /** What nobody knows is refused by whoever has the first shard. */
    const shardOf = (address: Address): number => node.placementOf(address) ?? 0;
    const ownership = openOwnership(self, { node, local, tapped });
    const { view } = ownership;
    const drain = async (): Promise<void> => {
      const left = await ownership.drain(DRAIN_PATIENCE_MS);
      if (left > 0) logger.warn({ shards: left }, 'shards were left without a word: the others will miss this node');
    };
    const operations = createClusterOperations({ local, shardOf, view, calls, drain, chaos: config.CHAOS, logger });
    const discovery = broker.answerDiscovery({ incarnation: self.incarnation, startedAt: clock.now() });
    const answering = calls.serveNode(self.node, async (body) => {
      const answer = ownership.answer(body) ?? operations.answer(body);
      if (!answer) throw new Error('nobody here knows this question');
      return answer;
    });
    const silence = watchSilence({ clock, calls });
    const checkpoints = keepCheckpoints(ownership);
    const status = (): NodeStatus => statusOf(broker, ownership, clock.monotonic());
    registerClusterFigures(telemetry.registry, {
      status,
      calls: calls.totals,
      failedAppends: () => shards.failedAppends,
      inboxes: shards.unanswered,
      inboxLags: openInboxLags,
      checkpoint: () => checkpoints.known,
      now: clock.now,
    });
    const core = createRemoteShop({ local, serves: shards.serves, shardOf, calls, ...surroundings });
    const running: Running = {
      core: answeringUnlessAway(core, silence),
      get ready() {
        return ownership.ready;
      },
      upToDate: createRounds(() => upToDate(ownership, silence)),
      operations: {
        ...operations,
        inboxLags: () => inboxLags(inbox, allShards, shards.offsetOf),
        checkpoint: () => newestOf(checkpoints, ownership),
      },
      status,
      drain,
      async stop(patienceMs) {
        await checkpoints.stop();
        silence.stop();
        await ownership.stop();
        answering.stop();
        await node.stop(patienceMs);
        try {
          copy.catchUp();
        } catch (error) {
          // What could not be written is followed again at the next start.
          troubles.troubled(error);
        }
        discovery.stop();
        await broker.connection.close();
      },
    };
    return running;
  };

  /** One question to the broker for each foreign shard. */
  async function upToDate({ caughtUp }: Ownership, silence: Silence): Promise<void> {
    // Else the client would wait for it to come back.
    if (!broker.connection.connected) throw new Unavailable('there is no connection to the broker', RETRY_AFTER_MS);
    const others = allShards.filter((shard) => !shards.serves(shard));
    try {
      await silence.unlessAway(() => Promise.all(others.map((shard) => caughtUp(shard, UP_TO_DATE_MS))));
      // What was read may still wait to be written, and the catalog looks only at what is.
      copy.catchUp();
    } catch (error) {
      if (error instanceof Unavailable) throw error;
      throw new Unavailable(error instanceof Error ? error.message : String(error), RETRY_AFTER_MS);
    }
  }

  return {
    store: copy.store,
    current: copy.current,
    reader: copy.reader,
    ledger,
    isShared: true,
    mayAct: shards.serves,
    idSecret: settings.idSecret,
    ...(settings.authSecret !== undefined && { authSecret: settings.authSecret }),
    isNew: folder.isNew && broker.isNew,
    elsewhere: byInbox(inbox),
    run,
  };
}

/** Messages to shards that aren't open here. */
function byInbox(inbox: Broker['inbox']): Transport {
  return {
    send(shard, envelope, settle) {
      inbox.put(shard, envelope).then(
        () => settle({ kind: 'done' }),
        (error: Error) =>
          settle(error instanceof EnvelopeRefused ? { kind: 'failed', error } : unavailable(error.message)),
      );
    },
  };
}

function statusOf({ settings, connection }: Broker, { view }: Ownership, now: number): NodeStatus {
  const contactAgeMs = Math.max(0, now - connection.lastContact);
  return {
    mode: 'cluster',
    cluster: settings.cluster,
    broker: { connected: connection.connected, contactAgeMs },
    ...view(),
  };
}

async function newestOf({ newest }: Checkpoints, { view }: Ownership): Promise<NewestCheckpoint | undefined> {
  const found = await newest().catch(() => undefined);
  return found && { at: found.at, positions: found.positions, entriesSince: entriesSince(found, view().shards) };
}

/** Of the shards whose inbox the broker tells about. */
async function inboxLags(
  inbox: Broker['inbox'],
  shards: readonly number[],
  offsetOf: (shard: number) => number,
): Promise<ReadonlyMap<number, number>> {
  const lags = new Map<number, number>();
  const find = async (shard: number): Promise<void> => {
    lags.set(shard, Math.max(0, (await inbox.end(shard)) - offsetOf(shard)));
  };
  await Promise.allSettled(shards.map(find));
  return lags;
}
