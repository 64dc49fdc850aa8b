/** The catalog's tables and searches: what is found, in which order, and that every event shows at once. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ProductEvent, productAddress } from '../../actors/product.ts';
import type { CatalogPosition, CatalogQuery, CatalogSort } from '../../storage/projections/catalogReader.ts';
import { adjusted, CACHE_MS, openCatalog, priceSet, received, type TestCatalog } from '../support/catalog.ts';

type Context = { catalog: TestCatalog };
const search = suite<Context>('catalog search');
const facets = suite<Context>('catalog facets');
const pages = suite<Context>('catalog pages');
const memory = suite<Context>('catalog memory');

for (const tests of [search, facets, pages, memory]) {
  tests.before.each((context) => {
    context.catalog = openCatalog();
  });
  tests.after.each(({ catalog }) => catalog.close());
}

const discontinued: ProductEvent = { type: 'ProductDiscontinued', v: 1 };
const details = { description: '', category: 'Other', tags: [] };
const created = (name: string): ProductEvent => ({ type: 'ProductCreated', v: 1, name, ...details });
const changed = (name: string): ProductEvent => ({ type: 'ProductChanged', v: 1, name, ...details });

search('finds by name, category, tags, description and SKU; every word must occur', ({ catalog }) => {
  catalog.sell('SEN-50', 900, {
    name: 'Sencha',
    category: 'Green tea',
    tags: ['loose leaf'],
    description: 'From Uji.',
  });
  catalog.sell('CUP-1', 900, { name: 'Cup' });
  for (const text of ['sencha', 'green', 'loose', 'uji', 'sen-50', 'SENCHA Uji', 'leaf tea', 'green tea sencha']) {
    assert.equal(catalog.skus({ text }), ['SEN-50'], text);
  }
  assert.equal(catalog.skus({ text: 'sencha cup' }), []);
});

search('beginnings and other forms of a word find it', ({ catalog }) => {
  catalog.sell('KIT-1', 900, { name: 'Teapots for brewing' });
  for (const text of ['tea', 'teap', 'teapot', 'brew', 'brewed', 'b'])
    assert.equal(catalog.skus({ text }), ['KIT-1'], text);
  assert.equal(catalog.skus({ text: 'pot' }), [], 'the middle of a word is no beginning');
});

search('accents and scripts make no difference', ({ catalog }) => {
  catalog.sell('CAF', 900, { name: 'Café Crème' });
  catalog.sell('STR', 900, { name: 'Straßenkarte' });
  catalog.sell('CHA', 900, { name: '静岡緑茶' });
  assert.equal(catalog.skus({ text: 'cafe creme' }), ['CAF']);
  assert.equal(catalog.skus({ text: 'CAFÉ' }), ['CAF']);
  assert.equal(catalog.skus({ text: 'strassenk' }), ['STR']);
  assert.equal(catalog.skus({ text: '緑茶' }), ['CHA'], 'also in the middle');
});

search('typing errors are forgiven: one from four letters on, two from eight', ({ catalog }) => {
  catalog.sell('TEA', 900, { name: 'Green Tea' });
  catalog.sell('EAR', 900, { name: 'Headphones' });
  for (const text of ['gren tea', 'teaa', 'gren teaa', 'geren', 'grene'])
    assert.equal(catalog.skus({ text }), ['TEA'], text);
  for (const text of ['headfones', 'haedphones', 'headphnes']) assert.equal(catalog.skus({ text }), ['EAR'], text);
  for (const text of ['tae', 'grxxn', 'headfonez']) assert.equal(catalog.skus({ text }), [], text);
});

search(
  'what is written comes first, then beginnings, then typing errors; the name before other texts',
  ({ catalog }) => {
    catalog.sell('A-TYPO', 900, { name: 'Bread' });
    catalog.sell('B-BEGINNING-ELSEWHERE', 900, { name: 'Seeds', description: 'For broadleaf plants' });
    catalog.sell('C-BEGINNING', 900, { name: 'Broadcloth' });
    catalog.sell('D-EXACT-ELSEWHERE', 900, { name: 'Axe', description: 'A broad blade' });
    catalog.sell('E-EXACT', 900, { name: 'Broad Beans' });
    const exact = ['E-EXACT', 'D-EXACT-ELSEWHERE', 'C-BEGINNING', 'B-BEGINNING-ELSEWHERE'];
    assert.equal(catalog.skus({ text: 'broad' }), exact, 'who writes a known word means it');
    assert.equal(catalog.skus({ text: 'broadc' }), ['C-BEGINNING', 'E-EXACT', 'D-EXACT-ELSEWHERE']);
    assert.equal(catalog.skus({ text: 'broxd' }), ['E-EXACT', 'D-EXACT-ELSEWHERE']);
  },
);

search('only what is on sale is found, and as it is described now', ({ catalog }) => {
  const tea = productAddress('TEA');
  catalog.apply([tea, created('Sencha')]);
  assert.equal([catalog.skus({ text: 'sencha' }), catalog.skus()], [[], []]);
  assert.is(catalog.find('TEA')?.status, 'draft');
  catalog.apply([tea, { ...priceSet(900), type: 'PriceChangeActivated' }]);
  assert.equal([catalog.skus({ text: 'sencha' }), catalog.skus()], [['TEA'], ['TEA']]);
  catalog.apply([tea, changed('Gyokuro')]);
  assert.equal([catalog.skus({ text: 'sencha' }), catalog.skus({ text: 'gyokuro' })], [[], ['TEA']]);
  catalog.apply([tea, priceSet(800, 900)]);
  assert.equal(catalog.skus({ text: 'gyokuro', maxPrice: 800 }), ['TEA']);
  catalog.apply([tea, discontinued]);
  assert.equal([catalog.skus({ text: 'gyokuro' }), catalog.skus()], [[], []]);
  const { status, version } = catalog.find('TEA') ?? {};
  assert.equal([status, version], ['discontinued', 5]);
});

search('a word of something discontinued is corrected to one that is on sale', ({ catalog }) => {
  catalog.sell('OLD', 900, { name: 'Breed' });
  catalog.sell('NEW', 900, { name: 'Bread' });
  catalog.apply([productAddress('OLD'), discontinued]);
  assert.equal(catalog.skus({ text: 'breed' }), ['NEW']);
});

search('new words are known at once, also after the first correction', ({ catalog }) => {
  catalog.sell('TEA', 900, { name: 'Green' });
  assert.equal(catalog.skus({ text: 'gren' }), ['TEA']);
  catalog.sell('CUP', 900, { name: 'Saucer' });
  assert.equal(catalog.skus({ text: 'saucr' }), ['CUP']);
});

search('blank finds everything, a text without words nothing', ({ catalog }) => {
  catalog.sell('TEA', 900);
  for (const text of ['', '   ']) assert.equal(catalog.skus({ text }), ['TEA']);
  for (const text of ['🫖', '"', '*', '\u0000', '--', '()']) assert.equal(catalog.skus({ text }), [], text);
});

search('no text is ever an error', ({ catalog }) => {
  catalog.sell('TEA', 900, { name: 'Green tea', description: 'NEAR AND OR NOT' });
  const operators = fc.constantFrom(
    '"',
    "'",
    '*',
    '^',
    ':',
    '(',
    ')',
    ' AND ',
    ' OR ',
    ' NOT ',
    'NEAR(',
    '-',
    '+',
    '{',
    '}',
    'name:',
    'tea',
    '\\',
    '%',
    ';',
    '🫖',
    '\u0000',
    '\ud800',
  );
  const texts = fc.oneof(
    fc.array(operators, { maxLength: 20 }).map((parts) => parts.join('')),
    fc.string({ unit: 'grapheme', maxLength: 200 }),
    fc.string({ unit: 'binary', maxLength: 200 }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const { entries, total } = catalog.search({ text, sort: 'relevance', limit: 10 });
      assert.is(entries.length, total);
    }),
    { numRuns: 500, seed: 3 },
  );
  for (const text of ['tea '.repeat(2_500), 'a'.repeat(10_000), '"'.repeat(10_000), 'é'.repeat(5_000)]) {
    catalog.search({ text, sort: 'relevance', limit: 10 });
  }
});

function stocked(catalog: TestCatalog): void {
  catalog.sell('T1', 500, { category: 'Tea' }, 5);
  catalog.sell('T2', 1_000, { category: 'Tea' }, 0);
  catalog.sell('T3', 6_000, { category: 'Tea' }, 1);
  catalog.sell('C1', 999, { category: 'Coffee' }, 1);
  catalog.sell('C2', 5_000, { category: 'Coffee' }, 0);
}

/** [total, categories, price ranges, availability], shortened. */
function counts(catalog: TestCatalog, filters: Partial<CatalogQuery> = {}) {
  const { total, categories, priceRanges, availability } = catalog.search({ sort: 'name', limit: 1, ...filters });
  return [
    total,
    Object.fromEntries(categories.map(({ category, count }) => [category, count])),
    priceRanges.map(({ count }) => count),
    [availability.inStock, availability.outOfStock],
  ];
}

