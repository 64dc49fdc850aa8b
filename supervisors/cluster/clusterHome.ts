/**
 * A node of a cluster: the logs are at the broker, and this node has the shards that it has claimed. It follows all of them
 * into its own file, so it can list whatever there is and take any shard over.
 */
import type { Address } from '../../actors/kernel/address.ts';
import { type Claim, EnvelopeRefused, Fenced, type Following } from '../../actors/kernel/clusterPorts.ts';
import type { Envelope } from '../../actors/kernel/message.ts';
import { AppendRefused, type Settled, type ShardLog } from '../../actors/kernel/ports.ts';
import { createLocalCopy } from '../../storage/localCopy.ts';
import { createTables } from '../../storage/tables.ts';
import type { Ground, Home, Running } from '../home.ts';
import type { NodeStatus } from '../nodeStatus.ts';
import { Unavailable } from '../shop.ts';
import { unavailable } from '../unavailable.ts';
import type { Broker } from './broker.ts';
import { runCheckpoints } from './checkpoints.ts';
import { registerClusterFigures } from './clusterFigures.ts';
import { createClusterOperations } from './clusterOperations.ts';
import { TooFarBehind } from './fromCheckpoint.ts';
import { type InboxReader, readInbox } from './inboxReader.ts';
import { createMending } from './mendShard.ts';
import { createOwnership, type Ownership } from './ownership.ts';
import { createRemoteShop } from './remoteShop.ts';
import { createRounds } from './rounds.ts';
import { serveShard } from './shardService.ts';
import { answeringUnlessAway, watchSilence } from './silence.ts';

/** How long a node that leaves waits for the others to come for its shards. */
export const DRAIN_PATIENCE_MS = 20_000;
/** How long a list waits for this node's tables to hold what is in the logs. */
const UP_TO_DATE_MS = 5_000;
const RETRY_AFTER_MS = 1_000;

/** Searches go to the tables as they are, and remember what they found. */
const CATALOG: ReadonlySet<string> = new Set(['product']);

/** What belongs to a shard while it is open here. */
type Open = { readonly reader: InboxReader; readonly serving: Following };

