/** What every shared log promises, over a simulation and over real brokers. */
import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Claim,
  Fenced,
  type FollowOptions,
  type LogEntry,
  type LogPosition,
  type SharedLog,
} from '../../actors/kernel/clusterPorts.ts';
import { AppendRefused, type EncodedRecord } from '../../actors/kernel/ports.ts';
import { encodeBody, encodeRecord, GENESIS_HASH } from '../../storage/recordCodec.ts';
import { commit } from '../storage/shardLogContract.ts';
import { until as eventually } from '../support/broker.ts';
import { keptLaws, type Lane, playLanes, type Step } from './sharedLogModel.ts';

export type SharedLogsUnderTest = {
  /** Another node's view of the same logs; two shards, empty. */
  node(): SharedLog;
  /** More bytes than the log takes in one record. */
  readonly tooLarge: number;
  /** Lets time pass until what is awaited has settled. */
  until<Value>(awaited: Promise<Value>): Promise<Value>;
  close(): Promise<void>;
};

const SCHEDULE: readonly Step[] = [
  ...(['claim', 'append', 'append', 'claim', 'append', 'append'] as const),
  ...(['append', 'release', 'claim', 'append', 'append', 'append'] as const),
];

/** A record of a claim whose first commit carries the text. */
export function recordOf(claim: Pick<Claim, 'epoch'>, n: number, text = '', shard = 0): EncodedRecord {
  const commits = [commit(`o${n}/order`, n, { by: text })];
  const header = { schema: 1 as const, shard, epoch: claim.epoch, n, prevHash: GENESIS_HASH, at: 0, inboxOffset: 0 };
  return encodeRecord({ ...header, commits, acked: [] }, commits.map(encodeBody), []);
}

/** What a follower was handed, in order. */
export function collect(
  log: SharedLog,
  after: LogPosition = 0,
  options: FollowOptions = {},
): { readonly entries: LogEntry[]; stop(): void } {
  const entries: LogEntry[] = [];
  const following = log.follow(0, after, (entry) => void entries.push(entry), options);
  return { entries, stop: () => following.stop() };
}

export const outlineOf = (entry: LogEntry): string => {
  if (entry.kind === 'record') return `${entry.position} record ${entry.record.record.epoch}:${entry.record.record.n}`;
  if (entry.kind === 'own') return `${entry.position} own ${entry.epoch}:${entry.n}`;
  if (entry.kind === 'claim') return `${entry.position} claim ${entry.node}`;
  return `${entry.position} release ${entry.epoch}${entry.to === undefined ? '' : ` to ${entry.to}`}`;
};

export const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

/** Follows the whole log until its newest entry. */
export async function wholeLog(log: SharedLog): Promise<LogEntry[]> {
  const end = await log.end(0);
  const follower = collect(log);
  await eventually('the whole log was handed over', () => follower.entries.length >= end);
  follower.stop();
  return follower.entries;
}