facets('count the whole result by category, price range and availability', ({ catalog }) => {
  stocked(catalog);
  assert.equal(counts(catalog), [5, { Tea: 3, Coffee: 2 }, [2, 1, 2], [3, 2]]);
  const { priceRanges } = catalog.search({ sort: 'name', limit: 1 });
  assert.equal(
    priceRanges.map(({ minPrice, maxPrice }) => [minPrice, maxPrice]),
    [
      [0, 999],
      [1_000, 4_999],
      [5_000, null],
    ],
  );
});

facets('each ignores its own filter and minds the others', ({ catalog }) => {
  stocked(catalog);
  assert.equal(counts(catalog, { category: 'Tea' }), [3, { Tea: 3, Coffee: 2 }, [1, 1, 1], [2, 1]]);
  assert.equal(counts(catalog, { minPrice: 999, maxPrice: 5_000 }), [3, { Coffee: 2, Tea: 1 }, [2, 1, 2], [1, 2]]);
  assert.equal(counts(catalog, { inStock: true }), [3, { Tea: 2, Coffee: 1 }, [2, 0, 1], [3, 2]]);
  assert.equal(counts(catalog, { category: 'Tea', inStock: false }), [1, { Tea: 1, Coffee: 1 }, [0, 1, 0], [2, 1]]);
  assert.equal(counts(catalog, { text: 'T1' }), [1, { Tea: 1 }, [1, 0, 0], [1, 0]]);
  assert.equal(counts(catalog, { category: 'None' }), [0, { Tea: 3, Coffee: 2 }, [0, 0, 0], [0, 0]]);
  assert.equal(counts(catalog, { text: '🫖' }), [0, {}, [0, 0, 0], [0, 0]]);
});

