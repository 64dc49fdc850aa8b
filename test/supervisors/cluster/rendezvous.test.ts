/** Where shards should be: spread evenly, the same on every node, and moved no more than needed. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { wantedPlace } from '../../../supervisors/cluster/rendezvous.ts';

const rendezvous = suite('rendezvous');

const SHARDS = 16;
const names = (count: number, prefix = 'node'): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
const shards = (count: number): number[] => Array.from({ length: count }, (_, shard) => shard);
const owners = (nodes: readonly string[], count = SHARDS): (string | undefined)[] =>
  shards(count).map((shard) => wantedPlace(shard, nodes).owner);

rendezvous('nobody is wanted where no node is, and a lone node gets everything', () => {
  assert.equal(wantedPlace(3, []), {});
  assert.equal(wantedPlace(3, ['a']), { owner: 'a' });
  assert.equal(new Set(owners(['a'])), new Set(['a']));
});

rendezvous('the order in which nodes are known does not matter', () => {
  const nodes = names(5);
  for (const shard of shards(64)) {
    assert.equal(wantedPlace(shard, nodes), wantedPlace(shard, nodes.toReversed()));
  }
});

rendezvous('places are fixed for ever: nodes of different versions must agree', () => {
  const found = shards(8).map((shard) => wantedPlace(shard, ['a', 'b', 'c']));
  assert.equal(
    found.map(({ owner, standby }) => `${owner}${standby}`),
    ['bc', 'ca', 'ba', 'ba', 'ab', 'ac', 'ab', 'bc'],
  );
});

rendezvous('many shards are spread evenly over nodes with similar names', () => {
  for (const count of [2, 3, 4, 7]) {
    const found = owners(names(count), 4_096);
    for (const node of names(count)) {
      const share = found.filter((owner) => owner === node).length / (4_096 / count);
      assert.ok(share > 0.9 && share < 1.1, `${node} of ${count} has ${share} of its share`);
    }
  }
});

rendezvous('a node that joins takes shards from others, and nothing moves between those', () => {
  let moved = 0;
  const rounds = 200;
  for (let round = 0; round < rounds; round++) {
    const before = names(1 + (round % 4), `cluster-${round}`);
    const after = [...before, `cluster-${round}-new`];
    const old = owners(before);
    for (const [shard, owner] of owners(after).entries()) {
      if (owner === old[shard]) continue;
      assert.is(owner, after.at(-1));
      moved += (1 + before.length) / SHARDS;
    }
  }
  const share = moved / rounds;
  assert.ok(share > 0.9 && share < 1.1, `a node that joins gets ${share} of its share`);
});

rendezvous('when a node is lost its shards go to their standbys, and nothing else moves', () => {
  for (const count of [2, 3, 4]) {
    const nodes = names(count);
    for (const lost of nodes) {
      const rest = nodes.filter((node) => node !== lost);
      for (const shard of shards(SHARDS)) {
        const before = wantedPlace(shard, nodes);
        const expected = before.owner === lost ? before.standby : before.owner;
        assert.is(wantedPlace(shard, rest).owner, expected);
      }
    }
  }
});

rendezvous.run();
