/** The simulated vendor's books as a file. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openKeyedStore } from '../../storage/keyedStore.ts';

type Entry = { readonly key: string; readonly value: unknown };
type Context = { folder: string };
const books = suite<Context>('keyed store');

books.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'holdfast-books-'));
});
books.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));

books('keeps what is put together, however much it is, and the newest of each key', ({ folder }) => {
  const path = join(folder, 'books.sqlite');
  const store = openKeyedStore<Entry>(path);
  const entries = ['a', 'b', 'c', 'd', 'e', 'f'].map((key) => ({ key, value: `old ${key}` }));
  store.put(...entries.slice(0, 3));
  store.put(...entries.slice(3, 5));
  store.put(...entries.slice(5));
  store.put();
  store.put({ key: 'b', value: 'new b' }, { key: 'g', value: 'g' });
  // As another process finds it that never saw this one close.
  const other = openKeyedStore<Entry>(path, { readonly: true });
  const found = [...other.all()].map(({ value }) => value);
  assert.equal(found, ['old a', 'new b', 'old c', 'old d', 'old e', 'old f', 'g']);
  other.close();
  store.close();
});

for (const others of [1, 2]) {
  books(`keeps nothing of ${others + 1} entries when one of them can't be kept`, ({ folder }) => {
    const store = openKeyedStore<Entry>(join(folder, 'books.sqlite'));
    const good = Array.from({ length: others }, (_, index) => ({ key: `good-${index}`, value: index }));
    assert.throws(() => store.put(...good, { key: null as unknown as string, value: 'no key' }), /NOT NULL/);
    assert.equal([...store.all()], []);
    store.close();
  });
}

books.run();