facets('agree with counting by hand, whatever the filters', ({ catalog }) => {
  stocked(catalog);
  const all = catalog.search({ sort: 'name', limit: 100 }).entries;
  const option = <Value>(...values: Value[]) => fc.option(fc.constantFrom(...values), { nil: undefined });
  const filters = fc.record({
    category: option('Tea', 'Coffee'),
    minPrice: option(500, 999, 1_000, 5_001),
    maxPrice: option(500, 999, 5_000),
    inStock: option(true, false),
  });
  fc.assert(
    fc.property(filters, ({ category, minPrice, maxPrice, inStock }) => {
      const expected = all.filter(
        ({ category: own, price, available }) =>
          (category === undefined || own === category) &&
          (price?.amount ?? 0) >= (minPrice ?? 0) &&
          (price?.amount ?? 0) <= (maxPrice ?? Infinity) &&
          (inStock === undefined || available > 0 === inStock),
      );
      const { entries, total } = catalog.search({
        sort: 'name',
        limit: 100,
        ...(category !== undefined && { category }),
        ...(minPrice !== undefined && { minPrice }),
        ...(maxPrice !== undefined && { maxPrice }),
        ...(inStock !== undefined && { inStock }),
      });
      assert.equal(entries, expected);
      assert.is(total, expected.length);
    }),
    { numRuns: 200, seed: 1 },
  );
});

pages('are sorted by name, price either way and age', ({ catalog }) => {
  catalog.sell('C', 300, { name: 'zebra' });
  catalog.sell('B', 100, { name: 'Émile' });
  catalog.sell('A', 200, { name: 'Apple' });
  catalog.sell('D', 200, { name: 'apple' });
  const orders: readonly [CatalogSort, string[]][] = [
    ['name', ['A', 'D', 'B', 'C']],
    ['relevance', ['A', 'D', 'B', 'C']],
    ['price', ['B', 'A', 'D', 'C']],
    ['-price', ['C', 'A', 'D', 'B']],
    ['newest', ['D', 'A', 'B', 'C']],
  ];
  for (const [sort, expected] of orders) assert.equal(catalog.skus({ sort }), expected, sort);
});

pages('a product is new when it goes on sale, not when it is described or priced anew', ({ catalog }) => {
  catalog.apply([productAddress('LATE'), created('Late')]);
  catalog.sell('EARLY', 100);
  catalog.apply([productAddress('LATE'), priceSet(100)]);
  assert.equal(catalog.skus({ sort: 'newest' }), ['LATE', 'EARLY']);
  catalog.pass(1);
  catalog.apply([productAddress('EARLY'), priceSet(200, 100)]);
  assert.equal(catalog.skus({ sort: 'newest' }), ['LATE', 'EARLY']);
});

/** All SKUs, three a page; `between` runs between the pages. */
function leaf(
  catalog: TestCatalog,
  query: Partial<CatalogQuery>,
  between: (page: number) => void = () => {},
): string[] {
  const seen: string[] = [];
  let after: CatalogPosition | null = null;
  for (let page = 1; ; page++) {
    const found = catalog.search({ sort: 'name', limit: 3, ...query, ...(after && { after }) });
    seen.push(...found.entries.map(({ sku }) => sku));
    after = found.next;
    if (after === null) return seen;
    between(page);
  }
}

