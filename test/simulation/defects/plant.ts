/**
 * Plants a mistake into a node as it is put together. Product code knows nothing of it. Where the mistake is in what the
 * checks look at as well, it is made only while the shop runs: it is to be found by what it did.
 */
import type { ShardLog, ShardStore, StoredAggregate } from '../../../actors/kernel/ports.ts';
import { shop } from '../../../actors/shop.ts';
import type { Broker } from '../../../supervisors/cluster/broker.ts';
import type { Replacements } from '../../../supervisors/holdfast.ts';
import type { Ground, Home } from '../../../supervisors/home.ts';
import type { AnyDecider } from '../../../supervisors/memory.ts';
import { shardOf } from '../../../supervisors/placement.ts';
import { mistakenDeciders } from './deciders.ts';
import type { Defect } from './names.ts';

/** Each member makes of the right part what is to be in its place. */
export type Planting = {
  readonly ground: (ground: Ground) => Ground;
  readonly broker: (broker: Broker) => Broker;
  readonly home: (home: Home, ground: Ground) => Home;
  readonly replacements: (home: Home, shards: number) => Replacements;
};

const same = <Part>(part: Part): Part => part;

export const NO_DEFECT: Planting = { ground: same, broker: same, home: same, replacements: () => ({}) };

/** Once in so many. */
const NOW_AND_THEN = 20;

/** @param isMade whether the mistake is made now */
export function plant(defect: Defect, isMade: () => boolean): Planting {
  const deciders = mistakenDeciders(defect);
  const changes = { ...changesOf(isMade)[defect] };
  return {
    ...NO_DEFECT,
    ...changes,
    replacements: (home, shards) => {
      const log = logs[defect];
      return { ...(deciders && { deciders }), ...(log && { log: (right) => log(right, home, shards) }) };
    },
  };
}

type Changes = Partial<Pick<Planting, 'ground' | 'broker' | 'home'>>;

const storing =
  (change: (store: ShardStore) => Partial<ShardStore>) =>
  (home: Home): Home => ({ ...home, store: { ...home.store, ...change(home.store) } });

const loading = (isMade: () => boolean, change: (commits: Commits) => Commits, answered = answeredRight) =>
  storing((store) => ({
    answered: (...which) => (isMade() ? answered(store.answered(...which)) : store.answered(...which)),
    load: (...which) => {
      const found = store.load(...which);
      return isMade() ? { ...found, commits: change(found.commits) } : found;
    },
  }));

type Commits = StoredAggregate['commits'];
type Found = ReturnType<ShardStore['answered']>;

const answeredRight = (found: Found): Found => found;

const changesOf = (isMade: () => boolean): Partial<Record<Defect, Changes>> => ({
  'duplicates-done-twice': {
    home: loading(
      isMade,
      (commits) => commits.map((commit) => ({ ...commit, cause: `forgotten ${commit.seq}` })),
      () => undefined,
    ),
  },
  'answer-not-stored': { home: loading(isMade, (commits) => commits.map(withoutReply), withoutReply) },
  'newest-commit-overlooked': { home: loading(isMade, (commits) => commits.slice(0, -1)) },
  'secret-made-anew': {
    home: (home, { instance }) => (instance === 1 ? home : { ...home, idSecret: `${home.idSecret} ${instance}` }),
  },
  'outbox-forgotten': { home: storing(() => ({ outbox: () => [] })) },
  'timers-forgotten': { home: storing(() => ({ nextTimer: () => undefined })) },
  // The broker takes it (`run.ts`).
  'claims-not-compared': {
    broker: (broker) => ({
      ...broker,
      log: {
        ...broker.log,
        async claim(shard, node) {
          const claim = await broker.log.claim(shard, node);
          return { ...claim, append: (record) => claim.append(record) };
        },
      },
    }),
  },
  'inbox-skips-one': {
    broker: (broker) => ({
      ...broker,
      inbox: { ...broker.inbox, read: (shard, after, on) => broker.inbox.read(shard, after + 1, on) },
    }),
  },
  'inbox-trimmed-early': {
    broker: (broker) => ({
      ...broker,
      inbox: {
        ...broker.inbox,
        read: (shard, after, on) =>
          broker.inbox.read(shard, after, (offset, envelope) => {
            void broker.inbox.trim(shard, offset);
            return on(offset, envelope);
          }),
      },
    }),
  },
  'inbox-loses': {
    broker: (broker) => ({
      ...broker,
      inbox: {
        ...broker.inbox,
        put: async (shard, envelope) => {
          if (Math.random() * NOW_AND_THEN > 1) await broker.inbox.put(shard, envelope);
        },
      },
    }),
  },
  'stale-reads': {
    broker: (broker) => ({
      ...broker,
      calls: Object.defineProperty({ ...broker.calls }, 'lastContact', { get: () => performance.now() }),
    }),
  },
  'list-not-kept': {
    ground: (ground) => ({
      ...ground,
      immediate: ground.immediate.map((projection) => ({
        ...projection,
        apply: (...given) => {
          if (Math.random() * NOW_AND_THEN > 1) projection.apply(...given);
        },
      })),
    }),
  },
});

type Logging = (right: ShardLog, home: Home, shards: number) => ShardLog;

const logs: Partial<Record<Defect, Logging>> = {
  'reply-before-durable': (right) => {
    let before: Promise<unknown> = Promise.resolve();
    return {
      async append(record) {
        before = before.then(() => right.append(record)).catch(() => undefined);
      },
    };
  },
  'send-before-durable': (right, { elsewhere }, shards) => ({
    append(record) {
      for (const envelope of record.record.commits.flatMap(({ sends }) => sends)) {
        const decider = (shop as unknown as Readonly<Record<string, AnyDecider>>)[envelope.to.type];
        if (!decider) continue;
        const shard = shardOf(decider.partitionKey(envelope.to.id), shards);
        if (shard !== record.record.shard) elsewhere?.send(shard, envelope, () => undefined);
      }
      return right.append(record);
    },
  }),
};

function withoutReply<Commit extends object | undefined>(commit: Commit): Commit {
  if (commit === undefined || !('reply' in commit)) return commit;
  const { reply: _, ...rest } = commit;
  return rest as Commit;
}
