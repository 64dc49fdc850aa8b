import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodePlace, encodePlace } from '../../supervisors/feedCursor.ts';

const cursor = suite('feed cursor');

const number = fc.oneof(fc.nat(300), fc.nat(), fc.integer({ min: 0, max: 2 ** 45 }));
const place = fc
  .tuple(
    fc.array(number, { minLength: 4, maxLength: 4 }),
    fc.uniqueArray(fc.tuple(fc.nat(3), fc.tuple(fc.nat(500), fc.nat(500))), {
      selector: ([shard]) => shard,
      maxLength: 4,
    }),
  )
  .map(([seen, parts]) => ({
    seen,
    parts: new Map(parts.map(([shard, [commit, changes]]) => [shard, { commit, changes }])),
  }));

cursor('says the same after it was written and read', () => {
  fc.assert(
    fc.property(place, (written) => {
      const text = encodePlace(written);
      assert.match(text, /^[\w-]+$/);
      assert.equal(decodePlace(text, 4), written);
    }),
  );
});

cursor('is short for a shop of 16 shards with a million records each', () => {
  const text = encodePlace({ seen: Array.from({ length: 16 }, () => 1_000_000), parts: new Map() });
  assert.ok(text.length < 70, text);
});

cursor('of a shop with another number of shards is none', () => {
  const text = encodePlace({ seen: [1, 2, 3, 4], parts: new Map() });
  assert.is(decodePlace(text, 3), undefined);
  assert.is(decodePlace(text, 5), undefined);
});

cursor('that was never given out is none, whatever it is', () => {
  for (const text of ['', 'x', '%%%', '17', 'AQ', `AQ${'_'.repeat(40)}`, 'a b', 'é', '-'.repeat(8_000)]) {
    assert.is(decodePlace(text, 4), undefined, text);
  }
  const other = encodePlace({ seen: [1, 2, 3, 4], parts: new Map([[4, { commit: 0, changes: 1 }]]) });
  assert.is(decodePlace(other, 4), undefined, 'there is no shard 4');
  fc.assert(
    fc.property(fc.string(), (text) => {
      const read = decodePlace(text, 4);
      assert.ok(read === undefined || read.seen.length === 4);
    }),
  );
});

cursor.run();
