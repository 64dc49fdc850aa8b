/** One shard's log on its way into a node's tables. */
import { pino } from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type FollowOptions,
  type LogEntry,
  LogUnreadable,
  type SharedLog,
} from '../../../actors/kernel/clusterPorts.ts';
import { type ShardTitle, titleAfter } from '../../../actors/kernel/followedTables.ts';
import { createFollower, type Follower } from '../../../supervisors/cluster/follower.ts';
import { SimulatedTime } from '../../support/clusterProcess.ts';

const followers = suite('follower');

const claim = (position: number, node = 'a'): LogEntry => ({ kind: 'claim', position, node });

type Setup = {
  readonly apply?: (entry: LogEntry) => void | Promise<void>;
  readonly restore?: (why: LogUnreadable) => Promise<void>;
};

function follow({ apply = () => undefined, restore = () => Promise.resolve() }: Setup = {}) {
  const time = new SimulatedTime();
  const state = { end: 0, position: 0, title: undefined as ShardTitle | undefined, applied: [] as number[] };
  const begun: {
    readonly after: number;
    readonly on: (entry: LogEntry) => unknown;
    readonly options?: FollowOptions;
  }[] = [];
  const log: Pick<SharedLog, 'follow' | 'end'> = {
    follow(_, after, on, options) {
      begun.push({ after, on, ...(options && { options }) });
      return { stop: () => undefined };
    },
    end: () => Promise.resolve(state.end),
  };
  const follower = createFollower({
    shard: 0,
    log,
    tables: {
      position: () => state.position,
      title: () => state.title,
      isWhole: () => true,
      records: () => 0,
      async apply(_, entry) {
        await apply(entry);
        state.applied.push(entry.position);
        state.position = entry.position;
        state.title = titleAfter(state.title, entry);
      },
    },
    clock: { delay: (ms, task) => time.after(ms, task) },
    logger: pino({ level: 'silent' }),
    restore: (_, why) => restore(why),
    onTitle: () => undefined,
    onApplied: () => undefined,
  });
  follower.start();
  const run = (ms: number) =>
    time.run(
      ms,
      () => false,
      () => undefined,
    );
  return { follower, state, begun, run, hand: (entry: LogEntry) => void begun.at(-1)?.on(entry) };
}

followers('an entry that can not be applied is tried again, and nothing overtakes it', async () => {
  let failures = 2;
  const { state, run, hand } = follow({
    apply: () => {
      if (failures-- > 0) throw new Error('disk full');
    },
  });
  hand(claim(1));
  hand(claim(2));
  await run(1_500);
  assert.equal(state.applied, []);
  await run(1_000);
  assert.equal(state.applied, [1, 2]);
});

followers('a claim is known before the tables hold it', async () => {
  const { follower, state, run, hand } = follow({ apply: () => new Promise(() => undefined) });
  hand(claim(1));
  hand(claim(2, 'b'));
  await run(10);
  assert.is(state.position, 0);
  assert.equal(follower.title, { node: 'b', epoch: 2 });
});

followers('what the tables hold already is not applied again', async () => {
  const { state, run, hand } = follow();
  state.position = 2;
  hand({ kind: 'own', position: 2, epoch: 1, n: 1 });
  hand(claim(3));
  await run(10);
  assert.equal(state.applied, [3]);
});

followers('a claim where the tables hold a record of this node tells that the log has lost that', async () => {
  const why: LogUnreadable[] = [];
  const { follower, state, run, hand } = follow({
    restore: (reason) => {
      why.push(reason);
      return new Promise(() => undefined);
    },
  });
  hand(claim(1));
  await run(10);
  state.position = 3;
  hand(claim(2, 'b'));
  await run(10);
  assert.not(follower.readable);
  assert.equal(
    why.map(({ reason }) => reason),
    ['rewound'],
  );
});

/** Whether whoever asks now has been told. */
function askedOf(follower: Pick<Follower, 'caughtUp'>): { readonly caughtUp: boolean } {
  const waiting = { caughtUp: false };
  void follower.caughtUp().then(() => {
    waiting.caughtUp = true;
  });
  return waiting;
}

followers('it has caught up when the tables hold what the log held when asked', async () => {
  const { follower, state, run, hand } = follow();
  state.end = 2;
  const waiting = askedOf(follower);
  hand(claim(1));
  await run(10);
  assert.not(waiting.caughtUp);
  hand(claim(2));
  await run(10);
  assert.ok(waiting.caughtUp);
});

followers(
  'it has caught up when the tables hold what is left of what the log held, where its broker lost the end',
  async () => {
    const { follower, state, run, hand } = follow();
    state.end = 2;
    const waiting = askedOf(follower);
    hand(claim(1));
    await run(10);
    state.end = 1;
    await run(10_000);
    assert.ok(waiting.caughtUp);
  },
);

followers('whoever waits does not wait for what comes while it waits', async () => {
  const { follower, state, run, hand } = follow();
  state.end = 1;
  const waiting = askedOf(follower);
  await run(10);
  state.end = 5;
  await run(10_000);
  assert.not(waiting.caughtUp);
  hand(claim(1));
  await run(10);
  assert.ok(waiting.caughtUp);
});

followers('whoever waits hears that it was stopped', async () => {
  const { follower, state, run } = follow();
  state.end = 1;
  const waiting = follower.caughtUp().then(
    () => 'caught up',
    (error) => error.name,
  );
  await run(10);
  follower.stop();
  assert.is(await waiting, 'Stopped');
});

followers('a log that can not be followed is followed again from where the tables were restored to', async () => {
  let tries = 0;
  const { follower, state, begun, run } = follow({
    async restore() {
      if (++tries === 1) throw new Error('no checkpoint in reach');
      state.position = 70;
      state.title = { node: 'c', epoch: 60 };
    },
  });
  begun[0]?.options?.failed?.(new LogUnreadable('the log begins at 50', 'trimmed'));
  await run(1_000);
  assert.not(follower.readable);
  await run(5_000);
  assert.ok(follower.readable);
  assert.equal(
    begun.map(({ after }) => after),
    [0, 70],
  );
  assert.equal(follower.title, { node: 'c', epoch: 60 });
});

followers('a copy that nothing brings together with its log has parted, until somebody has', async () => {
  const parted = Object.assign(new Error('the two have parted'), { retryable: false });
  const reasons = [new Error('no checkpoint in reach'), parted];
  const { follower, begun, run } = follow({
    async restore() {
      const reason = reasons.shift();
      if (reason) throw reason;
    },
  });
  begun[0]?.options?.failed?.(new LogUnreadable('the log ends at 5', 'rewound'));
  await run(1_000);
  assert.not(follower.parted, 'it may still succeed');
  await run(5_000);
  assert.ok(follower.parted);
  await run(5_000);
  assert.not(follower.parted);
});

followers.run();
