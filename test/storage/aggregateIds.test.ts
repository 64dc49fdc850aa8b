import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createAggregateIds } from '../../storage/aggregateIds.ts';
import { openDatabase } from '../../storage/database.ts';
import { openEmbeddedStore } from '../../storage/embeddedStore.ts';
import { openKeyedStore } from '../../storage/keyedStore.ts';
import { commit, record } from './shardLogContract.ts';

const pages = suite('going through all');

function inFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-pages-'));
  return work(folder).finally(() => rmSync(folder, { recursive: true, force: true }));
}

pages('aggregates of one type come in pages, in the order of their keys, each once', () =>
  inFolder(async (folder) => {
    const db = openDatabase(join(folder, 'test.sqlite'));
    const { log, tables } = openEmbeddedStore(db, { logger: { error: () => {} } });
    const commits = ['ord_b/payment', 'ord_a/payment', 'ord_c/payment', 'ord_a/order', 'crt_a/payment', 'z/payment'];
    await log.append(record([...commits.map((key) => commit(key, 1)), commit('ord_a/payment', 2)]));
    const ids = createAggregateIds(tables.reader);
    const prefix = 'ord_';
    assert.equal(ids('payment', { prefix, limit: 2 }), ['ord_a', 'ord_b']);
    assert.equal(ids('payment', { prefix, after: 'ord_b', limit: 2 }), ['ord_c']);
    assert.equal(ids('payment', { prefix, after: 'ord_c', limit: 2 }), []);
    assert.equal(ids('order', { prefix, limit: 2 }), ['ord_a']);
    assert.equal(ids('ment', { prefix, limit: 2 }), []);
    db.close();
  }),
);

pages('a keyed store gives its entries in pages, in the order of their keys', () =>
  inFolder(async (folder) => {
    const store = openKeyedStore<{ key: string; value: number }>(join(folder, 'keyed.sqlite'));
    for (const [value, key] of ['b', 'a/2', 'a', 'c', 'a/1'].entries()) store.put({ key, value });
    const keys = (after: string, limit: number) => store.after(after, limit).map(({ key }) => key);
    assert.equal(keys('', 3), ['a', 'a/1', 'a/2']);
    assert.equal(keys('a/2', 3), ['b', 'c']);
    assert.equal(keys('c', 3), []);
    store.close();
  }),
);

pages('a keyed store takes several entries at once, and forgets one', () =>
  inFolder(async (folder) => {
    const store = openKeyedStore<{ key: string; value: number }>(join(folder, 'keyed.sqlite'));
    store.put({ key: 'a', value: 1 }, { key: 'b', value: 2 });
    store.put({ key: 'a', value: 3 });
    store.remove('b');
    store.remove('nothing');
    assert.equal([...store.all()], [{ key: 'a', value: 3 }]);
    store.close();
  }),
);

pages.run();