/** @param end ends the process: this node can't go on */
export function createClusterHome(ground: Ground, broker: Broker, end: (error: Error) => void): Home {
  const { config, db, folder, immediate, following, feed, failPoint, clock, ids, telemetry, logger } = ground;
  const { log, inbox, calls, settings, ledger } = broker;
  const troubled = (error: unknown): void =>
    logger.error({ err: error }, 'the copy of the logs can not be written now');
  const skipped = (what: string, error: unknown): void =>
    logger.error({ err: error, what }, 'a list leaves out what it can make no sense of');
  const tables = createTables(db, { projections: following, follower: feed.follower, failPoint, skipped, troubled });
  const copy = createLocalCopy(db, { projections: immediate, tables, eager: CATALOG, skipped, troubled });
  const surroundings = { clock, random: ids.random, logger };

  let serves = (_shard: number): boolean => false;

  const run: Home['run'] = (node, local, tapped) => {
    const open = new Map<number, Open>();
    const failedAppends = { fenced: 0, refused: 0 };
    const self = { ...broker.self, incarnation: ids.next('node') };
    const mend = createMending({
      me: broker.self.node,
      db,
      log,
      inbox,
      copy,
      isOpen: (shard) => open.has(shard),
      placementOf: node.placementOf,
      ...surroundings,
    });
    const ownership: Ownership = createOwnership({
      shards: config.SHARDS,
      self,
      log,
      calls,
      tables: copy,
      host: { open: openShard, close: closeShard },
      clock,
      random: ids.random,
      logger,
      restore: async (shard, why) => {
        // Only a start can put a checkpoint in the place of this node's file.
        if (why.reason === 'trimmed')
          end(new TooFarBehind(`${why.message}; start this node again: it loads a checkpoint`));
        return mend(shard, why);
      },
      onNameTaken: end,
    });
    const discovery = broker.answerDiscovery({ incarnation: self.incarnation, startedAt: clock.now() });
    serves = (shard) => open.has(shard) && ownership.mayServe(shard);
    const serving = calls.serveNode(broker.self.node, async (body) => {
      const answer = ownership.answer(body) ?? operations.answer(body);
      if (!answer) throw new Error('nobody here knows this question');
      return answer;
    });

    function openShard(shard: number, claim: Claim): void {
      copy.catchUp();
      const reader = readInbox({
        shard,
        from: copy.store.head(shard)?.inboxOffset ?? 0,
        inbox,
        deliver: toActor,
        ...surroundings,
      });
      const records: ShardLog = {
        async append(record) {
          const started = clock.monotonic();
          copy.own(shard, await appended(shard, claim, record), record);
          const { commits, inboxOffset } = record.record;
          reader.stored(inboxOffset);
          telemetry.recordAppended(commits.length, record.bytes, clock.monotonic() - started);
        },
      };
      try {
        node.open(shard, { log: tapped(records), epoch: claim.epoch, inboxOffset: reader.offset });
      } catch (error) {
        // It would go on handing this node the messages of whoever takes the shard.
        reader.close();
        throw error;
      }
      open.set(shard, {
        reader,
        serving: serveShard({ shard, local, calls, mayServe: () => serves(shard), ...surroundings }),
      });
    }

    /** Calls of gateways come from outboxes alone: one in an inbox is not of ours, and would be made again and again. */
    function toActor(envelope: Envelope, settle: (result: Settled) => void): void {
      if (envelope.to.type === 'gateway') {
        logger.error({ id: envelope.id, from: envelope.from }, 'a call of a gateway stands in an inbox: passed over');
        settle({ kind: 'done' });
      } else {
        node.deliver(envelope, settle);
      }
    }

    async function appended(shard: number, claim: Claim, record: Parameters<Claim['append']>[0]): Promise<number> {
      try {
        copy.makeRoom();
        return await claim.append(record);
      } catch (error) {
        const fenced = error instanceof Fenced;
        failedAppends[fenced ? 'fenced' : 'refused'] += 1;
        if (error instanceof AppendRefused) throw error;
        if (fenced) ownership.lost(shard, claim.epoch);
        throw new AppendRefused(error instanceof Error ? error.message : String(error), { cause: error });
      }
    }

    async function closeShard(shard: number, how: { readonly flush: boolean }): Promise<void> {
      open.get(shard)?.serving.stop();
      open.get(shard)?.reader.close();
      open.delete(shard);
      await node.close(shard, how);
    }

    const silence = watchSilence({ clock, calls });
    /** One question to the broker for each foreign shard: lists that are asked for at once share them. */
    const upToDate = createRounds(async (): Promise<void> => {
      // Else the client would wait for it to come back.
      if (!broker.connection.connected) throw new Unavailable('there is no connection to the broker', RETRY_AFTER_MS);
      const others = Array.from({ length: config.SHARDS }, (_, shard) => shard).filter((shard) => !serves(shard));
      try {
        await silence.unlessAway(() => Promise.all(others.map((shard) => ownership.caughtUp(shard, UP_TO_DATE_MS))));
        // What was read may still wait to be written, and the catalog looks only at what is.
        copy.catchUp();
      } catch (error) {
        if (error instanceof Unavailable) throw error;
        throw new Unavailable(error instanceof Error ? error.message : String(error), RETRY_AFTER_MS);
      }
    });

    /** What nobody knows is refused by whoever has the first shard. */
    const shardOf = (address: Address): number => node.placementOf(address) ?? 0;
    const drain = async (): Promise<void> => {
      const left = await ownership.drain(DRAIN_PATIENCE_MS);
      if (left > 0) logger.warn({ shards: left }, 'shards were left without a word: the others will miss this node');
    };
    const operations = createClusterOperations({
      local,
      shardOf,
      view: ownership.view,
      calls,
      drain,
      logger,
    });
    const status = (): NodeStatus => ({
      mode: 'cluster',
      cluster: settings.cluster,
      broker: {
        connected: broker.connection.connected,
        contactAgeMs: Math.max(0, clock.monotonic() - broker.connection.lastContact),
      },
      ...ownership.view(),
    });
    registerClusterFigures(telemetry.registry, {
      status,
      calls: calls.totals,
      failedAppends: () => failedAppends,
      inboxes: () => [...open].map(([shard, { reader }]) => ({ shard, unanswered: reader.unanswered })),
    });
    const offsetOf = (shard: number): number =>
      open.get(shard)?.reader.offset() ?? copy.store.head(shard)?.inboxOffset ?? 0;
    const checkpoints = runCheckpoints({
      shelf: broker.shelf,
      trim: broker.trim,
      db,
      dataFolder: config.DATA_DIR,
      everyEntries: config.CHECKPOINT_ENTRIES,
      isMaker: () => serves(0) && ownership.ready,
      view: ownership.view,
      clock,
      logger,
    });
    const running: Running = {
      core: answeringUnlessAway(createRemoteShop({ local, serves, shardOf, calls, ...surroundings }), silence),
      get ready() {
        return ownership.ready;
      },
      upToDate,
      operations: { ...operations, inboxLags: () => inboxLags(inbox, config.SHARDS, offsetOf) },
      status,
      drain,
      async stop(patienceMs) {
        await checkpoints.stop();
        silence.stop();
        await ownership.stop();
        serving.stop();
        await node.stop(patienceMs);
        try {
          copy.catchUp();
        } catch (error) {
          // What could not be written is followed again at the next start.
          troubled(error);
        }
        discovery.stop();
        await broker.connection.close();
      },
    };
    return running;
  };

  return {
    store: copy.store,
    current: copy.current,
    reader: copy.reader,
    ledger,
    isShared: true,
    mayAct: (shard) => serves(shard),
    idSecret: settings.idSecret,
    ...(settings.authSecret !== undefined && { authSecret: settings.authSecret }),
    isNew: folder.isNew && broker.isNew,
    elsewhere: {
      send(shard, envelope, settle) {
        inbox.put(shard, envelope).then(
          () => settle({ kind: 'done' }),
          (error: Error) =>
            settle(error instanceof EnvelopeRefused ? { kind: 'failed', error } : unavailable(error.message)),
        );
      },
    },
    run,
  };
}

/** Of the shards whose inbox the broker tells about. */
async function inboxLags(
  inbox: Broker['inbox'],
  shards: number,
  offsetOf: (shard: number) => number,
): Promise<ReadonlyMap<number, number>> {
  const lags = new Map<number, number>();
  const find = async (shard: number): Promise<void> => {
    lags.set(shard, Math.max(0, (await inbox.end(shard)) - offsetOf(shard)));
  };
  await Promise.allSettled(Array.from({ length: shards }, (_, shard) => find(shard)));
  return lags;
}