export function sharedLogContract(test: Test, name: string, open: () => Promise<SharedLogsUnderTest>): void {
  function title(text: string, run: (logs: SharedLogsUnderTest) => Promise<void>): void {
    test(`shared log (${name}) - ${text}`, async () => {
      const logs = await open();
      try {
        await logs.until(run(logs));
      } finally {
        await logs.close();
      }
    });
  }

  title('an empty log ends at 0 and begins at 1; shards are logs of their own', async (logs) => {
    const log = logs.node();
    assert.equal([await log.end(0), await log.begin(0)], [0, 1]);
    const claim = await log.claim(1, 'a');
    assert.is(claim.epoch, 1);
    assert.equal([await log.end(0), await log.end(1), await log.begin(1)], [0, 1, 1]);
  });

  title('a record that is brought is handed over as it was made, and fenced off like any other', async (logs) => {
    const [a, b] = [logs.node(), logs.node()];
    const made = { epoch: 70 };
    const first = await a.claim(0, 'a');
    assert.is(await first.bring(recordOf(made, 1)), 2);
    const second = await b.claim(0, 'b');
    const fenced = await failureOf(first.bring(recordOf(made, 2)));
    assert.is(fenced instanceof Fenced && fenced.reason, 'superseded');
    assert.is(await second.bring(recordOf(made, 2)), 4);
    assert.is(await second.append(recordOf(second, 3)), 5);
    const whole = ['1 claim a', '2 record 70:1', '3 claim b', '4 record 70:2', '5 record 3:3'];
    assert.equal((await wholeLog(a)).map(outlineOf), whole);
  });

  title('followers get claims, records and releases in order, from where they ask', async (logs) => {
    const [a, b] = [logs.node(), logs.node()];
    const early = collect(b);
    const first = await a.claim(0, 'a');
    const records = [recordOf(first, 1, 'one'), recordOf(first, 2, 'zwei ü 🙂')];
    for (const [index, record] of records.entries()) assert.is(await first.append(record), index + 2);
    await first.release('b');
    const second = await b.claim(0, 'b');
    assert.is(second.epoch, 5);
    await second.append(recordOf(second, 3));
    const late = collect(a, 2);
    await eventually('both have followed', () => early.entries.length === 6 && late.entries.length === 4);
    const whole = ['1 claim a', '2 record 1:1', '3 record 1:2', '4 release 1 to b', '5 claim b', '6 record 5:3'];
    assert.equal(early.entries.map(outlineOf), whole);
    assert.equal(late.entries.map(outlineOf), whole.slice(2));
    assert.equal(
      early.entries.flatMap((entry) => (entry.kind === 'record' ? [entry.record] : [])).slice(0, 2),
      records,
    );
    early.stop();
    late.stop();
  });

  title('a paused owner that wakes up after its successor claimed stores nothing', async (logs) => {
    const [a, b] = [logs.node(), logs.node()];
    const old = await a.claim(0, 'a');
    for (let n = 1; n <= 5; n++) await old.append(recordOf(old, n));
    const successor = await b.claim(0, 'b');
    // It tries whatever was queued, one after the other, as if the first refusal hadn't been heard.
    for (let n = 6; n <= 60; n++) {
      const error = await failureOf(old.append(recordOf(old, n, 'zombie')));
      assert.instance(error, Fenced);
      assert.is((error as Fenced).reason, 'superseded');
      if (n % 10 === 0) await successor.append(recordOf(successor, n / 10));
    }
    assert.equal((await wholeLog(b)).slice(5).map(outlineOf), [
      '6 record 1:5',
      '7 claim b',
      ...[1, 2, 3, 4, 5, 6].map((n) => `${7 + n} record 7:${n}`),
    ]);
  });

  title('a claim between two appends keeps the second out', async (logs) => {
    const [a, b] = [logs.node(), logs.node()];
    const old = await a.claim(0, 'a');
    const appending = old.append(recordOf(old, 1));
    const claiming = b.claim(0, 'b');
    const [appended] = await Promise.allSettled([appending, claiming]);
    assert.instance(await failureOf(old.append(recordOf(old, 2))), Fenced);
    const records = (await wholeLog(b)).filter(({ kind }) => kind === 'record');
    assert.is(records.length, appended.status === 'fulfilled' ? 1 : 0);
  });

  title('of claimers at once the one with the highest epoch can append, and only that one', async (logs) => {
    const claims = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((node) => logs.node().claim(0, node)));
    const epochs = claims.map(({ epoch }) => epoch);
    assert.is(new Set(epochs).size, 5);
    const appends = await Promise.allSettled(claims.map((claim) => claim.append(recordOf(claim, 1))));
    const winners = claims.filter((_, index) => appends[index]?.status === 'fulfilled');
    assert.equal(
      winners.map(({ epoch }) => epoch),
      [Math.max(...epochs)],
    );
  });

  title('a released claim appends nothing; releasing a lost one writes nothing', async (logs) => {
    const [a, b] = [logs.node(), logs.node()];
    const first = await a.claim(0, 'a');
    const appending = first.append(recordOf(first, 1));
    await first.release();
    await appending;
    const error = await failureOf(first.append(recordOf(first, 2)));
    assert.is(error instanceof Fenced && error.reason, 'released');
    const lost = await a.claim(0, 'a');
    await b.claim(0, 'b');
    await lost.release('c');
    const outlines = (await wholeLog(a)).map(outlineOf);
    assert.equal(outlines, ['1 claim a', '2 record 1:1', '3 release 1', '4 claim a', '5 claim b']);
  });

  title('a record that is too large is refused as such, and the claim goes on', async (logs) => {
    const claim = await logs.node().claim(0, 'a');
    const error = await failureOf(claim.append(recordOf(claim, 1, 'x'.repeat(logs.tooLarge))));
    assert.instance(error, AppendRefused);
    assert.is((error as AppendRefused).fault, 'record');
    assert.is(await claim.append(recordOf(claim, 1)), 2);
  });

  title('two appends at once under one claim are a mistake of the caller', async (logs) => {
    const claim = await logs.node().claim(0, 'a');
    const first = claim.append(recordOf(claim, 1));
    assert.match(String(await failureOf(claim.append(recordOf(claim, 2)))), /one append at a time/);
    assert.is(await first, 2);
  });

  title('a slow follower is handed one entry at a time, and loses none', async (logs) => {
    const log = logs.node();
    const claim = await log.claim(0, 'a');
    for (let n = 1; n <= 200; n++) await claim.append(recordOf(claim, n));
    const positions: number[] = [];
    let busy = 0;
    let most = 0;
    const following = log.follow(0, 0, async ({ position }) => {
      most = Math.max(most, ++busy);
      await new Promise((resolve) => setImmediate(resolve));
      positions.push(position);
      busy--;
    });
    await eventually('all was handed over', () => positions.length === 201);
    following.stop();
    assert.is(most, 1);
    assert.equal(
      positions,
      Array.from({ length: 201 }, (_, index) => index + 1),
    );
  });

  title('a stopped follower is handed nothing more', async (logs) => {
    const log = logs.node();
    const stopped = collect(log);
    const other = collect(log);
    const claim = await log.claim(0, 'a');
    await eventually('it follows', () => stopped.entries.length === 1);
    stopped.stop();
    await claim.append(recordOf(claim, 1));
    await eventually('another one was handed the record', () => other.entries.length === 2);
    assert.is(stopped.entries.length, 1);
    other.stop();
  });

  title(
    'whoever skips its own records gets their positions, after their appends; others get them whole',
    async (logs) => {
      const [a, b] = [logs.node(), logs.node()];
      const earlier = await a.claim(0, 'a');
      await earlier.append(recordOf(earlier, 1));
      const own = collect(a, 0, { skipOwn: true });
      const other = collect(b, 0, { skipOwn: true });
      const acknowledged: number[] = [];
      const early: number[] = [];
      const following = a.follow(
        0,
        2,
        ({ kind, position }) => {
          if (kind === 'own' && !acknowledged.includes(position)) early.push(position);
        },
        { skipOwn: true },
      );
      await earlier.append(recordOf(earlier, 2)).then((position) => acknowledged.push(position));
      const later = await a.claim(0, 'a');
      for (let n = 3; n <= 10; n++) {
        await later.append(recordOf(later, n)).then((position) => acknowledged.push(position));
      }
      await eventually('both have followed', () => own.entries.length === 12 && other.entries.length === 12);
      assert.equal(
        own.entries.map(({ kind }) => kind),
        ['claim', 'record', 'own', 'claim', ...Array.from({ length: 8 }, () => 'own')],
      );
      assert.is(other.entries.filter(({ kind }) => kind === 'record').length, 10);
      assert.equal(early, []);
      for (const { stop } of [own, other, following]) stop();
    },
  );

  title(
    'whatever several owners do at once, the log holds what was acknowledged, once, under its claim',
    async (logs) => {
      const lanes: Lane[] = ['a', 'b', 'c'].map((node, index) => ({
        node,
        log: logs.node(),
        steps: SCHEDULE.slice(index),
      }));
      const history = await playLanes(lanes);
      keptLaws(history, await wholeLog(logs.node()));
    },
  );
}
