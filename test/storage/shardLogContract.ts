/** What every shard log promises, whatever it is made of; run on the embedded one here, on others as they come. */
import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Commit } from '../../actors/kernel/message.ts';
import { AppendRefused, type EncodedRecord, type ShardLog, type ShardStore } from '../../actors/kernel/ports.ts';
import { encodeBody, encodeRecord, GENESIS_HASH } from '../../storage/recordCodec.ts';

export type LogUnderTest = {
  readonly log: ShardLog;
  readonly store: ShardStore;
  /** Closes and opens again, as after a crash. */
  reopen(): LogUnderTest;
  close(): void;
};

const T0 = Date.UTC(2026, 0, 1);

export function commit(key: string, seq: number, more: Partial<Commit> = {}): Commit {
  const base = { key, seq, version: seq, cause: `cause-${key}-${seq}`, at: T0 + seq };
  return { ...base, events: [{ type: 'Happened', v: 1 }], sends: [], timers: [], ...more };
}

type RecordParts = {
  shard?: number;
  n?: number;
  epoch?: number;
  inboxOffset?: number;
  prevHash?: string;
  acked?: string[];
  snapshots?: EncodedRecord['snapshots'];
};

export function record(commits: readonly Commit[], parts: RecordParts = {}): EncodedRecord {
  const { shard = 0, n = 1, epoch = 1, inboxOffset = 0, prevHash = GENESIS_HASH, acked = [], snapshots = [] } = parts;
  const header = { schema: 1 as const, shard, epoch, n, prevHash, at: T0, inboxOffset, commits, acked };
  return encodeRecord(header, commits.map(encodeBody), snapshots);
}

/** A time that no store can hold. */
const UNSTORABLE = { at: Number.NaN };

const send = (id: string, type = 'Hello') => ({
  id,
  from: { type: 'a', id: '1' },
  to: { type: 'b', id: '2' },
  message: { type },
  trace: '00-trace',
});

