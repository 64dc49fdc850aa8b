/** What the feed keeps of a log, for how long, and what becomes of it when a node dies or its disk is full. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Commit } from '../../actors/kernel/message.ts';
import type { FailPointName } from '../../actors/kernel/ports.ts';
import { openDatabase } from '../../storage/database.ts';
import { openEmbeddedStore } from '../../storage/embeddedStore.ts';
import { openFeed } from '../../storage/feed.ts';
import { encodeBody, encodeRecord, GENESIS_HASH } from '../../storage/recordCodec.ts';
import { commit } from './shardLogContract.ts';

const MINUTE_MS = 60_000;
const T0 = 1_000 * MINUTE_MS;

type Context = { folder: string };
const feeds = suite<Context>('feed', { folder: '' });
feeds.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'holdfast-feed-'));
});
feeds.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));

type Parts = { readonly failPoint?: (name: FailPointName) => void; readonly without?: boolean };

function open({ folder }: Context, { failPoint = () => {}, without = false }: Parts = {}) {
  const db = openDatabase(join(folder, 'test.sqlite'));
  const skipped: string[] = [];
  const feed = openFeed(db, (what) => skipped.push(what));
  const logger = { error: () => {} };
  const { log, tables } = openEmbeddedStore(db, { failPoint, logger, ...(!without && { follower: feed.follower }) });
  const last = db.prepare<[number], { n: number; hash: string }>('SELECT n, hash FROM heads WHERE shard = ?');
  return {
    db,
    feed,
    skipped,
    tables,
    async append(shard: number, at: number, ...commits: readonly Commit[]): Promise<void> {
      const { n, hash } = last.get(shard) ?? { n: 0, hash: GENESIS_HASH };
      const header = { schema: 1, shard, epoch: 1, n: n + 1, prevHash: hash, at, inboxOffset: 0, acked: [] } as const;
      await log.append(encodeRecord({ ...header, commits }, commits.map(encodeBody), []));
    },
  };
}

function cart(id: string, seq: number, customerId?: string): Commit {
  const created = { type: 'CartCreated', v: 1, customerId };
  return commit(`${id}/cart`, seq, { events: [customerId ? created : { type: 'CartCleared', v: 1 }] });
}
const seen = (feed: ReturnType<typeof open>['feed'], owner: string, position = 0) =>
  feed.after(owner, position, 100).map(({ shard, n, index, commit: { key, seq } }) => [shard, n, index, key, seq]);

feeds('each owner gets the own carts and orders, with the record and the place in it', async (context) => {
  const { db, feed, tables, append } = open(context);
  await append(0, T0, cart('c1', 1, 'ada'), commit('s/stock', 1, { events: [{ type: 'Counted', v: 1 }] }));
  await append(1, T0, cart('c2', 1, 'bob'));
  await append(0, T0, cart('c1', 2), cart('c1', 3), commit('c1/cart', 4, { events: [] }));
  tables.catchUp();
  assert.equal(seen(feed, 'ada'), [
    [0, 1, 0, 'c1/cart', 1],
    [0, 2, 0, 'c1/cart', 2],
    [0, 2, 1, 'c1/cart', 3],
  ]);
  assert.equal(seen(feed, 'bob'), [[1, 1, 0, 'c2/cart', 1]]);
  assert.equal([feed.heads, feed.position], [[2, 1], 6]);
  const [, second] = feed.after('ada', 0, 2);
  assert.is(seen(feed, 'ada', second?.position).length, 1);
  db.close();
});

feeds('wakes whoever watches an owner, once the rows are there, and only them', async (context) => {
  const { db, feed, tables, append } = open(context);
  const woken: string[] = [];
  const unwatch = feed.watch('ada', () => woken.push(`ada ${seen(feed, 'ada').length}`));
  feed.watch('bob', () => woken.push('bob'));
  await append(0, T0, cart('c1', 1, 'ada'), cart('c1', 2));
  tables.catchUp();
  assert.equal(woken, ['ada 2']);
  unwatch();
  await append(0, T0, cart('c1', 3));
  tables.catchUp();
  assert.is(woken.length, 1);
  db.close();
});

feeds(
  'rows are kept for five minutes at least and ten at most, and it says up to where they are gone',
  async (context) => {
    const { db, feed, tables, append } = open(context);
    await append(0, T0, cart('c1', 1, 'ada'));
    tables.catchUp();
    const rowsAt = async (minutes: number, seq: number): Promise<readonly number[]> => {
      await append(0, T0 + minutes * MINUTE_MS, cart('c1', seq));
      tables.catchUp();
      return feed.after('ada', 0, 100).map(({ n }) => n);
    };
    assert.equal([await rowsAt(4, 2), feed.floors], [[1, 2], []]);
    assert.equal([await rowsAt(6, 3), feed.floors], [[1, 2, 3], []]);
    assert.equal([await rowsAt(10, 4), feed.floors], [[1, 2, 3, 4], []]);
    assert.equal([await rowsAt(11, 5), feed.floors], [[3, 4, 5], [2]]);
    assert.equal([await rowsAt(60, 6), feed.floors], [[5, 6], [4]]);
    db.close();
  },
);

feeds('goes on after a crash, and catches up with what the log has', async (context) => {
  const first = open(context);
  await first.append(0, T0, cart('c1', 1, 'ada'));
  first.tables.catchUp();
  await first.append(0, T0, cart('c1', 2));
  first.db.close();
  const second = open(context);
  assert.equal(
    seen(second.feed, 'ada').map(([, n]) => n),
    [1, 2],
  );
  assert.equal([second.feed.heads, second.feed.floors], [[2], []]);
  second.db.close();
});

feeds('a transaction that fails leaves nothing behind, and is made up for', async (context) => {
  let isFull = true;
  const failPoint = (name: FailPointName): void => {
    if (isFull && name === 'after-append-before-apply') throw new Error('no space');
  };
  const { db, feed, tables, append } = open(context, { failPoint });
  const woken: number[] = [];
  feed.watch('ada', () => woken.push(1));
  await append(0, T0, cart('c1', 1, 'ada'));
  assert.throws(() => tables.catchUp(), /no space/);
  assert.equal([feed.heads, feed.position, woken, seen(feed, 'ada')], [[], 0, [], []]);
  isFull = false;
  tables.catchUp();
  assert.equal([feed.heads, woken.length, seen(feed, 'ada').length], [[1], 1, 1]);
  db.close();
});

feeds('begins anew where the tables went on without it', async (context) => {
  const first = open(context);
  await first.append(0, T0, cart('c1', 1, 'ada'));
  first.tables.catchUp();
  first.db.close();
  const without = open(context, { without: true });
  await without.append(0, T0, cart('c1', 2));
  without.tables.catchUp();
  without.db.close();
  const { db, feed, tables, append } = open(context);
  assert.equal([feed.floors, seen(feed, 'ada')], [[2], []]);
  await append(0, T0, cart('c1', 3));
  tables.catchUp();
  assert.equal(seen(feed, 'ada'), [[0, 3, 0, 'c1/cart', 3]]);
  db.close();
});

feeds('what nobody owns is passed over with a word', async (context) => {
  const { db, feed, skipped, tables, append } = open(context);
  await append(0, T0, cart('c9', 2), cart('c1', 1, 'ada'));
  tables.catchUp();
  assert.equal([skipped, seen(feed, 'ada').length], [['c9/cart'], 1]);
  db.close();
});

feeds.run();