pages('together are the whole result, in every order, each entry once', ({ catalog }) => {
  for (let index = 0; index < 20; index++) {
    const name = ['Broad', 'Broadcloth', 'Bread', 'Axe'][index % 4] ?? '';
    const description = index % 3 === 0 ? 'broad' : 'broadside';
    catalog.sell(`P${index}`, 100 * (index % 5) + 100, { name, description });
  }
  for (const sort of ['relevance', 'name', 'price', '-price', 'newest'] as const) {
    for (const text of ['', 'broad', 'broax', 'broadc', 'p1']) {
      const whole = catalog.skus({ sort, text });
      assert.ok(whole.length > 0, text);
      assert.equal(leaf(catalog, { sort, text }), whole, `${sort} ${text}`);
      assert.is(new Set(whole).size, whole.length);
    }
  }
});

pages('neither repeat nor leave out what was there all the time', ({ catalog }) => {
  for (const sku of ['B', 'D', 'F', 'H', 'J', 'L', 'N']) catalog.sell(sku, 100);
  const seen = leaf(catalog, {}, (page) => {
    if (page === 1) catalog.sell('A', 100);
    if (page === 1) catalog.apply([productAddress('B'), discontinued]);
    if (page === 2) catalog.sell('M', 100);
  });
  assert.equal(seen, ['B', 'D', 'F', 'H', 'J', 'L', 'M', 'N']);
});

pages('the last page says so, also when it is full', ({ catalog }) => {
  for (const sku of ['A', 'B', 'C']) catalog.sell(sku, 100);
  assert.is(catalog.search({ sort: 'name', limit: 3 }).next, null);
  assert.is.not(catalog.search({ sort: 'name', limit: 2 }).next, null);
  assert.equal(catalog.search({ sort: 'relevance', text: 'a', limit: 1 }).next, null);
});

memory('an entry shows each change of price, text and stock at once', ({ catalog }) => {
  catalog.sell('TEA', 900, {}, 3);
  const shown = () => {
    const { price, name, available, version } = catalog.find('TEA') ?? {};
    return [price?.amount, name, available, version];
  };
  assert.equal(shown(), [900, 'TEA', 3, 1]);
  catalog.apply([productAddress('TEA'), priceSet(800, 900)]);
  assert.equal(shown(), [800, 'TEA', 3, 2]);
  catalog.apply([productAddress('TEA'), changed('Tea')]);
  assert.equal(shown(), [800, 'Tea', 3, 3]);
  catalog.apply(received('TEA', 4, 'wh-west'));
  assert.equal(shown(), [800, 'Tea', 7, 3]);
});

memory('facets show at once what is sold out, what comes back, and what has another price', ({ catalog }) => {
  stocked(catalog);
  const availability = () => counts(catalog)[3];
  assert.equal(availability(), [3, 2]);
  catalog.apply(adjusted('T1', -4));
  assert.equal([availability(), catalog.skus({ inStock: true }).includes('T1')], [[3, 2], true]);
  catalog.apply(adjusted('T1', -1));
  assert.equal([availability(), catalog.skus({ inStock: true }).includes('T1')], [[2, 3], false]);
  catalog.apply(received('T1', 1, 'wh-west'), received('T2', 1));
  assert.equal(availability(), [4, 1]);
  catalog.apply([productAddress('T1'), priceSet(7_000, 500)]);
  assert.equal(counts(catalog)[2], [1, 1, 3]);
});

memory('a transaction that is rolled back leaves nothing behind', ({ catalog }) => {
  catalog.sell('TEA', 900, {}, 3);
  const before = [catalog.find('TEA'), counts(catalog)];
  catalog.applyInVain([productAddress('TEA'), priceSet(800, 900)], adjusted('TEA', -3));
  assert.equal([catalog.find('TEA'), counts(catalog)], before);
  catalog.apply(received('OTHER', 1));
  assert.equal([catalog.find('TEA'), counts(catalog)], before);
});

memory('an entry is read again after its time, and only then', ({ catalog }) => {
  catalog.sell('TEA', 900);
  const first = catalog.find('TEA');
  assert.is(catalog.find('TEA'), first, 'the very same object');
  catalog.pass(CACHE_MS);
  assert.is(catalog.find('TEA'), first);
  catalog.pass(1);
  assert.is.not(catalog.find('TEA'), first);
  assert.equal(catalog.find('TEA'), first);
});

memory('a SKU that was asked for before it existed is found afterwards', ({ catalog }) => {
  assert.is(catalog.find('TEA'), undefined);
  catalog.sell('TEA', 900);
  assert.is(catalog.find('TEA')?.price?.amount, 900);
});

for (const tests of [search, facets, pages, memory]) tests.run();