export function shardLogContract(test: Test, open: () => LogUnderTest): void {
  function title(text: string, run: (subject: LogUnderTest) => Promise<void>): void {
    test(`shard log - ${text}`, async () => {
      const subject = open();
      try {
        await run(subject);
      } finally {
        subject.close();
      }
    });
  }

  title('what is appended is applied, and there after a crash', async (subject) => {
    const first = record([commit('1/a', 1), commit('2/a', 1)]);
    await subject.log.append(first);
    await subject.log.append(record([commit('1/a', 2)], { n: 2, prevHash: first.hash }));
    const after = subject.reopen();
    assert.is(after.store.head(0)?.n, 2);
    assert.equal(
      after.store.load('1/a', 1).commits.map(({ seq }) => seq),
      [1, 2],
    );
    assert.is(after.store.head(1), undefined);
    assert.equal(
      after.store.load('2/a', 1).commits.map(({ cause }) => cause),
      ['cause-2/a-1'],
    );
    after.close();
  });

  title('appends of several shards at once are each in their own order', async ({ log, store }) => {
    await Promise.all([0, 1, 2].map((shard) => log.append(record([commit(`s${shard}/x`, 1)], { shard }))));
    assert.equal(
      [0, 1, 2].map((shard) => store.head(shard)?.n),
      [1, 1, 1],
    );
  });

  title('a record is applied whole or not at all', async ({ log, store }) => {
    await log.append(record([commit('1/a', 1)]));
    const half = record([commit('2/a', 1), commit('1/a', 2, UNSTORABLE)], { n: 2 });
    const error = await log.append(half).then(
      () => undefined,
      (failure: Error) => failure,
    );
    assert.instance(error, AppendRefused);
    assert.is(store.head(0)?.n, 1);
    assert.equal(store.load('2/a', 1).commits, []);
  });

  title("one shard's bad record does not stop another shard's", async ({ log, store }) => {
    await log.append(record([commit('1/a', 1)]));
    const results = await Promise.allSettled([
      log.append(record([commit('1/a', 2, UNSTORABLE)], { n: 2 })),
      log.append(record([commit('1/b', 1)], { shard: 1 })),
    ]);
    assert.equal(
      results.map(({ status }) => status),
      ['rejected', 'fulfilled'],
    );
    assert.is(store.head(1)?.n, 1);
  });

  title('messages stay in the outbox, in order, until they are acknowledged', async ({ log, store }) => {
    const sends = [send('1/a#1.0', 'First'), send('1/a#1.1', 'Second')];
    await log.append(record([commit('1/a', 1, { sends })]));
    const pending = store.outbox(0, 0, 10);
    assert.equal(
      pending.map(({ envelope }) => envelope),
      [{ ...send('1/a#1.0', 'First') }, { ...send('1/a#1.1', 'Second') }],
    );
    assert.equal(store.outbox(0, pending[0]?.position ?? 0, 10).length, 1);
    await log.append(record([], { n: 2, acked: ['1/a#1.0'] }));
    assert.equal(
      store.outbox(0, 0, 10).map(({ envelope }) => envelope.id),
      ['1/a#1.1'],
    );
  });

  title('a message answered within its record needs no outbox', async ({ log, store }) => {
    const sender = commit('1/a', 1, { sends: [send('1/a#1.0')] });
    await log.append(record([sender, commit('2/b', 1, { cause: '1/a#1.0' })]));
    assert.equal(store.outbox(0, 0, 10), []);
  });

  title('timers are due by time; setting replaces, clearing removes', async ({ log, store }) => {
    const set = (name: string, at: number) => ({ set: name, at, message: { type: 'Ring' } });
    await log.append(
      record([
        commit('1/a', 1, { timers: [set('x', 300), set('y', 100)] }),
        commit('2/a', 1, { timers: [set('x', 200)] }),
      ]),
    );
    assert.equal(
      store.timersDue(0, 250, 10).map(({ key, name }) => `${key} ${name}`),
      ['1/a y', '2/a x'],
    );
    assert.is(store.nextTimer(0), 100);
    await log.append(record([commit('1/a', 2, { timers: [{ clear: 'y' }, set('x', 50)] })], { n: 2 }));
    assert.equal(
      store.timersDue(0, 1_000, 10).map(({ key, name, at, seq }) => [key, name, at, seq]),
      [
        ['1/a', 'x', 50, 2],
        ['2/a', 'x', 200, 1],
      ],
    );
    assert.is(store.nextTimer(1), undefined);
  });

  title('a snapshot shortens loading and hides nothing', async ({ log, store }) => {
    const snapshot = { key: '1/a', seq: 2, version: 2, stateVersion: 1, state: { sum: 3 }, timers: [] };
    await log.append(record([commit('1/a', 1), commit('1/a', 2), commit('1/a', 3)], { snapshots: [snapshot] }));
    const loaded = store.load('1/a', 1);
    assert.equal(loaded.snapshot, snapshot);
    assert.equal(
      loaded.commits.map(({ seq }) => seq),
      [3],
    );
    assert.equal(
      [...store.history('1/a')].map(({ seq }) => seq),
      [1, 2, 3],
    );
  });

  title('answers and fingerprints are kept with the message that they answer', async ({ log, store }) => {
    const reply = { ok: true as const, version: 1, value: { orderId: 'ord_1' } };
    await log.append(record([commit('1/a', 1, { cause: 'req', reply, fingerprint: 'f', by: 'ada' })]));
    const [loaded] = store.load('1/a', 1).commits;
    assert.equal([loaded?.cause, loaded?.reply, loaded?.fingerprint, loaded?.by], ['req', reply, 'f', 'ada']);
    assert.is(store.answered('1/a', 'req'), undefined, 'whoever loads the aggregate has it');
    const snapshot = { key: '1/a', seq: 1, version: 1, stateVersion: 1, state: {}, timers: [] };
    await log.append(record([commit('1/a', 2)], { n: 2, snapshots: [snapshot] }));
    store.load('1/a', 1);
    const answered = store.answered('1/a', 'req');
    assert.equal([answered?.seq, answered?.reply, answered?.fingerprint], [1, reply, 'f']);
    assert.is(store.answered('1/a', 'cause-1/a-2'), undefined);
  });

  title('two aggregates that were asked under one id have their own answers each', async ({ log, store }) => {
    const keys = ['1/a', '1/b'];
    await log.append(record(keys.map((key) => commit(key, 1, { cause: 'req', fingerprint: `of ${key}` }))));
    const snapshots = keys.map((key) => ({ key, seq: 1, version: 1, stateVersion: 1, state: {}, timers: [] }));
    await log.append(record([commit('1/a', 2)], { n: 2, snapshots }));
    for (const key of keys) store.load(key, 1);
    for (const key of keys) assert.is(store.answered(key, 'req')?.fingerprint, `of ${key}`);
  });

  title('dead letters keep the message, its reason and its attempts', async ({ log, store }) => {
    const envelope = send('poison');
    const deadLetter = { envelope, reason: 'Error: boom', attempts: 3 };
    await log.append(record([commit('2/b', 1, { cause: 'poison', events: [], deadLetter })]));
    const [loaded] = store.load('2/b', 1).commits;
    assert.equal(loaded?.deadLetter, deadLetter);
  });
}
